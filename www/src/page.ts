// The page's elements, and what is drawn into them. In: plain values. Out: nothing but the DOM; no decisions are made here.

import { css, toHex, type Rgb } from './colours'
import type { Label } from './mask'

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
const details = (id: string): HTMLDetailsElement => find(id)
const dialog = (id: string): HTMLDialogElement => find(id)

export const page = {
  deviceDot: box('device-dot'), deviceText: box('device-text'), device: select('device'),
  alertBody: box('alert-body'), alertText: box('alert-text'), alertClose: button('alert-close'),
  status: box('status'), version: box('version'), busy: box('busy'),
  scanName: box('scan-name'), scanFacts: box('scan-facts'), scanChoose: button('scan-choose'), scanFolder: button('scan-folder'), scanSample: button('scan-sample'),
  scanFile: input('scan-file'), scanFolderFile: input('scan-folder-file'),
  scanWarnings: details('scan-warnings'), scanWarningsCount: box('scan-warnings-count'), scanWarningsList: box('scan-warnings-list'),
  maskFacts: box('mask-facts'), maskSample: button('mask-sample'), maskChoose: button('mask-choose'), maskFile: input('mask-file'),
  maskLabelBox: box('mask-label-box'), maskLabel: select('mask-label'),
  pen: find<HTMLFieldSetElement>('pen'), brushSize: input('brush-size'), brushValue: box('brush-value'), tolerance: input('tolerance'), toleranceValue: box('tolerance-value'),
  forPoints: box('for-points'), forBrush: box('for-brush'), forFill: box('for-fill'), forOutline: box('for-outline'), accept: button('accept'), discard: button('discard'),
  maskUndo: button('mask-undo'), maskRedo: button('mask-redo'), maskClear: button('mask-clear'), maskClearSlice: button('mask-clear-slice'),
  labels: box('labels'), labelAdd: button('label-add'), labelOnly: button('label-only'), labelName: input('label-name'), labelColour: input('label-colour'),
  options: details('options'), optionsNote: box('options-note'),
  method: select('method'), methodNote: box('method-note'), memory: select('memory'), memoryNote: box('memory-note'), memoryText: box('memory-text'), memoryDetails: details('memory-details'),
  memoryMore: box('memory-more'), memorySize: input('memory-size'), memoryThreshold: input('memory-threshold'),
  direction: select('direction'), trackEnd: select('track-end'), trackEndNote: box('track-end-note'), imageSize: select('image-size'), first: input('first'), last: input('last'),
  support: box('support'), supportNote: box('support-note'), supportScan: button('support-scan'), supportMask: button('support-mask'), supportDrop: button('support-drop'),
  supportScanFile: input('support-scan-file'), supportMaskFile: input('support-mask-file'), copies: input('copies'),
  weightsName: box('weights-name'), models: button('models'), weightsFile: input('weights-file'),
  sessionOpen: button('session-open'), sessionSave: button('session-save'), sessionFile: input('session-file'),
  tourStart: button('tour-start'), teach: input('teach'), memoryBank: box('memory-bank'), network: box('network'), saved: box('saved'), notices: box('notices'),
  run: button('run'), afresh: button('afresh'), cancel: button('cancel'), progressBox: box('progress-box'), progress: find<HTMLProgressElement>('progress'),
  progressText: box('progress-text'), runHint: box('run-hint'),
  result: box('result'), doubtful: button('doubtful'), figures: box('figures'), resultNote: box('result-note'), exportFormat: select('export-format'), export: button('export'),
  compare: details('compare'), truthChoose: button('truth-choose'), truthFile: input('truth-file'), nsdTolerance: input('nsd-tolerance'), agreement: box('agreement'),
  agreementRows: box('agreement-rows'), agreementChart: canvas('agreement-chart'), compareNote: box('compare-note'),
  windowPreset: select('window-preset'), windowLo: input('window-lo'), windowHi: input('window-hi'),
  opacity: input('opacity'), outlineOnly: input('outline-only'), zoomIn: button('zoom-in'), zoomOut: button('zoom-out'), zoomFit: button('zoom-fit'),
  radiological: input('radiological'), letters: input('letters'), lettersBox: box('letters-box'), crosshair: input('crosshair'), smooth: input('smooth'),
  hintText: box('hint-text'), hintRun: button('hint-run'), hintGo: button('hint-go'), hintHere: button('hint-here'), cursorNote: box('cursor-note'),
  frame: box('frame'), canvas: canvas('canvas'), overlay: canvas('overlay'), strip: canvas('strip'), slice: input('slice'), sliceLabel: box('slice-label'), sliceValue: box('slice-value'),
  series: dialog('series'), seriesNote: box('series-note'), seriesList: box('series-list'), seriesOpen: button('series-open'), seriesCancel: button('series-cancel'),
  keys: dialog('keys'), keysOpen: button('keys-open'), keysClose: button('keys-close'),
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

/** An element with text or other elements in it. */
export function make<K extends keyof HTMLElementTagNameMap>(tag: K, className: string, ...content: (Node | string)[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  if (className) element.className = className
  element.append(...content)
  return element
}

export function swatch(colour: Rgb): HTMLElement {
  const dot = make('span', 'swatch')
  dot.style.backgroundColor = css(colour)
  return dot
}

/** Draws into an element only when what is drawn has changed, so that focus stays where it is. */
export function drawOnce(element: HTMLElement, key: string, draw: () => Node[]): void {
  if (element.dataset['key'] === key) return
  element.dataset['key'] = key
  element.replaceChildren(...draw())
}

/** A chip for each label, and the chosen one's name and colour. */
export function drawLabels(labels: readonly Label[], areas: readonly number[], chosen: number): void {
  drawOnce(page.labels, labels.map(({ value, name, colour }) => `${value} ${name} ${colour.join()}`).join('\n'), () =>
    labels.map(({ name, colour }, index) => {
      const radio = make('input', '')
      Object.assign(radio, { type: 'radio', name: 'label', value: String(index + 1) })
      return make('label', 'chip', radio, swatch(colour), make('span', '', name))
    }),
  )
  page.labels.hidden = labels.length < 2
  check('label', String(chosen))
  Array.from(page.labels.children).forEach((chip, index) => {
    chip.setAttribute('title', `${(areas[index] ?? 0).toLocaleString('en')} pixels in the mask; label ${labels[index]?.value} of the file`)
  })
  const label = labels[chosen - 1]
  if (!label) return
  if (document.activeElement !== page.labelName) page.labelName.value = label.name
  page.labelColour.value = toHex(label.colour)
}

/** The labels of a mask file to choose from: all that meet on one slice, or one, wherever it is largest. */
export function drawMaskLabels(present: readonly number[], chosen: number | undefined): void {
  drawOnce(page.maskLabel, present.join(), () => [new Option('all labels of one slice', ''), ...present.map((label) => new Option(`label ${label} alone`, String(label)))])
  page.maskLabel.value = String(chosen ?? '')
}

/** Rows of a table: a label's name, then figures. */
export function drawRows(body: HTMLElement, rows: readonly { colour: Rgb; name: string; title: string; cells: readonly string[] }[]): void {
  body.replaceChildren(
    ...rows.map(({ colour, name, title, cells }) => {
      const row = make('tr', '', make('td', '', swatch(colour), name), ...cells.map((text) => make('td', '', text)))
      row.title = title
      return row
    }),
  )
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
