// From the screen to a slice and back. In: where a plane is drawn. Out: a flat mapping between canvas pixels and slice pixels; pure.

import type { Point } from './raster'

/** x' = xx x + xy y + x0, y' = yx x + yy y + y0 */
export interface Plane {
  xx: number
  xy: number
  x0: number
  yx: number
  yy: number
  y0: number
}

/** The mapping that takes the first three points to the others; undefined when they are on a line. */
export function planeThrough(from: readonly [Point, Point, Point], to: readonly [Point, Point, Point]): Plane | undefined {
  const [p, q, r] = from
  const [a, b, c] = to
  const [ux, uy, vx, vy] = [q.x - p.x, q.y - p.y, r.x - p.x, r.y - p.y]
  const area = ux * vy - uy * vx
  if (area === 0) return undefined
  const xx = ((b.x - a.x) * vy - (c.x - a.x) * uy) / area
  const xy = ((c.x - a.x) * ux - (b.x - a.x) * vx) / area
  const yx = ((b.y - a.y) * vy - (c.y - a.y) * uy) / area
  const yy = ((c.y - a.y) * ux - (b.y - a.y) * vx) / area
  return { xx, xy, x0: a.x - xx * p.x - xy * p.y, yx, yy, y0: a.y - yx * p.x - yy * p.y }
}

export function invert({ xx, xy, x0, yx, yy, y0 }: Plane): Plane {
  const area = xx * yy - xy * yx
  const inverse = { xx: yy / area, xy: -xy / area, yx: -yx / area, yy: xx / area }
  return { ...inverse, x0: -(inverse.xx * x0 + inverse.xy * y0), y0: -(inverse.yx * x0 + inverse.yy * y0) }
}

export function at(plane: Plane, { x, y }: Point): Point {
  return { x: plane.xx * x + plane.xy * y + plane.x0, y: plane.yx * x + plane.yy * y + plane.y0 }
}
