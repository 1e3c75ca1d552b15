// Storage order <-> the viewer's order, for all 48 orientations, and against NiiVue's own arithmetic.

import { describe, expect, test } from 'vitest'

import type { Triple } from '../src/messages'
import { largestSlice, mirrorIndex, rasMap, readRasSlice, readSlice, sliceShape, toRas, writeRasSlice, writeSlice } from '../src/orientation'

const DIMS: Triple = [3, 4, 5]
const COUNT = 60
const PERMUTATIONS = [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]]
const ORIENTATIONS = PERMUTATIONS.flatMap((axes) =>
  [0, 1, 2, 3, 4, 5, 6, 7].map((signs) => axes.map((axis, ras) => ((signs >> ras) & 1 ? -axis : axis))),
)

/** Every voxel its own value. */
const volume = Uint8Array.from({ length: COUNT }, (_, at) => at + 1)

/** What NiiVue does (img2RASstart, img2RASstep), written down independently of `rasMap`. */
function niivueOrder(perm: number[]): Uint8Array {
  const inStep = [1, DIMS[0], DIMS[0] * DIMS[1]]
  const axes = perm.map((axis) => Math.abs(axis) - 1)
  const size = axes.map((axis) => DIMS[axis]!)
  const step = axes.map((axis, ras) => Math.sign(perm[ras]!) * inStep[axis]!)
  const start = step.map((by, ras) => (by < 0 ? -by * (size[ras]! - 1) : 0))
  const out = []
  for (let z = 0; z < size[2]!; z++)
    for (let y = 0; y < size[1]!; y++)
      for (let x = 0; x < size[0]!; x++) out.push(volume[start[0]! + x * step[0]! + start[1]! + y * step[1]! + start[2]! + z * step[2]!]!)
  return Uint8Array.from(out)
}

test('there are 48 orientations', () => {
  expect(new Set(ORIENTATIONS.map(String)).size).toBe(48)
})

describe.each(ORIENTATIONS.map((perm) => ({ perm })))('permRAS $perm', ({ perm }) => {
  const map = rasMap(DIMS, perm)
  const bitmap = new Uint8Array(COUNT)
  toRas(map, volume, bitmap)

  test('a volume lands where NiiVue has it', () => {
    expect(bitmap).toEqual(niivueOrder(perm))
  })

  test.each([0, 1, 2])('slices across voxel axis %i are the storage-order slices', (axis) => {
    for (let slice = 0; slice < DIMS[axis]!; slice++) {
      expect(readRasSlice(map, bitmap, axis, slice)).toEqual(readSlice(DIMS, volume, axis, slice))
    }
  })

  test.each([0, 1, 2])('writing a slice across voxel axis %i changes that slice alone', (axis) => {
    const { rows, cols } = sliceShape(DIMS, axis)
    const pixels = Uint8Array.from({ length: rows * cols }, (_, pixel) => 100 + pixel)
    const expected = volume.slice()
    writeSlice(DIMS, expected, axis, 1, pixels)
    const inRas = new Uint8Array(COUNT)
    toRas(map, expected, inRas)
    const written = bitmap.slice()
    writeRasSlice(map, written, axis, 1, pixels)
    expect(written).toEqual(inRas)
    expect(readRasSlice(map, written, axis, 1)).toEqual(pixels)
  })

  test('slice indices mirror there and back', () => {
    for (const axis of [0, 1, 2]) {
      for (let slice = 0; slice < DIMS[axis]!; slice++) {
        const shown = mirrorIndex(map, axis, slice)
        expect(mirrorIndex(map, axis, shown)).toBe(slice)
        // The viewer's slice `shown` along its own axis holds the same voxels.
        const rasDims = perm.map((signed) => DIMS[Math.abs(signed) - 1]!) as Triple
        const there = Array.from(readSlice(rasDims, bitmap, map.rasAxis[axis]!, shown)).sort((a, b) => a - b)
        expect(there).toEqual(Array.from(readSlice(DIMS, volume, axis, slice)).sort((a, b) => a - b))
      }
    }
  })
})

test.each([[[1, 1, 3]], [[1, 2]], [[0, 1, 2]], [[1, 2, 4]]])('%j is no orientation', (perm) => {
  expect(() => rasMap(DIMS, perm)).toThrow('not an orientation')
})

test('a slice has the higher remaining axis as rows, the lower as columns', () => {
  expect(sliceShape(DIMS, 0)).toEqual({ rows: 5, cols: 4 })
  expect(sliceShape(DIMS, 1)).toEqual({ rows: 5, cols: 3 })
  expect(sliceShape(DIMS, 2)).toEqual({ rows: 4, cols: 3 })
  expect(Array.from(readSlice(DIMS, volume, 2, 1))).toEqual(Array.from(volume.slice(12, 24)))
  expect(Array.from(readSlice(DIMS, volume, 0, 0).slice(0, 5))).toEqual([1, 4, 7, 10, 13])
})

test('the largest slice is the first with the most voxels', () => {
  const labels = new Uint16Array(COUNT)
  expect(largestSlice(DIMS, labels, 2)).toBeUndefined()
  labels[12] = 7
  labels[36] = 300
  expect(largestSlice(DIMS, labels, 2)).toBe(1)
  labels[37] = 1
  expect(largestSlice(DIMS, labels, 2)).toBe(3)
  expect(largestSlice(DIMS, labels, 0)).toBe(0)
})
