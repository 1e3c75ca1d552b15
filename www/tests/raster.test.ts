// What tools cover, and where the screen's pixels are on a slice.

import { describe, expect, test } from 'vitest'

import { at, invert, planeThrough } from '../src/plane'
import { flood, paint, pixelSize, polygon, stroke } from '../src/raster'

const SHAPE = { rows: 5, cols: 7 }
const SQUARE = { x: 1, y: 1 }
const rows = (covered: Uint8Array, cols: number): string[] =>
  Array.from({ length: covered.length / cols }, (_, row) => Array.from(covered.slice(row * cols, (row + 1) * cols), (on) => (on ? '#' : '.')).join(''))

describe('stroke', () => {
  test('a brush of one pixel paints the pixel it is on', () => {
    expect(rows(stroke(SHAPE, [{ x: 2.2, y: 1.4 }], 1, SQUARE), 7)).toEqual(['.......', '..#....', '.......', '.......', '.......'])
  })

  test('a path is covered without gaps, clipped at the edge', () => {
    expect(rows(stroke(SHAPE, [{ x: 1, y: 2 }, { x: 9, y: 2 }], 2.1, SQUARE), 7)).toEqual(['.......', '.######', '#######', '.######', '.......'])
  })

  test('a brush is round in millimetres: narrow where pixels are long', () => {
    expect(rows(stroke(SHAPE, [{ x: 3, y: 2 }], 4.2, pixelSize(2, 1)), 7)).toEqual(['...#...', '...#...', '..###..', '...#...', '...#...'])
  })
})

describe('polygon', () => {
  test('covers the pixels whose middle is inside', () => {
    const triangle = [{ x: 0.5, y: 0.5 }, { x: 5.5, y: 0.5 }, { x: 0.5, y: 4.6 }]
    expect(rows(polygon(SHAPE, triangle), 7)).toEqual(['.......', '.####..', '.###...', '.##....', '.#.....'])
  })

  test('a path that crosses itself leaves its eye open, and one outside of the slice is clipped', () => {
    const eight = [{ x: -0.5, y: -0.5 }, { x: 4.5, y: 4.5 }, { x: 4.5, y: -0.5 }, { x: -0.5, y: 4.5 }]
    expect(rows(polygon(SHAPE, eight), 7)).toEqual(['#...#..', '##.##..', '#####..', '##.##..', '#...#..'])
    expect(polygon(SHAPE, [{ x: -9, y: -9 }, { x: 99, y: -9 }, { x: 99, y: 99 }, { x: -9, y: 99 }]).every((on) => on === 1)).toBe(true)
  })
})

describe('flood', () => {
  const values = [0, 0, 9, 9, 0, 0, 0, 0, 9, 8, 9, 0, 9, 9, 0, 9, 9, 9, 0, 9, 9, 0, 0, 0, 0, 0, 0, 0, 9, 9, 0, 0, 0, 0, 0]

  test('fills what is alike and joined by sides, not across corners', () => {
    expect(rows(flood(SHAPE, values, { x: 3, y: 1 }, 0), 7)[1]).toBe('.#.#...')
    expect(rows(flood(SHAPE, values, { x: 2, y: 1 }, 1), 7)).toEqual(['..##...', '.###...', '.###...', '.......', '.......'])
  })

  test('a pixel that has no number, or is not there, fills nothing', () => {
    expect(flood(SHAPE, values.map(() => NaN), { x: 1, y: 1 }, 5).some((on) => on)).toBe(false)
    expect(flood(SHAPE, values, { x: 3, y: 9 }, 5).some((on) => on)).toBe(false)
  })
})

test('painting replaces labels, rubbing out leaves none', () => {
  expect(paint(Uint8Array.of(1, 2, 0), Uint8Array.of(1, 1, 0), 3)).toEqual(Uint8Array.of(3, 3, 0))
  expect(paint(Uint8Array.of(1, 2, 5), Uint8Array.of(1, 0, 1), 0)).toEqual(Uint8Array.of(0, 2, 0))
})

test('a plane through three points takes any point there and back', () => {
  const plane = planeThrough([{ x: 10, y: 10 }, { x: 110, y: 10 }, { x: 10, y: 60 }], [{ x: 40, y: 0 }, { x: 0, y: 0 }, { x: 40, y: 20 }])!
  expect(at(plane, { x: 60, y: 35 })).toEqual({ x: 20, y: 10 })
  const back = at(invert(plane), { x: 20, y: 10 })
  expect(back.x).toBeCloseTo(60, 9)
  expect(back.y).toBeCloseTo(35, 9)
  expect(planeThrough([{ x: 0, y: 0 }, { x: 1, y: 1 }, { x: 2, y: 2 }], [{ x: 0, y: 0 }, { x: 1, y: 0 }, { x: 2, y: 0 }])).toBeUndefined()
})
