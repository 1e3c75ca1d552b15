// Builds the page as static files that work from any folder of any host.
// In: this folder, the wasm package in ./pkg, the weights in ../weights. Out: ./dist.

import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { defineConfig, type Plugin } from 'vite'

import type { Manifest, WeightsEntry } from './src/weights'

const here = import.meta.dirname
const version = (JSON.parse(readFileSync(join(here, 'package.json'), 'utf8')) as { version: string }).version

/** The page's own policy, sent as a header too, so that the worker (which a <meta> does not reach) is under it. */
const policy = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(
  readFileSync(join(here, 'index.html'), 'utf8'),
)?.[1]
if (policy === undefined) throw new Error('index.html has no Content-Security-Policy')

/** Copies the weights that are in the repository next to the page; entries without a local file are left out. */
function bundledWeights(): Plugin {
  return {
    name: 'bundled-weights',
    buildStart() {
      const from = resolve(here, '../weights')
      const to = join(here, 'public/weights')
      rmSync(to, { recursive: true, force: true })
      mkdirSync(to, { recursive: true })
      const manifest = JSON.parse(readFileSync(join(from, 'manifest.json'), 'utf8')) as Manifest
      const isHere = ({ file }: WeightsEntry): boolean => file.endsWith('.safetensors') && existsSync(join(from, file))
      const models = manifest.models.filter(isHere)
      const lpips = manifest.lpips.filter(isHere)
      for (const { file } of [...models, ...lpips]) {
        mkdirSync(dirname(join(to, file)), { recursive: true })
        copyFileSync(join(from, file), join(to, file))
      }
      writeFileSync(join(to, 'manifest.json'), JSON.stringify({ ...manifest, models, lpips }, null, 2))
    },
  }
}

export default defineConfig({
  base: './',
  define: { __VERSION__: JSON.stringify(version) },
  plugins: [bundledWeights()],
  // ONESLICE_PKG names another wasm package of the same API (used to try the page without a build of the engine).
  resolve: { alias: { '@pkg-scan': resolve(here, 'pkg-scan'), '@pkg': resolve(here, process.env['ONESLICE_PKG'] ?? 'pkg') } },
  worker: { format: 'es' },
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 2000 },
  server: { host: '127.0.0.1' },
  preview: { host: '127.0.0.1', headers: { 'Content-Security-Policy': policy } },
})
