// The service worker, built last. In: the finished page. Out: sw.js beside it, with the list of the page's files and their sha256.
//
// Workbox does the work in the browser; its own build tools, some three hundred packages, would only make this list.

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { build, type Plugin } from 'vite'

interface FileEntry {
  url: string
  /** Of a file whose name does not change with its content. */
  revision: string | null
  integrity: string
}

/** Weights are large and the page keeps them itself, by their sha256; their manifest is the site's, and may grow. */
const isWeights = (url: string): boolean => url.startsWith('weights/')
/** NiiVue can read zarr stores, from other hosts; this page cannot. 1.4 MB that nobody would use. */
const isUnused = (url: string): boolean => /^assets\/(blosc|lz4|zstd)-/.test(url)
const isPartOfThePage = (url: string): boolean => url !== 'sw.js' && !isWeights(url) && !isUnused(url)

export function listFiles(folder: string): FileEntry[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = files.map((entry) => relative(folder, join(entry.parentPath, entry.name)))
  const wanted = paths.filter((path) => isPartOfThePage(path.split(sep).join('/'))).sort()
  return wanted.map((path) => {
    const url = path.split(sep).join('/')
    const sha256 = createHash('sha256').update(readFileSync(join(folder, path)))
    const digest = sha256.digest()
    return { url, revision: url.startsWith('assets/') ? null : digest.toString('hex'), integrity: `sha256-${digest.toString('base64')}` }
  })
}

export function serviceWorker(entry: string): Plugin {
  let folder = ''
  return {
    name: 'service-worker',
    apply: 'build',
    configResolved({ root, build }) {
      folder = resolve(root, build.outDir)
    },
    async closeBundle() {
      const define = { __FILES__: JSON.stringify(listFiles(folder)), 'process.env.NODE_ENV': '"production"' }
      const output = { entryFileNames: 'sw.js', format: 'iife' as const }
      await build({
        configFile: false,
        publicDir: false,
        logLevel: 'warn',
        define,
        build: { target: 'es2022', outDir: folder, emptyOutDir: false, rolldownOptions: { input: entry, output } },
      })
    },
  }
}
