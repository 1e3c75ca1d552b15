// Opening a scan. In: the user's files, or the sample. Out: the scan in the state and on the screen, nothing of the one before.

import { busy, client, forgetResult, say, showLabels, state, viewer } from './app'
import { goTo, showView, useMask } from './edits'
import { check, make, page } from './page'
import { drawWindow } from './render'
import { choose, seriesFacts, seriesName } from './series'
import type { InputFile, ScanFiles, ScanInfo, SeriesInfo } from './messages'

async function showScan(info: ScanInfo, image: Blob, chosen: ScanFiles, sampleMask: Blob | undefined): Promise<void> {
  await viewer.open(info, image)
  state.scan = { info, chosen, sampleMask }
  state.window = undefined
  state.mask.reset()
  state.maskName = ''
  state.maskFile = undefined
  state.truth = undefined
  state.pending = undefined
  state.place = 1
  page.first.value = page.last.value = ''
  forgetResult()
  showLabels()
  drawWindow(state, viewer.range)
  showView(state.axis, state.axis)
  viewer.slice = Math.floor((info.dims[info.axes[state.axis]] ?? 1) / 2)
  const count = info.warnings?.length ?? 0
  say(`${info.name} is open.${count > 0 ? ' There is something to know about it: see step 1.' : ''}`)
}

export async function openSample(): Promise<void> {
  const { info, image, mask } = await client.openSample()
  await showScan(info, new Blob([image as BlobPart]), { files: [] }, new Blob([mask as BlobPart]))
  say('The sample is open: an invented scan, no patient.')
}

export function openScan(files: InputFile[]): Promise<void> {
  const what = files.length === 1 ? files[0]!.name : `${files.length} files`
  return busy(`Reading ${what}…`, async () => {
    const all = await client.inspectFiles(files)
    const choice = choose(all)
    if (choice.kind === 'refuse') throw new Error(choice.why)
    const chosen = choice.kind === 'open' ? { series: choice.series.id } : await askSeries(all, choice.first)
    if (!chosen) return say('No scan was chosen; the one before is still open.')
    await openChosen({ files, ...chosen })
  })
}

/** Opens one scan of some files, as it was chosen. */
export async function openChosen(chosen: ScanFiles): Promise<void> {
  const info = await client.openFiles(chosen)
  const [only] = chosen.files
  const isNifti = chosen.files.length === 1 && chosen.volume === undefined && /^nifti(gz)?$/i.test(info.format ?? 'nifti') && /\.nii(\.gz)?$/i.test(only?.name ?? '')
  const image = isNifti && only ? only.data : new Blob([(await client.scanNifti()) as BlobPart])
  await showScan(info, image, chosen, undefined)
}

/** The user's choice, or nothing. */
function askSeries(all: readonly SeriesInfo[], first: SeriesInfo): Promise<{ series: string; volume?: number } | undefined> {
  page.seriesNote.textContent = all.length === 1 ? 'This file has several volumes.' : `These files hold ${all.length} scans.`
  page.seriesList.replaceChildren(...all.map((series, index) => seriesRow(series, index)))
  check('series', String(all.indexOf(first)))
  page.series.returnValue = ''
  page.series.showModal()
  return new Promise((resolve) => {
    page.series.onclose = () => {
      const index = Number(page.seriesList.querySelector<HTMLInputElement>('input[name="series"]:checked')?.value)
      const series = all[index]
      const volume = page.seriesList.querySelector<HTMLInputElement>(`#volume-${index}`)?.valueAsNumber
      if (page.series.returnValue !== 'open' || !series) resolve(undefined)
      else resolve({ series: series.id, ...(volume !== undefined && Number.isInteger(volume) && { volume }) })
    }
  })
}

function seriesRow(series: SeriesInfo, index: number): HTMLElement {
  const radio = make('input', '')
  Object.assign(radio, { type: 'radio', name: 'series', value: String(index), disabled: series.error !== undefined })
  const row = make('label', '', radio, make('span', 'name', seriesName(series)), make('span', 'facts', seriesFacts(series)))
  const why = series.error ?? series.warnings.map(({ message }) => message).join(' ')
  if (why) row.append(make('span', 'why', why))
  if (series.error === undefined && series.volumes > 1) {
    const volume = make('input', '')
    Object.assign(volume, { type: 'number', id: `volume-${index}`, min: '0', max: String(series.volumes - 1), step: '1', value: '0' })
    volume.setAttribute('aria-label', 'Volume')
    row.append(make('span', 'facts', 'Volume ', volume, ` of 0 to ${series.volumes - 1}`))
  }
  return row
}

export async function loadMask(name: string, data: Blob): Promise<void> {
  const { scan, axis, slice } = state
  useMask(name, await client.readMask(name, data, scan && { scan: scan.info, axis, slice }), undefined)
}

export function loadSampleMask(): void {
  const mask = state.scan?.sampleMask
  if (!mask) return
  void busy("Reading the sample's mask…", async () => {
    goTo('axial', state.slice)
    await loadMask('sample mask', mask)
  })
}

export function wireScan(): void {
  page.scanSample.onclick = () => void busy('Opening the sample…', openSample)
  page.maskSample.onclick = loadSampleMask
  page.seriesOpen.onclick = () => page.series.close('open')
  page.seriesCancel.onclick = () => page.series.close('')
}
