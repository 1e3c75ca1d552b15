// The page: what happens on each click. In: the user's actions and the engine's answers. Out: state, drawn by render.ts.

import { busy, client, fail, forgetResult, render, say, showLabels, state, viewer } from './app'
import { check, drawAlert, onChoice, page } from './page'
import { loadCheckpoint, loadFirstModel, startExtras } from './extras'
import { takeFiles } from './files'
import { readSlice, sliceShape } from './orientation'
import { download, following, propagate } from './run'
import { isIdle } from './state'
import { fetchLpips } from './weights'
import type { AxisName, DeviceChoice, MaskFile, ScanInfo } from './messages'
import type { ScanFile } from './work'

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
    const why = error instanceof Error ? error.message : String(error)
    throw choice === 'webgpu' ? new Error(`${why}: choose CPU or Automatic as the device`) : error
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

/** Few-shot needs a network to compare slices with, which comes with the page and is loaded once. */
async function chooseMethod(fewShot: boolean): Promise<void> {
  await busy('Choosing the method…', async () => {
    if (fewShot && state.lpips === undefined) {
      const { entry, data } = await fetchLpips()
      await client.loadLpips(entry.name, data)
      state.lpips = entry.name
    }
    state.fewShot = fewShot
    say(fewShot ? 'Few-shot: slices need not be neighbours.' : 'Propagation: from slice to slice.')
  })
}

/** Starts the engine, and gives it what it does not have yet: after a first failure, everything. */
async function bringUp(choice: DeviceChoice): Promise<void> {
  await startEngine(choice)
  // Without the model the scan can still be looked at, and other weights chosen.
  if (!state.weights) await loadFirstModel().catch(fail)
  if (!state.scan) await openSample()
}

async function openPage(): Promise<void> {
  const asked = new URLSearchParams(location.search).get('device')
  const choice: DeviceChoice = asked === 'cpu' || asked === 'webgpu' ? asked : 'auto'
  page.device.value = choice
  page.version.textContent = __VERSION__
  await busy('Starting the engine…', async () => {
    await viewer.attach()
    await bringUp(choice)
  })
}

// The scan

async function showScan(info: ScanInfo, image: Blob, sampleMask: Blob | undefined, files: ScanFile[]): Promise<void> {
  await viewer.open(info, image)
  state.scan = { info, sampleMask, files }
  state.window = undefined
  state.prompt.reset()
  state.maskName = ''
  state.maskFile = undefined
  state.place = 1
  state.maskChanged = false
  forgetResult()
  showWindow(info.window)
  showAxis(state.axis)
  viewer.slice = Math.floor((info.dims[info.axes[state.axis]] ?? 1) / 2)
  say(`${info.name} is open.`)
}

async function openSample(): Promise<void> {
  const { info, image, mask } = await client.openSample()
  await showScan(info, new Blob([image as BlobPart]), new Blob([mask as BlobPart]), [])
  say('The sample is open: an invented scan, no patient.')
}

async function openFiles(files: ScanFile[]): Promise<void> {
  const [file] = files
  if (file) await showScan(await client.openScan(file.name, file.data), file.data, undefined, files)
}

async function openScanFile(file: File): Promise<void> {
  await busy(`Opening ${file.name}…`, () => openFiles([{ name: file.name, data: file }]))
}

// The mask

async function loadMask(name: string, data: Blob): Promise<void> {
  useMask(name, await client.readMask(name, data), undefined)
}

/** Takes the mask from a file: all labels of the slice where they are largest together, or one label where it is largest. */
function useMask(name: string, file: MaskFile, label: number | undefined): void {
  const { scan, prompt } = state
  if (!scan) return
  const missing = prompt.load(file, scan.info, state.axis, label)
  forgetResult()
  state.maskFile = { name, file, label }
  state.maskName = `${name}: `
  state.maskChanged = true
  state.place = 1
  if (prompt.current) viewer.slice = prompt.current.slice
  showLabels()
  const leftOut = missing.length > 0 ? ` Not on it: ${missing.length} of the file's ${missing.length + prompt.values.length} labels.` : ''
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

/** Whole numbers, or a thousandth of the window's width where that is less than one. */
function showWindow([lo, hi]: [number, number]): void {
  const digits = Math.max(0, 3 - Math.floor(Math.log10(hi - lo)))
  page.windowLo.value = String(+lo.toFixed(Math.min(digits, 20)))
  page.windowHi.value = String(+hi.toFixed(Math.min(digits, 20)))
}

function autoWindow(): void {
  if (!state.scan) return
  showWindow(state.scan.info.window)
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
  page.maskLabel.onchange = () => {
    const { maskFile } = state
    const { value } = page.maskLabel
    if (maskFile) useMask(maskFile.name, maskFile.file, value === '' ? undefined : Number(value))
    render()
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
  page.method.onchange = () => void chooseMethod(page.method.value === 'few-shot')
  page.memory.onchange = render
  page.run.onclick = () => void propagate()
  page.cancel.onclick = () => {
    state.run?.controller.abort()
    render()
  }
  page.download.onclick = () => void download()
  page.device.onchange = () => {
    const choice = page.device.value as DeviceChoice
    void busy('Starting the engine…', async () => {
      const again = state.scan !== undefined
      await bringUp(choice)
      if (again) say('The engine was started; the scan, the model and the mask are still here.')
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
  weights: (file) => void busy(`Packing the weights of ${file.name} in 8 bits, on this computer…`, () => loadCheckpoint(file)),
  session: (file) => extras.openSession(file),
})
const extras = startExtras({ openSample, openFiles, chooseMethod, chooseScan: () => page.scanFile.click() })
wireMask()
wireRun()
wireView()
render()
void openPage()
