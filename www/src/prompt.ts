// The mask the user gives: one slice of one axis, several labels. In: painted or loaded pixels. Out: the engine's prompts.
// Pixels hold a label's place in the list (1, 2, ...; 0 is outside), so that any label value of a file fits a byte.

import { largestSlice, readSlice } from './orientation'
import type { AxisName, MaskFile, PromptMask, ScanInfo } from './messages'

export interface PromptSlice {
  axis: AxisName
  slice: number
  pixels: Uint8Array
}

const UNDO_DEPTH = 50
export const MAX_LABELS = 255

export class Prompt {
  /** Label values by place; the value of place p is `values[p - 1]`. */
  values: number[] = [1]
  current: PromptSlice | undefined
  #undo: (PromptSlice | undefined)[] = []

  get canUndo(): boolean {
    return this.#undo.length > 0
  }

  get isEmpty(): boolean {
    return this.current === undefined || !this.current.pixels.some((place) => place !== 0)
  }

  /** Replaces the mask; the one before can be had back with `undo`. An empty mask is no mask. */
  set(next: PromptSlice | undefined): void {
    this.#undo.push(this.current)
    if (this.#undo.length > UNDO_DEPTH) this.#undo.shift()
    this.current = next
  }

  undo(): void {
    if (this.#undo.length > 0) this.current = this.#undo.pop()
  }

  /** Forgets mask, labels and history (a new scan). */
  reset(): void {
    this.values = [1]
    this.current = undefined
    this.#undo = []
  }

  /** Puts back what was kept; there is nothing to undo. */
  restore(values: number[], current: PromptSlice | undefined): void {
    this.values = values
    this.current = current
    this.#undo = []
  }

  /** Adds a label with the lowest free value; returns its place. */
  addLabel(): number {
    let value = 1
    while (this.values.includes(value)) value++
    this.values.push(value)
    return this.values.length
  }

  /** Leaves one label of the mask. */
  keepOnly(place: number): void {
    if (this.current) this.set({ ...this.current, pixels: this.current.pixels.map((at) => (at === place ? at : 0)) })
  }

  /** Pixels of each place on the current slice; index 0 is place 1. */
  areas(): number[] {
    const areas = this.values.map(() => 0)
    for (const place of this.current?.pixels ?? []) if (place !== 0) areas[place - 1]! += 1
    return areas
  }

  /** What the engine is given: one mask per label that has pixels. */
  toEngine(): PromptMask[] {
    const { current } = this
    if (current === undefined) return []
    return this.areas().flatMap((area, index) =>
      area === 0
        ? []
        : [
            {
              label: this.values[index]!,
              slice: current.slice,
              mask: Uint8Array.from(current.pixels, (place) => (place === index + 1 ? 1 : 0)),
            },
          ],
    )
  }

  /**
   * Takes the slice of a label map with the largest labelled area across `axis`, of all labels or of `only`. Returns the labels of the file that are not
   * on that slice. Throws when the file has no labelled voxel or too many labels.
   */
  load({ labels: all, present }: MaskFile, scan: ScanInfo, axis: AxisName, only?: number): number[] {
    const volume = only === undefined ? all : all.map((label) => (label === only ? label : 0))
    const slice = largestSlice(scan.dims, volume, scan.axes[axis])
    if (slice === undefined) throw new Error('the mask has no labelled voxel')
    const labels = readSlice(scan.dims, volume, scan.axes[axis], slice)
    const here = new Set(labels)
    here.delete(0)
    if (here.size > MAX_LABELS) throw new Error(`the mask has ${here.size} labels on its largest slice; at most ${MAX_LABELS} can be used`)
    const values = [...here].sort((a, b) => a - b)
    const places = new Map(values.map((value, index) => [value, index + 1]))
    this.#undo = []
    this.values = values
    this.current = { axis, slice, pixels: Uint8Array.from(labels, (value) => places.get(value) ?? 0) }
    return only === undefined ? present.filter((value) => value !== 0 && !here.has(value)) : []
  }
}
