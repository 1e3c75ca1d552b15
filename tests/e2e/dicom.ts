// Small DICOM series for the browser tests, written element by element, and what the tests read of the files that the page saves.
// In: a lattice and its values. Out: bytes; a SEG's frames.

import { parseDicom, type DataSet } from '../../www/node_modules/dicom-parser'

export interface Series {
  uid: string
  description: string
  columns: number
  rows: number
  /** Millimetres between columns, rows, slices. */
  spacing: [number, number, number]
  /** Directions of a row's run and of a column's run, in the patient (LPS). */
  orientation: [number, number, number, number, number, number]
  /** Of the first pixel of the first slice, LPS. */
  origin: [number, number, number]
  slices: number
  value: (column: number, row: number, slice: number) => number
}

export type Element = [group: number, element: number, vr: string, value: string | number[] | Uint8Array | Element[][]]

const LONG = new Set(['OB', 'OW', 'SQ'])
const CT = '1.2.840.10008.5.1.4.1.1.2'
const EXPLICIT = '1.2.840.10008.1.2.1'

const isItems = (value: Element[3]): value is Element[][] => Array.isArray(value) && Array.isArray(value[0])

function body(vr: string, value: Element[3]): Buffer {
  if (typeof value === 'string') return Buffer.from(value.length % 2 ? value + (vr === 'UI' ? '\0' : ' ') : value, 'latin1')
  if (isItems(value)) {
    return Buffer.concat(
      value.map((elements) => {
        const inside = Buffer.concat(elements.map(encoded))
        const start = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0])
        start.writeUInt32LE(inside.length, 4)
        return Buffer.concat([start, inside])
      }),
    )
  }
  if (vr === 'US') return Buffer.from(Uint16Array.from(value as number[]).buffer)
  if (vr === 'UL') return Buffer.from(Uint32Array.from(value as number[]).buffer)
  return Buffer.from(value as Uint8Array)
}

function encoded([group, element, vr, value]: Element): Buffer {
  const inside = body(vr, value)
  const header = Buffer.alloc(LONG.has(vr) ? 12 : 8)
  header.writeUInt16LE(group, 0)
  header.writeUInt16LE(element, 2)
  header.write(vr, 4, 'latin1')
  if (LONG.has(vr)) header.writeUInt32LE(inside.length, 8)
  else header.writeUInt16LE(inside.length, 6)
  return Buffer.concat([header, inside])
}

/** A file of such an object, little-endian and with explicit types. */
export function dicomFile(sopClass: string, instance: string, data: Element[]): Uint8Array {
  const meta: Element[] = [
    [2, 1, 'OB', [0, 1]],
    [2, 2, 'UI', sopClass],
    [2, 3, 'UI', instance],
    [2, 0x10, 'UI', EXPLICIT],
    [2, 0x12, 'UI', '1.2.826.0.1.3680043.8.498.9'],
  ]
  const header = Buffer.concat(meta.map(encoded))
  const object: Element[] = [[8, 0x16, 'UI', sopClass], [8, 0x18, 'UI', instance], ...data]
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), encoded([2, 0, 'UL', [header.length]]), header, ...object.map(encoded)])
}

/** Of slices along their normal, so many of them. */
export function normalOf([a, b, c, d, e, f]: Series['orientation']): [number, number, number] {
  return [b * f - c * e, c * d - a * f, a * e - b * d]
}

export const instanceUid = ({ uid }: Series, slice: number): string => `${uid}.${slice + 1}`

export function positionOf({ origin, orientation, spacing }: Series, slice: number): number[] {
  return normalOf(orientation).map((along, axis) => origin[axis]! + along * spacing[2] * slice)
}

/** One slice as a file. */
export function dicomSlice(series: Series, slice: number): Uint8Array {
  const { uid, description, columns, rows, spacing, orientation, value } = series
  const pixels = new Int16Array(columns * rows)
  for (let row = 0, at = 0; row < rows; row++) for (let column = 0; column < columns; column++, at++) pixels[at] = value(column, row, slice)
  const decimals = (numbers: number[]): string => numbers.map((number) => String(+number.toFixed(6))).join('\\')
  const data: Element[] = [
    [8, 0x20, 'DA', '20260101'],
    [8, 0x30, 'TM', '120000'],
    [8, 0x60, 'CS', 'CT'],
    [8, 0x103e, 'LO', description],
    [0x10, 0x10, 'PN', 'Made^Up'],
    [0x10, 0x20, 'LO', 'M1'],
    [0x18, 0x50, 'DS', String(spacing[2])],
    [0x20, 0xd, 'UI', `${uid}.9001`],
    [0x20, 0xe, 'UI', uid],
    [0x20, 0x10, 'SH', '1'],
    [0x20, 0x11, 'IS', '3'],
    // Numbers that run against the places: only the places count.
    [0x20, 0x13, 'IS', String(100 - slice)],
    [0x20, 0x32, 'DS', decimals(positionOf(series, slice))],
    [0x20, 0x37, 'DS', decimals(orientation)],
    [0x20, 0x52, 'UI', `${uid}.9002`],
    [0x28, 2, 'US', [1]],
    [0x28, 4, 'CS', 'MONOCHROME2'],
    [0x28, 0x10, 'US', [rows]],
    [0x28, 0x11, 'US', [columns]],
    [0x28, 0x30, 'DS', decimals([spacing[1], spacing[0]])],
    [0x28, 0x100, 'US', [16]],
    [0x28, 0x101, 'US', [16]],
    [0x28, 0x102, 'US', [15]],
    [0x28, 0x103, 'US', [1]],
    [0x28, 0x1052, 'DS', '-24'],
    [0x28, 0x1053, 'DS', '1'],
    [0x7fe0, 0x10, 'OW', new Uint8Array(pixels.buffer)],
  ]
  return dicomFile(CT, instanceUid(series, slice), data)
}

/** Voxel to RAS millimetres, 3 x 4, row-major: what the series says of itself. */
export function affineOf(series: Series): number[] {
  const { orientation, spacing, origin } = series
  const axes = [orientation.slice(0, 3), orientation.slice(3), normalOf(orientation)]
  return [-1, -1, 1].flatMap((sign, axis) => [...axes.map((along, number) => sign * along[axis]! * spacing[number]!), sign * origin[axis]!])
}

export interface SegFrame {
  segment: number
  /** The image that it lies on; nothing where the series has none. */
  instance: string | undefined
  position: number[]
  /** Row-major, one for each pixel. */
  inside: boolean[]
}

const item = (data: DataSet | undefined, tag: string): DataSet | undefined => data?.elements[tag]?.items?.[0]?.dataSet

/** The frames of a binary DICOM SEG. */
export function readSeg(bytes: Uint8Array): { rows: number; columns: number; labels: string[]; frames: SegFrame[] } {
  const data = parseDicom(bytes)
  const [rows, columns] = [data.uint16('x00280010')!, data.uint16('x00280011')!]
  const bits = data.elements['x7fe00010']!
  const frames = data.elements['x52009230']!.items!.map(({ dataSet }, number): SegFrame => {
    const source = item(item(dataSet, 'x00089124'), 'x00082112')
    return {
      segment: item(dataSet, 'x0062000a')!.uint16('x0062000b')!,
      instance: source?.string('x00081155'),
      position: item(dataSet, 'x00209113')!.string('x00200032')!.split('\\').map(Number),
      inside: Array.from({ length: rows * columns }, (_, at) => {
        const bit = number * rows * columns + at
        return ((bytes[bits.dataOffset + (bit >> 3)]! >> (bit & 7)) & 1) === 1
      }),
    }
  })
  const labels = data.elements['x00620002']!.items!.map(({ dataSet }) => dataSet!.string('x00620005')!)
  return { rows, columns, labels, frames }
}
