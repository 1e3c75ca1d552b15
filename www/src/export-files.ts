// Files of a result, in the worker. In: labels and what is said of them. Out: a file's bytes.

import type { OneSlice } from '@pkg/oneslice.js'

import type { ExportOptions } from './messages'
import { scanModule } from './scan-module'

export async function exportFile(engine: OneSlice, options: ExportOptions): Promise<Uint8Array> {
  const { format, labels, scan, segments, axis, label, now } = options
  switch (format) {
    case 'nifti':
      return engine.exportNifti(labels)
    case 'csv':
      return engine.measureCsv(labels, segments)
    case 'stl':
    case 'obj':
      return engine.exportMesh(labels, label, format)
    case 'seg':
      return (await scanModule()).exportSeg(labels, scan, { segments, now })
    case 'rtstruct':
      return (await scanModule()).exportRtStruct(labels, scan, { segments, now })
    case 'png':
      return (await scanModule()).exportPngStack(labels, scan, axis, segments)
  }
}
