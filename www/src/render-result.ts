// The result -> page. In: the state. Out: tables, notes and what can be exported.

import { memoryWords } from './memory'
import { drawRows, page } from './page'
import { SURE, type LabelFigures } from './result'
import { corrections, isIdle, type State } from './state'
import type { Agreement, Measurement } from './messages'

export function renderResult(state: State): void {
  const { result, run, scan } = state
  page.result.hidden = result === undefined
  if (!result) return
  drawRows(page.figures, result.figures().map((figures) => row(state, figures)))
  page.resultNote.textContent = notes(state).join(' ')
  page.doubtful.hidden = run !== undefined || result.doubtful.length === 0
  const memories = result.axis === state.axis ? result.memories(state.slice) : []
  const words = memories.map(({ label, memory }) => (memories.length > 1 ? `Label ${label}: ` : '') + memoryWords(state.slice, memory))
  page.memoryDetails.hidden = memories.length === 0
  page.memoryText.textContent = words.join(' ')
  page.export.disabled = page.truthChoose.disabled = !isIdle(state)
  page.export.classList.toggle('primary', !state.saved && corrections(state).length === 0)
  for (const option of page.exportFormat.options) {
    const needsDicom = option.value === 'seg' || option.value === 'rtstruct'
    option.disabled = needsDicom && scan?.info.source === undefined
    option.title = option.disabled ? 'For scans that came as DICOM' : ''
  }
  if (page.exportFormat.selectedOptions[0]?.disabled) page.exportFormat.value = 'nifti'
  renderAgreement(state)
}

function notes({ result, run, mask }: State): string[] {
  if (!result || run) return []
  const words = []
  const reached = result.scores.filter((slice) => slice !== undefined).length
  if (result.stopped && reached < result.scores.length) words.push(`${reached} of ${result.scores.length} slices were done.`)
  const { doubtful } = result
  if (doubtful.length > 0) words.push(`${doubtful.length} slice${doubtful.length > 1 ? 's are' : ' is'} doubtful (amber, predicted IoU below ${SURE}): look at them.`)
  if (mask.axis !== undefined && mask.axis !== result.axis) words.push('The mask is another now: propagate again.')
  return words
}

function row({ mask, measurements }: State, { place, label, voxels, millilitres, predictedIou }: LabelFigures): Parameters<typeof drawRows>[1][number] {
  const measured = measurements?.find((measurement) => measurement.label === label)
  const known = mask.labels[place - 1]
  return {
    colour: known?.colour ?? [128, 128, 128],
    name: known?.name ?? `Label ${label}`,
    title: title(label, voxels, measured),
    cells: [
      `${millilitres >= 100 ? millilitres.toFixed(0) : millilitres.toPrecision(3)} ml`,
      measured ? millimetres(measured) : '…',
      measured ? `${short(measured.mean)} ± ${short(measured.sd)}` : '…',
      predictedIou === undefined ? '–' : predictedIou.toFixed(2),
    ],
  }
}

function title(label: number, voxels: number, measured: Measurement | undefined): string {
  const voxelWords = `Label ${label}: ${voxels.toLocaleString('en')} voxels`
  return measured ? `${voxelWords}, values from ${short(measured.min)} to ${short(measured.max)}` : voxelWords
}

/** Left to right, front to back, foot to head. */
function millimetres({ extent }: Measurement): string {
  return [extent.sagittal, extent.coronal, extent.axial].map(({ mm }) => Math.round(mm)).join('×')
}

function short(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(+value.toPrecision(3))
}

const share = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(3))

function renderAgreement({ truth, result, mask, slice, axis }: State): void {
  const rows = truth?.agreement ?? []
  const here = result?.axis === axis
  page.agreement.hidden = page.agreementChart.hidden = rows.length === 0
  drawRows(
    page.agreementRows,
    rows.map(({ label, dice, nsd, slices, nsdSlices }) => {
      const known = mask.labels.find(({ value }) => value === label)
      const onSlice = here ? `${share(slices[slice])} / ${share(nsdSlices[slice])}` : '–'
      return { colour: known?.colour ?? [128, 128, 128], name: known?.name ?? `Label ${label}`, title: '', cells: [share(dice), share(nsd), onSlice] }
    }),
  )
  if (truth && rows.length > 0) page.compareNote.textContent = `Against ${truth.name}. This slice: Dice / NSD. The curve is Dice along the slices.`
  else if (truth) page.compareNote.textContent = `${truth.name}: the result has changed, compare again.`
  if (rows.length > 0) drawChart(rows, slice)
}

/** Dice of each slice, lowest label; a slice with nothing has no bar. */
function drawChart(rows: readonly Agreement[], here: number): void {
  const chart = page.agreementChart
  const scale = window.devicePixelRatio || 1
  const [width, height] = [Math.max(1, Math.round(chart.clientWidth * scale)), Math.max(1, Math.round(chart.clientHeight * scale))]
  if (chart.width !== width || chart.height !== height) Object.assign(chart, { width, height })
  const context = chart.getContext('2d')
  const count = rows[0]?.slices.length ?? 0
  if (!context || count === 0) return
  context.clearRect(0, 0, width, height)
  const bar = width / count
  for (let slice = 0; slice < count; slice++) {
    const known = rows.flatMap(({ slices }) => slices[slice] ?? [])
    if (known.length === 0) continue
    const lowest = Math.min(...known)
    context.fillStyle = slice === here ? '#ffffff' : lowest >= 0.8 ? '#4fbf83' : '#e0a33a'
    context.fillRect(slice * bar, height * (1 - lowest), Math.max(1, bar - 1), Math.max(scale, height * lowest))
  }
}
