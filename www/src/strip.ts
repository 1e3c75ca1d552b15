// One bar per slice under the viewer. In: how sure the model was, which slices are given. Out: a drawing, and clicks as slices.

import { page } from './page'
import { SURE, type Confidence } from './result'

const COLOUR = { given: '#6db6f2', changed: '#c9a0ff', empty: '#39434f', sure: '#4fbf83', doubtful: '#e0a33a', here: '#ffffff', rest: '#20272f' }

export interface Strip {
  slices: number
  confidence: readonly (Confidence | undefined)[]
  given: ReadonlySet<number>
  /** Given, and not propagated yet. */
  changed: ReadonlySet<number>
  here: number
}

export function drawStrip({ slices, confidence, given, changed, here }: Strip): void {
  const { strip } = page
  const scale = window.devicePixelRatio || 1
  const width = Math.max(1, Math.round(strip.clientWidth * scale))
  const height = Math.max(1, Math.round(strip.clientHeight * scale))
  if (strip.width !== width || strip.height !== height) Object.assign(strip, { width, height })
  const context = strip.getContext('2d')
  if (context === null || slices === 0) return
  const bar = width / slices
  const paint = (slice: number, colour: string, share: number): void => {
    context.fillStyle = colour
    context.fillRect(slice * bar, height * (1 - share), Math.max(1, bar - (bar > 4 ? 1 : 0)), height * share)
  }
  context.clearRect(0, 0, width, height)
  for (let slice = 0; slice < slices; slice++) {
    const known = confidence[slice]
    if (changed.has(slice)) paint(slice, COLOUR.changed, 0.95)
    else if (given.has(slice)) paint(slice, COLOUR.given, 0.95)
    else if (known === undefined) paint(slice, COLOUR.rest, 0.14)
    else if (known.kind !== 'found') paint(slice, COLOUR.empty, 0.14)
    else paint(slice, known.predictedIou >= SURE ? COLOUR.sure : COLOUR.doubtful, 0.2 + 0.7 * Math.min(1, Math.max(0, known.predictedIou)))
  }
  context.fillStyle = COLOUR.here
  context.fillRect((here + 0.5) * bar - scale, 0, 2 * scale, height)
}

/** A click or a drag goes to the slice under it; the slider below is the same for the keyboard. */
export function wireStrip(slices: () => number, go: (slice: number) => void): void {
  const { strip } = page
  const take = (event: PointerEvent): void => {
    if (!(event.buttons & 1)) return
    const box = strip.getBoundingClientRect()
    const share = Math.min(0.9999, Math.max(0, (event.clientX - box.left) / box.width))
    go(Math.floor(share * slices()))
  }
  strip.addEventListener('pointerdown', (event) => {
    strip.setPointerCapture(event.pointerId)
    take(event)
  })
  strip.addEventListener('pointermove', take)
}
