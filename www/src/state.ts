// What the page knows. In: nothing. Out: the state's type and the questions it answers; pure.

import { Mask } from './mask'
import type { Point } from './raster'
import type { Result } from './result'
import type { View } from './viewer'
import type { Agreement, AxisName, DeviceChoice, DeviceInfo, InputFile, MaskFile, Measurement, Preview, ScanFiles, ScanInfo, WeightsInfo } from './messages'

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

export interface Click extends Point {
  include: boolean
}

/** Points and a box that are not a mask yet. */
export interface Pending {
  axis: AxisName
  slice: number
  place: number
  clicks: Click[]
  box: [Point, Point] | undefined
  /** What the model makes of them; the one before while a newer is asked for. */
  preview: Preview | undefined
  asking: boolean
}

export interface State {
  device: DeviceInfo | 'starting' | 'down'
  choice: DeviceChoice
  weights: { name: string; info: WeightsInfo } | undefined
  /** Name of the LPIPS network, once few-shot was chosen. */
  lpips: string | undefined
  /** Few-shot instead of a propagation. */
  fewShot: boolean
  /** A labelled scan of the user's, for few-shot. */
  support: { scan: InputFile; mask: InputFile } | undefined
  scan: { info: ScanInfo; chosen: ScanFiles; sampleMask: Blob | undefined } | undefined
  axis: AxisName
  slice: number
  view: View
  window: [number, number] | undefined
  mask: Mask
  maskName: string
  /** The mask file that was read last, and which of its labels is used (undefined: all of one slice). */
  maskFile: { name: string; file: MaskFile; label: number | undefined } | undefined
  place: number
  pending: Pending | undefined
  run: Run | undefined
  result: Result | undefined
  /** The result whose session the engine still has. */
  live: Result | undefined
  /** Figures of the result; undefined until they are taken, and after each change. */
  measurements: Measurement[] | undefined
  truth: { name: string; labels: Uint16Array; agreement: Agreement[] } | undefined
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
    support: undefined,
    scan: undefined,
    axis: 'axial',
    slice: 0,
    view: 'axial',
    window: undefined,
    mask: new Mask(),
    maskName: '',
    maskFile: undefined,
    place: 1,
    pending: undefined,
    run: undefined,
    result: undefined,
    live: undefined,
    measurements: undefined,
    truth: undefined,
    saved: true,
    busy: 'Starting the engine…',
  }
}

export function isIdle(state: State): boolean {
  return state.busy === undefined && state.run === undefined
}

/** One plane alone is in view, the only place for tools. */
export function isSingle({ view }: State): boolean {
  return view !== 'planes' && view !== 'render'
}

/** Whether tools may draw on the slice in view. */
export function canDraw(state: State): boolean {
  return isIdle(state) && state.scan !== undefined && isSingle(state) && state.mask.takes(state.axis)
}

/** Slices whose mask differs from the one that the result came from. */
export function corrections({ result, mask }: State): number[] {
  return result?.changes(mask.state) ?? []
}

/** A result can be had right without doing everything again: slices were corrected, or a run was stopped. */
export function canCorrect(state: State): boolean {
  const { result, mask, fewShot } = state
  if (result === undefined || fewShot || mask.axis !== result.axis) return false
  return corrections(state).length > 0 || result.stopped
}

/** Why the run cannot start yet, or nothing when it can. */
export function runObstacle(state: State): string | undefined {
  if (typeof state.device === 'string') return 'The engine is not running.'
  if (!state.weights) return 'The model is not loaded.'
  if (!state.scan) return 'Open a scan first.'
  if (state.pending?.preview) return 'Accept the outline first (Enter), or discard it.'
  if (state.mask.isEmpty && !(state.fewShot && state.support)) return 'Mark the structure first: on any slice, with any tool.'
  return undefined
}

export function timeLeft(run: Run, now: number): string {
  if (run.done === 0) return ''
  const seconds = ((now - run.started) / 1000 / run.done) * (run.steps - run.done)
  if (seconds < 1.5) return ''
  if (seconds < 90) return `about ${Math.ceil(seconds)} s left`
  return `about ${Math.ceil(seconds / 60)} min left`
}

/** The next of some slices after this one, from the beginning again after the last. */
export function nextAfter(slices: readonly number[], slice: number): number | undefined {
  return slices.find((other) => other > slice) ?? slices[0]
}

export const AXIS_WORD: Record<AxisName, string> = { axial: 'Axial', coronal: 'Coronal', sagittal: 'Sagittal' }
