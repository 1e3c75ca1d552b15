// What a run has given so far. In: slice results, and what the user gives of slices. Out: the label volume in storage order,
// figures per label and per slice. A slice that the user gave stays as it was given: a model sees it coarser.

import type { GivenSlice } from './given'
import { readSlice, sliceShape, writeSlice } from './orientation'
import type { MaskState } from './mask'
import type { AxisName, LabelScore, MemoryReport, PromptMask, RunOptions, RunState, ScanInfo, SliceResult } from './messages'
import type { FoundSlices } from './work'

export interface LabelFigures {
  place: number
  label: number
  voxels: number
  millilitres: number
  /** Mean over the slices that have pixels of this label and were not given; undefined when there is none. */
  predictedIou: number | undefined
}

/** The lowest predicted IoU at which a slice is not called doubtful. */
export const SURE = 0.7

/** A label's memory on one slice. */
export interface SliceMemory {
  label: number
  memory: MemoryReport
}

export type RunSettings = Omit<RunOptions, 'prompts' | 'fewShot' | 'supports'>

/** How sure the model was of one slice: the lowest predicted IoU of the labels it found there. */
export type Confidence = { kind: 'prompt' } | { kind: 'empty' } | { kind: 'found'; predictedIou: number }

export class Result {
  readonly axis: AxisName
  /** Places (see given.ts) in storage order, as they are shown and saved. */
  readonly volume: Uint8Array
  /** By slice, of the run; undefined where it has not been. A slice that comes again has a new list. */
  readonly scores: (readonly LabelScore[] | undefined)[]
  /** The mask that the run was given; what differs from it has not been propagated. */
  basis: MaskState
  /** The run was stopped: slices are outstanding. */
  stopped = false
  /** How the run was made, but for its prompts. */
  readonly options: RunSettings
  readonly #scan: ScanInfo
  #values: readonly number[]
  readonly #prompted: ReadonlySet<number>
  /** By slice: what the run found. */
  readonly #found = new Map<number, Uint8Array>()
  /** By slice: labels that the engine was given a mask of. */
  readonly #told = new Map<number, ReadonlySet<number>>()
  /** By slice: what the user gives and `volume` shows. */
  readonly #given = new Map<number, GivenSlice>()
  /** By slice: voxels of each place in `volume`. */
  readonly #counts: Map<number, number>[]

  constructor(scan: ScanInfo, basis: MaskState, options: RunSettings, prompted: Iterable<number>) {
    const [ni, nj, nk] = scan.dims
    const { axis } = options
    this.axis = axis
    this.options = options
    this.basis = basis
    this.volume = new Uint8Array(ni * nj * nk)
    this.scores = new Array<undefined>(scan.dims[scan.axes[axis]] ?? 0).fill(undefined)
    this.#scan = scan
    this.#values = basis.labels.map(({ value }) => value)
    this.#prompted = new Set(prompted)
    this.#counts = this.scores.map(() => new Map())
    this.sync(basis)
  }

  /** Takes one slice of the run in; returns its pixels as places. */
  add({ slice, labelMap, labels }: SliceResult): Uint8Array {
    const { rows, cols } = this.#shape
    if (labelMap.length !== rows * cols) throw new Error(`slice ${slice} has ${labelMap.length} pixels, not ${rows} x ${cols}`)
    const places = new Map(this.#values.map((value, index) => [value, index + 1]))
    this.#found.set(slice, Uint8Array.from(labelMap, (value) => places.get(value) ?? 0))
    this.scores[slice] = labels
    return this.#show(slice)
  }

  /** Shows what the user gives now; the slices that have changed. Nothing of it is propagated yet. */
  sync(mask: MaskState): number[] {
    this.#values = mask.labels.map(({ value }) => value)
    const given = mask.axis === this.axis ? mask.slices : new Map<number, GivenSlice>()
    const changed = [...new Set([...this.#given.keys(), ...given.keys()])].filter((slice) => this.#given.get(slice) !== given.get(slice))
    for (const slice of changed) {
      const now = given.get(slice)
      if (now) this.#given.set(slice, now)
      else this.#given.delete(slice)
      this.#show(slice)
    }
    return changed
  }

  /** Slices that say something else than they did to the run. */
  changes(mask: MaskState): number[] {
    if (mask.axis !== undefined && mask.axis !== this.axis) return []
    const before = this.basis.slices
    return [...new Set([...before.keys(), ...mask.slices.keys()])].filter((slice) => before.get(slice) !== mask.slices.get(slice)).sort((a, b) => a - b)
  }

  /** The engine is given these masks, in the place of others on the same slices. */
  tell(prompts: readonly PromptMask[]): void {
    for (const slice of new Set(prompts.map((prompt) => prompt.slice))) {
      this.#told.set(slice, new Set(prompts.flatMap((prompt) => (prompt.slice === slice ? prompt.label : []))))
    }
  }

  /** Labels that the engine has a mask of on a slice. */
  told(slice: number): ReadonlySet<number> {
    return this.#told.get(slice) ?? new Set()
  }

  /** Labels that the run found on a slice, whatever is shown there. */
  foundOn(slice: number): number[] {
    const places = new Set(this.#found.get(slice))
    return this.#values.filter((_, index) => places.has(index + 1))
  }

  /** By slice; a slice not yet reached is undefined. */
  get confidence(): (Confidence | undefined)[] {
    return this.scores.map((labels, slice) => {
      if (this.#given.has(slice)) return { kind: 'prompt' }
      if (labels === undefined) return undefined
      const counts = this.#counts[slice]!
      const found = labels.filter(({ label }) => (counts.get(this.#values.indexOf(label) + 1) ?? 0) > 0)
      return found.length === 0 ? { kind: 'empty' } : { kind: 'found', predictedIou: Math.min(...found.map(({ predictedIou }) => predictedIou)) }
    })
  }

  /** Slices that the model was not sure of, rising. */
  get doubtful(): number[] {
    return this.confidence.flatMap((slice, index) => (slice?.kind === 'found' && slice.predictedIou < SURE ? [index] : []))
  }

  /** The result for keeping, but for how it was run. */
  kept(): Omit<FoundSlices, 'basis' | 'run'> {
    const { rows, cols } = this.#shape
    const pixels = (slice: number): Uint8Array => this.#found.get(slice) ?? new Uint8Array(rows * cols)
    const slices = this.scores.flatMap((labels, slice) => (labels ? [{ slice, labels, pixels: () => pixels(slice) }] : []))
    return { axis: this.axis, values: [...this.#values], prompted: [...this.#prompted], slices }
  }

  /** What a stopped run has left to do, of each label that it was given. */
  outstanding(): RunState {
    const { direction, range = [0, this.scores.length - 1] } = this.options
    const [first, last] = range
    const pending = [...this.#prompted].map((label) => {
      const place = this.basis.labels.findIndex(({ value }) => value === label) + 1
      const given = [...this.basis.slices].flatMap(([slice, { areas }]) => (areas.has(place) ? [slice] : []))
      const from = direction === 'forward' ? Math.max(first, Math.min(...given)) : first
      const to = direction === 'backward' ? Math.min(last, Math.max(...given)) : last
      const all = this.scores.map((_, slice) => slice).filter((slice) => slice >= from && slice <= to)
      return { label, slices: all.filter((slice) => !this.scores[slice]?.some((score) => score.label === label)) }
    })
    return { direction, first, last, pending: pending.filter(({ slices }) => slices.length > 0) }
  }

  /** The labels in storage order. */
  labels(): Uint16Array {
    const values = [0, ...this.#values]
    return Uint16Array.from(this.volume, (place) => values[place] ?? 0)
  }

  /** What a slice remembered, of each label; nothing with few-shot, and for a slice not yet reached. */
  memories(slice: number): SliceMemory[] {
    return (this.scores[slice] ?? []).flatMap(({ label, memory }) => (memory ? { label, memory } : []))
  }

  pixels(axis: AxisName, slice: number): Uint8Array {
    return readSlice(this.#scan.dims, this.volume, this.#scan.axes[axis], slice)
  }

  /** Of the labels that were propagated, and those drawn since. */
  figures(): LabelFigures[] {
    const [si, sj, sk] = this.#scan.spacing
    return this.#values.flatMap((label, index) => {
      const place = index + 1
      const voxels = this.#counts.reduce((sum, counts) => sum + (counts.get(place) ?? 0), 0)
      if (!this.#prompted.has(label) && voxels === 0) return []
      const ious = this.scores.flatMap((labels, slice) => {
        if (this.#given.has(slice) || (this.#counts[slice]!.get(place) ?? 0) === 0) return []
        return (labels ?? []).flatMap((score) => (score.label === label ? score.predictedIou : []))
      })
      return {
        place,
        label,
        voxels,
        millilitres: (voxels * si * sj * sk) / 1000,
        predictedIou: ious.length === 0 ? undefined : ious.reduce((sum, iou) => sum + iou, 0) / ious.length,
      }
    })
  }

  get #shape(): { rows: number; cols: number } {
    return sliceShape(this.#scan.dims, this.#scan.axes[this.axis])
  }

  #show(slice: number): Uint8Array {
    const { rows, cols } = this.#shape
    const found = this.#found.get(slice) ?? new Uint8Array(rows * cols)
    const pixels = this.#given.get(slice)?.over(found) ?? found
    writeSlice(this.#scan.dims, this.volume, this.#scan.axes[this.axis], slice, pixels)
    const counts = new Map<number, number>()
    for (const place of pixels) if (place !== 0) counts.set(place, (counts.get(place) ?? 0) + 1)
    this.#counts[slice] = counts
    return pixels
  }
}
