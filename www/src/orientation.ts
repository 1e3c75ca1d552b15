// Storage order (i fastest, the file's and the engine's) <-> the viewer's RAS order (x fastest).
// In: dims and NiiVue's permRAS. Out: index arithmetic and slices; pure functions.
//
// permRAS[r] = +-(a + 1): viewer axis r runs along voxel axis a, backwards when negative.
// A slice across voxel axis a has the higher of the two other axes as rows and the lower as columns.

import type { Triple } from './messages'

export interface SliceShape {
  rows: number
  cols: number
}

/** The viewer's index of voxel (i, j, k) is `base + i * stride[0] + j * stride[1] + k * stride[2]`. */
export interface RasMap {
  dims: Triple
  base: number
  stride: Triple
  /** For each voxel axis, the viewer axis that shows it. */
  rasAxis: Triple
  /** For each voxel axis, whether the viewer counts it backwards. */
  flipped: [boolean, boolean, boolean]
}

export function rasMap(dims: Triple, permRas: readonly number[]): RasMap {
  const map: RasMap = { dims, base: 0, stride: [0, 0, 0], rasAxis: [-1, -1, -1] as Triple, flipped: [false, false, false] }
  let step = 1
  for (let ras = 0; ras < 3; ras++) {
    const signed = permRas[ras] ?? 0
    const axis = Math.abs(signed) - 1
    const size = dims[axis]
    if (size === undefined || map.rasAxis[axis] !== -1) throw new Error(`not an orientation: ${permRas.join(', ')}`)
    map.rasAxis[axis] = ras
    map.flipped[axis] = signed < 0
    map.stride[axis] = signed < 0 ? -step : step
    if (signed < 0) map.base += (size - 1) * step
    step *= size
  }
  return map
}

/** Storage index along `axis` <-> the viewer's index along the same axis (the same both ways). */
export function mirrorIndex(map: RasMap, axis: number, index: number): number {
  return map.flipped[axis] ? (map.dims[axis] ?? 0) - 1 - index : index
}

/** The two axes of a slice across `axis`: rows, then columns. */
export function sliceAxes(axis: number): [rows: number, cols: number] {
  return axis === 2 ? [1, 0] : axis === 1 ? [2, 0] : [2, 1]
}

export function sliceShape(dims: Triple, axis: number): SliceShape {
  const [rows, cols] = sliceAxes(axis)
  return { rows: dims[rows] ?? 0, cols: dims[cols] ?? 0 }
}

function forSlice(dims: Triple, base: number, stride: Triple, axis: number, slice: number, visit: (at: number, pixel: number) => void): void {
  const [rowAxis, colAxis] = sliceAxes(axis)
  const { rows, cols } = sliceShape(dims, axis)
  const rowStride = stride[rowAxis] ?? 0
  const colStride = stride[colAxis] ?? 0
  let pixel = 0
  for (let row = 0; row < rows; row++) {
    let at = base + slice * (stride[axis] ?? 0) + row * rowStride
    for (let col = 0; col < cols; col++, at += colStride) visit(at, pixel++)
  }
}

function storageStride([i, j]: Triple): Triple {
  return [1, i, i * j]
}

/** One slice of the viewer's bitmap, row-major in storage order. */
export function readRasSlice(map: RasMap, bitmap: Uint8Array, axis: number, slice: number): Uint8Array {
  const { rows, cols } = sliceShape(map.dims, axis)
  const pixels = new Uint8Array(rows * cols)
  forSlice(map.dims, map.base, map.stride, axis, slice, (at, pixel) => {
    pixels[pixel] = bitmap[at] ?? 0
  })
  return pixels
}

export function writeRasSlice(map: RasMap, bitmap: Uint8Array, axis: number, slice: number, pixels: Uint8Array): void {
  forSlice(map.dims, map.base, map.stride, axis, slice, (at, pixel) => {
    bitmap[at] = pixels[pixel] ?? 0
  })
}

/** One slice of a volume in storage order, row-major. */
export function readSlice<T extends Uint8Array | Uint16Array>(dims: Triple, volume: T, axis: number, slice: number): T {
  const { rows, cols } = sliceShape(dims, axis)
  const pixels = new (volume.constructor as new (length: number) => T)(rows * cols)
  forSlice(dims, 0, storageStride(dims), axis, slice, (at, pixel) => {
    pixels[pixel] = volume[at] ?? 0
  })
  return pixels
}

export function writeSlice<T extends Uint8Array | Uint16Array>(dims: Triple, volume: T, axis: number, slice: number, pixels: T): void {
  forSlice(dims, 0, storageStride(dims), axis, slice, (at, pixel) => {
    volume[at] = pixels[pixel] ?? 0
  })
}

/** A whole volume, storage order to the viewer's order. */
export function toRas(map: RasMap, volume: Uint8Array, bitmap: Uint8Array): void {
  const [ni, nj, nk] = map.dims
  let from = 0
  for (let k = 0; k < nk; k++) {
    for (let j = 0; j < nj; j++) {
      let at = map.base + k * map.stride[2] + j * map.stride[1]
      for (let i = 0; i < ni; i++, at += map.stride[0]) bitmap[at] = volume[from++] ?? 0
    }
  }
}

/** The slice across `axis` with the most labelled voxels (the first on a tie), or undefined when there is none. */
export function largestSlice(dims: Triple, labels: Uint16Array, axis: number): number | undefined {
  const areas = new Array<number>(dims[axis] ?? 0).fill(0)
  const stride = storageStride(dims)[axis] ?? 1
  const size = dims[axis] ?? 1
  for (let at = 0; at < labels.length; at++) {
    if (labels[at] !== 0) areas[Math.floor(at / stride) % size]! += 1
  }
  const most = Math.max(0, ...areas)
  return most === 0 ? undefined : areas.indexOf(most)
}
