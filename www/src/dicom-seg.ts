// A DICOM SEG as a mask, in the worker. In: the file's bytes, and the scan that it should lie on. Out: labels on the scan's grid: each
// frame is placed by the patient, never resampled, or refused with the reason.

import { inflateSync } from 'fflate'
import { parseDicom, type DataSet } from 'dicom-parser'

import type { MaskFile, ScanInfo, Triple } from './messages'

const SEGMENTATION = '1.2.840.10008.5.1.4.1.1.66.4'
const UNPACKED = ['1.2.840.10008.1.2', '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.1.99']
/** Voxels that a pixel's centre may be off a voxel's. */
const OFF = 0.1

type Matrix = readonly number[]

const item = (data: DataSet | undefined, tag: string): DataSet | undefined => data?.elements[tag]?.items?.[0]?.dataSet
const decimals = (data: DataSet | undefined, tag: string): number[] => (data?.string(tag) ?? '').split('\\').map(Number)

/** Millimetres (RAS) to voxels: the inverse of an affine's three columns and origin. */
export function toVoxels(affine: Matrix): (point: readonly number[]) => Triple {
  const column = (at: number): Triple => [affine[at]!, affine[4 + at]!, affine[8 + at]!]
  const [a, b, c, origin] = [column(0), column(1), column(2), column(3)]
  const cross = ([x, y, z]: Triple, [u, v, w]: Triple): Triple => [y * w - z * v, z * u - x * w, x * v - y * u]
  const dot = (u: Triple, v: Triple): number => u[0] * v[0] + u[1] * v[1] + u[2] * v[2]
  const volume = dot(a, cross(b, c))
  const rows = [cross(b, c), cross(c, a), cross(a, b)] as const
  return (point) => {
    const from = point.map((mm, axis) => mm - origin[axis]!) as Triple
    return rows.map((row) => dot(row, from) / volume) as Triple
  }
}

interface Frame {
  segment: number
  /** Of its first pixel, one to the right and one below, in voxels. */
  corner: Triple
  right: Triple
  down: Triple
}

/** Frame `number`'s place, in voxels of the scan. */
function frameAt(data: DataSet, number: number, place: ReturnType<typeof toVoxels>): Frame {
  const own = data.elements['x52009230']?.items?.[number]?.dataSet
  const shared = item(data, 'x52009229')
  const group = (tag: string): DataSet | undefined => item(own, tag) ?? item(shared, tag)
  const position = decimals(group('x00209113'), 'x00200032')
  const direction = decimals(group('x00209116'), 'x00200037')
  const [below, beside] = decimals(group('x00289110'), 'x00280030')
  const segment = group('x0062000a')?.uint16('x0062000b')
  const numbers = [...position, ...direction, below, beside]
  if (position.length !== 3 || direction.length !== 6 || segment === undefined || !numbers.every(Number.isFinite)) throw new Error(`frame ${number + 1} does not say where it lies, or of which segment it is`)
  const ras = (run: number, fall: number): number[] =>
    position.map((mm, axis) => (axis < 2 ? -1 : 1) * (mm + run * beside! * direction[axis]! + fall * below! * direction[3 + axis]!))
  return { segment, corner: place(ras(0, 0)), right: place(ras(1, 0)), down: place(ras(0, 1)) }
}

/** Voxels from a pixel to its neighbour: one, along one axis. */
function step(from: Triple, to: Triple, extent: number): Triple {
  const exact = to.map((value, axis) => value - from[axis]!)
  const whole = exact.map(Math.round) as Triple
  const off = Math.max(...exact.map((value, axis) => Math.abs(value - whole[axis]!))) * extent
  if (whole.reduce((sum, value) => sum + Math.abs(value), 0) !== 1 || off > OFF) throw new Error("its pixels are not the scan's: it was made on other images, or resampled")
  return whole
}

/** Whether pixel `at` of all frames is inside: one bit each, or a byte of so many at most. */
function insideOf(data: DataSet): (at: number) => boolean {
  const element = data.elements['x7fe00010']
  if (!element || element.encapsulatedPixelData) throw new Error('it has no pixels, or they are compressed')
  const bytes = data.byteArray as Uint8Array
  const [start, end] = [element.dataOffset, element.dataOffset + element.length]
  const bits = data.uint16('x00280100')
  if (bits === 1) return (at) => start + (at >> 3) < end && ((bytes[start + (at >> 3)]! >> (at & 7)) & 1) === 1
  if (bits !== 8) throw new Error(`its pixels have ${bits ?? 'no'} bits; 1 and 8 are read`)
  const half = (data.uint16('x0062000e') ?? 255) / 2
  return (at) => start + at < end && bytes[start + at]! > half
}

/** Later segments lie over earlier ones. */
export function segLabels(name: string, bytes: Uint8Array, scan: ScanInfo): MaskFile {
  try {
    const data = parseDicom(bytes, { inflater: ((all: Uint8Array, position: number) => inflated(all, position)) as never })
    if (data.string('x00080016') !== SEGMENTATION) throw new Error('a DICOM file, but no segmentation (SEG)')
    if (!UNPACKED.includes(data.string('x00020010') ?? '')) throw new Error('it is compressed; saved without compression it opens')
    return placed(data, scan)
  } catch (error) {
    // The library throws words or objects.
    const why = error instanceof Error ? error.message : typeof error === 'string' ? error : 'it ends early'
    throw new Error(`${name} cannot be used as a mask: ${why}`)
  }
}

/** What the library asks of a deflated file: its header as it is, and the rest. */
function inflated(all: Uint8Array, position: number): Uint8Array {
  const rest = inflateSync(all.subarray(position))
  const whole = new Uint8Array(position + rest.length)
  whole.set(all.subarray(0, position))
  whole.set(rest, position)
  return whole
}

function placed(data: DataSet, { dims, affine }: ScanInfo): MaskFile {
  const [rows, columns] = [data.uint16('x00280010') ?? 0, data.uint16('x00280011') ?? 0]
  const frames = Number(data.intString('x00280008') ?? 1)
  const inside = insideOf(data)
  const place = toVoxels(affine)
  const labels = new Uint16Array(dims[0] * dims[1] * dims[2])
  const present = new Set<number>()
  for (let number = 0; number < frames; number++) {
    const { segment, corner, right, down } = frameAt(data, number, place)
    const along = step(corner, right, columns)
    const across = step(corner, down, rows)
    const first = corner.map(Math.round) as Triple
    if (corner.some((value, axis) => Math.abs(value - first[axis]!) > OFF)) throw new Error(`frame ${number + 1} lies between the scan's voxels`)
    for (let row = 0, pixel = number * rows * columns; row < rows; row++)
      for (let column = 0; column < columns; column++, pixel++) {
        if (!inside(pixel)) continue
        const [i, j, k] = first.map((value, axis) => value + column * along[axis]! + row * across[axis]!) as Triple
        if (i < 0 || j < 0 || k < 0 || i >= dims[0] || j >= dims[1] || k >= dims[2]) throw new Error(`frame ${number + 1} lies outside of the open scan`)
        labels[i + dims[0] * (j + dims[1] * k)] = segment
        present.add(segment)
      }
  }
  if (present.size === 0) throw new Error('no pixel of it is inside a segment')
  return { labels, present: [...present].sort((a, b) => a - b) }
}
