// Weights that this browser keeps. In: a file and its sha256. Out: the same file at a later visit, after its bytes were compared with
// that sha256 again; without a place to keep it, nothing. Files of this computer that were packed here are kept too, until the user
// forgets them.

import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'

/** What a kept file is known by. */
export interface Kept {
  name: string
  sha256: string
  bytes: number
  /** It came from this computer, not from the site: nothing can fetch it again. */
  own: boolean
  /** sha256 of the site's file that it was packed from. */
  from?: string | undefined
}

/** The sha256 of a file, read piece by piece; `onPiece` gets each. */
export async function digest(stream: ReadableStream<Uint8Array<ArrayBuffer>>, onPiece: (piece: Uint8Array<ArrayBuffer>) => void = () => {}): Promise<string> {
  const hash = sha256.create()
  const reader = stream.getReader()
  for (let piece; !(piece = await reader.read()).done; ) {
    hash.update(piece.value)
    onPiece(piece.value)
  }
  return bytesToHex(hash.digest())
}

export class WeightsStore {
  readonly #base: string
  readonly #caches: CacheStorage | undefined

  /** `base` is the page's address: pages of one host have caches in common. */
  constructor(base: string, caches: CacheStorage | undefined = globalThis.caches as CacheStorage | undefined) {
    this.#base = new URL('./', base).href
    this.#caches = caches
  }

  /** The file, if it is here and whole. One that is damaged is dropped. */
  async get(sha256: string): Promise<Blob | undefined> {
    const cache = await this.#open()
    const data = await (await cache?.match(this.#address(sha256)))?.blob()
    if (!data) return undefined
    if ((await digest(data.stream())) === sha256) return data
    await this.forget(sha256)
    return undefined
  }

  /** Whether it could be kept: there may be no room. */
  async put({ name, sha256, own, from }: Omit<Kept, 'bytes'>, data: Blob): Promise<boolean> {
    try {
      const cache = await this.#open()
      const headers = { 'content-length': String(data.size), 'x-name': encodeURIComponent(name), 'x-own': String(own), ...(from && { 'x-from': from }) }
      await cache?.put(this.#address(sha256), new Response(data, { headers }))
      return cache !== undefined
    } catch {
      return false
    }
  }

  async forget(sha256: string): Promise<void> {
    await (await this.#open())?.delete(this.#address(sha256))
  }

  async list(): Promise<Kept[]> {
    const cache = await this.#open()
    const requests = (await cache?.keys()) ?? []
    return Promise.all(
      requests.map(async (request) => {
        const headers = (await cache?.match(request))?.headers
        return {
          name: decodeURIComponent(headers?.get('x-name') ?? ''),
          sha256: request.url.slice(request.url.lastIndexOf('/') + 1),
          bytes: Number(headers?.get('content-length') ?? 0),
          own: headers?.get('x-own') === 'true',
          from: headers?.get('x-from') ?? undefined,
        }
      }),
    )
  }

  /** Drops what the site does not have any more; the user's own stays. */
  async keepOnly(sha256s: ReadonlySet<string>): Promise<void> {
    for (const kept of await this.list()) if (!kept.own && !sha256s.has(kept.from ?? kept.sha256)) await this.forget(kept.sha256)
  }

  /** No caches: an address without https, or a private window. */
  async #open(): Promise<Cache | undefined> {
    try {
      return await this.#caches?.open(`oneslice-weights ${this.#base}`)
    } catch {
      return undefined
    }
  }

  /** An address that is a name only: nothing is ever asked for there. */
  #address(sha256: string): string {
    return `${this.#base}weights/kept/${sha256}`
  }
}
