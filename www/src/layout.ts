// How a slice lies on the screen, as the viewer shows it. In: a scan's orientation. Out: which way its rows and columns run; pictures; pure.

import { sliceAxes } from './orientation'
import type { AxisName, ScanInfo } from './messages'

export interface Layout {
  /** The slice's rows run across the screen. */
  turned: boolean
  /** Columns (rows, when turned) run from right to left. */
  flipX: boolean
  flipY: boolean
}

/** The patient's axis (0 to the right, 1 to the front, 2 up) that runs along the screen, and whether it grows to the right. Down is always back or feet. */
function screen(axis: AxisName, radiological: boolean): { along: number; grows: boolean } {
  // Seen from the feet or from the front the patient's right is on the left; a profile looks to the right.
  return axis === 'sagittal' ? { along: 1, grows: true } : { along: 0, grows: !radiological }
}

export function layout({ affine, axes }: Pick<ScanInfo, 'affine' | 'axes'>, axis: AxisName, radiological = true): Layout {
  const patient = [axes.sagittal, axes.coronal, axes.axial]
  const [rows, cols] = sliceAxes(axes[axis])
  const { along, grows } = screen(axis, radiological)
  const turned = patient.indexOf(cols) !== along
  const rises = (voxelAxis: number): boolean => (affine[4 * patient.indexOf(voxelAxis) + voxelAxis] ?? 0) > 0
  return { turned, flipX: rises(turned ? rows : cols) !== grows, flipY: rises(turned ? cols : rows) }
}

export interface Picture {
  rows: number
  cols: number
  grey: Uint8Array
}

type Tint = readonly [red: number, green: number, blue: number, strength: number]

/** The slice as the screen has it, each pixel tinted as `tint` says of its place in the slice. */
export function paint({ rows, cols, grey }: Picture, { turned, flipX, flipY }: Layout, tint: (pixel: number) => Tint | undefined): ImageData {
  const [width, height] = turned ? [rows, cols] : [cols, rows]
  const image = new ImageData(width, height)
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 4) {
      const [across, down] = [flipX ? width - 1 - x : x, flipY ? height - 1 - y : y]
      const pixel = turned ? across * cols + down : down * cols + across
      const value = grey[pixel] ?? 0
      const [red, green, blue, strength] = tint(pixel) ?? [0, 0, 0, 0]
      image.data.set([red, green, blue].map((channel) => value + (channel - value) * strength), to)
      image.data[to + 3] = 255
    }
  }
  return image
}
