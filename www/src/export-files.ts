// Files of a result, in the worker. In: labels and what is said of them. Out: a file's bytes.

import type { OneSlice } from '@pkg/oneslice.js'

import type { ExportOptions } from './messages'

export function exportFile(engine: OneSlice, { format, labels, segments, axis, label, now }: ExportOptions): Uint8Array {
  switch (format) {
    case 'nifti':
      return engine.exportNifti(labels)
    case 'seg':
      return engine.exportSeg(labels, { segments, now })
    case 'rtstruct':
      return engine.exportRtStruct(labels, { segments, now })
    case 'png':
      return engine.exportPngStack(labels, axis, segments)
    case 'csv':
      return engine.measureCsv(labels, segments)
    case 'stl':
    case 'obj':
      return engine.exportMesh(labels, label, format)
  }
}
