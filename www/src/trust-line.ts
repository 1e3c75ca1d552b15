// The line that says what was asked of the network, and whether the page is kept for use without one. In: requests as they are recorded,
// the state of the offline copy and of the model. Out: the line in #network, and its particulars.

import { button, element, megabytes } from './dom'
import { networkWords, Tally, watchRequests, type Seen } from './network'
import { offlineWords, type OfflineState } from './offline'

const WHO: Record<Seen['by'], string> = { page: 'the page', engine: 'its engine', 'offline copy': 'its offline copy' }

/** How many addresses the particulars list. */
const LISTED = 40

export class TrustLine {
  readonly #tally = new Tally(document.baseURI)
  readonly #open = button('Network: 0 requests since the page loaded', () => {}, { class: 'link', popovertarget: 'network-details' })
  readonly #details = element('div', { id: 'network-details', popover: true, class: 'panel', role: 'dialog', 'aria-label': 'What was asked of the network' })
  #offline: OfflineState = { kind: 'preparing' }
  readonly #kept: { element: HTMLElement }
  #modelKept = false
  #drawing = false

  /** `kept`: what else the panel shows; drawn when it is opened. */
  constructor(place: HTMLElement, kept: { element: HTMLElement; draw(): Promise<void> }) {
    this.#kept = kept
    this.#details.addEventListener('beforetoggle', () => void kept.draw().catch(() => {}))
    place.replaceChildren(this.#open)
    document.body.append(this.#details)
    watchRequests('page', (seen) => this.add(seen))
    this.#draw()
  }

  add(seen: readonly Seen[]): void {
    for (const request of seen) this.#tally.add(request)
    this.#changed()
  }

  set offline(state: OfflineState) {
    this.#offline = state
    this.#changed()
  }

  set modelKept(kept: boolean) {
    this.#modelKept = kept
    this.#changed()
  }

  /** Requests come in bursts: one drawing for each. */
  #changed(): void {
    if (this.#drawing) return
    this.#drawing = true
    setTimeout(() => {
      this.#drawing = false
      this.#draw()
    }, 50)
  }

  #draw(): void {
    const tally = this.#tally
    const ready = this.#offline.kind === 'kept' && this.#modelKept
    this.#open.textContent = networkWords(tally) + (ready ? ' · works offline' : '')
    this.#open.classList.toggle('flagged', tally.count > 0)
    document.documentElement.dataset['offline'] = ready ? 'ready' : this.#offline.kind
    const requests = [...tally.others, ...tally.blocked].slice(0, LISTED)
    const foreign = requests.map(({ url, by, blocked }) =>
      element('li', { class: 'flagged' }, `${url}, by ${WHO[by]}${blocked ? `: stopped by the page’s policy (${blocked})` : ''}`),
    )
    const own = [...tally.own].slice(0, LISTED).map(([url, { times, bytes }]) => element('li', {}, `${fileName(url)}: ${times > 1 ? `${times} times, ` : ''}${bytes > 0 ? megabytes(bytes) : 'from a cache'}`))
    this.#details.replaceChildren(
      element('h2', {}, 'What was asked of the network'),
      element('p', {}, 'As your browser has recorded it, of the page, its engine and its offline copy. The page’s policy allows it no address but its own files; scans, masks and results are never sent.'),
      element('h3', {}, `To any other place: ${tally.count === 0 ? 'nothing' : tally.count}`),
      ...(foreign.length > 0 ? [element('ul', {}, ...foreign)] : []),
      element('h3', {}, `The page’s own files: ${tally.own.size}, ${megabytes(tally.ownBytes)} over the network`),
      element('ul', {}, ...own),
      element('p', {}, offlineWords(this.#offline), ' ', this.#modelKept ? 'So is the model.' : 'The model is not kept.'),
      this.#kept.element,
    )
  }
}

function fileName(url: string): string {
  return decodeURIComponent(url.slice(new URL('./', document.baseURI).href.length))
}
