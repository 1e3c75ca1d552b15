// The built page on a host of its own: static files in a folder, no special headers. In: www/dist. Out: an address, what was asked of it,
// and ways to change its files, or to take it away.

import { createServer, type Server } from 'node:http'
import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'

const DIST = join(__dirname, '../../www/dist')
const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.wasm': 'application/wasm', '.json': 'application/json' }

export class Site {
  /** Where it lies: not at the root of its host. */
  readonly folder = '/some/where/'
  /** Paths that were asked for, without the folder. */
  readonly requests: string[] = []
  /** Files that differ from the built ones; undefined takes one away. */
  readonly changes = new Map<string, Uint8Array | string | undefined>()
  readonly #server: Server
  #port = 0

  constructor() {
    this.#server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost')
      const path = pathname.startsWith(this.folder) ? pathname.slice(this.folder.length) || 'index.html' : undefined
      this.requests.push(path ?? pathname)
      void this.#file(path).then((body) => {
        if (body === undefined) return response.writeHead(404).end()
        response.writeHead(200, { 'content-type': TYPES[extname(path!)] ?? 'application/octet-stream', 'content-length': body.length })
        return response.end(request.method === 'HEAD' ? undefined : body)
      })
    })
  }

  async #file(path: string | undefined): Promise<Uint8Array | undefined> {
    if (path === undefined) return undefined
    if (this.changes.has(path)) {
      const changed = this.changes.get(path)
      return typeof changed === 'string' ? new TextEncoder().encode(changed) : changed
    }
    return this.built(path).catch(() => undefined)
  }

  built(path: string): Promise<Buffer> {
    return readFile(join(DIST, normalize(`/${path}`)))
  }

  /** The address; the same one again after `stop`. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve))
    this.#port = (this.#server.address() as AddressInfo).port
    return this.url
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get url(): string {
    return this.origin + this.folder
  }

  /** Nobody is there any more: connections are refused, as without a network. */
  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
