// State -> page. In: the state. Out: every control's text and whether it can be used; called after each change.

import { AXIS_WORD, canCorrect, canDraw, corrections, isIdle, isSingle, runObstacle, timeLeft, type Pending, type State } from './state'
import { MEMORY_NOTE } from './memory'
import { checked, drawLabels, drawMaskLabels, drawOnce, make, page } from './page'
import { renderResult } from './render-result'
import { drawStrip } from './strip'
import { trackEndNote, trackEndWords } from './track-end'
import { fillTolerance, presetOf, presets, rounded, short } from './windows'
import type { AxisName, MemoryStrategy } from './messages'

export function render(state: State): void {
  renderDevice(state)
  renderScan(state)
  renderMask(state)
  renderTools(state)
  renderRun(state)
  renderOptions(state)
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

const WITHOUT_WEBGPU = 'A current Chrome, Edge, Firefox or Safari with hardware acceleration switched on offers WebGPU, which is many times faster.'

function renderDevice(state: State): void {
  const { device, run, busy } = state
  page.deviceText.textContent = deviceWords(state)
  page.deviceText.title = typeof device === 'string' ? '' : device.kind === 'cpu' ? `${device.description}. ${WITHOUT_WEBGPU}` : device.description
  page.deviceDot.className = `dot ${typeof device === 'string' ? device : device.kind}`
  page.device.disabled = run !== undefined || (busy !== undefined && device !== 'down')
}

function renderScan(state: State): void {
  const { scan } = state
  const info = scan?.info
  page.scanName.textContent = scan ? (scan.sampleMask ? 'The sample: an invented scan' : scan.info.name) : 'No scan is open'
  page.scanFacts.textContent = info
    ? `${info.modality ? `${info.modality}, ` : ''}${info.dims.join(' × ')} voxels, ${info.spacing.map((mm) => +mm.toFixed(2)).join(' × ')} mm`
    : ''
  const warnings = info?.warnings ?? []
  page.scanWarnings.hidden = warnings.length === 0
  page.scanWarningsCount.textContent = warnings.length === 1 ? 'One thing to know about it' : `${warnings.length} things to know about it`
  drawOnce(page.scanWarningsList, warnings.map(({ message }) => message).join('\n'), () => warnings.map(({ message }) => make('li', '', message)))
  page.scanChoose.disabled = page.scanFolder.disabled = page.scanSample.disabled = !isIdle(state) || typeof state.device === 'string'
  page.scanSample.hidden = scan?.sampleMask !== undefined
}

/** What is given, in words. */
function maskWords({ mask, maskName }: State): string {
  const { axis, main, state: now } = mask
  if (axis === undefined || main === undefined || mask.isEmpty) return 'Nothing marked yet.'
  const pixels = mask.areas().reduce((sum, area) => sum + area, 0)
  const others = now.slices.size - 1
  const more = others > 0 ? ` + ${others} more` : ''
  return `${maskName}${AXIS_WORD[axis]} slice ${main}${more}, ${pixels.toLocaleString('en')} pixels`
}

function renderMask(state: State): void {
  const { mask, scan, place } = state
  const idle = isIdle(state)
  const areas = mask.areas()
  page.maskFacts.textContent = maskWords(state)
  page.maskSample.hidden = !scan?.sampleMask || !mask.isEmpty
  page.maskSample.disabled = page.maskChoose.disabled = !idle || !scan
  const present = state.maskFile?.file.present ?? []
  page.maskLabelBox.hidden = present.length < 2
  page.maskLabel.disabled = !idle
  drawMaskLabels(present, state.maskFile?.label)
  page.maskUndo.disabled = !idle || (!mask.canUndo && !state.pending)
  page.maskRedo.disabled = !idle || !mask.canRedo
  page.maskClear.disabled = !idle || mask.isEmpty
  page.maskClearSlice.disabled = !idle || !mask.given(state.axis, state.slice)
  page.labelOnly.disabled = !idle || areas.filter((area) => area > 0).length < 2 || areas[place - 1] === 0
  drawLabels(mask.labels, areas, place)
}

function renderTools(state: State): void {
  const name = checked('tool')
  page.pen.disabled = !isIdle(state) || !state.scan
  page.forPoints.hidden = name !== 'points' && name !== 'box'
  page.forBrush.hidden = name !== 'brush' && name !== 'erase'
  page.forFill.hidden = name !== 'fill'
  page.toleranceValue.textContent = `± ${short(fillTolerance(page.tolerance.valueAsNumber, state.window ?? state.scan?.info.window ?? [0, 1]))}`
  page.forOutline.hidden = name !== 'outline' && name !== 'off'
  page.forOutline.textContent = name === 'off' ? 'Nothing is drawn: click and drag freely.' : 'Drag around it, or click corners and press Enter.'
  const ready = state.pending?.preview !== undefined && !state.pending.asking
  page.accept.disabled = !ready
  page.accept.classList.toggle('primary', ready)
  page.discard.disabled = !state.pending
}

function runWords(state: State): string {
  if (state.fewShot) return 'Segment by few-shot'
  if (!canCorrect(state)) return 'Propagate'
  const count = corrections(state).length
  if (count === 0) return 'Go on'
  return count === 1 ? 'Propagate again from here' : `Propagate again from ${count} slices`
}

function renderRun(state: State): void {
  const { run } = state
  const obstacle = runObstacle(state)
  const again = canCorrect(state)
  page.run.hidden = run !== undefined
  page.run.disabled = !isIdle(state) || obstacle !== undefined
  page.run.classList.toggle('primary', obstacle === undefined && (state.result === undefined || corrections(state).length > 0))
  page.run.textContent = runWords(state)
  page.afresh.hidden = run !== undefined || !again
  page.afresh.disabled = page.run.disabled
  page.runHint.textContent = run || state.busy ? '' : (obstacle ?? '')
  page.models.disabled = page.sessionOpen.disabled = page.tourStart.disabled = !isIdle(state) || typeof state.device === 'string'
  page.sessionSave.disabled = page.sessionOpen.disabled || (state.mask.isEmpty && !state.result)
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

function renderOptions(state: State): void {
  const { fewShot, support, scan } = state
  const off = !isIdle(state) || typeof state.device === 'string'
  page.method.disabled = page.imageSize.disabled = page.copies.disabled = off
  page.supportScan.disabled = page.supportMask.disabled = page.supportDrop.disabled = off
  page.direction.disabled = page.trackEnd.disabled = page.memory.disabled = page.memorySize.disabled = page.memoryThreshold.disabled = page.first.disabled = page.last.disabled = off || fewShot
  page.method.value = fewShot ? 'few-shot' : 'propagate'
  const memory = page.memory.value as MemoryStrategy
  page.memoryNote.textContent = fewShot ? 'Few-shot carries nothing from slice to slice.' : MEMORY_NOTE[memory]
  page.memoryMore.hidden = fewShot || memory === 'fifo'
  page.memoryThreshold.disabled ||= memory !== 'self-sorting'
  page.memorySize.placeholder = memory === 'self-sorting-released' ? '16' : '7'
  page.trackEndNote.textContent = fewShot ? '' : trackEndNote(page.trackEnd.value, state)
  page.methodNote.textContent = fewShot
    ? `Each slice is segmented by what is most like it: the masked slice or a moved copy of it. LPIPS network: ${state.lpips ?? 'not loaded'}.`
    : ''
  page.support.hidden = !fewShot
  page.supportDrop.hidden = !support
  page.supportNote.textContent = support
    ? `Learning from ${support.scan.name} with ${support.mask.name}.`
    : 'Labelled slices of another scan can be learnt from: choose its scan, then its labels.'
  const axis = state.mask.axis ?? state.axis
  const last = scan ? (scan.info.dims[scan.info.axes[axis]] ?? 1) - 1 : 0
  for (const [input, placeholder] of [[page.first, 0], [page.last, last]] as const) Object.assign(input, { max: String(last), placeholder: String(placeholder) })
  page.optionsNote.textContent = page.options.open ? '' : optionWords(state)
}

/** What is not as usual, so that it is seen with the options folded. */
function optionWords({ fewShot }: State): string {
  const words = [page.imageSize.value && `${page.imageSize.value} pixels`]
  if (fewShot) words.unshift('few-shot')
  else words.push(page.memory.value === 'fifo' ? '' : page.memory.value, page.direction.value === 'both' ? '' : page.direction.value, trackEndWords(page.trackEnd.value))
  if (!fewShot && (page.first.value || page.last.value)) words.push(`slices ${page.first.value || page.first.placeholder} to ${page.last.value || page.last.placeholder}`)
  return words.filter(Boolean).join(', ')
}

function renderViewer(state: State): void {
  const { scan, slice, axis, mask, result } = state
  const last = scan ? (scan.info.dims[scan.info.axes[axis]] ?? 1) - 1 : 0
  const controls = [page.slice, page.windowPreset, page.windowLo, page.windowHi, page.opacity, page.outlineOnly, page.zoomIn, page.zoomOut, page.zoomFit]
  for (const control of controls) control.disabled = !scan
  page.slice.max = String(last)
  page.slice.value = String(slice)
  page.slice.setAttribute('aria-valuetext', `${AXIS_WORD[axis]} slice ${slice} of ${last}${sliceNote(state)}`)
  page.sliceLabel.textContent = `${AXIS_WORD[axis]} slice`
  page.sliceValue.textContent = scan ? `${slice} (0 to ${last})${sliceNote(state)}` : ''
  const given = new Set(mask.axis === axis && !mask.isEmpty ? mask.state.slices.keys() : [])
  const changed = new Set(result?.axis === axis ? corrections(state) : [])
  drawStrip({ slices: scan ? last + 1 : 0, confidence: result?.axis === axis ? result.confidence : [], given, changed, here: slice })
  renderHint(state)
  renderLetters(state)
}

function sliceNote({ axis, slice, result, mask }: State): string {
  const given = mask.given(axis, slice)
  if (given && (given.area > 0 || given.whole)) return given.whole ? ' · corrected' : ' · mask'
  const confidence = result?.axis === axis ? result.confidence[slice] : undefined
  if (confidence?.kind === 'found') return ` · IoU ${confidence.predictedIou.toFixed(2)}`
  return confidence?.kind === 'empty' ? ' · nothing' : ''
}

function sureness({ preview }: Pending): string {
  return preview ? `Predicted IoU ${preview.predictedIou.toFixed(2)}. ` : ''
}

function hintWords(state: State): string {
  const { mask, scan, run, axis, slice, pending, result } = state
  if (run) return 'The slices appear as they are done.'
  if (!scan) return ''
  if (!isSingle(state)) return 'Tools need a single plane.'
  if (pending?.asking) return 'Looking…'
  if (pending) return `${sureness(pending)}Enter accepts; more points correct, Shift-click excludes; Escape gives up.`
  if (!canDraw(state)) return mask.takes(axis) ? '' : `The mask is on ${mask.axis} slices.`
  const changed = corrections(state)
  if (changed.length > 0) return changed.length === 1 ? `Slice ${changed[0]} differs from what was propagated.` : `${changed.length} slices differ from what was propagated.`
  if (result) return 'Correct any slice with any tool, then propagate again.'
  if (mask.isEmpty) return 'Mark the structure on any slice, or load a mask.'
  return mask.given(axis, slice) ? 'The mask is on this slice. Propagate it, or give more slices.' : `The mask is on ${mask.axis} slice ${mask.main}.`
}

function renderHint(state: State): void {
  const { mask, axis, slice } = state
  page.hintText.textContent = hintWords(state)
  const idle = isIdle(state) && state.scan !== undefined
  page.hintRun.hidden = !idle || !isSingle(state) || !canCorrect(state) || corrections(state).length === 0 || state.pending !== undefined
  page.hintGo.hidden = !idle || mask.isEmpty || mask.given(axis, slice) !== undefined || state.pending !== undefined
  page.hintHere.hidden = !idle || !isSingle(state) || mask.takes(axis)
}

/** Letters at the picture's sides: top, right, bottom, left. */
const SIDES: Record<AxisName, (radiological: boolean) => string> = {
  axial: (radiological) => (radiological ? 'ALPR' : 'ARPL'),
  coronal: (radiological) => (radiological ? 'SLIR' : 'SRIL'),
  sagittal: () => 'SAIP',
}
const SIDE_WORD: Record<string, string> = { A: 'front', P: 'back', L: 'left', R: 'right', S: 'head', I: 'feet' }

/** Where the patient's sides are on a single plane. With several, the viewer writes them into each. */
function renderLetters(state: State): void {
  page.lettersBox.hidden = !isSingle(state) || !page.letters.checked || !state.scan
  const letters = [...SIDES[state.axis](page.radiological.checked)]
  Array.from(page.lettersBox.children).forEach((side, index) => {
    side.textContent = letters[index] ?? ''
  })
  const [top, right, bottom, left] = letters.map((letter) => SIDE_WORD[letter])
  page.lettersBox.setAttribute('aria-label', `Above is the patient's ${top}, to the right the ${right}, below the ${bottom}, to the left the ${left}.`)
}

/** The window's values and the preset that they are, once a scan or a window has changed. */
export function drawWindow(state: State, range: readonly [number, number]): void {
  const { scan } = state
  if (!scan) return
  const window = state.window ?? scan.info.window
  const all = presets(scan.info.window, range, scan.info.modality)
  drawOnce(page.windowPreset, all.map(({ id }) => id).join(), () => [...all.map(({ id, name }) => new Option(name, id)), new Option('Own', 'own', false, false)])
  page.windowPreset.value = state.window ? (presetOf(window, all)?.id ?? 'own') : 'auto'
  const [lo, hi] = rounded(window)
  page.windowLo.value = lo
  page.windowHi.value = hi
}
