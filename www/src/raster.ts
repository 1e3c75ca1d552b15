// Pixels of a slice under a brush, in a polygon, or alike. In: points in pixels (x along the columns, y along the rows; a
// pixel's middle is a whole number). Out: what each tool covers; pure.

import type { SliceShape } from './orientation'

export interface Point {
  x: number
  y: number
}

/** Pixels are not square when voxels are not: lengths along x and y are divided by these. */
export interface PixelSize {
  x: number
  y: number
}

/** One of `size` has length 1 for the finer of the two spacings. */
export function pixelSize(columnMm: number, rowMm: number): PixelSize {
  const finest = Math.min(columnMm, rowMm)
  return { x: columnMm / finest, y: rowMm / finest }
}

function squareDistance(point: Point, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y]
  const length = dx * dx + dy * dy
  const along = length === 0 ? 0 : Math.min(1, Math.max(0, ((point.x - a.x) * dx + (point.y - a.y) * dy) / length))
  return (point.x - a.x - along * dx) ** 2 + (point.y - a.y - along * dy) ** 2
}

/** Pixels whose middle is within half the diameter of the path; those under it at least. */
export function stroke({ rows, cols }: SliceShape, path: readonly Point[], diameter: number, size: PixelSize): Uint8Array {
  const covered = new Uint8Array(rows * cols)
  const radius = diameter / 2
  const scaled = ({ x, y }: Point): Point => ({ x: x * size.x, y: y * size.y })
  path.forEach((end, index) => {
    const start = path[Math.max(0, index - 1)]!
    const [a, b] = [scaled(start), scaled(end)]
    const [left, right] = [Math.min(start.x, end.x) - radius / size.x, Math.max(start.x, end.x) + radius / size.x]
    const [top, bottom] = [Math.min(start.y, end.y) - radius / size.y, Math.max(start.y, end.y) + radius / size.y]
    for (let y = Math.max(0, Math.ceil(top)); y <= Math.min(rows - 1, bottom); y++) {
      for (let x = Math.max(0, Math.ceil(left)); x <= Math.min(cols - 1, right); x++) {
        if (squareDistance(scaled({ x, y }), a, b) <= radius * radius) covered[y * cols + x] = 1
      }
    }
    const [x, y] = [Math.round(end.x), Math.round(end.y)]
    if (x >= 0 && x < cols && y >= 0 && y < rows) covered[y * cols + x] = 1
  })
  return covered
}

/** Pixels whose middle is inside the closed polygon (an odd number of crossings). */
export function polygon({ rows, cols }: SliceShape, corners: readonly Point[]): Uint8Array {
  const covered = new Uint8Array(rows * cols)
  for (let y = 0; y < rows; y++) {
    const crossings: number[] = []
    corners.forEach((a, index) => {
      const b = corners[(index + 1) % corners.length]!
      if (a.y <= y !== b.y <= y) crossings.push(a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x))
    })
    crossings.sort((a, b) => a - b)
    for (let pair = 0; pair + 1 < crossings.length; pair += 2) {
      const last = Math.min(cols - 1, Math.floor(crossings[pair + 1]!))
      for (let x = Math.max(0, Math.ceil(crossings[pair]!)); x <= last; x++) covered[y * cols + x] = 1
    }
  }
  return covered
}

/** Pixels joined to the seed by sides, with values no further than the tolerance from the seed's. */
export function flood({ rows, cols }: SliceShape, values: ArrayLike<number>, seed: Point, tolerance: number): Uint8Array {
  const covered = new Uint8Array(rows * cols)
  const start = Math.round(seed.y) * cols + Math.round(seed.x)
  const wanted = values[start]
  if (wanted === undefined || !Number.isFinite(wanted)) return covered
  const alike = (at: number): boolean => covered[at] === 0 && Math.abs(values[at]! - wanted) <= tolerance
  const open = [start]
  covered[start] = 1
  for (let at; (at = open.pop()) !== undefined; ) {
    const x = at % cols
    for (const [next, exists] of [[at - 1, x > 0], [at + 1, x < cols - 1], [at - cols, at >= cols], [at + cols, at < (rows - 1) * cols]] as const) {
      if (exists && alike(next)) {
        covered[next] = 1
        open.push(next)
      }
    }
  }
  return covered
}

/** The covered pixels get a place; 0 rubs out. */
export function paint(pixels: Uint8Array, covered: Uint8Array, place: number): Uint8Array {
  return pixels.map((before, at) => (covered[at] ? place : before))
}
