// What lies over the viewer while a tool is used. In: clicks, paths and a preview in the slice's pixels, and where those are on
// the canvas. Out: a drawing that no pointer sees.

import { css, type Rgb } from './colours'
import { at, type Plane } from './plane'
import type { Point } from './raster'
import type { SliceShape } from './orientation'
import type { Click } from './state'

export interface Scene {
  /** From the slice's pixels to the canvas'. */
  toScreen: Plane
  shape: SliceShape
  colour: Rgb
  preview: Uint8Array | undefined
  clicks: readonly Click[]
  box: readonly [Point, Point] | undefined
  /** A brush's path, and how wide it is on the screen. */
  stroke: { path: readonly Point[]; width: number; erase: boolean } | undefined
  /** Corners of an outline, and the pointer it goes on to. */
  outline: readonly Point[]
  pointer: Point | undefined
  /** Diameter on the screen of what the pointer would paint; 0 for none. */
  brush: number
  /** The pointer is the keyboard's: it has to be shown. */
  keyboard: boolean
}

export class Overlay {
  readonly #canvas: HTMLCanvasElement
  #tinted: { mask: Uint8Array; key: string; image: OffscreenCanvas } | undefined

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas
  }

  draw(scene: Scene | undefined): void {
    const canvas = this.#canvas
    const ratio = window.devicePixelRatio || 1
    const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)]
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
    const context = canvas.getContext('2d')
    if (!context) return
    context.setTransform(1, 0, 0, 1, 0, 0)
    context.clearRect(0, 0, width, height)
    // Chromium keeps showing the last frame when nothing is drawn after a clearing.
    context.fillStyle = 'rgb(0 0 0 / 0.01)'
    context.fillRect(0, 0, 1, 1)
    if (!scene) return
    context.scale(ratio, ratio)
    if (scene.preview) this.#preview(context, scene, scene.preview, ratio)
    drawBox(context, scene)
    drawStroke(context, scene)
    drawOutline(context, scene)
    for (const click of scene.clicks) drawClick(context, at(scene.toScreen, click), click.include)
    drawPointer(context, scene)
  }

  #preview(context: CanvasRenderingContext2D, { toScreen: { xx, xy, x0, yx, yy, y0 }, shape, colour }: Scene, mask: Uint8Array, ratio: number): void {
    context.save()
    // Pixels' middles are whole numbers, pictures begin at a corner.
    context.setTransform(xx * ratio, yx * ratio, xy * ratio, yy * ratio, (x0 - (xx + xy) / 2) * ratio, (y0 - (yx + yy) / 2) * ratio)
    context.imageSmoothingEnabled = false
    context.drawImage(this.#tint(mask, shape, colour), 0, 0)
    context.restore()
  }

  /** The mask as a picture: half see-through, with a white border. */
  #tint(mask: Uint8Array, { rows, cols }: SliceShape, colour: Rgb): OffscreenCanvas {
    const key = `${rows} ${cols} ${colour.join()}`
    if (this.#tinted?.mask === mask && this.#tinted.key === key) return this.#tinted.image
    const image = new OffscreenCanvas(cols, rows)
    const context = image.getContext('2d')!
    const data = context.createImageData(cols, rows)
    for (let pixel = 0; pixel < mask.length; pixel++) {
      if (!mask[pixel]) continue
      const x = pixel % cols
      const edge = x === 0 || x === cols - 1 || !mask[pixel - 1] || !mask[pixel + 1] || !mask[pixel - cols] || !mask[pixel + cols]
      data.data.set(edge ? [255, 255, 255, 220] : [...colour, 120], 4 * pixel)
    }
    context.putImageData(data, 0, 0)
    this.#tinted = { mask, key, image }
    return image
  }
}

function trace(context: CanvasRenderingContext2D, toScreen: Plane, points: readonly Point[]): void {
  context.beginPath()
  points.forEach((point, index) => {
    const { x, y } = at(toScreen, point)
    if (index === 0) context.moveTo(x, y)
    else context.lineTo(x, y)
  })
}

/** Dark below, light above: seen on any picture. */
function twice(context: CanvasRenderingContext2D, colour: string, draw: () => void): void {
  for (const [width, style] of [[3.5, 'rgb(0 0 0 / 0.65)'], [1.5, colour]] as const) {
    context.lineWidth = width
    context.strokeStyle = style
    draw()
  }
}

function drawBox(context: CanvasRenderingContext2D, { box, toScreen, colour }: Scene): void {
  if (!box) return
  const [a, b] = [at(toScreen, box[0]), at(toScreen, box[1])]
  twice(context, css(colour), () => context.strokeRect(a.x, a.y, b.x - a.x, b.y - a.y))
}

function drawStroke(context: CanvasRenderingContext2D, { stroke, toScreen, colour }: Scene): void {
  if (!stroke) return
  trace(context, toScreen, stroke.path.length === 1 ? [...stroke.path, ...stroke.path] : stroke.path)
  context.lineWidth = Math.max(1, stroke.width)
  context.lineCap = context.lineJoin = 'round'
  context.strokeStyle = stroke.erase ? 'rgb(15 23 32 / 0.7)' : css(colour, 0.6)
  context.stroke()
}

function drawOutline(context: CanvasRenderingContext2D, { outline, pointer, toScreen, colour }: Scene): void {
  if (outline.length === 0) return
  twice(context, css(colour), () => {
    trace(context, toScreen, pointer ? [...outline, pointer] : outline)
    context.stroke()
  })
  const start = at(toScreen, outline[0]!)
  context.fillStyle = '#fff'
  context.fillRect(start.x - 3, start.y - 3, 6, 6)
}

function drawClick(context: CanvasRenderingContext2D, { x, y }: Point, include: boolean): void {
  context.beginPath()
  context.arc(x, y, 7, 0, 2 * Math.PI)
  context.fillStyle = include ? '#157a4a' : '#b3261e'
  context.fill()
  context.lineWidth = 1.5
  context.strokeStyle = '#fff'
  context.stroke()
  context.beginPath()
  context.moveTo(x - 3.5, y)
  context.lineTo(x + 3.5, y)
  if (include) {
    context.moveTo(x, y - 3.5)
    context.lineTo(x, y + 3.5)
  }
  context.stroke()
}

function drawPointer(context: CanvasRenderingContext2D, { pointer, brush, keyboard, toScreen }: Scene): void {
  if (!pointer) return
  const { x, y } = at(toScreen, pointer)
  if (brush > 0) {
    twice(context, '#fff', () => {
      context.beginPath()
      context.arc(x, y, Math.max(2, brush / 2), 0, 2 * Math.PI)
      context.stroke()
    })
  }
  if (!keyboard) return
  twice(context, '#ffe17a', () => {
    context.beginPath()
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]] as const) {
      context.moveTo(x + dx * 4, y + dy * 4)
      context.lineTo(x + dx * 13, y + dy * 13)
    }
    context.stroke()
  })
}
