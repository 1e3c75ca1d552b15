// The mask the user gives: slices of one axis, several labels with names and colours, every step of it undoable.
// In: painted or loaded pixels. Out: the engine's prompts. See given.ts for what a pixel holds.

import { FIRST_COLOURS, furtherColour, type Rgb } from './colours'
import { GivenSlice } from './given'
import { History } from './history'
import { largestSlice, readSlice } from './orientation'
import type { AxisName, MaskFile, PromptMask, ScanInfo } from './messages'

export interface Label {
  readonly value: number
  readonly name: string
  readonly colour: Rgb
}

export interface MaskState {
  /** The label of place p is `labels[p - 1]`. */
  readonly labels: readonly Label[]
  /** Undefined until something is given. */
  readonly axis: AxisName | undefined
  readonly slices: ReadonlyMap<number, GivenSlice>
}

export const MAX_LABELS = 255

export function newLabel(value: number, place: number): Label {
  return { value, name: `Label ${value}`, colour: FIRST_COLOURS[place - 1] ?? furtherColour(place) }
}

const nothing = (): MaskState => ({ labels: [newLabel(1, 1)], axis: undefined, slices: new Map() })

/** A mask for each label that has pixels on a slice. */
export function slicePrompts({ labels, slices }: MaskState, slice: number): PromptMask[] {
  const given = slices.get(slice)
  if (!given) return []
  const pixels = given.pixels()
  const shown = labels.flatMap(({ value }, index) => (given.areas.has(index + 1) ? { value, place: index + 1 } : []))
  return shown.map(({ value, place }) => ({ label: value, slice, mask: pixels.map((at) => Number(at === place)) }))
}

/** What a run is given: a mask for each slice and label that has pixels there, rising. */
export function prompts(state: MaskState): PromptMask[] {
  const slices = Array.from(state.slices.keys()).sort((a, b) => a - b)
  return slices.flatMap((slice) => slicePrompts(state, slice))
}

export class Mask {
  readonly #history = new History<MaskState>(nothing())

  get state(): MaskState {
    return this.#history.present
  }

  get labels(): readonly Label[] {
    return this.state.labels
  }

  get values(): number[] {
    return this.labels.map(({ value }) => value)
  }

  get axis(): AxisName | undefined {
    return this.state.axis
  }

  get canUndo(): boolean {
    return this.#history.canUndo
  }

  get canRedo(): boolean {
    return this.#history.canRedo
  }

  /** No pixel is given anywhere. */
  get isEmpty(): boolean {
    return !Array.from(this.state.slices.values()).some(({ area }) => area > 0)
  }

  /** The given slice with the largest area. */
  get main(): number | undefined {
    const [first] = Array.from(this.state.slices).sort(([, a], [, b]) => b.area - a.area)
    return first?.[0]
  }

  given(axis: AxisName, slice: number): GivenSlice | undefined {
    return this.axis === axis ? this.state.slices.get(slice) : undefined
  }

  /** Whether a slice across this axis can be added to what is given already. */
  takes(axis: AxisName): boolean {
    return this.axis === undefined || this.axis === axis || this.isEmpty
  }

  /** Gives a slice, in the place of what was given there. A slice that says nothing is none. */
  give(axis: AxisName, slice: number, pixels: Uint8Array, whole: boolean): void {
    const given = new GivenSlice(pixels, whole)
    const slices = new Map(this.axis === axis ? this.state.slices : [])
    if (given.area > 0 || whole) slices.set(slice, given)
    else slices.delete(slice)
    this.#history.push({ ...this.state, axis: slices.size > 0 ? axis : undefined, slices })
  }

  /** Begins anew with this slice alone, which may lie across another axis. */
  startOver(axis: AxisName, slice: number, pixels: Uint8Array): void {
    this.#history.push({ ...this.state, axis, slices: new Map([[slice, new GivenSlice(pixels, false)]]) })
  }

  /** Takes back what was given on one slice. */
  drop(slice: number): void {
    const slices = new Map(this.state.slices)
    slices.delete(slice)
    this.#history.push({ ...this.state, axis: slices.size > 0 ? this.axis : undefined, slices })
  }

  clear(): void {
    this.#history.push({ ...this.state, axis: undefined, slices: new Map() })
  }

  undo(): boolean {
    return this.#history.undo()
  }

  redo(): boolean {
    return this.#history.redo()
  }

  /** Forgets mask, labels and history (a new scan). */
  reset(): void {
    this.#history.reset(nothing())
  }

  /** Puts a kept state back, as one step. */
  restore(state: MaskState): void {
    this.#history.push(state)
  }

  /** Adds a label with the lowest free value; returns its place. */
  addLabel(): number {
    let value = 1
    while (this.values.includes(value)) value++
    const place = this.labels.length + 1
    this.#history.push({ ...this.state, labels: [...this.labels, newLabel(value, place)] })
    return place
  }

  changeLabel(place: number, change: Partial<Pick<Label, 'name' | 'colour'>>): void {
    const labels = this.labels.map((label, index) => (index === place - 1 ? { ...label, ...change } : label))
    this.#history.push({ ...this.state, labels })
  }

  /** Leaves one label of the mask. */
  keepOnly(place: number): void {
    const slices = new Map<number, GivenSlice>()
    for (const [slice, given] of this.state.slices) {
      const kept = given.map((at) => (at === place ? at : 0))
      if (kept.area > 0) slices.set(slice, kept)
    }
    this.#history.push({ ...this.state, axis: slices.size > 0 ? this.axis : undefined, slices })
  }

  /** Pixels of each place on all given slices; index 0 is place 1. */
  areas(): number[] {
    const areas = this.labels.map(() => 0)
    for (const given of this.state.slices.values()) for (const [place, area] of given.areas) areas[place - 1]! += area
    return areas
  }

  /**
   * Takes the slice of a label map with the largest labelled area across `axis`, of all labels or of `only`. Returns the labels of the file that are not
   * on that slice. Throws when the file has no labelled voxel or too many labels.
   */
  load({ labels: all, present }: MaskFile, scan: ScanInfo, axis: AxisName, only?: number): number[] {
    const volume = only === undefined ? all : all.map((label) => (label === only ? label : 0))
    const slice = largestSlice(scan.dims, volume, scan.axes[axis])
    if (slice === undefined) throw new Error('the mask has no labelled voxel')
    const pixels = readSlice(scan.dims, volume, scan.axes[axis], slice)
    const here = new Set(pixels)
    here.delete(0)
    if (here.size > MAX_LABELS) throw new Error(`the mask has ${here.size} labels on its largest slice; at most ${MAX_LABELS} can be used`)
    const values = [...here].sort((a, b) => a - b)
    const places = new Map(values.map((value, index) => [value, index + 1]))
    const labels = values.map((value, index) => this.labels.find((label) => label.value === value) ?? newLabel(value, index + 1))
    const given = new GivenSlice(Uint8Array.from(pixels, (value) => places.get(value) ?? 0), false)
    this.#history.push({ labels, axis, slices: new Map([[slice, given]]) })
    return only === undefined ? present.filter((value) => value !== 0 && !here.has(value)) : []
  }
}
