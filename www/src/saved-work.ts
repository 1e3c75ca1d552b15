// What this browser keeps of the user's work, for the user to see and to end: a computer may be shared. In: the store of works. Out: a part
// of the panel behind the network line; whether scans are kept with the work.

import { button, element, megabytes } from './dom'
import type { WorkStore } from './work-store'

const KEEP_SCANS = `oneslice keep scans ${new URL('./', document.baseURI).pathname}`

/** The user's wish; kept unless it was refused. Where nothing can be remembered, the wish holds for this visit. */
let keepScans = ((): boolean => {
  try {
    return localStorage.getItem(KEEP_SCANS) !== 'no'
  } catch {
    return true
  }
})()

export const keepsScans = (): boolean => keepScans

function wish(keep: boolean): void {
  keepScans = keep
  try {
    localStorage.setItem(KEEP_SCANS, keep ? 'yes' : 'no')
  } catch {
    // Then for this visit only.
  }
}

export interface SavedWorkHost {
  store(): Promise<WorkStore>
  /** Forgets everything; the work at hand is saved afresh with its next change. */
  forgetAll(): Promise<void>
  /** Forgets the scans' files, not the work on them. */
  forgetScans(): Promise<void>
}

export class SavedWork {
  readonly element = element('section', { class: 'saved-work', 'aria-label': 'What this browser keeps' })
  readonly #host: SavedWorkHost

  constructor(host: SavedWorkHost) {
    this.#host = host
  }

  async draw(): Promise<void> {
    const works = await (await this.#host.store()).list()
    const names = works.map(({ work, hasFiles }) => (work.scan.sample ? 'the sample' : `${work.scan.name} (${hasFiles ? `with the scan, ${megabytes(work.scan.bytes)}` : 'without the scan'})`))
    const box = element('input', { type: 'checkbox', id: 'keep-scans' })
    box.checked = keepScans
    box.onchange = () => void this.#change(box.checked)
    this.element.replaceChildren(
      element('h3', {}, 'What this browser keeps of your work'),
      element('p', {}, works.length === 0 ? 'Nothing. Work is saved here as you do it, so that it survives a crash; it never leaves this computer.' : `${names.join(', ')}. It is saved here as you do it, so that it survives a crash; it never leaves this computer.`),
      element('label', { class: 'check' }, box, ' Keep the scan with the work (up to 200 MB), so that it need not be chosen again'),
      element('div', { class: 'row' }, button('Forget all saved work', () => void this.#forget(), { class: 'quiet', ...(works.length === 0 && { disabled: true }) })),
    )
  }

  async #change(keep: boolean): Promise<void> {
    wish(keep)
    await this.#host.forgetScans()
    await this.draw()
  }

  async #forget(): Promise<void> {
    await this.#host.forgetAll()
    await this.draw()
  }
}
