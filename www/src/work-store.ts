// Saved work, in the browser's own database. In: work, the slices of its result that are new, the scan's files. Out: the same after a
// reload or a crash. What belongs together is written together: after a failure the last good save is still there.

import { deflateSync, inflateSync } from 'fflate'
import { openDB, type DBSchema, type IDBPDatabase } from 'idb'

import type { AxisName, LabelScore, ScanFiles } from './messages'
import type { FoundSlice, FoundSlices, MaskSlice, Work } from './work'

/** Of what is saved; work that a newer page has saved is left alone. */
const VERSION = 1

interface StoredMask {
  axis: AxisName
  slice: number
  whole: boolean
  packed: Uint8Array
}

/** A work without the slices of its result. */
export interface Saved {
  id: string
  version: number
  savedAt: Date
  /** Slices of the result, for the offer. */
  slices: number
  /** Whether the scan's files are here too. */
  hasFiles: boolean
  work: Omit<Work, 'result' | 'masks'>
  masks: StoredMask[]
  result?: (Omit<FoundSlices, 'slices' | 'basis'> & { basis: StoredMask[] }) | undefined
}

interface StoredSlice {
  labels: readonly LabelScore[]
  packed: Uint8Array
}

interface Schema extends DBSchema {
  works: { key: string; value: Saved }
  slices: { key: [id: string, slice: number]; value: StoredSlice }
  files: { key: string; value: ScanFiles }
}

const pack = (pixels: Uint8Array): Uint8Array => deflateSync(pixels, { level: 3 })
const packMask = ({ axis, slice, whole, pixels }: MaskSlice): StoredMask => ({ axis, slice, whole, packed: pack(pixels()) })

function unpackMask({ axis, slice, whole, packed }: StoredMask): MaskSlice {
  const pixels = inflateSync(packed)
  return { axis, slice, whole, key: pixels, pixels: () => pixels }
}

/** All slices of one work. */
const slicesOf = (id: string): IDBKeyRange => IDBKeyRange.bound([id, -Infinity], [id, Infinity])

export class WorkStore {
  readonly #db: IDBPDatabase<Schema>

  private constructor(db: IDBPDatabase<Schema>) {
    this.#db = db
  }

  /** `base` is the page's address: pages of one host have a database list in common. */
  static async open(base: string): Promise<WorkStore> {
    const db = await openDB<Schema>(`oneslice ${new URL('./', base).href}`, 1, {
      upgrade(db) {
        db.createObjectStore('works', { keyPath: 'id' })
        db.createObjectStore('slices')
        db.createObjectStore('files')
      },
      blocking: (_, __, event) => (event.target as IDBDatabase).close(),
    })
    return new WorkStore(db)
  }

  /** Writes the work, and of its result the slices that have changed; forgets those that are gone. */
  async save(id: string, { result, masks, ...work }: Work, changed: readonly FoundSlice[], gone: readonly number[], now: Date): Promise<void> {
    const packed = changed.map(({ slice, labels, pixels }): [number, StoredSlice] => [slice, { labels, packed: pack(pixels()) }])
    const given = masks.map(packMask)
    const about = result && { axis: result.axis, values: result.values, prompted: result.prompted, run: result.run, basis: result.basis.map(packMask) }
    const transaction = this.#db.transaction(['works', 'slices', 'files'], 'readwrite')
    const slices = transaction.objectStore('slices')
    const hasFiles = (await transaction.objectStore('files').getKey(id)) !== undefined
    const saved: Saved = { id, version: VERSION, savedAt: now, slices: result?.slices.length ?? 0, hasFiles, work, masks: given, result: about }
    await Promise.all([
      transaction.objectStore('works').put(saved),
      ...packed.map(([slice, stored]) => slices.put(stored, [id, slice])),
      ...gone.map((slice) => slices.delete([id, slice])),
      transaction.done,
    ])
  }

  /** Keeps the scan's files for a work that is saved or is about to be. */
  async keepFiles(id: string, files: ScanFiles): Promise<void> {
    const transaction = this.#db.transaction(['works', 'files'], 'readwrite')
    const works = transaction.objectStore('works')
    const saved = await works.get(id)
    await Promise.all([transaction.objectStore('files').put(files, id), ...(saved ? [works.put({ ...saved, hasFiles: true })] : []), transaction.done])
  }

  /** The latest first. */
  async list(): Promise<Saved[]> {
    const saved = await this.#db.getAll('works')
    return saved.filter(({ version }) => version <= VERSION).toSorted((a, b) => b.savedAt.getTime() - a.savedAt.getTime())
  }

  /** The work, and the scan's files if they were kept. */
  async load(id: string): Promise<{ work: Work; files: ScanFiles | undefined } | undefined> {
    const transaction = this.#db.transaction(['works', 'slices', 'files'])
    const slices = transaction.objectStore('slices')
    const [saved, keys, stored, files] = await Promise.all([
      transaction.objectStore('works').get(id),
      slices.getAllKeys(slicesOf(id)),
      slices.getAll(slicesOf(id)),
      transaction.objectStore('files').get(id),
    ])
    if (!saved) return undefined
    const found = stored.map(({ labels, packed }, index): FoundSlice => {
      const pixels = inflateSync(packed)
      return { slice: keys[index]![1], labels, pixels: () => pixels }
    })
    const { work, masks, result } = saved
    return { work: { ...work, masks: masks.map(unpackMask), result: result && { ...result, basis: result.basis.map(unpackMask), slices: found } }, files }
  }

  /** Forgets the scans' files; the work on them stays. */
  async forgetFiles(): Promise<void> {
    const transaction = this.#db.transaction(['works', 'files'], 'readwrite')
    const works = transaction.objectStore('works')
    const saved = await works.getAll()
    await Promise.all([transaction.objectStore('files').clear(), ...saved.map((work) => works.put({ ...work, hasFiles: false })), transaction.done])
  }

  /** Forgets everything. */
  async clear(): Promise<void> {
    const transaction = this.#db.transaction(['works', 'slices', 'files'], 'readwrite')
    await Promise.all([...(['works', 'slices', 'files'] as const).map((name) => transaction.objectStore(name).clear()), transaction.done])
  }

  async remove(id: string): Promise<void> {
    const transaction = this.#db.transaction(['works', 'slices', 'files'], 'readwrite')
    await Promise.all([
      transaction.objectStore('works').delete(id),
      transaction.objectStore('slices').delete(slicesOf(id)),
      transaction.objectStore('files').delete(id),
      transaction.done,
    ])
  }
}
