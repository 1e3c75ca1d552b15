// What every part of the page shares: the engine, the viewer and the state, and how a job is done and its failure shown.
// In: jobs. Out: the state drawn after each.

import { EngineClient } from './client'
import type { Seen } from './network'
import { checked, drawAlert, page } from './page'
import { render as draw } from './render'
import { initialState, isIdle, maskIsHere, type State } from './state'
import { Viewer } from './viewer'

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

/** Draws the state, and tells the viewer what it may paint. */
export function render(): void {
  const tool = checked('tool')
  const canPaint = isIdle(state) && state.scan !== undefined && !state.allPlanes && maskIsHere(state) && tool !== 'off'
  viewer.setPen(
    canPaint ? { place: tool === 'erase' ? 0 : state.place, size: Number(page.brushSize.value), filled: tool === 'outline' } : undefined,
  )
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

/** Labels on the screen: the result, with the mask over it while it is another than the result's. */
export function showLabels(): void {
  viewer.setLabels(state.result?.volume)
  const current = state.prompt.isEmpty ? undefined : state.prompt.current
  if (current && (!state.result || state.maskChanged)) viewer.setLabelSlice(current.axis, current.slice, current.pixels)
}

export function forgetResult(): void {
  state.result = undefined
  state.saved = true
}
