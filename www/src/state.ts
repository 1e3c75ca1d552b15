// What the page knows. In: nothing. Out: the state's type and the questions it answers; pure.

import { Prompt } from './prompt'
import type { Result } from './result'
import type { AxisName, DeviceChoice, DeviceInfo, MaskFile, ScanInfo, WeightsInfo } from './messages'
import type { ScanFile } from './work'

export interface Run {
  controller: AbortController
  /** What happens before the first slice, in words. */
  preparing: string
  done: number
  steps: number
  started: number
  /** The view follows the slices as they come, until the user moves. */
  follow: boolean
}

export interface State {
  device: DeviceInfo | 'starting' | 'down'
  choice: DeviceChoice
  weights: { name: string; info: WeightsInfo } | undefined
  /** Name of the LPIPS network, once few-shot was chosen. */
  lpips: string | undefined
  /** Few-shot instead of a propagation. */
  fewShot: boolean
  /** `files` is what it was opened from; the sample has none. */
  scan: { info: ScanInfo; sampleMask: Blob | undefined; files: ScanFile[] } | undefined
  axis: AxisName
  slice: number
  allPlanes: boolean
  window: [number, number] | undefined
  prompt: Prompt
  maskName: string
  /** The mask file that was read last, and which of its labels is used (undefined: all of one slice). */
  maskFile: { name: string; file: MaskFile; label: number | undefined } | undefined
  /** The mask is another than the one the result came from. */
  maskChanged: boolean
  place: number
  run: Run | undefined
  result: Result | undefined
  saved: boolean
  /** What is being waited for, in words; the controls rest. */
  busy: string | undefined
}

export function initialState(): State {
  return {
    device: 'starting',
    choice: 'auto',
    weights: undefined,
    lpips: undefined,
    fewShot: false,
    scan: undefined,
    axis: 'axial',
    slice: 0,
    allPlanes: false,
    window: undefined,
    prompt: new Prompt(),
    maskName: '',
    maskFile: undefined,
    maskChanged: false,
    place: 1,
    run: undefined,
    result: undefined,
    saved: true,
    busy: 'Starting the engine…',
  }
}

/** Whether the mask is on the slice in view, or there is none yet. */
export function maskIsHere({ prompt, axis, slice }: State): boolean {
  return prompt.isEmpty || (prompt.current?.axis === axis && prompt.current.slice === slice)
}

export function isIdle(state: State): boolean {
  return state.busy === undefined && state.run === undefined
}

/** Why the run cannot start yet, or nothing when it can. */
export function runObstacle(state: State): string | undefined {
  if (typeof state.device === 'string') return 'The engine is not running.'
  if (!state.weights) return 'The model is not loaded.'
  if (!state.scan) return 'Open a scan first.'
  if (state.prompt.isEmpty) return 'Give a mask first: load one or paint it.'
  return undefined
}

export function timeLeft(run: Run, now: number): string {
  if (run.done === 0) return ''
  const seconds = ((now - run.started) / 1000 / run.done) * (run.steps - run.done)
  if (seconds < 1.5) return ''
  if (seconds < 90) return `about ${Math.ceil(seconds)} s left`
  return `about ${Math.ceil(seconds / 60)} min left`
}

export const AXIS_WORD: Record<AxisName, string> = { axial: 'Axial', coronal: 'Coronal', sagittal: 'Sagittal' }
