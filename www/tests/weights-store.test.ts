// Weights that a browser keeps: given back only when their bytes are still those that were put in.

import { beforeEach, describe, expect, it } from 'vitest'

import { digest, WeightsStore } from '../src/weights-store'

/** The part of the Cache API that is used, in memory. */
class Caches {
  readonly files = new Map<string, Map<string, Response>>()
  async open(name: string): Promise<unknown> {
    const files = this.files.get(name) ?? new Map<string, Response>()
    this.files.set(name, files)
    const key = (request: Request | string): string => (typeof request === 'string' ? request : request.url)
    return {
      match: async (request: Request | string) => files.get(key(request))?.clone(),
      put: async (request: string, response: Response) => void files.set(request, response),
      delete: async (request: string) => files.delete(request),
      keys: async () => [...files.keys()].map((url) => new Request(url)),
    }
  }
}

let caches: Caches
let store: WeightsStore
const file = new Blob([Uint8Array.from({ length: 5000 }, (_, at) => at % 251)])
const sha256 = (data: Blob): Promise<string> => digest(data.stream() as ReadableStream<Uint8Array<ArrayBuffer>>)

beforeEach(() => {
  caches = new Caches()
  store = new WeightsStore('https://host.example/tools/?device=cpu', caches as unknown as CacheStorage)
})

describe('digest', () => {
  it('is the sha256 that everybody else computes', async () => {
    const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()))
    expect(await sha256(file)).toBe(Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(''))
  })
})

describe('WeightsStore', () => {
  it('gives back what was put in', async () => {
    const hash = await sha256(file)
    expect(await store.put({ name: 'größer.pt', sha256: hash, own: true }, file)).toBe(true)
    expect(new Uint8Array(await (await store.get(hash))!.arrayBuffer())).toEqual(new Uint8Array(await file.arrayBuffer()))
    expect(await store.list()).toEqual([{ name: 'größer.pt', sha256: hash, bytes: 5000, own: true, from: undefined }])
    await store.forget(hash)
    expect(await store.get(hash)).toBeUndefined()
  })

  it('drops a file whose bytes have changed', async () => {
    const hash = await sha256(file)
    await store.put({ name: 'nano', sha256: hash, own: false }, new Blob([await file.arrayBuffer(), 'x']))
    expect(await store.get(hash)).toBeUndefined()
    expect(await store.list()).toEqual([])
  })

  it('keeps the user’s own and what the site still has', async () => {
    for (const [name, own, from] of [['old', false, undefined], ['new', false, undefined], ['packed', false, 'of-new'], ['mine', true, undefined]] as const) {
      await store.put({ name, sha256: name, own, from }, file)
    }
    await store.keepOnly(new Set(['new', 'of-new']))
    expect((await store.list()).map(({ name }) => name)).toEqual(['new', 'packed', 'mine'])
  })

  it('has a place of its own for each folder of a host', async () => {
    await store.put({ name: 'a', sha256: 'a', own: true }, file)
    const other = new WeightsStore('https://host.example/other/', caches as unknown as CacheStorage)
    expect(await other.list()).toEqual([])
  })

  it('keeps nothing, and says so, where the browser lets it not', async () => {
    const nowhere = new WeightsStore('https://host.example/', { open: () => Promise.reject(new DOMException('', 'SecurityError')) } as unknown as CacheStorage)
    expect(await nowhere.put({ name: 'a', sha256: 'a', own: true }, file)).toBe(false)
    expect(await nowhere.get('a')).toBeUndefined()
    expect(await nowhere.list()).toEqual([])
  })
})
