// What a run has given so far. In: slice results. Out: the label volume in storage order, figures per label and per slice.

import { readSlice, sliceShape, writeSlice } from './orientation'
import type { AxisName, LabelScore, MemoryReport, ScanInfo, SliceResult } from './messages'
import type { FoundSlices } from './work'

export interface LabelFigures {
  place: number
  label: number
  voxels: number
  millilitres: number
  /** Mean over the slices that have pixels of this label; undefined when there is none. */
  predictedIou: number | undefined
}

/** The lowest predicted IoU at which a slice is not called doubtful. */
export const SURE = 0.7

/** A label's memory on one slice. */
export interface SliceMemory {
  label: number
  memory: MemoryReport
}

type Found = Map<number, { pixels: number; predictedIou: number }>

/** How sure the model was of one slice: the lowest predicted IoU of the labels it found there. */
export type Confidence = { kind: 'prompt' } | { kind: 'empty' } | { kind: 'found'; predictedIou: number }

export class Result {
  readonly axis: AxisName
  readonly promptSlice: number
  /** Places (see prompt.ts) in storage order. */
  readonly volume: Uint8Array
  /** By slice; a slice not yet reached is undefined. */
  readonly confidence: (Confidence | undefined)[]
  readonly #scan: ScanInfo
  readonly #values: readonly number[]
  readonly #prompted: ReadonlySet<number>
  /** By slice, then by label: pixels, and the predicted IoU of the labels that have any. */
  readonly #found: Found[]
  /** By slice. */
  readonly #memories: SliceMemory[][]
  /** By slice; replaced whenever the slice's pixels are. */
  readonly #scores: (readonly LabelScore[] | undefined)[] = []

  constructor(scan: ScanInfo, axis: AxisName, promptSlice: number, values: readonly number[], prompted: Iterable<number>) {
    const [ni, nj, nk] = scan.dims
    this.axis = axis
    this.promptSlice = promptSlice
    this.volume = new Uint8Array(ni * nj * nk)
    this.confidence = new Array<undefined>(scan.dims[scan.axes[axis]] ?? 0).fill(undefined)
    this.#scan = scan
    this.#values = [...values]
    this.#prompted = new Set(prompted)
    this.#found = this.confidence.map(() => new Map())
    this.#memories = this.confidence.map(() => [])
  }

  /** Takes one slice in; returns its pixels as places. */
  add({ slice, labelMap, labels }: SliceResult): Uint8Array {
    const axis = this.#scan.axes[this.axis]
    const { rows, cols } = sliceShape(this.#scan.dims, axis)
    if (labelMap.length !== rows * cols) throw new Error(`slice ${slice} has ${labelMap.length} pixels, not ${rows} x ${cols}`)
    const places = new Map(this.#values.map((value, index) => [value, index + 1]))
    const pixels = Uint8Array.from(labelMap, (value) => places.get(value) ?? 0)
    writeSlice(this.#scan.dims, this.volume, axis, slice, pixels)

    this.#scores[slice] = labels
    const found: Found = new Map()
    for (const { label, predictedIou } of labels) {
      const place = places.get(label)
      const count = pixels.reduce((sum, pixel) => sum + (pixel === place ? 1 : 0), 0)
      if (count > 0) found.set(label, { pixels: count, predictedIou })
    }
    this.#found[slice] = found
    this.#memories[slice] = labels.flatMap(({ label, memory }) => (memory ? { label, memory } : []))
    if (slice === this.promptSlice) this.confidence[slice] = { kind: 'prompt' }
    else if (found.size === 0) this.confidence[slice] = { kind: 'empty' }
    else this.confidence[slice] = { kind: 'found', predictedIou: Math.min(...Array.from(found.values(), (label) => label.predictedIou)) }
    return pixels
  }

  /** The result for keeping, and as it was kept. */
  found(): FoundSlices {
    const slices = this.#scores.flatMap((labels, slice) => (labels ? [{ slice, labels, pixels: () => this.pixels(this.axis, slice) }] : []))
    const basis = { axis: this.axis, slice: this.promptSlice, whole: true, key: this, pixels: () => this.pixels(this.axis, this.promptSlice) }
    return { axis: this.axis, basis: [basis], values: [...this.#values], prompted: [...this.#prompted], run: null, slices }
  }

  static restore(scan: ScanInfo, { axis, basis, values, prompted, slices }: FoundSlices): Result {
    const result = new Result(scan, axis, basis[0]?.slice ?? 0, values, prompted)
    slices.forEach(({ slice, labels, pixels }, at) => {
      const labelMap = Uint16Array.from(pixels(), (place) => values[place - 1] ?? 0)
      result.add({ slice, step: at + 1, steps: slices.length, labelMap, labels: [...labels] })
    })
    return result
  }

  /** The labels in storage order. */
  labels(): Uint16Array {
    const values = [0, ...this.#values]
    return Uint16Array.from(this.volume, (place) => values[place] ?? 0)
  }

  /** What a slice remembered, of each label; nothing with few-shot, and for a slice not yet reached. */
  memories(slice: number): readonly SliceMemory[] {
    return this.#memories[slice] ?? []
  }

  pixels(axis: AxisName, slice: number): Uint8Array {
    return readSlice(this.#scan.dims, this.volume, this.#scan.axes[axis], slice)
  }

  /** Of the labels that were propagated. */
  figures(): LabelFigures[] {
    const [si, sj, sk] = this.#scan.spacing
    return this.#values.flatMap((label, index) => {
      if (!this.#prompted.has(label)) return []
      const slices = this.#found.flatMap((slice) => slice.get(label) ?? [])
      const voxels = slices.reduce((sum, slice) => sum + slice.pixels, 0)
      return {
        place: index + 1,
        label,
        voxels,
        millilitres: (voxels * si * sj * sk) / 1000,
        predictedIou: slices.length === 0 ? undefined : slices.reduce((sum, slice) => sum + slice.predictedIou, 0) / slices.length,
      }
    })
  }
}
