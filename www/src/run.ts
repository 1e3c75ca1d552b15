// The run and its result. In: the mask in the state and the options on the page. Out: slices in the state and on the screen as they come.

import { client, fail, forgetResult, render, say, showChanges, showLabels, state, viewer } from './app'
import { drawAlert, page } from './page'
import { sessionOptions } from './prompting'
import { Result } from './result'
import { biasOf } from './track-end'
import { correctionsOf } from './corrections'
import { prompts } from './mask'
import { corrections, isIdle, type Run } from './state'
import type { Direction, FewShotOptions, MemoryOptions, MemoryStrategy, RunOptions, SliceResult, SupportFile } from './messages'

/** Numbers that the user has filled in; what is empty has the engine's own value. */
function number(input: HTMLInputElement): number | undefined {
  return Number.isFinite(input.valueAsNumber) ? input.valueAsNumber : undefined
}

function memoryOptions(): MemoryOptions {
  const [size, threshold] = [number(page.memorySize), number(page.memoryThreshold)]
  const strategy = page.memory.value as MemoryStrategy
  if (strategy === 'fifo') return { strategy }
  return { strategy, ...(size !== undefined && { size }), ...(threshold !== undefined && strategy === 'self-sorting' && { threshold }) }
}

function fewShotOptions(): FewShotOptions {
  const copies = number(page.copies)
  return { matcher: 'lpips', ...(copies !== undefined && { copies }) }
}

async function supportFile(): Promise<SupportFile[]> {
  const { support } = state
  if (!support) return []
  const [scan, mask] = await Promise.all([support.scan, support.mask].map(async ({ data }) => new Uint8Array(await data.arrayBuffer())))
  return [{ name: support.scan.name, scan: scan!, mask: mask! }]
}

/** First and last slice, when they are not the whole scan. */
function range(slices: number): [number, number] | undefined {
  const [first, last] = [number(page.first) ?? 0, number(page.last) ?? slices - 1]
  if (first > last || first < 0 || last >= slices) throw new Error(`The range has to be slices from 0 to ${slices - 1}, the first not after the last.`)
  return first === 0 && last === slices - 1 ? undefined : [first, last]
}

async function runOptions(slices: number): Promise<RunOptions> {
  const { mask } = state
  const common = { ...sessionOptions(mask.axis ?? state.axis), direction: page.direction.value as Direction, prompts: prompts(mask.state) }
  if (state.fewShot) return { ...common, fewShot: fewShotOptions(), supports: await supportFile() }
  const limits = range(slices)
  const objectScoreBias = biasOf(page.trackEnd.value, state)
  return { ...common, memory: memoryOptions(), ...(limits && { range: limits }), ...(objectScoreBias !== 0 && { objectScoreBias }) }
}

/** Everything afresh, from all given slices. */
export async function propagate(): Promise<void> {
  const { scan, mask, fewShot } = state
  if (!scan || !isIdle(state)) return
  await attempt(async () => {
    const axis = mask.axis ?? state.axis
    const options = await runOptions(scan.info.dims[scan.info.axes[axis]] ?? 1)
    const { prompts, fewShot: _, supports, ...settings } = options
    const labels = supports && supports.length > 0 ? mask.values : prompts.map(({ label }) => label)
    const result = new Result(scan.info, mask.state, settings, labels)
    result.tell(prompts)
    const what = fewShot ? 'Preparing the labelled pictures' : 'Preparing the graphics card, once'
    state.live = undefined
    await follow(result, (run) => {
      const prepare = (done: number, parts: number): void => {
        run.started = performance.now()
        run.preparing = done < parts ? `${what}: ${done + 1} of ${parts}…` : 'First slice…'
        render()
      }
      return client.propagate(options, run.controller.signal, prepare)
    })
    // A few-shot session has nothing to go on with: a correction makes another.
    if (state.result === result && !fewShot) state.live = result
  })
}

/** The engine's session of a result: the one it came from, or one made anew when that is gone, or was few-shot's. */
export async function bringBack(result: Result): Promise<void> {
  if (state.live === result) return
  const given = prompts(result.basis)
  result.tell(given)
  await client.restore({ ...result.options, prompts: given, labelMap: result.labels(), ...(result.stopped && { state: result.outstanding() }) })
  state.live = result
}

/** Propagates the corrected slices, and what a stopped run has left: only what depends on them is done again. */
export async function correct(): Promise<void> {
  const { result, mask } = state
  if (!result || !isIdle(state)) return
  const before = result.basis
  await attempt(async () => {
    await bringBack(result)
    const corrected = correctionsOf(result, mask.state, corrections(state))
    const done = await follow(result, (run) => {
      result.basis = mask.state
      result.tell(corrected.prompts)
      return client.correct(corrected, run.controller.signal)
    }).catch((error: unknown) => {
      // The engine refused the corrections, or came to grief over them: they are still to be done.
      result.basis = before
      throw error
    })
    if (done === 0) say('Nothing depends on the correction: no slice had to be done again.')
  })
}

async function attempt(job: () => Promise<void>): Promise<void> {
  try {
    await job()
  } catch (error) {
    fail(error)
  }
  render()
}

/** How many slices came. */
async function follow(result: Result, slices: (run: Run) => AsyncGenerator<SliceResult>): Promise<number> {
  const start = state.slice
  const run: Run = { controller: new AbortController(), preparing: 'Starting…', done: 0, steps: 0, started: performance.now(), follow: state.axis === result.axis }
  state.run = run
  state.pending = undefined
  drawAlert(null)
  say(state.fewShot ? 'Comparing and segmenting…' : 'Propagating…')
  render()
  try {
    for await (const slice of slices(run)) {
      // Only the first new slice puts the result before this one aside.
      if (state.result !== result) {
        forgetResult()
        state.result = result
        showLabels()
      }
      state.saved = false
      state.measurements = undefined
      viewer.setLabelSlice(result.axis, slice.slice, result.add(slice))
      run.done++
      run.steps = slice.steps
      if (run.follow) followTo(slice.slice)
      render()
    }
    result.stopped = run.controller.signal.aborted
    say(run.controller.signal.aborted ? `Stopped after ${run.done} slices; they are kept.` : `Done: ${run.done} slices.`)
    return run.done
  } finally {
    state.run = undefined
    if (state.result === result) showChanges()
    if (run.follow && run.done > 0) viewer.slice = start
  }
}

/** Whether it is the run that moves the view, not the user. */
export let following = false
function followTo(slice: number): void {
  following = true
  viewer.slice = slice
  following = false
}

export function cancel(): void {
  state.run?.controller.abort()
  render()
}
