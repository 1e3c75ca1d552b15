// The user's work, saved as it is done. In: word that something may have changed, and a way to take the work as it is now.
// Out: the work in the store, soon after each change; how the saving goes, for the page to show.

import type { LabelScore, ScanFiles } from './messages'
import type { Work } from './work'
import type { WorkStore } from './work-store'

export interface Snapshot {
  /** The same object as long as the same scan is open: work on another scan is another work. */
  scan: object | undefined
  /** What the scan was opened from. */
  chosen: ScanFiles
  /** Nothing when there is none worth keeping. */
  work: Work | undefined
}

export type SaveState =
  | { kind: 'nothing' }
  /** `withScan`: the scan's files are kept too, so that nothing has to be chosen again. */
  | { kind: 'saved'; at: Date; withScan: boolean }
  | { kind: 'failed'; why: string }

export interface AutosaveOptions {
  store: () => Promise<WorkStore>
  /** The work as it is now. */
  take: () => Promise<Snapshot>
  show: (state: SaveState) => void
  /** Reserves a work for this tab, so that no other offers it. */
  claim: (id: string) => void
  /** Milliseconds from a change to its save, in which more may come. */
  delay?: number
  /** Scans up to so many bytes are kept with the work; 0 when none is. */
  largestScan?: () => number
}

export const LARGEST_SCAN = 200e6

/** What the store has, to write only what is new. */
interface Stored {
  head: string
  masks: object[]
  slices: Map<number, readonly LabelScore[]>
}

export class Autosave {
  readonly #options: Required<AutosaveOptions>
  #timer: ReturnType<typeof setTimeout> | undefined
  #saving: Promise<void> = Promise.resolve()
  #scan: object | undefined
  #id: string | undefined
  #stored: Stored | undefined
  /** Whether the scan is kept with the work; undefined until that was tried. */
  #withScan: boolean | undefined

  constructor(options: AutosaveOptions) {
    this.#options = { delay: 800, largestScan: () => LARGEST_SCAN, ...options }
  }

  /** Something may have changed. Changes that follow one another closely are saved together, but none waits for the last. */
  changed(): void {
    this.#timer ??= setTimeout(() => void this.flush(), this.#options.delay)
  }

  /** Saves now what is not saved yet. Failures are shown, not thrown. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#saving = this.#saving.then(() => this.#save()).catch((error: unknown) => this.#options.show({ kind: 'failed', why: saveFailure(error) }))
    return this.#saving
  }

  /** Goes on with saved work: `scan` is the open scan that it was put on. */
  adopt(id: string, scan: object, withScan: boolean): void {
    this.#id = id
    this.#scan = scan
    this.#stored = undefined
    this.#withScan = withScan
  }

  /** Forgets all that is saved, and what was about to be: the next change begins anew. */
  forgetAll(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    return this.#betweenSaves(async (store) => {
      await store.clear()
      this.#id = this.#stored = this.#withScan = undefined
    })
  }

  /** The user's wish for scans to be kept has changed: kept ones are forgotten, and the open one is kept if `largestScan` allows it now. */
  forgetScans(): Promise<void> {
    return this.#betweenSaves(async (store) => {
      await store.forgetFiles()
      this.#withScan = undefined
      this.changed()
    })
  }

  /** A save that is under way would write again what is forgotten while it writes. */
  #betweenSaves(change: (store: WorkStore) => Promise<void>): Promise<void> {
    const changed = this.#saving.then(async () => change(await this.#options.store()))
    this.#saving = changed.catch(() => {})
    return changed
  }

  async #save(): Promise<void> {
    const { take, show, store } = this.#options
    const { scan, chosen, work } = await take()
    if (scan !== this.#scan) {
      // Work on the scan before stays in the store.
      this.#id = this.#stored = undefined
      this.#scan = scan
      this.#withScan = undefined
    }
    if (!work) return this.#forget()
    if (this.#id === undefined) this.#options.claim((this.#id = newId()))
    const id = this.#id
    const head = JSON.stringify({ ...work, masks: [], result: work.result && { ...work.result, basis: [], slices: [] } })
    const before = this.#stored
    const slices = new Map(work.result?.slices.map(({ slice, labels }) => [slice, labels]))
    const changed = (work.result?.slices ?? []).filter(({ slice, labels }) => before?.slices.get(slice) !== labels)
    const gone = [...(before?.slices.keys() ?? [])].filter((slice) => !slices.has(slice))
    const masks = [...work.masks, ...(work.result?.basis ?? [])].map(({ key }) => key)
    const same = before?.head === head && masks.length === before.masks.length && masks.every((key, at) => key === before.masks[at])
    if (same && changed.length === 0 && gone.length === 0 && this.#withScan !== undefined) return
    const now = new Date()
    await (await store()).save(id, work, changed, gone, now)
    this.#stored = { head, masks, slices }
    this.#withScan ??= await this.#keepScan(id, chosen)
    show({ kind: 'saved', at: now, withScan: this.#withScan })
  }

  /** The user has emptied the mask, and there is no result: there is nothing left worth keeping. */
  async #forget(): Promise<void> {
    const id = this.#id
    if (id === undefined) return
    this.#id = this.#stored = this.#withScan = undefined
    await (await this.#options.store()).remove(id)
    this.#options.show({ kind: 'nothing' })
  }

  /** A scan that is too large, or for which there is no room, will be asked for. */
  async #keepScan(id: string, chosen: ScanFiles): Promise<boolean> {
    if (chosen.files.length === 0) return true
    const bytes = chosen.files.reduce((sum, { data }) => sum + data.size, 0)
    if (bytes > this.#options.largestScan()) return false
    try {
      await (await this.#options.store()).keepFiles(id, chosen)
      return true
    } catch {
      return false
    }
  }
}

function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function saveFailure(error: unknown): string {
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) }
  if (name === 'QuotaExceededError') return 'there is no room left in this browser’s storage'
  if (name === 'SecurityError' || name === 'InvalidStateError' || name === 'UnknownError') return 'this browser, or its private window, lets the page keep nothing'
  return message
}
