// What is made of a result. In: the result in the state. Out: figures, comparisons with true labels, files.

import { busy, client, render, say, state } from './app'
import { page, saveAs } from './page'
import type { ExportFormat } from './messages'

const SUFFIX: Record<ExportFormat, [suffix: string, type: string]> = {
  nifti: ['.nii.gz', 'application/gzip'],
  seg: ['_seg.dcm', 'application/dicom'],
  rtstruct: ['_rtstruct.dcm', 'application/dicom'],
  png: ['_png.zip', 'application/zip'],
  stl: ['.stl', 'model/stl'],
  obj: ['.obj', 'model/obj'],
  csv: ['.csv', 'text/csv'],
}

/** Figures of the result as it is now; shown when they are there, and left alone when there is nothing to measure. */
export async function measure(): Promise<void> {
  const { result } = state
  if (!result || state.run || state.measurements) return
  const measurements = await client.measure(result.labels())
  // The result may have changed meanwhile: then there will be another measuring.
  if (state.result === result && !state.run) state.measurements = measurements
  render()
}

function baseName(): string {
  const name = state.scan?.info.name ?? 'scan'
  return name.replace(/\.(nii(\.gz)?|nrrd|nhdr|mha|mhd|hdr|img|dcm|zip|png|jpe?g|tiff?)$/i, '').replace(/[^\w.-]+/g, '_')
}

export function exportResult(): Promise<void> {
  const { result, scan, mask } = state
  if (!result || !scan) return Promise.resolve()
  return busy('Writing the file…', async () => {
    const format = page.exportFormat.value as ExportFormat
    const segments = mask.labels.map(({ value, name, colour }) => ({ label: value, name, colour }))
    const label = mask.labels[state.place - 1]?.value ?? 1
    const bytes = await client.exportFile({ format, labels: result.labels(), scan: scan.info, segments, axis: result.axis, label, now: new Date().toISOString() })
    const [suffix, type] = SUFFIX[format]
    const part = format === 'stl' || format === 'obj' ? `_label${label}` : ''
    saveAs(`${baseName()}_oneslice${part}${suffix}`, new Blob([bytes as BlobPart], { type }))
    state.saved = true
    say('The file is saved.')
  })
}

/** Reads true labels and compares; or compares again. */
export function compareWith(file: File | undefined): Promise<void> {
  const { result, scan, slice } = state
  if (!result || !scan) return Promise.resolve()
  return busy('Comparing…', async () => {
    if (file) {
      const { labels } = await client.readMask(file.name, file, { scan: scan.info, axis: result.axis, slice })
      state.truth = { name: file.name, labels, agreement: [] }
    }
    const { truth } = state
    if (!truth) return
    const tolerance = page.nsdTolerance.valueAsNumber
    if (!(tolerance >= 0)) throw new Error('The tolerance has to be millimetres, 0 or more.')
    truth.agreement = await client.compare(result.labels(), truth.labels, result.axis, tolerance)
    page.compare.open = true
    say(`Compared with ${truth.name}.`)
  })
}

export function wireResults(): void {
  page.export.onclick = () => void exportResult()
  page.nsdTolerance.onchange = () => void compareWith(undefined)
}
