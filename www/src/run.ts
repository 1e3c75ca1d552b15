// The run and its result. In: the mask in the state. Out: slices in the state and on the screen as they come; a file.

import { busy, client, fail, forgetResult, render, say, showLabels, state, viewer } from './app'
import { drawAlert, page, saveAs } from './page'
import { Result } from './result'
import { isIdle, type Run } from './state'
import type { Direction, MemoryStrategy, RunOptions } from './messages'

export async function propagate(): Promise<void> {
  const { scan, prompt } = state
  const { current } = prompt
  if (!scan || !current || !isIdle(state)) return
  const options: RunOptions = {
    axis: current.axis,
    imageSize: Number(page.imageSize.value),
    direction: page.direction.value as Direction,
    prompts: prompt.toEngine(),
    memory: { strategy: page.memory.value as MemoryStrategy },
    ...(state.window && { window: state.window }),
    ...(state.fewShot && { fewShot: { matcher: 'lpips' } }),
  }
  const run: Run = { controller: new AbortController(), preparing: 'Starting…', done: 0, steps: 0, started: performance.now(), follow: state.axis === current.axis }
  const result = new Result(scan.info, current.axis, current.slice, prompt.values, options.prompts.map(({ label }) => label))
  const what = state.fewShot ? 'Preparing the labelled pictures' : 'Preparing the graphics card, once'
  state.run = run
  drawAlert(null)
  say(state.fewShot ? 'Comparing and segmenting…' : 'Propagating…')
  render()
  try {
    const prepare = (done: number, parts: number): void => {
      run.started = performance.now()
      run.preparing = done < parts ? `${what}: ${done + 1} of ${parts}…` : 'First slice…'
      render()
    }
    for await (const slice of client.propagate(options, run.controller.signal, prepare)) {
      // Only the first new slice puts the result before this one aside.
      if (state.result !== result) {
        forgetResult()
        state.result = result
        state.maskChanged = state.saved = false
        showLabels()
      }
      viewer.setLabelSlice(current.axis, slice.slice, result.add(slice))
      run.done++
      run.steps = slice.steps
      if (run.follow) follow(slice.slice)
      render()
    }
    say(run.controller.signal.aborted ? `Stopped after ${run.done} slices; they are kept.` : `Done: ${run.done} slices.`)
  } catch (error) {
    fail(error)
  } finally {
    state.run = undefined
    if (run.follow && run.done > 0) viewer.slice = current.slice
    render()
    page.result.scrollIntoView({ block: 'nearest' })
  }
}

/** Whether it is the run that moves the view, not the user. */
export let following = false
function follow(slice: number): void {
  following = true
  viewer.slice = slice
  following = false
}

export function download(): Promise<void> {
  const { result, scan } = state
  if (!result || !scan) return Promise.resolve()
  return busy('Writing the file…', async () => {
    const bytes = await client.exportNifti(result.labels())
    saveAs(`${scan.info.name.replace(/\.nii(\.gz)?$/i, '')}_oneslice.nii.gz`, new Blob([bytes as BlobPart], { type: 'application/gzip' }))
    state.saved = true
    render()
  })
}
