// The page's elements, and what is drawn into them. In: plain values. Out: nothing but the DOM; no decisions are made here.

import { labelCss } from './colours'
import { SURE, type Confidence, type LabelFigures } from './result'

function find<T extends HTMLElement>(id: string): T {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`the page has no #${id}`)
  return element as T
}

const button = (id: string): HTMLButtonElement => find(id)
const input = (id: string): HTMLInputElement => find(id)
const select = (id: string): HTMLSelectElement => find(id)
const box = (id: string): HTMLElement => find(id)
const canvas = (id: string): HTMLCanvasElement => find(id)

export const page = {
  deviceDot: box('device-dot'), deviceText: box('device-text'), device: select('device'),
  alertBody: box('alert-body'), alertText: box('alert-text'), alertClose: button('alert-close'),
  status: box('status'), version: box('version'), busy: box('busy'),
  scanName: box('scan-name'), scanFacts: box('scan-facts'), scanChoose: button('scan-choose'), scanSample: button('scan-sample'), scanFile: input('scan-file'),
  maskFacts: box('mask-facts'), maskSample: button('mask-sample'), maskChoose: button('mask-choose'), maskFile: input('mask-file'),
  maskLabelBox: box('mask-label-box'), maskLabel: select('mask-label'),
  pen: find<HTMLFieldSetElement>('pen'), brushSize: input('brush-size'), brushValue: box('brush-value'),
  maskUndo: button('mask-undo'), maskClear: button('mask-clear'), labels: box('labels'), labelAdd: button('label-add'), labelOnly: button('label-only'),
  method: select('method'), methodNote: box('method-note'), memory: select('memory'), memoryNote: box('memory-note'), memoryText: box('memory-text'), direction: select('direction'), imageSize: select('image-size'),
  weightsName: box('weights-name'), models: button('models'), weightsFile: input('weights-file'),
  run: button('run'), cancel: button('cancel'), progressBox: box('progress-box'), progress: find<HTMLProgressElement>('progress'),
  progressText: box('progress-text'), runHint: box('run-hint'),
  result: box('result'), figures: box('figures'), resultNote: box('result-note'), download: button('download'),
  allPlanes: input('all-planes'), windowLo: input('window-lo'), windowHi: input('window-hi'), windowAuto: button('window-auto'),
  opacity: input('opacity'), zoomIn: button('zoom-in'), zoomOut: button('zoom-out'), zoomFit: button('zoom-fit'),
  hintText: box('hint-text'), hintGo: button('hint-go'), hintHere: button('hint-here'),
  canvas: canvas('canvas'), strip: canvas('strip'), slice: input('slice'), sliceLabel: box('slice-label'), sliceValue: box('slice-value'),
  drop: box('drop'), dropScan: box('drop-scan'), dropMask: box('drop-mask'),
}

/** The checked radio button of a group. */
export function checked(name: string): string {
  return document.querySelector<HTMLInputElement>(`input[name="${name}"]:checked`)?.value ?? ''
}

export function check(name: string, value: string): void {
  const radio = document.querySelector<HTMLInputElement>(`input[name="${name}"][value="${value}"]`)
  if (radio) radio.checked = true
}

export function onChoice(name: string, listener: (value: string) => void): void {
  document.addEventListener('change', ({ target }) => {
    if (target instanceof HTMLInputElement && target.name === name) listener(target.value)
  })
}

function swatch(place: number): HTMLElement {
  const dot = document.createElement('span')
  dot.className = 'swatch'
  dot.style.backgroundColor = labelCss(place)
  return dot
}

/** One chip per label; rebuilt only when the labels have changed, so that focus stays where it is. */
export function drawLabels(values: readonly number[], areas: readonly number[], chosen: number): void {
  const key = values.join()
  if (page.labels.dataset['key'] !== key) {
    page.labels.dataset['key'] = key
    page.labels.replaceChildren(
      ...values.map((value, index) => {
        const chip = document.createElement('label')
        chip.className = 'chip'
        const radio = document.createElement('input')
        radio.type = 'radio'
        radio.name = 'label'
        radio.value = String(index + 1)
        chip.append(radio, swatch(index + 1), `Label ${value}`)
        return chip
      }),
    )
  }
  check('label', String(chosen))
  Array.from(page.labels.children).forEach((chip, index) => {
    chip.setAttribute('title', `${areas[index] ?? 0} pixels on the mask's slice`)
  })
}

/** The labels of a mask file to choose from: all that meet on one slice, or one, wherever it is largest. */
export function drawMaskLabels(present: readonly number[], chosen: number | undefined): void {
  const key = present.join()
  if (page.maskLabel.dataset['key'] !== key) {
    page.maskLabel.dataset['key'] = key
    page.maskLabel.replaceChildren(new Option('all labels of one slice', ''), ...present.map((label) => new Option(`label ${label} alone`, String(label))))
  }
  page.maskLabel.value = String(chosen ?? '')
}

export function drawFigures(figures: readonly LabelFigures[]): void {
  page.figures.replaceChildren(
    ...figures.map(({ place, label, voxels, millilitres, predictedIou }) => {
      const row = document.createElement('tr')
      const name = document.createElement('td')
      name.append(swatch(place), `${label}`)
      const cells = [
        voxels.toLocaleString('en'),
        `${millilitres >= 100 ? millilitres.toFixed(0) : millilitres.toPrecision(3)} ml`,
        predictedIou === undefined ? 'none' : predictedIou.toFixed(2),
      ].map((text) => {
        const cell = document.createElement('td')
        cell.textContent = text
        return cell
      })
      row.append(name, ...cells)
      return row
    }),
  )
}

const STRIP = { prompt: '#6db6f2', empty: '#39434f', sure: '#4fbf83', doubtful: '#e0a33a', here: '#ffffff', rest: '#20272f' }

/** One bar per slice: how sure the model was, where the mask is, where we are. */
export function drawStrip(confidence: readonly (Confidence | undefined)[], mask: number | undefined, here: number): void {
  const { strip } = page
  const scale = window.devicePixelRatio || 1
  const width = Math.max(1, Math.round(strip.clientWidth * scale))
  const height = Math.round(22 * scale)
  if (strip.width !== width || strip.height !== height) {
    strip.width = width
    strip.height = height
  }
  const context = strip.getContext('2d')
  if (context === null || confidence.length === 0) return
  const bar = width / confidence.length
  const paint = (slice: number, colour: string, share: number): void => {
    context.fillStyle = colour
    context.fillRect(slice * bar, height * (1 - share), Math.max(1, bar - (bar > 4 ? 1 : 0)), height * share)
  }
  context.clearRect(0, 0, width, height)
  confidence.forEach((slice, index) => {
    if (index === mask) paint(index, STRIP.prompt, 0.85)
    else if (slice === undefined) paint(index, STRIP.rest, 0.12)
    else if (slice.kind !== 'found') paint(index, STRIP.empty, 0.12)
    else paint(index, slice.predictedIou >= SURE ? STRIP.sure : STRIP.doubtful, 0.2 + 0.65 * Math.min(1, Math.max(0, slice.predictedIou)))
  })
  context.fillStyle = STRIP.here
  context.fillRect((here + 0.5) * bar - scale, 0, 2 * scale, height)
}

/** Offers bytes as a file. */
export function saveAs(name: string, data: Blob): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(data)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

/** `null` clears the alert. */
export function drawAlert(message: string | null): void {
  page.alertBody.hidden = message === null
  page.alertText.textContent = message ?? ''
}
