// The weights that come with the page. In: the page's own ./weights folder. Out: a checked file.

export interface WeightsEntry {
  name: string
  file: string
  sha256: string
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

async function get(url: string): Promise<Response> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url}: the server answered ${response.status}`)
  return response
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

async function fetchManifest(): Promise<Manifest> {
  return (await (await get(MANIFEST)).json()) as Manifest
}

/** Fetches a file and checks its sha256. */
async function fetchEntry(entry: WeightsEntry): Promise<Fetched> {
  const bytes = await (await get(`./weights/${entry.file}`)).arrayBuffer()
  // Browsers offer crypto only to secure pages; elsewhere the file is as good as the page itself.
  if (globalThis.crypto.subtle as SubtleCrypto | undefined) {
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
    const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
    if (sha256 !== entry.sha256) throw new Error(`./weights/${entry.file} is damaged: its sha256 is not the manifest's`)
  }
  return { entry, data: new Blob([bytes]) }
}
