// What every part of the page shares: the engine, the viewer and the state, and how a job is done and its failure shown.
// In: jobs. Out: the state drawn after each.

import { EngineClient } from './client'
import type { Seen } from './network'
import { drawAlert, page } from './page'
import { render as draw } from './render'
import { initialState, type State } from './state'
import { Viewer } from './viewer'
import type { MaskState } from './mask'

/** Hears what the engine's worker asked of the network. */
let workerRequests: (seen: Seen[]) => void = () => {}
export function onWorkerRequests(listener: (seen: Seen[]) => void): void {
  workerRequests = listener
}

function startWorker(): Worker {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
  // Ahead of the client, whose protocol has no place for messages that it did not ask for.
  worker.addEventListener('message', (event: MessageEvent<{ requests?: Seen[] }>) => {
    if (!event.data.requests) return
    event.stopImmediatePropagation()
    workerRequests(event.data.requests)
  })
  return worker
}

export const client = new EngineClient(startWorker)
export const viewer = new Viewer(page.canvas)
export const state: State = initialState()

/** Heard after each drawing of the state, by what lies over the viewer. */
export const afterRender: (() => void)[] = []

export function render(): void {
  draw(state)
  for (const listener of [...afterRender]) listener()
}

export function say(text: string): void {
  page.status.textContent = text
}

export function fail(error: unknown): void {
  drawAlert(error instanceof Error ? error.message : String(error))
  say('That did not work; nothing was lost.')
}

/** Does one thing at a time, says what it waits for, shows what went wrong. */
export async function busy(words: string, job: () => Promise<void>): Promise<void> {
  state.busy = words
  drawAlert(null)
  say(words)
  render()
  try {
    await job()
  } catch (error) {
    fail(error)
  } finally {
    state.busy = undefined
    render()
  }
}

/** What the viewer shows of the mask. */
let shown: MaskState = state.mask.state

/** All labels on the screen: the result, and the mask over it. */
export function showLabels(): void {
  const { mask, result } = state
  shown = mask.state
  result?.sync(shown)
  viewer.setColours(mask.labels.map(({ colour }) => colour))
  viewer.setLabels(result?.volume)
  if (shown.axis !== undefined && shown.axis !== result?.axis) showSlices(shown, shown.slices.keys())
}

/** The labels on the screen after a change of the mask: only the slices that have changed. The slices, or undefined for all of them. */
export function showChanges(): number[] | undefined {
  const [before, now] = [shown, state.mask.state]
  const { result } = state
  if (before.labels !== now.labels) viewer.setColours(now.labels.map(({ colour }) => colour))
  const sameAxis = before.axis === now.axis || before.axis === undefined || now.axis === undefined
  const axis = now.axis ?? before.axis
  if (!sameAxis || (result && axis !== undefined && axis !== result.axis)) {
    showLabels()
    return undefined
  }
  shown = now
  result?.sync(now)
  const changed = [...new Set([...before.slices.keys(), ...now.slices.keys()])].filter((slice) => before.slices.get(slice) !== now.slices.get(slice))
  if (axis !== undefined) showSlices({ ...now, axis }, changed)
  return changed
}

function showSlices({ axis, slices }: MaskState, which: Iterable<number>): void {
  if (axis === undefined) return
  for (const slice of which) {
    const pixels = state.result?.axis === axis ? state.result.pixels(axis, slice) : slices.get(slice)?.pixels()
    viewer.setLabelSlice(axis, slice, pixels ?? viewer.emptySlice(axis))
  }
}

export function forgetResult(): void {
  state.result = undefined
  state.live = undefined
  state.measurements = undefined
  state.saved = true
  if (state.truth) state.truth.agreement = []
}
