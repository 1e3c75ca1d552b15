// Pictures as a mask. In: their values, and the open scan. Out: labels on its grid; pure.

import type { MaskFile, MaskInput, Triple } from './messages'
import { sliceShape, writeSlice } from './orientation'

/** What programs that know no labels paint with. */
const WHITE = [255, 65_535]

/** One picture is the slice in view; as many as there are slices are all of them. Pictures are in storage order, as they are exported. */
export function pictureLabels(name: string, voxels: Float32Array, pictures: Triple, { scan, axis, slice }: NonNullable<MaskInput['on']>): MaskFile {
  const across = scan.axes[axis]
  const { rows, cols } = sliceShape(scan.dims, across)
  const [columns, height, count] = pictures
  const slices = scan.dims[across] ?? 0
  if (columns !== cols || height !== rows || (count !== 1 && count !== slices)) {
    throw new Error(`${name}: ${count === 1 ? 'a picture' : `${count} pictures`} of ${columns} × ${height} pixels; the ${axis} slices of the open scan are ${slices} of ${cols} × ${rows}`)
  }
  const found = new Set(voxels)
  found.delete(0)
  if (found.size === 0) throw new Error(`${name}: the mask has no label: every pixel is black`)
  // Inside or outside, and no more.
  const [only] = found
  const single = found.size === 1 && WHITE.includes(only!)
  const labels = new Uint16Array(scan.dims[0] * scan.dims[1] * scan.dims[2])
  const area = rows * cols
  for (let picture = 0; picture < count; picture++) {
    const pixels = Uint16Array.from(voxels.subarray(picture * area, (picture + 1) * area), (value) => (single && value ? 1 : value))
    writeSlice(scan.dims, labels, across, count === 1 ? slice : picture, pixels)
  }
  return { labels, present: single ? [1] : [...found].sort((a, b) => a - b) }
}
