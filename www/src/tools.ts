// Tools on the slice in view, by pointer and by keyboard. In: pointer and key events on the canvas. Out: clicks, boxes and
// changes of the mask; what is being drawn, over the viewer.

import { afterRender, render, say, state, viewer } from './app'
import { edit, undo } from './edits'
import { Overlay, type Scene } from './overlay'
import { check, checked, page } from './page'
import { at, invert, type Plane } from './plane'
import { accept, addClick, clickAt, discard, inside, removeClick, setBox } from './prompting'
import { flood, paint, polygon, stroke, type Point } from './raster'
import { canDraw } from './state'
import { fillTolerance, short } from './windows'
import type { MaskState } from './mask'

export type Tool = 'points' | 'box' | 'outline' | 'brush' | 'erase' | 'fill' | 'off'

/** Pixels of the screen that a hand trembles. */
const STILL = 4

const overlay = new Overlay(page.overlay)

/** The pointer's way since the button went down, in slice pixels, and where it began on the screen. */
let drag: { path: Point[]; from: Point; moved: boolean; include: boolean } | undefined
/** Corners of an outline that is not closed. */
let corners: Point[] = []
let pointer: Point | undefined
let keyboard = false
/** The last fill, which the tolerance still changes. */
let filled: { seed: Point; before: MaskState; after: MaskState } | undefined

export function tool(): Tool {
  return checked('tool') as Tool
}

function active(): boolean {
  return tool() !== 'off' && canDraw(state)
}

function brushSize(): number {
  return Number(page.brushSize.value)
}

/** A tool is put away: what it had begun is given up. */
export function dropStarted(): void {
  drag = undefined
  corners = []
  filled = undefined
  drawOverlay()
}

export function chooseTool(name: Tool): void {
  check('tool', name)
  dropStarted()
  render()
}

// Drawing

function scene(): Scene | undefined {
  const plane = viewer.plane
  if (!state.scan || !plane) return undefined
  const toScreen = invert(plane)
  const { pending, axis, slice, mask, place } = state
  const here = pending?.axis === axis && pending.slice === slice ? pending : undefined
  const name = tool()
  const width = brushOnScreen(toScreen)
  const painting = name === 'brush' || name === 'erase'
  const dragged = drag?.moved ? drag.path : []
  return {
    toScreen,
    shape: viewer.shape,
    colour: mask.labels[(here?.place ?? place) - 1]?.colour ?? [255, 255, 255],
    preview: here?.preview?.mask,
    clicks: here?.clicks ?? [],
    box: name === 'box' && dragged.length > 1 ? [dragged[0]!, dragged.at(-1)!] : here?.box,
    stroke: painting && drag ? { path: drag.path, width, erase: name === 'erase' } : undefined,
    outline: name !== 'outline' ? [] : dragged.length > 1 ? dragged : corners,
    pointer: active() ? pointer : undefined,
    brush: painting && active() ? width : 0,
    keyboard,
  }
}

function brushOnScreen(toScreen: Plane): number {
  return (brushSize() * Math.hypot(toScreen.xx, toScreen.yx)) / viewer.pixelSize.x
}

export function drawOverlay(): void {
  overlay.draw(scene())
}

// What each tool does

function click(point: Point, include: boolean, again: boolean): void {
  switch (tool()) {
    case 'points': {
      const plane = viewer.plane
      const hit = plane ? clickAt(at(invert(plane), point), (other) => at(invert(plane), other)) : -1
      if (hit >= 0) removeClick(hit)
      else if (inside(point)) addClick({ ...point, include: include === (checked('sign') === 'include') })
      break
    }
    case 'outline':
      addCorner(point, again)
      break
    case 'fill':
      fill(point)
      break
    case 'brush':
    case 'erase':
      brush([point])
  }
}

function brush(path: Point[]): void {
  const place = tool() === 'erase' ? 0 : state.place
  const covered = stroke(viewer.shape, path, brushSize(), viewer.pixelSize)
  edit((pixels) => paint(pixels, covered, place))
}

function addCorner(point: Point, again: boolean): void {
  const plane = viewer.plane
  const [first] = corners
  const near = (other: Point): boolean => {
    if (!plane) return false
    const [a, b] = [at(invert(plane), point), at(invert(plane), other)]
    return Math.hypot(a.x - b.x, a.y - b.y) < 9
  }
  if (first && corners.length > 2 && (again || near(first))) closeOutline()
  else corners = [...corners, point]
}

function closeOutline(): boolean {
  if (corners.length < 3) return false
  fillOutline(corners)
  corners = []
  return true
}

function fillOutline(path: Point[]): void {
  const covered = polygon(viewer.shape, path)
  edit((pixels) => paint(pixels, covered, state.place))
}

function fill(seed: Point): void {
  if (!inside(seed)) return
  const before = state.mask.state
  spread(seed)
  filled = { seed, before, after: state.mask.state }
}

function spread(seed: Point): void {
  const values = viewer.values(state.axis, state.slice)
  const covered = flood(viewer.shape, values, seed, tolerance())
  const value = values[Math.round(seed.y) * values.cols + Math.round(seed.x)] ?? 0
  say(`Filled what is within ${short(tolerance())} of ${short(value)}; the tolerance can still be changed.`)
  edit((pixels) => paint(pixels, covered, state.place))
}

function tolerance(): number {
  return fillTolerance(page.tolerance.valueAsNumber, state.window ?? state.scan?.info.window ?? [0, 1])
}

/** Fills again from the same seed, in the place of the last time. */
export function toleranceChanged(): void {
  render()
  const last = filled
  // Anything else done since makes the fill a thing of the past.
  if (last?.after !== state.mask.state) return
  if (last.after !== last.before) undo()
  spread(last.seed)
  filled = { ...last, after: state.mask.state }
}

// The pointer

function onScreen(event: MouseEvent): Point {
  const box = viewer.canvas.getBoundingClientRect()
  return { x: event.clientX - box.left, y: event.clientY - box.top }
}

function down(event: PointerEvent): void {
  const plane = viewer.plane
  if (event.button !== 0 || !active() || !plane) return
  const from = onScreen(event)
  viewer.canvas.setPointerCapture(event.pointerId)
  keyboard = false
  drag = { path: [at(plane, from)], from, moved: false, include: !event.shiftKey && !event.altKey }
  drawOverlay()
}

function move(event: PointerEvent): void {
  const plane = viewer.plane
  if (!plane || !active()) return
  for (const each of drag ? (event.getCoalescedEvents?.() ?? [event]) : [event]) {
    pointer = at(plane, onScreen(each))
    drag?.path.push(pointer)
  }
  keyboard = false
  const now = onScreen(event)
  if (drag && Math.hypot(now.x - drag.from.x, now.y - drag.from.y) > STILL) drag.moved = true
  drawOverlay()
}

function up(event: PointerEvent): void {
  const done = drag
  const plane = viewer.plane
  drag = undefined
  if (!done || !plane || !active()) return
  const last = at(plane, onScreen(event))
  const path = [...done.path, last]
  const name = tool()
  if (name === 'brush' || name === 'erase') brush(path)
  else if (!done.moved || name === 'points' || name === 'fill') click(done.path[0]!, done.include, event.detail > 1)
  else if (name === 'box') setBox([clamp(done.path[0]!), clamp(last)])
  else {
    corners = []
    fillOutline(path)
  }
  drawOverlay()
}

function clamp({ x, y }: Point): Point {
  const { rows, cols } = viewer.shape
  return { x: Math.min(cols - 1, Math.max(0, x)), y: Math.min(rows - 1, Math.max(0, y)) }
}

// The keyboard: Shift and the arrows move a cross over the slice, the space bar is a click, Enter ends.

const STEPS: Record<string, Point> = { ArrowUp: { x: 0, y: -1 }, ArrowDown: { x: 0, y: 1 }, ArrowLeft: { x: -1, y: 0 }, ArrowRight: { x: 1, y: 0 } }

function moveCross(step: Point, far: boolean): void {
  const plane = viewer.plane
  if (!plane) return
  const { rows, cols } = viewer.shape
  const before = keyboard && pointer ? pointer : { x: Math.floor(cols / 2), y: Math.floor(rows / 2) }
  // As the slice is turned on the screen.
  const [dx, dy] = [plane.xx * step.x + plane.xy * step.y, plane.yx * step.x + plane.yy * step.y]
  const by = far ? 10 : 1
  const next = Math.abs(dx) > Math.abs(dy) ? { x: before.x + Math.sign(dx) * by, y: before.y } : { x: before.x, y: before.y + Math.sign(dy) * by }
  pointer = keyboard ? clamp({ x: Math.round(next.x), y: Math.round(next.y) }) : before
  keyboard = true
  const values = viewer.values(state.axis, state.slice)
  page.cursorNote.textContent = `Column ${pointer.x}, row ${pointer.y}, value ${short(values[pointer.y * values.cols + pointer.x] ?? 0)}`
  drawOverlay()
}

/** Where the keyboard began a box. */
let boxStart: Point | undefined

function press(include: boolean): void {
  if (!pointer || !keyboard) return moveCross({ x: 0, y: 0 }, false)
  if (tool() !== 'box') click(pointer, include, false)
  else if (boxStart === undefined) {
    boxStart = pointer
    say('One corner is set: go to the opposite one and press the space bar.')
  } else {
    setBox([boxStart, pointer])
    boxStart = undefined
  }
  drawOverlay()
}

export function key(event: KeyboardEvent): boolean {
  if (!active()) return false
  const step = STEPS[event.key]
  if (step && event.shiftKey) moveCross(step, event.ctrlKey || event.metaKey)
  else if (event.key === ' ') press(!event.shiftKey && !event.altKey)
  else return false
  return true
}

/** Enter: closes an outline or accepts a preview. */
export function finish(): boolean {
  const done = closeOutline() || accept()
  if (done) drawOverlay()
  return done
}

/** Escape: gives up what was begun. */
export function giveUp(): boolean {
  const begun = corners.length > 0 || drag !== undefined || boxStart !== undefined
  boxStart = undefined
  dropStarted()
  return discard() || begun
}

/** The last corner of an open outline goes. */
export function undoCorner(): boolean {
  if (corners.length === 0) return false
  corners = corners.slice(0, -1)
  drawOverlay()
  return true
}

export function wireTools(): void {
  const { canvas } = viewer
  canvas.addEventListener('pointerdown', down)
  canvas.addEventListener('pointermove', move)
  canvas.addEventListener('pointerup', up)
  canvas.addEventListener('pointercancel', dropStarted)
  canvas.addEventListener('pointerleave', () => {
    if (keyboard) return
    pointer = undefined
    drawOverlay()
  })
  // The viewer would move its crosshair with the same button or finger.
  const keep = (event: Event): void => {
    const mouse = event instanceof MouseEvent
    if (!active() || (mouse && event.button !== 0)) return
    if (!mouse && (event as TouchEvent).touches.length > 1) return
    event.stopImmediatePropagation()
    if (mouse) canvas.focus()
    else event.preventDefault()
  }
  for (const type of ['mousedown', 'touchstart']) canvas.addEventListener(type, keep, { capture: true, passive: false })
  viewer.onKey = key
  viewer.onDraw = drawOverlay
  afterRender.push(() => {
    canvas.classList.toggle('painting', active())
    drawOverlay()
  })
}
