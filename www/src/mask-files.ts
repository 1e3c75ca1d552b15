// Masks from the user's files, in the worker. In: a label map, a DICOM SEG, or pictures of labels. Out: labels on the open scan's grid.

import { OneSlice } from '@pkg/oneslice.js'

import { pictureLabels } from './mask-pictures'
import type { MaskFile, MaskInput } from './messages'
import { scanModule } from './scan-module'

/** Bytes that show what a file is. */
const HEAD = 4096

export async function readMask(engine: OneSlice, { name, bytes, on }: MaskInput): Promise<MaskFile> {
  if (!on || !OneSlice.needsFormats(bytes.subarray(0, HEAD))) return engine.readMask(name, bytes)
  if (String.fromCharCode(...bytes.subarray(128, 132)) === 'DICM') return (await import('./dicom-seg')).segLabels(name, bytes, on.scan)
  const { voxels, dims } = (await scanModule()).readFiles([{ name, bytes }], {})
  return pictureLabels(name, voxels, dims, on)
}
