// The page: what happens on each click. In: the user's actions and the engine's answers. Out: state, drawn by render.ts.

import { EngineClient } from './client'
import { check, checked, drawAlert, onChoice, page, saveAs } from './page'
import { takeFiles } from './files'
import { readSlice, sliceShape } from './orientation'
import { render as draw } from './render'
import { Result } from './result'
import { initialState, isIdle, maskIsHere, type State } from './state'
import { Viewer } from './viewer'
import { fetchWeights } from './weights'
import type { AxisName, DeviceChoice, Direction, RunOptions, ScanInfo } from './messages'

const client = new EngineClient(() => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }))
const viewer = new Viewer(page.canvas)
const state: State = initialState()

/** Draws the state, and tells the viewer what it may paint. */
function render(): void {
  const tool = checked('tool')
  const canPaint = isIdle(state) && state.scan !== undefined && !state.allPlanes && maskIsHere(state) && tool !== 'off'
  viewer.setPen(
    canPaint ? { place: tool === 'erase' ? 0 : state.place, size: Number(page.brushSize.value), filled: tool === 'outline' } : undefined,
  )
  draw(state)
}

function say(text: string): void {
  page.status.textContent = text
}

function fail(error: unknown): void {
  drawAlert(error instanceof Error ? error.message : String(error))
  say('That did not work; nothing was lost.')
}

/** Does one thing at a time, says what it waits for, shows what went wrong. */
async function busy(words: string, job: () => Promise<void>): Promise<void> {
  state.busy = words
  drawAlert(null)
  say(words)
  render()
  try {
    await job()
  } catch (error) {
    fail(error)
  } finally {
    state.busy = undefined
    render()
  }
}

/** Labels on the screen: the result, with the mask over it while it is another than the result's. */
function showLabels(): void {
  viewer.setLabels(state.result?.volume)
  const current = state.prompt.isEmpty ? undefined : state.prompt.current
  if (current && (!state.result || state.maskChanged)) viewer.setLabelSlice(current.axis, current.slice, current.pixels)
}

function forgetResult(): void {
  state.result = undefined
  state.saved = true
}

function showAxis(axis: AxisName): void {
  state.axis = axis
  check('axis', axis)
  viewer.show(axis, state.allPlanes)
}

// The engine

async function startEngine(choice: DeviceChoice): Promise<void> {
  state.device = 'starting'
  state.choice = choice
  render()
  try {
    state.device = await client.start(choice)
  } catch (error) {
    state.device = 'down'
    throw error
  }
}

client.onCrash = (error) => {
  console.error(`the engine stopped: ${error.name}: ${error.message}`)
  state.device = 'starting'
  render()
}

client.onRestart = (device) => {
  state.device = device
  say('The engine was started again; the scan, the model and the mask are still here.')
  render()
}

client.onDown = () => {
  state.device = 'down'
  render()
}

async function loadWeights(name: string, data: Blob): Promise<void> {
  const info = await client.loadWeights(name, data)
  state.weights = { name, info }
}

async function loadOwnWeights(): Promise<void> {
  say('Loading the model…')
  const { entry, data } = await fetchWeights()
  await loadWeights(entry.name, data)
}

async function openPage(): Promise<void> {
  const asked = new URLSearchParams(location.search).get('device')
  const choice: DeviceChoice = asked === 'cpu' || asked === 'webgpu' ? asked : 'auto'
  page.device.value = choice
  page.version.textContent = __VERSION__
  await busy('Starting the engine…', async () => {
    await viewer.attach()
    await startEngine(choice)
    // Without the model the scan can still be looked at, and other weights chosen.
    await loadOwnWeights().catch(fail)
    await openSample()
  })
}

// The scan

async function showScan(info: ScanInfo, image: Blob, sampleMask: Blob | undefined): Promise<void> {
  await viewer.open(info, image)
  state.scan = { info, sampleMask }
  state.window = undefined
  state.prompt.reset()
  state.place = 1
  state.maskChanged = false
  forgetResult()
  page.windowLo.value = String(+info.window[0].toPrecision(6))
  page.windowHi.value = String(+info.window[1].toPrecision(6))
  showAxis(state.axis)
  viewer.slice = Math.floor((info.dims[info.axes[state.axis]] ?? 1) / 2)
  say(`${info.name} is open.`)
}

async function openSample(): Promise<void> {
  const { info, image, mask } = await client.openSample()
  await showScan(info, new Blob([image as BlobPart]), new Blob([mask as BlobPart]))
  say('The sample is open: an invented scan, no patient.')
}

async function openScanFile(file: File): Promise<void> {
  await busy(`Opening ${file.name}…`, async () => showScan(await client.openScan(file.name, file), file, undefined))
}

// The mask

async function loadMask(name: string, data: Blob): Promise<void> {
  const { scan, prompt } = state
  if (!scan) return
  const missing = prompt.load(await client.readMask(name, data), scan.info, state.axis)
  forgetResult()
  state.maskName = `${name}: `
  state.maskChanged = true
  state.place = 1
  if (prompt.current) viewer.slice = prompt.current.slice
  showLabels()
  const rest = missing.length > 6 ? `${missing.length} labels` : `label${missing.length > 1 ? 's' : ''} ${missing.join(', ')}`
  const leftOut = missing.length > 0 ? ` Not on this slice, so left out: ${rest}.` : ''
  say(`The mask is the one on ${state.axis} slice ${prompt.current?.slice}, where its area is largest.${leftOut}`)
}

function changeMask(change: () => void): void {
  change()
  state.maskChanged = true
  state.saved &&= state.prompt.isEmpty
  if (state.prompt.isEmpty) state.maskName = ''
}

viewer.onStroke = (pixels) => {
  const { prompt } = state
  const before = prompt.isEmpty ? undefined : prompt.current?.pixels
  if (before ? before.every((place, index) => place === pixels[index]) : pixels.every((place) => place === 0)) return
  const mask = pixels.some((place) => place !== 0) ? { axis: state.axis, slice: state.slice, pixels } : undefined
  changeMask(() => prompt.set(mask))
  render()
}

function startMaskHere(): void {
  const { scan, axis, slice, result, prompt } = state
  if (!scan) return
  const { rows, cols } = sliceShape(scan.info.dims, scan.info.axes[axis])
  const pixels = result ? readSlice(scan.info.dims, result.volume, scan.info.axes[axis], slice) : new Uint8Array(rows * cols)
  changeMask(() => prompt.set({ axis, slice, pixels }))
  showLabels()
  say(prompt.isEmpty ? 'Paint the new mask on this slice.' : 'Correct this slice with the pen, then propagate again.')
  render()
}

function goToMask(): void {
  const { current } = state.prompt
  if (!current) return
  state.allPlanes = page.allPlanes.checked = false
  showAxis(current.axis)
  viewer.slice = current.slice
  render()
}

// The run

async function propagate(): Promise<void> {
  const { scan, prompt } = state
  const { current } = prompt
  if (!scan || !current || !isIdle(state)) return
  const options: RunOptions = {
    axis: current.axis,
    imageSize: Number(page.imageSize.value),
    direction: page.direction.value as Direction,
    prompts: prompt.toEngine(),
    ...(state.window && { window: state.window }),
  }
  const run = { controller: new AbortController(), done: 0, steps: 0, started: performance.now(), follow: state.axis === current.axis }
  const result = new Result(scan.info, current.axis, current.slice, prompt.values)
  state.run = run
  drawAlert(null)
  say('Propagating…')
  render()
  try {
    for await (const slice of client.propagate(options, run.controller.signal)) {
      // Only the first new slice puts the result before this one aside.
      if (state.result !== result) {
        forgetResult()
        state.result = result
        state.maskChanged = state.saved = false
        showLabels()
      }
      viewer.setLabelSlice(current.axis, slice.slice, result.add(slice))
      run.done++
      run.steps = slice.steps
      if (run.follow) follow(slice.slice)
      render()
    }
    say(run.controller.signal.aborted ? `Stopped after ${run.done} slices; they are kept.` : `Done: ${run.done} slices.`)
  } catch (error) {
    fail(error)
  } finally {
    state.run = undefined
    if (run.follow && run.done > 0) viewer.slice = current.slice
    render()
    page.result.scrollIntoView({ block: 'nearest' })
  }
}

let following = false
function follow(slice: number): void {
  following = true
  viewer.slice = slice
  following = false
}

function download(): Promise<void> {
  const { result, scan } = state
  if (!result || !scan) return Promise.resolve()
  return busy('Writing the file…', async () => {
    const bytes = await client.exportNifti(result.labels())
    saveAs(`${scan.info.name.replace(/\.nii(\.gz)?$/i, '')}_oneslice.nii.gz`, new Blob([bytes as BlobPart], { type: 'application/gzip' }))
    state.saved = true
    render()
  })
}

// The view

viewer.onSlice = (slice) => {
  if (state.slice === slice) return
  state.slice = slice
  if (state.run && !following) state.run.follow = false
  render()
}

function changeWindow(): void {
  const lo = page.windowLo.valueAsNumber
  const hi = page.windowHi.valueAsNumber
  const valid = Number.isFinite(lo) && Number.isFinite(hi) && lo < hi
  for (const input of [page.windowLo, page.windowHi]) input.setAttribute('aria-invalid', String(!valid))
  if (!valid) return say('The window needs a lowest value below its highest.')
  state.window = [lo, hi]
  viewer.setWindow(state.window)
}

function autoWindow(): void {
  if (!state.scan) return
  const { window } = state.scan.info
  page.windowLo.value = String(+window[0].toPrecision(6))
  page.windowHi.value = String(+window[1].toPrecision(6))
  changeWindow()
  state.window = undefined
}

function wireMask(): void {
  const { prompt } = state
  page.maskSample.onclick = () => {
    const mask = state.scan?.sampleMask
    if (mask) void busy("Reading the sample's mask…", async () => {
      state.allPlanes = page.allPlanes.checked = false
      showAxis('axial')
      await loadMask('sample mask', mask)
    })
  }
  page.maskUndo.onclick = () => {
    changeMask(() => prompt.undo())
    showLabels()
    goToMask()
    render()
  }
  page.maskClear.onclick = () => {
    changeMask(() => prompt.set(undefined))
    showLabels()
    render()
  }
  page.labelAdd.onclick = () => {
    state.place = prompt.addLabel()
    render()
  }
  page.labelOnly.onclick = () => {
    changeMask(() => prompt.keepOnly(state.place))
    showLabels()
    render()
  }
  page.brushSize.oninput = () => {
    page.brushValue.textContent = page.brushSize.value
    render()
  }
  page.hintGo.onclick = goToMask
  page.hintHere.onclick = startMaskHere
  onChoice('tool', render)
  onChoice('label', (place) => {
    state.place = Number(place)
    render()
  })
}

function wireRun(): void {
  page.run.onclick = () => void propagate()
  page.cancel.onclick = () => {
    state.run?.controller.abort()
    render()
  }
  page.download.onclick = () => void download()
  page.device.onchange = () => {
    const choice = page.device.value as DeviceChoice
    void busy('Starting the engine…', async () => {
      await startEngine(choice)
      say('The engine was started; the scan, the model and the mask are still here.')
    })
  }
}

function wireView(): void {
  onChoice('axis', (axis) => {
    showAxis(axis as AxisName)
    render()
  })
  page.allPlanes.onchange = () => {
    state.allPlanes = page.allPlanes.checked
    showAxis(state.axis)
    render()
  }
  page.slice.oninput = () => {
    viewer.slice = page.slice.valueAsNumber
  }
  page.windowLo.onchange = page.windowHi.onchange = changeWindow
  page.windowAuto.onclick = autoWindow
  page.opacity.oninput = () => {
    viewer.opacity = page.opacity.valueAsNumber
  }
  page.zoomIn.onclick = () => viewer.zoom(1.25)
  page.zoomOut.onclick = () => viewer.zoom(0.8)
  page.zoomFit.onclick = () => viewer.resetView()
  page.alertClose.onclick = () => drawAlert(null)
  window.addEventListener('resize', render)
  window.addEventListener('beforeunload', (event) => {
    if (!state.saved) event.preventDefault()
  })
}

page.scanSample.onclick = () => void busy('Opening the sample…', openSample)
takeFiles({
  canTake: () => isIdle(state) && typeof state.device !== 'string',
  canTakeMask: () => state.scan !== undefined,
  scan: (file) => void openScanFile(file),
  mask: (file) => void busy(`Reading ${file.name}…`, () => loadMask(file.name, file)),
  weights: (file) =>
    void busy(`Loading ${file.name}…`, async () => {
      await loadWeights(file.name, file)
      say(`${file.name} is loaded.`)
    }),
})
wireMask()
wireRun()
wireView()
render()
void openPage()
