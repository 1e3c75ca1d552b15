// The package itself, for what the page does not show. In: a page. Out: its origin serves the package under /pkg/.

import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'

import type { Page } from '../../www/node_modules/@playwright/test'

/** Playwright runs in www. */
const PACKAGE = resolve('pkg')

export async function servePackage(page: Page): Promise<void> {
  await page.context().route('**/pkg/*', async (route) => {
    const name = basename(new URL(route.request().url()).pathname)
    const contentType = name.endsWith('.wasm') ? 'application/wasm' : 'text/javascript'
    await route.fulfill({ body: await readFile(resolve(PACKAGE, name)), contentType })
  })
}
