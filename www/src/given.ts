// A slice that the user has drawn or corrected. In: its pixels. Out: the same, kept small, and what it says of each label; pure.
// Pixels hold a label's place in the list (1, 2, ...; 0 is outside), so that any label value of a file fits a byte.

/** The low bits of a run are its length, the high ones its place. */
const LENGTH_BITS = 24
const LONGEST = 2 ** LENGTH_BITS - 1

function pack(pixels: Uint8Array): Uint32Array {
  const runs: number[] = []
  for (let from = 0; from < pixels.length; ) {
    const place = pixels[from]!
    let to = from + 1
    while (to < pixels.length && pixels[to] === place && to - from < LONGEST) to++
    runs.push(place * 2 ** LENGTH_BITS + (to - from))
    from = to
  }
  return Uint32Array.from(runs)
}

/** Immutable, so that two states of the mask share the slices that did not change; packed, so that undo can go back for ever. */
export class GivenSlice {
  /** Says of every label where it is and where it is not. Otherwise only of those that it shows. */
  readonly whole: boolean
  /** Pixels of each place that has any. */
  readonly areas: ReadonlyMap<number, number>
  readonly #size: number
  readonly #runs: Uint32Array

  constructor(pixels: Uint8Array, whole: boolean) {
    this.whole = whole
    this.#size = pixels.length
    this.#runs = pack(pixels)
    const areas = new Map<number, number>()
    for (const run of this.#runs) {
      const place = run >>> LENGTH_BITS
      if (place !== 0) areas.set(place, (areas.get(place) ?? 0) + (run & LONGEST))
    }
    this.areas = areas
  }

  get area(): number {
    return Array.from(this.areas.values()).reduce((sum, area) => sum + area, 0)
  }

  pixels(): Uint8Array {
    const pixels = new Uint8Array(this.#size)
    let at = 0
    for (const run of this.#runs) pixels.fill(run >>> LENGTH_BITS, at, (at += run & LONGEST))
    return pixels
  }

  equals(pixels: Uint8Array): boolean {
    let at = 0
    for (const run of this.#runs) {
      for (let left = run & LONGEST; left > 0; left--) if (pixels[at++] !== run >>> LENGTH_BITS) return false
    }
    return at === pixels.length
  }

  map(change: (place: number) => number): GivenSlice {
    return new GivenSlice(this.pixels().map(change), this.whole)
  }

  /** What is on the slice when the rest of it is `under`. */
  over(under: Uint8Array): Uint8Array {
    const pixels = this.pixels()
    if (this.whole) return pixels
    return pixels.map((place, at) => (place !== 0 ? place : this.areas.has(under[at]!) ? 0 : under[at]!))
  }
}
