// The package itself, for what the page does not show. In: a page. Out: an engine of the test's own in the page's worker.

import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'

import type { OneSlice } from '@pkg/oneslice.js'
import type { Page } from '../../www/node_modules/@playwright/test'

declare global {
  /** In the worker, for what `evaluate` runs there. */
  var packageEngine: OneSlice
}

/** Playwright runs in www. */
const PACKAGE = resolve('pkg')

/** On the CPU, with the page's default model. In a worker: weights are read synchronously, which no page can do. */
export async function openPackage(page: Page): Promise<void> {
  await servePackage(page)
  await page.workers()[0]!.evaluate(async () => {
    const { default: init, OneSlice } = (await import(`${location.origin}/pkg/oneslice.js`)) as typeof import('@pkg/oneslice.js')
    await init()
    const engine = await OneSlice.create('cpu')
    const manifest = (await (await fetch(`${location.origin}/weights/manifest.json`)).json()) as { default: string; models: { name: string; file: string }[] }
    const { file } = manifest.models.find(({ name }) => name === manifest.default)!
    await engine.loadWeights(manifest.default, await (await fetch(`${location.origin}/weights/${file}`)).blob())
    self.packageEngine = engine
  })
}

/** The package under /pkg/ of the page's origin. */
async function servePackage(page: Page): Promise<void> {
  await page.context().route('**/pkg/*', async (route) => {
    const name = basename(new URL(route.request().url()).pathname)
    const contentType = name.endsWith('.wasm') ? 'application/wasm' : 'text/javascript'
    await route.fulfill({ body: await readFile(resolve(PACKAGE, name)), contentType })
  })
}
