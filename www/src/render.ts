// State -> page. In: the state. Out: every control's text and whether it can be used; called after each change.

import { MEMORY_NOTE, memoryWords } from './memory'
import type { MemoryStrategy } from './messages'
import { checked, drawFigures, drawLabels, drawMaskLabels, drawStrip, page } from './page'
import { SURE } from './result'
import { AXIS_WORD, isIdle, maskIsHere, runObstacle, timeLeft, type State } from './state'

const NOTHING: undefined[] = []

export function render(state: State): void {
  renderDevice(state)
  renderScan(state)
  renderMask(state)
  renderRun(state)
  renderResult(state)
  renderViewer(state)
  page.busy.hidden = state.busy === undefined
  page.busy.textContent = state.busy ?? ''
}

function deviceWords({ device, choice }: State): string {
  if (device === 'starting') return 'Starting the engine…'
  if (device === 'down') return 'The engine is not running'
  if (device.kind === 'webgpu') return `Running on WebGPU: ${device.description}`
  if (choice === 'cpu') return 'Running on the CPU: slower, same result'
  if (device.description.includes('software')) return 'WebGPU is only emulated here: on the CPU, which is faster'
  return 'No WebGPU: on the CPU, slower, same result'
}

function renderDevice(state: State): void {
  const { device, run, busy } = state
  page.deviceText.textContent = deviceWords(state)
  page.deviceText.title = typeof device === 'string' ? '' : device.description
  page.deviceDot.className = `dot ${typeof device === 'string' ? device : device.kind}`
  page.device.disabled = run !== undefined || (busy !== undefined && device !== 'down')
}

function renderScan(state: State): void {
  const { scan } = state
  page.scanName.textContent = scan ? (scan.sampleMask ? 'The sample: an invented scan' : scan.info.name) : 'No scan is open'
  page.scanFacts.textContent = scan
    ? `${scan.info.dims.join(' × ')} voxels, ${scan.info.spacing.map((mm) => +mm.toFixed(2)).join(' × ')} mm`
    : ''
  page.scanChoose.disabled = page.scanSample.disabled = !isIdle(state) || typeof state.device === 'string'
  page.scanSample.hidden = scan?.sampleMask !== undefined
}

function renderMask(state: State): void {
  const { prompt, scan } = state
  const idle = isIdle(state)
  const current = prompt.isEmpty ? undefined : prompt.current
  const areas = prompt.areas()
  const total = areas.reduce((sum, area) => sum + area, 0)
  page.maskFacts.textContent = current
    ? `${state.maskName}${AXIS_WORD[current.axis]} slice ${current.slice}, ${total.toLocaleString('en')} pixels`
    : 'No mask yet.'
  page.maskSample.hidden = !scan?.sampleMask
  page.maskSample.classList.toggle('primary', current === undefined)
  page.maskSample.disabled = page.maskChoose.disabled = !idle || !scan
  const present = state.maskFile?.file.present ?? []
  page.maskLabelBox.hidden = present.length < 2
  page.maskLabel.disabled = !idle
  drawMaskLabels(present, state.maskFile?.label)
  page.pen.disabled = !idle || !scan
  page.brushSize.disabled = !['brush', 'erase'].includes(checked('tool'))
  page.maskUndo.disabled = !prompt.canUndo
  page.maskClear.disabled = current === undefined
  page.labelOnly.hidden = areas.filter((area) => area > 0).length < 2 || areas[state.place - 1] === 0
  drawLabels(prompt.values, areas, state.place)
}

function renderRun(state: State): void {
  const { run } = state
  const obstacle = runObstacle(state)
  page.run.hidden = run !== undefined
  page.run.disabled = !isIdle(state) || obstacle !== undefined
  page.run.classList.toggle('primary', obstacle === undefined && (state.result === undefined || state.maskChanged))
  page.runHint.textContent = run || state.busy ? '' : (obstacle ?? '')
  page.method.disabled = page.imageSize.disabled = page.models.disabled = !isIdle(state) || typeof state.device === 'string'
  page.direction.disabled = page.memory.disabled = page.method.disabled || state.fewShot
  page.memoryNote.textContent = state.fewShot ? 'Few-shot carries nothing from slice to slice.' : MEMORY_NOTE[page.memory.value as MemoryStrategy]
  page.method.value = state.fewShot ? 'few-shot' : 'propagate'
  page.methodNote.textContent = state.fewShot
    ? `Each slice is segmented by what is most like it: the masked slice or a moved copy of it. LPIPS network: ${state.lpips ?? 'not loaded'}.`
    : ''
  page.run.textContent = state.fewShot ? 'Segment by few-shot' : 'Propagate'
  page.weightsName.textContent = state.weights ? state.weights.name : 'not loaded'
  page.weightsName.title = state.weights ? `${state.weights.info.config}, ${state.weights.info.parameters.toLocaleString('en')} parameters` : ''

  page.cancel.hidden = page.progressBox.hidden = run === undefined
  if (!run) return
  const stopping = run.controller.signal.aborted
  page.cancel.disabled = stopping
  page.cancel.textContent = stopping ? 'Stopping after this slice…' : 'Cancel'
  if (run.steps > 0) {
    page.progress.max = run.steps
    page.progress.value = run.done
  } else {
    page.progress.removeAttribute('value')
  }
  const left = stopping ? '' : timeLeft(run, performance.now())
  const count = run.steps > 0 ? `Slice ${run.done} of ${run.steps}` : run.preparing
  page.progressText.textContent = left ? `${count}, ${left}` : count
}

function renderResult(state: State): void {
  const { result, run } = state
  page.result.hidden = result === undefined
  if (!result) return
  drawFigures(result.figures())
  const reached = result.confidence.filter((slice) => slice !== undefined).length
  const notes = []
  if (!run && reached < result.confidence.length) notes.push(`${reached} of ${result.confidence.length} slices were done.`)
  const doubtful = result.confidence.filter((slice) => slice?.kind === 'found' && slice.predictedIou < SURE).length
  if (!run && doubtful > 0) notes.push(`${doubtful} slice${doubtful > 1 ? 's are' : ' is'} doubtful (amber, predicted IoU below ${SURE}): look at them.`)
  if (!run && state.maskChanged) notes.push('The mask has changed since: propagate again.')
  page.resultNote.textContent = notes.join(' ')
  const memories = result.axis === state.axis ? result.memories(state.slice) : []
  const words = memories.map(({ label, memory }) => (memories.length > 1 ? `Label ${label}: ` : '') + memoryWords(state.slice, memory))
  page.memoryText.textContent = words.join(' ')
  page.download.disabled = !isIdle(state) || !state.result
  page.download.classList.toggle('primary', state.result !== undefined && !state.saved && !state.maskChanged)
}

function renderViewer(state: State): void {
  const { scan, slice, axis, prompt, result } = state
  const last = scan ? (scan.info.dims[scan.info.axes[axis]] ?? 1) - 1 : 0
  const controls = [page.slice, page.allPlanes, page.windowLo, page.windowHi, page.windowAuto, page.opacity, page.zoomIn, page.zoomOut, page.zoomFit]
  for (const control of controls) control.disabled = !scan
  page.slice.max = String(last)
  page.slice.value = String(slice)
  page.sliceLabel.textContent = `${AXIS_WORD[axis]} slice`
  page.sliceValue.textContent = scan ? `${slice} (0 to ${last})${sliceNote(state)}` : ''
  const mask = !prompt.isEmpty && prompt.current?.axis === axis ? prompt.current.slice : undefined
  drawStrip(result?.axis === axis ? result.confidence : new Array<undefined>(last + 1).fill(undefined), mask, slice)
  renderHint(state)
}

function sliceNote({ axis, slice, result, prompt }: State): string {
  if (!prompt.isEmpty && prompt.current?.axis === axis && prompt.current.slice === slice) return ' · mask'
  const confidence = result?.axis === axis ? result.confidence[slice] : NOTHING[0]
  if (confidence?.kind === 'found') return ` · IoU ${confidence.predictedIou.toFixed(2)}`
  return confidence?.kind === 'empty' ? ' · nothing' : ''
}

function renderHint(state: State): void {
  const { prompt, scan, run, allPlanes } = state
  const current = prompt.isEmpty ? undefined : prompt.current
  const here = maskIsHere(state)
  let text = ''
  if (run) text = 'The slices appear as they are done.'
  else if (!scan) text = ''
  else if (allPlanes) text = 'Painting needs a single plane.'
  else if (here) text = current ? 'The mask is on this slice. Scroll to see the others.' : 'Draw around the structure on any slice, or load a mask.'
  else if (current) text = `The mask is on ${current.axis} slice ${current.slice}.`
  page.hintText.textContent = text
  const elsewhere = scan !== undefined && current !== undefined && isIdle(state) && (!here || allPlanes)
  page.hintGo.hidden = !elsewhere
  page.hintHere.hidden = !elsewhere || allPlanes
  page.hintHere.textContent = state.result ? 'Use this slice as the new mask' : 'Start a new mask here'
}
