// Builds the page as static files that work from any folder of any host.
// In: this folder, the wasm package in ./pkg, the weights in ../weights. Out: ./dist.

import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { defineConfig } from 'vite'

import { serviceWorker } from './build/service-worker.ts'
import { bundledWeights } from './build/weights.ts'

const here = import.meta.dirname
const version = (JSON.parse(readFileSync(join(here, 'package.json'), 'utf8')) as { version: string }).version

/** The page's own policy, sent as a header too, so that the worker (which a <meta> does not reach) is under it. */
const policy = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(
  readFileSync(join(here, 'index.html'), 'utf8'),
)?.[1]
if (policy === undefined) throw new Error('index.html has no Content-Security-Policy')

export default defineConfig({
  base: './',
  define: { __VERSION__: JSON.stringify(version) },
  plugins: [bundledWeights(resolve(here, '../weights'), join(here, 'public/weights')), serviceWorker(join(here, 'src/sw.ts'))],
  // ONESLICE_PKG names another wasm package of the same API (used to try the page without a build of the engine).
  resolve: { alias: { '@pkg-scan': resolve(here, 'pkg-scan'), '@pkg': resolve(here, process.env['ONESLICE_PKG'] ?? 'pkg') } },
  worker: { format: 'es' },
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 2000 },
  server: { host: '127.0.0.1' },
  preview: { host: '127.0.0.1', headers: { 'Content-Security-Policy': policy } },
})
