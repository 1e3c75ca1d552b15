// Without a network after the first visit: from a folder of a plain host that is then gone. And new versions, whole or not at all.

import { createHash } from 'node:crypto'

import { App, expect, test as base } from './harness'
import { Site } from './site'

const test = base.extend<{ site: Site; visit: App }>({
  site: async ({}, use) => {
    const site = new Site()
    await site.start()
    await use(site)
    await site.stop().catch(() => {})
  },
  /** The page on that host, before anything is open. */
  visit: async ({ page, site }, use) => {
    const app = new App(page)
    await app.watch(site.origin)
    await use(app)
    expect(app.problems).toEqual([])
  },
})

async function openUntilKept(app: App, site: Site): Promise<void> {
  await app.page.goto(`${site.url}?device=cpu`)
  await app.ready()
  await expect(app.page.locator('html')).toHaveAttribute('data-offline', 'ready')
}

async function segmentsTheSample(app: App): Promise<void> {
  const { page } = app
  await expect(page.locator('#scan-name')).toContainText('The sample')
  await page.locator('#mask-sample').click()
  await app.ready()
  await page.locator('#run').click()
  await app.slicesDone(2)
  await app.cancel()
  await expect(app.alert).toBeHidden()
}

test('the page opens and segments without a network after the first visit', async ({ visit, site }) => {
  const { page } = visit
  await openUntilKept(visit, site)
  await expect(page.locator('#network')).toHaveText('Network: 0 requests since the page loaded · works offline')
  expect(site.requests.filter((path) => path.startsWith('/')), 'nothing outside of its folder').toEqual([])

  await site.stop()
  await page.reload()
  await visit.ready()
  await segmentsTheSample(visit)
  await expect(page.locator('#network')).toHaveText('Network: 0 requests since the page loaded · works offline')
  // Few-shot needs a network of its own, which nobody has asked for before.
  await page.locator('#method').evaluate((method: HTMLSelectElement) => {
    method.value = 'few-shot'
    method.dispatchEvent(new Event('change', { bubbles: true }))
  })
  await visit.ready()
  await expect(visit.alert).toBeHidden()
  await expect(page.locator('#method-note')).toContainText('lpips-tiny')
})

test('only the page’s own files are kept, each under its own address', async ({ visit, site }) => {
  await openUntilKept(visit, site)
  const kept = await visit.page.evaluate(async () => {
    const urls: string[] = []
    for (const name of await caches.keys()) for (const { url } of await (await caches.open(name)).keys()) urls.push(url)
    return urls
  })
  expect(kept.length).toBeGreaterThan(6)
  expect(kept.filter((url) => !url.startsWith(site.url))).toEqual([])
})

test('kept weights are compared with their sha256: damaged ones are fetched again', async ({ visit, site }) => {
  const { page } = visit
  await openUntilKept(visit, site)
  const fetched = (): number => site.requests.filter((path) => path.startsWith('weights/nano/')).length
  expect(fetched()).toBe(1)
  await page.reload()
  await visit.ready()
  expect(fetched(), 'kept from the first visit').toBe(1)

  await page.evaluate(async () => {
    const name = (await caches.keys()).find((each) => each.startsWith('oneslice-weights'))!
    const cache = await caches.open(name)
    for (const request of await cache.keys()) {
      const response = (await cache.match(request))!
      if (response.headers.get('x-name') !== 'nano') continue
      const bytes = new Uint8Array(await response.arrayBuffer())
      bytes[bytes.length - 1]! ^= 1
      await cache.put(request, new Response(bytes, { headers: response.headers }))
    }
  })
  await page.reload()
  await visit.ready()
  expect(fetched()).toBe(2)
  await segmentsTheSample(visit)
})

test('weights that are not what the manifest says are refused in one line', async ({ visit, site }) => {
  const nano = 'weights/nano/sam2-nano.safetensors'
  const bytes = await site.built(nano)
  bytes[bytes.length - 1]! ^= 1
  site.changes.set(nano, bytes)
  await visit.page.goto(`${site.url}?device=cpu`)
  await visit.ready()
  await expect(visit.alert).toHaveText(/^\.\/weights\/nano\/.* is damaged: its sha256 is not the manifest's$/)
  await expect(visit.page.locator('#weights-name')).toHaveText('not loaded')
})

/** The next version of the page: another title, and the service worker that belongs to it. */
async function release(site: Site): Promise<void> {
  const [html, worker] = (await Promise.all([site.built('index.html'), site.built('sw.js')])).map(String) as [string, string]
  const next = html.replace(/<title>.*<\/title>/, '<title>The next version</title>')
  const digest = (text: string, encoding: 'hex' | 'base64'): string => createHash('sha256').update(text).digest(encoding)
  const changed = worker.replaceAll(digest(html, 'hex'), digest(next, 'hex')).replaceAll(digest(html, 'base64'), digest(next, 'base64'))
  expect(changed).not.toBe(worker)
  site.changes.set('index.html', next)
  site.changes.set('sw.js', changed)
}

test('a new version waits until the user wants it, and is then there as a whole', async ({ visit, site }) => {
  const { page } = visit
  await openUntilKept(visit, site)
  await release(site)
  await page.reload()
  await visit.ready()
  await expect(page).toHaveTitle(/^OneSlice/)
  const offer = page.locator('[data-notice=update]')
  await expect(offer).toContainText('A new version of OneSlice is ready')
  await offer.getByRole('button', { name: 'Reload with it' }).click()
  await expect(page).toHaveTitle('The next version')
  await visit.ready()
  await expect(offer).toBeHidden()
  await site.stop()
  await page.reload()
  await visit.ready()
  await expect(page).toHaveTitle('The next version')
})

test('a page whose files are not as they were built is not kept, and says so', async ({ visit, site }) => {
  const { page } = visit
  site.changes.set('favicon.svg', '<svg xmlns="http://www.w3.org/2000/svg"/>')
  await page.goto(`${site.url}?device=cpu`)
  await visit.ready()
  await expect(page.locator('html')).toHaveAttribute('data-offline', 'impossible')
  await page.locator('#network button').click()
  await expect(page.locator('#network-details')).toContainText('The page cannot be kept for use without a network: not all of its files could be fetched as they were built.')
  // The browser's own word for it.
  visit.problems = visit.problems.filter((problem) => !/integrity/i.test(problem))
})
