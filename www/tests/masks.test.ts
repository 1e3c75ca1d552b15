// Masks from files: DICOM SEG placed by the patient, pictures on the slice in view.

import { describe, expect, test } from 'vitest'

import { affineOf, dicomFile, positionOf, type Element, type Series } from '../../tests/e2e/dicom'
import { segLabels, toVoxels } from '../src/dicom-seg'
import { pictureLabels } from '../src/mask-pictures'
import type { ScanInfo, Triple } from '../src/messages'

const SEGMENTATION = '1.2.840.10008.5.1.4.1.1.66.4'
const SERIES: Series = { uid: '1.2.3', description: '', columns: 7, rows: 5, spacing: [1.5, 2, 3], orientation: [-0.8, 0.6, 0, 0, 0, -1], origin: [40.5, -12.25, 30], slices: 4, value: () => 0 }
const DIMS: Triple = [SERIES.columns, SERIES.rows, SERIES.slices]
const SCAN: ScanInfo = { name: 'a', dims: DIMS, spacing: SERIES.spacing, affine: [...affineOf(SERIES), 0, 0, 0, 1], window: [0, 1], axes: { axial: 1, coronal: 2, sagittal: 0 } }

interface Frame {
  segment: number
  slice: number
  inside: (column: number, row: number) => boolean
}

const decimals = (numbers: readonly number[]): string => numbers.map((number) => String(+number.toFixed(6))).join('\\')

function seg(frames: Frame[], { bits = 1, series = SERIES, turned = false, sopClass = SEGMENTATION } = {}): Uint8Array {
  const { columns, rows, spacing, orientation } = series
  const pixels = frames.flatMap(({ inside }) => Array.from({ length: columns * rows }, (_, at) => inside(at % columns, Math.floor(at / columns))))
  const packed = new Uint8Array(Math.ceil(pixels.length / 16) * 2)
  pixels.forEach((is, at) => (packed[at >> 3]! |= Number(is) << (at & 7)))
  // Turned: rows and columns run backwards, from the last pixel on.
  const sign = turned ? -1 : 1
  const start = ([x, y, z]: number[]): number[] => {
    const [a, b] = [(columns - 1) * spacing[0], (rows - 1) * spacing[1]]
    const [r, c] = [orientation.slice(0, 3), orientation.slice(3)]
    return turned ? [x!, y!, z!].map((mm, axis) => mm + a * r[axis]! + b * c[axis]!) : [x!, y!, z!]
  }
  const data: Element[] = [
    [8, 0x60, 'CS', 'SEG'],
    [0x28, 2, 'US', [1]],
    [0x28, 8, 'IS', String(frames.length)],
    [0x28, 0x10, 'US', [rows]],
    [0x28, 0x11, 'US', [columns]],
    [0x28, 0x100, 'US', [bits]],
    [0x5200, 0x9229, 'SQ', [[[0x20, 0x9116, 'SQ', [[[0x20, 0x37, 'DS', decimals(orientation.map((value) => sign * value))]]]], [0x28, 0x9110, 'SQ', [[[0x28, 0x30, 'DS', decimals([spacing[1], spacing[0]])]]]]]]],
    [0x5200, 0x9230, 'SQ', frames.map(({ segment, slice }): Element[] => [[0x20, 0x9113, 'SQ', [[[0x20, 0x32, 'DS', decimals(start(positionOf(series, slice)))]]]], [0x62, 0xa, 'SQ', [[[0x62, 0xb, 'US', [segment]]]]]])],
    [0x7fe0, 0x10, 'OB', bits === 1 ? packed : Uint8Array.from(pixels, (is) => (is ? 200 : 90))],
  ]
  return dicomFile(sopClass, '1.2.3.4', data)
}

const labelAt = (labels: Uint16Array, i: number, j: number, k: number): number => labels[i + 7 * (j + 5 * k)]!

describe('DICOM SEG', () => {
  const frames: Frame[] = [
    { segment: 2, slice: 3, inside: (column, row) => column > 4 && row === 1 },
    { segment: 5, slice: 0, inside: (column, row) => column === 0 && row > 2 },
  ]

  test.each([1, 8])('of %d bits lies on its images, in an oblique scan', (bits) => {
    const { labels, present } = segLabels('a.dcm', seg(frames, { bits }), SCAN)
    expect(present).toEqual([2, 5])
    for (let k = 0; k < 4; k++)
      for (let j = 0; j < 5; j++) for (let i = 0; i < 7; i++) expect(labelAt(labels, i, j, k), `${i} ${j} ${k}`).toBe(k === 3 && i > 4 && j === 1 ? 2 : k === 0 && i === 0 && j > 2 ? 5 : 0)
  })

  test('with rows and columns that run the other way is turned', () => {
    const { labels } = segLabels('a.dcm', seg([{ segment: 1, slice: 2, inside: (column, row) => column === 1 && row === 0 }], { turned: true }), SCAN)
    expect(labels.indexOf(1)).toBe(5 + 7 * (4 + 5 * 2))
    expect(labels.filter((label) => label === 1)).toHaveLength(1)
  })

  test.each([
    ['of finer pixels', seg(frames, { series: { ...SERIES, spacing: [0.75, 2, 3] } }), /pixels are not the scan's/],
    ['between the slices', seg(frames, { series: { ...SERIES, origin: [40.5 + 0.9, -12.25 + 1.2, 30] } }), /frame 1 lies between the scan's voxels/],
    ['outside', seg([{ ...frames[0]!, slice: 4 }]), /frame 1 lies outside of the open scan/],
    ['empty', seg([{ ...frames[0]!, inside: () => false }]), /no pixel of it is inside/],
    ['another object', seg(frames, { sopClass: '1.2.840.10008.5.1.4.1.1.2' }), /no segmentation \(SEG\)/],
    ['cut', seg(frames).subarray(0, 500), /cannot be used as a mask: .{5,}/],
  ])('%s is refused with the reason', (_, bytes, why) => {
    expect(() => segLabels('a.dcm', bytes, SCAN)).toThrow(why)
    expect(() => segLabels('a.dcm', bytes, SCAN)).toThrow(/^a\.dcm cannot be used as a mask: [^\n]+$/)
  })

  test('the inverse of an affine', () => {
    expect(toVoxels([2, 0, 0, 10, 0, 0, 3, 20, 0, -4, 0, 30])([14, 26, 18])).toEqual([2, 3, 2])
  })
})

describe('pictures', () => {
  const on = { scan: { ...SCAN, axes: { axial: 2, coronal: 1, sagittal: 0 } }, axis: 'axial' as const, slice: 3 }
  const picture = (count: number, value: (at: number) => number): Float32Array => Float32Array.from({ length: 35 * count }, (_, at) => value(at))

  test('white on black is label 1 of the slice in view', () => {
    const { labels, present } = pictureLabels('a.png', picture(1, (at) => (at === 8 ? 255 : 0)), [7, 5, 1], on)
    expect(present).toEqual([1])
    expect([labelAt(labels, 1, 1, 3), labels.filter(Boolean).length]).toEqual([1, 1])
  })

  test('numbers are labels; one picture for each slice fills them all, across any axis', () => {
    const { labels, present } = pictureLabels('a.zip', picture(4, (at) => (at === 8 ? 3 : at === 35 * 2 ? 7 : 0)), [7, 5, 4], on)
    expect(present).toEqual([3, 7])
    expect([labelAt(labels, 1, 1, 0), labelAt(labels, 0, 0, 2)]).toEqual([3, 7])
    const coronal = pictureLabels('a.png', Float32Array.from({ length: 28 }, (_, at) => Number(at === 9)), [7, 4, 1], { ...on, axis: 'coronal', slice: 2 })
    expect(labelAt(coronal.labels, 2, 2, 1)).toBe(1)
  })

  test('another size, another number and nothing but black are refused', () => {
    expect(() => pictureLabels('a.png', picture(1, () => 1), [5, 7, 1], on)).toThrow('a.png: a picture of 5 × 7 pixels; the axial slices of the open scan are 4 of 7 × 5')
    expect(() => pictureLabels('a.zip', picture(2, () => 1), [7, 5, 2], on)).toThrow('2 pictures')
    expect(() => pictureLabels('a.png', picture(1, () => 0), [7, 5, 1], on)).toThrow('every pixel is black')
  })
})
