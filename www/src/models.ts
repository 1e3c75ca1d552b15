// Which models there are, and how each gets into the engine. In: the site's manifest, what this browser keeps, files of this computer.
// Out: a model that is loaded, kept for the next visit, and chosen there again.

import { digest } from './weights-store'
import { download, fetchEntry, fetchManifest, fetchWeights, store, type WeightsEntry } from './weights'

export interface Model {
  name: string
  /** Of the file that is loaded. */
  sha256: string
  data: Blob
}

export interface Choice {
  /** Of the file that is loaded: for a checkpoint of the site, the one that it was packed into, once it was. */
  sha256: string
  name: string
  bytes: number
  licence: string
  origin: string
  /** Memory for the weights alone. */
  memory: number
  /** `kept`: in this browser. `site`: to be fetched. `away`: the site has it not; its author has. */
  where: 'kept' | 'site' | 'away'
  /** From this computer: can be forgotten. */
  own: boolean
  entry?: WeightsEntry
}

/** Packs a checkpoint in 8 bits; gives back what is packed already. */
export type Pack = (name: string, data: Blob) => Promise<Blob>

/** What 8 bits leave of a checkpoint, by tiny's: 40 of 156 MB. */
const packedBytes = (bytes: number): number => Math.round((bytes * 40) / 156)
/** Meta's checkpoints are packed here; what comes as .safetensors is loaded as it is. */
const isPacked = ({ file }: WeightsEntry): boolean => !file.endsWith('.safetensors')

export async function listChoices(): Promise<Choice[]> {
  const [{ models }, kept] = await Promise.all([fetchManifest(), store.list()])
  const ofSite = models.map((entry): Choice => {
    const { name, sha256, bytes, licence, origin, here } = entry
    const file = kept.find((each) => (each.from ?? each.sha256) === sha256)
    const memory = isPacked(entry) ? (file?.bytes ?? packedBytes(bytes)) : (entry.memory ?? bytes)
    return { sha256: file?.sha256 ?? sha256, name, bytes, licence, origin, memory, where: file ? 'kept' : here ? 'site' : 'away', own: false, entry }
  })
  const own = kept.filter((file) => file.own).map(({ name, sha256, bytes }): Choice => ({ sha256, name, bytes, licence: 'its own', origin: 'a file of this computer', memory: bytes, where: 'kept', own: true }))
  return [...ofSite, ...own]
}

/** A model of the site: from this browser, or fetched, checked, packed and kept. */
export async function getFromSite(entry: WeightsEntry, pack: Pack, onBytes: (read: number) => void): Promise<Model> {
  const { name } = entry
  if (!isPacked(entry)) {
    const { data } = await fetchEntry(entry)
    return { name, sha256: entry.sha256, data }
  }
  const kept = (await store.list()).find(({ from }) => from === entry.sha256)
  const known = kept && (await store.get(kept.sha256))
  if (known) return { name, sha256: kept.sha256, data: known }
  return keep(name, await pack(entry.file, await download(entry, onBytes)), { own: false, from: entry.sha256 })
}

/** A checkpoint of this computer, packed and kept. */
export async function getFromFile(file: File, pack: Pack): Promise<Model> {
  return keep(file.name, await pack(file.name, file), { own: true })
}

async function keep(name: string, data: Blob, origin: { own: boolean; from?: string }): Promise<Model> {
  const sha256 = await digest(data.stream() as ReadableStream<Uint8Array<ArrayBuffer>>)
  await store.put({ name, sha256, ...origin }, data)
  return { name, sha256, data }
}

export async function getKept({ name, sha256 }: Choice): Promise<Model> {
  const data = await store.get(sha256)
  if (!data) throw new Error(`${name} is not in this browser any more: open the file again`)
  return { name, sha256, data }
}

export const forget = (sha256: string): Promise<void> => store.forget(sha256)
export const isKept = async (sha256: string): Promise<boolean> => (await store.list()).some((kept) => kept.sha256 === sha256)

// The choice, for the next visit. Storage may be refused; then the default is loaded.

const REMEMBERED = `oneslice model ${new URL('./', document.baseURI).pathname}`

export function remember(sha256: string): void {
  try {
    localStorage.setItem(REMEMBERED, sha256)
  } catch {
    // Not remembered, then.
  }
}

function remembered(): string | null {
  try {
    return localStorage.getItem(REMEMBERED)
  } catch {
    return null
  }
}

/** The model that was used last, if this browser still has it; else nothing. */
export async function lastModel(): Promise<Model | undefined> {
  const sha256 = remembered()
  const kept = sha256 === null ? undefined : (await store.list()).find((file) => file.sha256 === sha256)
  const data = kept && (await store.get(kept.sha256))
  return data && { name: kept.name, sha256: kept.sha256, data }
}

export async function defaultModel(): Promise<Model> {
  const { entry, data } = await fetchWeights()
  return { name: entry.name, sha256: entry.sha256, data }
}

