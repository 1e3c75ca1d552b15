// Points and a box that become a mask. In: clicks on the slice in view. Out: the model's preview of them, and the mask once it is accepted.

import { client, fail, render, say, state, viewer } from './app'
import { edit, shownPixels } from './edits'
import { page } from './page'
import type { Point } from './raster'
import type { Click, Pending } from './state'
import type { PointPrompt, SessionOptions } from './messages'

/** How a session sees the scan, as the controls have it. */
export function sessionOptions(axis = state.axis): SessionOptions {
  const imageSize = Number(page.imageSize.value)
  return { axis, ...(imageSize && { imageSize }), ...(state.window && { window: state.window }) }
}

/** The clicks of the slice in view; those of another slice are given up. */
function pendingHere(): Pending {
  const { axis, slice, place, pending } = state
  if (pending?.axis === axis && pending.slice === slice && pending.place === place) return pending
  return (state.pending = { axis, slice, place, clicks: [], box: undefined, preview: undefined, asking: false })
}

export function addClick(click: Click): void {
  const pending = pendingHere()
  state.pending = { ...pending, clicks: [...pending.clicks, click] }
  ask()
}

export function removeClick(index: number): void {
  const pending = pendingHere()
  state.pending = { ...pending, clicks: pending.clicks.filter((_, other) => other !== index) }
  ask()
}

export function setBox(box: [Point, Point]): void {
  state.pending = { ...pendingHere(), box }
  ask()
}

/** Takes the last click back, then the box; false when there is neither. */
export function undoClick(): boolean {
  const { pending } = state
  if (!pending) return false
  if (pending.clicks.length > 0) state.pending = { ...pending, clicks: pending.clicks.slice(0, -1) }
  else if (pending.box) state.pending = { ...pending, box: undefined }
  ask()
  return true
}

export function discard(): boolean {
  if (!state.pending) return false
  state.pending = undefined
  render()
  return true
}

/** The preview becomes the label's mask on the slice. */
export function accept(): boolean {
  const { pending } = state
  if (!pending?.preview || pending.asking) return false
  const { preview, place } = pending
  state.pending = undefined
  const done = edit((pixels) => pixels.map((before, at) => (preview.mask[at] ? place : before === place ? 0 : before)))
  if (!done) render()
  say(done ? 'The mask is taken. Propagate it, or correct it with any tool.' : 'That is the mask already.')
  return true
}

function toEngine({ axis, slice, place, clicks, box }: Pending): PointPrompt {
  const here = box ? undefined : shownPixels(axis, slice).map((at) => Number(at === place))
  return {
    points: clicks.map(({ x, y }) => [x, y]),
    labels: clicks.map(({ include }) => (include ? 1 : 0)),
    ...(box && { box: [box[0].x, box[0].y, box[1].x, box[1].y] }),
    // Clicks alone correct what is there; a box begins anew.
    ...(here?.includes(1) && { mask: here }),
  }
}

let working = false

/** Asks the model, and again when clicks were made meanwhile. */
function ask(): void {
  const { pending } = state
  if (pending && pending.clicks.length === 0 && !pending.box) state.pending = undefined
  else if (pending) state.pending = { ...pending, asking: true }
  render()
  if (!working) void answer()
}

async function answer(): Promise<void> {
  working = true
  try {
    for (let asked; (asked = state.pending)?.asking; ) {
      const preview = await client.preview(sessionOptions(asked.axis), asked.slice, toEngine(asked))
      if (state.pending === asked) {
        state.pending = { ...asked, preview, asking: false }
        const area = preview.mask.reduce((sum, inside) => sum + inside, 0)
        say(area === 0 ? 'The model finds nothing here: try another point, or mark it with Fill, Outline or Brush. The small model of this page knows masks only.' : `Found ${area.toLocaleString('en')} pixels. Enter accepts, more points correct.`)
      } else if (state.pending) {
        state.pending = { ...state.pending, preview }
      }
      render()
    }
  } catch (error) {
    state.pending = undefined
    fail(error)
    render()
  } finally {
    working = false
  }
}

/** Moving to another slice gives clicks up: they belong to theirs. */
export function leaveSlice(): void {
  const { pending, axis, slice } = state
  if (pending && (pending.axis !== axis || pending.slice !== slice)) state.pending = undefined
}

/** The click under a place on the screen, if there is one. */
export function clickAt(screen: Point, toScreen: (point: Point) => Point): number {
  const { pending, axis, slice } = state
  if (pending?.axis !== axis || pending.slice !== slice) return -1
  return pending.clicks.findIndex((click) => {
    const { x, y } = toScreen(click)
    return Math.hypot(x - screen.x, y - screen.y) < 9
  })
}

/** Where a click may lie: on the slice. */
export function inside(point: Point): boolean {
  const { rows, cols } = viewer.shape
  return point.x > -0.5 && point.y > -0.5 && point.x < cols - 0.5 && point.y < rows - 0.5
}
