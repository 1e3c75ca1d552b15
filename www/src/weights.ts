// The weights of the page's site. In: its own ./weights folder, and what this browser has kept of it. Out: a checked file.

import { digest, WeightsStore } from './weights-store'

export interface WeightsEntry {
  name: string
  file: string
  sha256: string
  bytes: number
  /** Bytes of its weights once they are loaded, if not as many as of the file. */
  memory?: number
  licence: string
  origin: string
  /** Where its author publishes it; the page never asks there. */
  url?: string
  /** Whether the site has it. */
  here: boolean
}

export interface Manifest {
  default: string
  models: WeightsEntry[]
  lpips: WeightsEntry[]
}

export interface Fetched {
  entry: WeightsEntry
  data: Blob
}

const MANIFEST = './weights/manifest.json'

export const store = new WeightsStore(document.baseURI)

async function get(url: string): Promise<Response> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url}: the server answered ${response.status}`)
  return response
}

let manifest: Promise<Manifest> | undefined

/** Fetched once: it belongs to the page's version. After a failure it is asked for again. */
export function fetchManifest(): Promise<Manifest> {
  manifest ??= get(MANIFEST).then((response) => response.json() as Promise<Manifest>)
  manifest.catch(() => (manifest = undefined))
  return manifest
}

/** Fetches the manifest's default model. */
export async function fetchWeights(): Promise<Fetched> {
  const manifest = await fetchManifest()
  const entry = manifest.models.find(({ name }) => name === manifest.default)
  if (entry === undefined) throw new Error(`${MANIFEST} has no model "${manifest.default}"`)
  return fetchEntry(entry)
}

/** Fetches the LPIPS network that comes with the page. */
export async function fetchLpips(): Promise<Fetched> {
  const [entry] = (await fetchManifest()).lpips
  if (entry === undefined) throw new Error(`${MANIFEST} has no LPIPS network`)
  return fetchEntry(entry)
}

/** A file in the making: its pieces go to the browser, which may put them on disk, before they fill the memory. */
class Assembly {
  #done = new Blob([])
  #pieces: Uint8Array<ArrayBuffer>[] = []
  #waiting = 0

  /** How many bytes there are now. */
  add(piece: Uint8Array<ArrayBuffer>): number {
    this.#pieces.push(piece)
    this.#waiting += piece.length
    if (this.#waiting > 32e6) this.blob()
    return this.#done.size + this.#waiting
  }

  blob(): Blob {
    this.#done = new Blob([this.#done, ...this.#pieces])
    this.#pieces = []
    this.#waiting = 0
    return this.#done
  }
}

/** A file of the site, from this browser if it has been here before; its sha256 is compared either way. */
export async function fetchEntry(entry: WeightsEntry): Promise<Fetched> {
  const kept = await store.get(entry.sha256)
  if (kept) return { entry, data: kept }
  const data = await download(entry)
  await store.put({ name: entry.name, sha256: entry.sha256, own: false }, data)
  return { entry, data }
}

/** A file of the site, as its manifest describes it. */
export async function download(entry: WeightsEntry, onBytes: (read: number) => void = () => {}): Promise<Blob> {
  const address = `./weights/${entry.file}`
  const { body } = await get(address)
  if (body === null) throw new Error(`${address} is empty`)
  const file = new Assembly()
  const sha256 = await digest(body, (piece) => onBytes(file.add(piece)))
  if (sha256 !== entry.sha256) throw new Error(`${address} is damaged: its sha256 is not the manifest's`)
  return file.blob()
}

/** Keeps what a later visit without a network needs, and drops what the site has no more. */
export async function keepForOffline(): Promise<void> {
  const { models, lpips } = await fetchManifest()
  await store.keepOnly(new Set([...models, ...lpips].map(({ sha256 }) => sha256)))
  for (const entry of lpips) await fetchEntry(entry)
}

/** Whether the site really has a file that its manifest names: asked of its own folder, and only when the user looks for it. */
export async function isOnSite({ file, bytes }: WeightsEntry): Promise<boolean> {
  const response = await fetch(`./weights/${file}`, { method: 'HEAD' })
  const length = response.headers.get('content-length')
  return response.ok && (length === null || Number(length) === bytes)
}
