// Autosave against a real IndexedDB (in memory): what is written, what is not, and what is told when it cannot be.

import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { Autosave, type SaveState, type Snapshot } from '../src/autosave'
import { WorkStore } from '../src/work-store'
import { found, mask, plain, SCAN, work } from './work'
import type { Work } from '../src/work'

const BASE = 'https://host.example/tools/'
const scanFile = { name: SCAN.name, data: new Blob(['voxels']) }

let store: WorkStore
let states: SaveState[]
let now: Snapshot

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory()
  store = await WorkStore.open(BASE)
  states = []
  now = { scan: {}, chosen: { files: [scanFile] }, work: work() }
})
afterEach(() => vi.useRealTimers())

function autosave(options: { store?: () => Promise<WorkStore>; largestScan?: () => number } = {}): Autosave {
  return new Autosave({ store: async () => store, take: async () => now, show: (state) => states.push(state), claim: () => {}, ...options })
}

const change = (more: Partial<Work>): void => {
  now = { ...now, work: { ...now.work!, ...more } }
}

describe('Autosave', () => {
  it('saves everything, and the scan with it', async () => {
    await autosave().flush()
    const [saved] = await store.list()
    expect(saved).toMatchObject({ slices: 2, hasFiles: true })
    const loaded = await store.load(saved!.id)
    expect(plain(loaded!.work)).toEqual(plain(work()))
    expect(loaded!.files!.files.map(({ name }) => name)).toEqual([SCAN.name])
    expect(states).toEqual([{ kind: 'saved', at: expect.any(Date), withScan: true }])
  })

  it('writes a slice once, and again only when it has changed', async () => {
    const saver = autosave()
    const first = found(1, 1)
    const result = { ...work().result!, slices: [first] }
    change({ result })
    await saver.flush()
    const save = vi.spyOn(store, 'save')
    const again = found(2, 1)
    change({ result: { ...result, slices: [first, again] } })
    await saver.flush()
    change({ result: { ...result, slices: [found(1, 2), again] } })
    await saver.flush()
    await saver.flush()
    expect(save.mock.calls.map(([, , changed, gone]) => [changed.map(({ slice }) => slice), gone])).toEqual([
      [[2], []],
      [[1], []],
    ])
    const [saved] = await store.list()
    expect(plain((await store.load(saved!.id))!.work)).toEqual(plain(now.work!))
  })

  it('forgets the slices of the run before', async () => {
    const saver = autosave()
    await saver.flush()
    change({ result: { ...work().result!, slices: [found(3, 1)] } })
    await saver.flush()
    const [saved, ...others] = await store.list()
    expect(others).toEqual([])
    expect((await store.load(saved!.id))!.work.result!.slices.map(({ slice }) => slice)).toEqual([3])
  })

  it('sees a mask that was painted over', async () => {
    const saver = autosave()
    await saver.flush()
    change({ masks: [mask('axial', 1, new Uint8Array(30).fill(2))] })
    await saver.flush()
    const [saved] = await store.list()
    expect((await store.load(saved!.id))!.work.masks[0]!.pixels()[0]).toBe(2)
  })

  it('begins another work with another scan, and leaves the one before', async () => {
    const saver = autosave()
    await saver.flush()
    now = { scan: {}, chosen: { files: [] }, work: undefined }
    await saver.flush()
    expect(await store.list()).toHaveLength(1)
    now = { ...now, work: work({ scan: { ...SCAN, name: 'second' } }) }
    await saver.flush()
    expect((await store.list()).map((saved) => saved.work.scan.name).sort()).toEqual(['patient.nii.gz', 'second'])
  })

  it('forgets work that the user has emptied', async () => {
    const saver = autosave()
    await saver.flush()
    now = { ...now, work: undefined }
    await saver.flush()
    expect(await store.list()).toEqual([])
    expect(states.at(-1)).toEqual({ kind: 'nothing' })
  })

  it('goes on with work that it is given, in its place', async () => {
    await autosave().flush()
    const [saved] = await store.list()
    const saver = autosave()
    saver.adopt(saved!.id, now.scan!, true)
    change({ place: 1 })
    await saver.flush()
    expect((await store.list()).map(({ id, work, hasFiles }) => [id, work.place, hasFiles])).toEqual([[saved!.id, 1, true]])
  })

  it('leaves a scan that is too large where it is, and says so', async () => {
    await autosave({ largestScan: () => 3 }).flush()
    const [saved] = await store.list()
    expect(saved!.hasFiles).toBe(false)
    expect((await store.load(saved!.id))!.files).toBeUndefined()
    expect(states.at(-1)).toMatchObject({ kind: 'saved', withScan: false })
  })

  it('forgets scans, and keeps the open one again, as the user wishes', async () => {
    let largest = Infinity
    const saver = autosave({ largestScan: () => largest })
    await saver.flush()
    const [saved] = await store.list()
    largest = 0
    await saver.forgetScans()
    expect((await store.load(saved!.id))!.files).toBeUndefined()
    await saver.flush()
    expect(states.at(-1)).toMatchObject({ kind: 'saved', withScan: false })
    largest = Infinity
    await saver.forgetScans()
    await saver.flush()
    expect(states.at(-1)).toMatchObject({ kind: 'saved', withScan: true })
    expect((await store.list()).map(({ id, hasFiles }) => [id, hasFiles])).toEqual([[saved!.id, true]])
  })

  it('forgets everything, also what is being saved and what is about to be, and saves afresh', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const saver = autosave()
    const saving = saver.flush()
    saver.changed()
    await saver.forgetAll()
    await saving
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await store.list()).toEqual([])
    await saver.flush()
    const [again, ...others] = await store.list()
    expect(others).toEqual([])
    expect(plain((await store.load(again!.id))!.work)).toEqual(plain(work()))
  })

  it('says in words why it fails, and saves all of it when it can again', async () => {
    let full = true
    const saver = autosave({ store: async () => (full ? Promise.reject(new DOMException('', 'QuotaExceededError')) : store) })
    await saver.flush()
    expect(states).toEqual([{ kind: 'failed', why: 'there is no room left in this browser’s storage' }])
    full = false
    await saver.flush()
    const [saved] = await store.list()
    expect(saved!.hasFiles).toBe(true)
    expect(plain((await store.load(saved!.id))!.work)).toEqual(plain(work()))
  })

  it('waits a little for more, but not for ever', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    let taken = 0
    const saver = new Autosave({ store: async () => store, take: async () => (taken++, now), show: () => {}, claim: () => {}, delay: 1000 })
    for (let step = 0; step < 30; step++) {
      saver.changed()
      await vi.advanceTimersByTimeAsync(100)
    }
    await saver.flush()
    expect(taken).toBeGreaterThanOrEqual(3)
    expect(taken).toBeLessThanOrEqual(5)
  })
})
