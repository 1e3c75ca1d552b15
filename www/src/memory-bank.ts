// The memories that a slice was compared with, as pictures beside it. In: what the engine says of the slice in view, pictures of slices,
// and, after a click, how much each place of each memory counted for it. Out: a column of thumbnails; a click on one goes to its slice.

import { button, element } from './dom'
import { paint, type Layout, type Picture } from './layout'
import type { AttentionMaps, MemoryReport } from './messages'

export interface BankView {
  slice: number
  /** Of the label in hand; nothing when the slice was not propagated. */
  memory: MemoryReport | undefined
  layout: Layout
  /** Height of a pixel for its width, as the slice is stored. */
  aspect: number
  picture(slice: number): Picture
  /** Places of labels on a slice. */
  places(slice: number): Uint8Array
  colour(place: number): readonly [number, number, number]
}

/** What the engine says of a point, and the point, in slice pixels. */
export interface Attention extends AttentionMaps {
  point: [x: number, y: number]
}

const HEAT = [255, 170, 0] as const

export class MemoryBank {
  readonly #list = element('div', { class: 'bank-list' })
  readonly #words = element('p', { class: 'bank-words' })
  readonly #place: HTMLElement
  readonly #goTo: (slice: number) => void
  #shown = ''

  constructor(place: HTMLElement, goTo: (slice: number) => void) {
    this.#place = place
    this.#goTo = goTo
    place.replaceChildren(element('h2', {}, 'Memory'), this.#words, this.#list)
  }

  hide(): void {
    this.#place.hidden = true
    this.#shown = ''
  }

  /** `key` stands for everything that can change the pictures: they are drawn again only when it is another. */
  draw(view: BankView, key: string, attention?: Attention): void {
    this.#place.hidden = false
    if (key === this.#shown) return
    this.#shown = key
    const { slice, memory } = view
    this.#list.replaceChildren(...(memory ? distinct(memory).map((used) => this.#thumbnail(view, used, attention)) : []))
    this.#words.textContent = memory ? bankWords(slice, memory, attention !== undefined) : 'This slice has not been propagated: it has no memories yet.'
  }

  #thumbnail(view: BankView, used: Used, attention: Attention | undefined): HTMLElement {
    const picture = view.picture(used.slice)
    const places = view.places(used.slice)
    const weights = attention?.memories.find(({ slice }) => slice === used.slice)?.weights
    const image = paint(picture, view.layout, weights ? heat(picture, weights, attention!) : (pixel) => (places[pixel] ? [...view.colour(places[pixel]), 0.5] : undefined))
    const canvas = element('canvas', { width: image.width, height: image.height, 'aria-hidden': true })
    canvas.getContext('2d')?.putImageData(image, 0, 0)
    const tall = view.layout.turned ? 1 / view.aspect : view.aspect
    canvas.style.aspectRatio = `${image.width} / ${image.height * tall}`
    const share = weights ? `, ${Math.round(100 * weights.reduce((sum, weight) => sum + weight, 0))} %` : ''
    const caption = usedWords(used) + share
    const open = button('', () => this.#goTo(used.slice), { class: 'thumbnail', 'aria-label': `Go to ${caption}` })
    open.append(canvas, element('span', {}, caption))
    return open
  }
}

type Used = MemoryReport['used'][number]

/** Each slice once: what is remembered of it may be used as a memory and as a pointer. */
function distinct({ used }: MemoryReport): Used[] {
  return used.filter(({ slice }, index) => used.findIndex((other) => other.slice === slice) === index)
}

export function usedWords({ slice, prompted, similarity, position }: Used): string {
  if (prompted) return `slice ${slice}, the mask`
  if (similarity !== undefined) return `slice ${slice}, ${Math.round(100 * similarity)} % alike`
  // SAM 2 counts 6 for the nearest and 1 for the farthest.
  return position ? `slice ${slice}, ${7 - position} back` : `slice ${slice}, as a pointer`
}

export function bankWords(slice: number, memory: MemoryReport, attended: boolean): string {
  const count = distinct(memory).length
  if (count === 0) return `Slice ${slice} has the mask: it needs no memory.`
  if (attended) return 'Where the model looked in its memories for the point that you clicked: the brighter, the more it counted.'
  return `Slice ${slice} was segmented by comparing it with ${count === 1 ? 'this memory' : `these ${count} memories`}. Choose the tool “Off” and click on the slice to see where the model looked.`
}

/** Brightest where the attention is largest, on the same scale in all memories. */
function heat({ rows, cols }: Picture, weights: Float32Array, { side, memories }: Attention): (pixel: number) => [number, number, number, number] {
  const most = Math.max(...memories.map(({ weights }) => weights.reduce((a, b) => Math.max(a, b), 0)), Number.MIN_VALUE)
  return (pixel) => {
    const [row, col] = [Math.floor(pixel / cols), pixel % cols]
    const cell = Math.min(side - 1, Math.floor((row / rows) * side)) * side + Math.min(side - 1, Math.floor((col / cols) * side))
    return [...HEAT, 0.85 * Math.sqrt((weights[cell] ?? 0) / most)]
  }
}
