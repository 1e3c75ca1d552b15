// Small NIfTI-1 files for the browser tests, and a reader for what the page saves. In and out: bytes.

import { gunzipSync, gzipSync } from 'node:zlib'

export type Triple = [number, number, number]

export interface Nifti {
  dims: Triple
  pixdim: Triple
  /** The sform, 3 x 4, row-major. */
  affine: number[]
  data: Float32Array
}

export function voxelCount([ni, nj, nk]: Triple): number {
  return ni * nj * nk
}

/** Voxels along the axes named by `perm` (+-1, 2, 3 for R, A, S by voxel axis), `spacing` apart. */
export function orientedAffine(perm: Triple, spacing: Triple): number[] {
  const affine = new Array<number>(12).fill(0)
  perm.forEach((signed, axis) => {
    affine[(Math.abs(signed) - 1) * 4 + axis] = Math.sign(signed) * spacing[axis]!
  })
  return affine
}

/** A .nii.gz of 16-bit signed voxels. */
export function writeNifti(dims: Triple, spacing: Triple, affine: number[], voxel: (i: number, j: number, k: number) => number): Uint8Array {
  const bytes = new Uint8Array(352 + 2 * voxelCount(dims))
  const view = new DataView(bytes.buffer)
  view.setInt32(0, 348, true)
  ;[3, ...dims, 1, 1, 1, 1].forEach((dim, at) => view.setInt16(40 + 2 * at, dim, true))
  view.setInt16(70, 4, true)
  view.setInt16(72, 16, true)
  ;[1, ...spacing].forEach((size, at) => view.setFloat32(76 + 4 * at, size, true))
  view.setFloat32(108, 352, true)
  view.setFloat32(112, 1, true)
  view.setUint8(123, 2)
  view.setInt16(254, 1, true)
  affine.forEach((value, at) => view.setFloat32(280 + 4 * at, value, true))
  bytes.set([0x6e, 0x2b, 0x31], 344)
  let at = 352
  for (let k = 0; k < dims[2]; k++)
    for (let j = 0; j < dims[1]; j++) for (let i = 0; i < dims[0]; i++, at += 2) view.setInt16(at, voxel(i, j, k), true)
  return gzipSync(bytes)
}

const READERS: Record<number, [size: number, read: 'getUint8' | 'getInt16' | 'getUint16' | 'getInt32' | 'getFloat32']> = {
  2: [1, 'getUint8'],
  4: [2, 'getInt16'],
  8: [4, 'getInt32'],
  16: [4, 'getFloat32'],
  512: [2, 'getUint16'],
}

export function readNifti(file: Uint8Array): Nifti {
  const bytes = gunzipSync(file)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getInt32(0, true) !== 348 || bytes.toString('latin1', 344, 347) !== 'n+1') throw new Error('not a NIfTI-1 file')
  const dims = [42, 44, 46].map((at) => view.getInt16(at, true)) as Triple
  const reader = READERS[view.getInt16(70, true)]
  if (reader === undefined) throw new Error(`data type ${view.getInt16(70, true)}`)
  const [size, read] = reader
  const offset = view.getFloat32(108, true)
  if (bytes.length !== offset + size * voxelCount(dims)) throw new Error(`${bytes.length} bytes for ${dims.join(' x ')} voxels`)
  return {
    dims,
    pixdim: [80, 84, 88].map((at) => view.getFloat32(at, true)) as Triple,
    affine: Array.from({ length: 12 }, (_, at) => view.getFloat32(280 + 4 * at, true)),
    data: Float32Array.from({ length: voxelCount(dims) }, (_, at) => view[read](offset + size * at, true)),
  }
}

/** What of a header says where the voxels are: dims, pixdim, qform and sform, units. The rest may differ (type, scaling). */
export function geometry(file: Uint8Array): Record<string, string> {
  const bytes = gunzipSync(file)
  const field = (from: number, to: number): string => bytes.toString('hex', from, to)
  return { dim: field(40, 56), pixdim: field(76, 108), units: field(123, 124), codes: field(252, 256), qform: field(256, 280), sform: field(280, 328) }
}

/** Without one slice across the last voxel axis: what the user gives of a slice stays in the page as it is, and the engine sees it coarser. */
export function without({ dims, data }: Nifti, slice: number): Float32Array {
  const area = dims[0] * dims[1]
  return data.map((value, at) => (Math.floor(at / area) === slice ? 0 : value))
}

/** Overlap of two sets of voxels, 0 to 1. */
export function dice(a: Float32Array, b: Float32Array, label: number): number {
  let both = 0
  let total = 0
  a.forEach((value, at) => {
    if (value === label) total++
    if (b[at] === label) total++
    if (value === label && b[at] === label) both++
  })
  return total === 0 ? 1 : (2 * both) / total
}
