// The picker of models: what there is, from where, at what cost; what is chosen stays chosen, and what is kept is checked.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { App, expect, test } from './harness'
import { Site } from './site'
import { torchFile } from './torch'

const nano = (): Promise<Uint8Array> => readFile(join(__dirname, '../../weights/nano/sam2-nano.safetensors'))
const model = (app: App, name: string) => app.page.locator(`[data-model="${name}"]`)
const open = (app: App): Promise<void> => app.page.locator('#models').click()

test('every model says its size, memory, licence and origin, and whether it is here', async ({ app }) => {
  const { page } = app
  await open(app)
  await expect(page.locator('[data-model]')).toHaveCount(5)
  await expect(model(app, 'nano')).toContainText('in use')
  await expect(model(app, 'nano')).toContainText('File: 4.0 MB. Memory for its weights: 7.8 MB. Licence: Apache-2.0. Origin: OneSlice')
  await expect(model(app, 'tiny')).toContainText('not on this site')
  await expect(model(app, 'tiny')).toContainText('File: 156 MB. Memory for its weights: 40.0 MB. Licence: Apache-2.0. Origin: Meta, SAM 2.1')
  await expect(model(app, 'tiny').getByRole('link')).toHaveAttribute('rel', 'noopener noreferrer')
  await expect(page.getByRole('dialog')).toContainText('Runs on: The processor, as you chose.')
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toBeHidden()
})

test('a checkpoint of this computer stays for the next visit, until it is forgotten', async ({ app }) => {
  const { page } = app
  await app.choose('Weights file', { name: 'mine.pt', bytes: torchFile(await nano()) })
  await expect(page.locator('#weights-name')).toHaveText('mine.pt')
  await page.reload()
  await app.ready()
  await expect(page.locator('#weights-name')).toHaveText('mine.pt')
  await open(app)
  await expect(model(app, 'mine.pt')).toContainText('in use')
  await page.getByRole('button', { name: 'Use nano' }).click()
  await app.ready()
  await expect(page.locator('#weights-name')).toHaveText('nano')
  await open(app)
  await page.getByRole('button', { name: 'Forget mine.pt' }).click()
  await expect(model(app, 'mine.pt')).toHaveCount(0)
  await page.reload()
  await app.ready()
  await expect(page.locator('#weights-name')).toHaveText('nano')
})

test('a model of the site’s own folder is fetched once, checked, packed and kept', async ({ page }) => {
  const site = new Site()
  await site.start()
  const app = new App(page)
  await app.watch(site.origin)
  const checkpoint = torchFile(await nano())
  const manifest = JSON.parse(String(await site.built('weights/manifest.json'))) as { models: Record<string, unknown>[] }
  const entry = { name: 'hosted', file: 'hosted.pt', bytes: checkpoint.length, licence: 'Apache-2.0', origin: 'a test', here: true }
  const sha256 = createHash('sha256').update(checkpoint).digest('hex')
  const publish = (more: object): void => {
    const models = [...manifest.models, { ...entry, sha256, ...more }, { ...entry, sha256: 'f'.repeat(64), name: 'gone', file: 'gone.pt' }]
    const text = JSON.stringify({ ...manifest, models })
    site.changes.set('weights/manifest.json', text)
  }
  site.changes.set('weights/hosted.pt', checkpoint)

  publish({ sha256: '0'.repeat(64) })
  await page.goto(`${site.url}?device=cpu`)
  await app.ready()
  await open(app)
  await expect(model(app, 'gone')).toContainText('not on this site')
  await expect(model(app, 'hosted')).toContainText(`to be fetched from this site: ${(checkpoint.length / 1e6).toFixed(1)} MB, once`)
  await page.getByRole('button', { name: 'Use hosted' }).click()
  await app.ready()
  await expect(app.alert).toHaveText("./weights/hosted.pt is damaged: its sha256 is not the manifest's")
  await expect(page.locator('#weights-name')).toHaveText('nano')

  publish({})
  for (const visit of [1, 2]) {
    await page.reload()
    await app.ready()
    if (visit === 1) {
      await open(app)
      await page.getByRole('button', { name: 'Use hosted' }).click()
      await app.ready()
    }
    await expect(page.locator('#weights-name'), 'chosen once, and still there').toHaveText('hosted')
  }
  const fetched = site.requests.filter((path) => path === 'weights/hosted.pt').length
  await open(app)
  await expect(model(app, 'hosted')).toContainText('in use')
  expect(site.requests.filter((path) => path === 'weights/hosted.pt').length).toBe(fetched)
  // The file that the manifest names and the folder has not, which the browser logs.
  expect(app.problems.filter((problem) => !/gone\.pt|404/.test(problem))).toEqual([])
  await site.stop()
})

test('without WebGPU the picker says why and what to do', { tag: '@no-webgpu' }, async ({ app }) => {
  await open(app)
  const dialog = app.page.getByRole('dialog')
  // The browser's switches take the interface away or its adapters, by its version.
  await expect(dialog).toContainText(/Runs on: (This browser has no WebGPU|WebGPU found no graphics card)\./)
  await expect(dialog).toContainText('The page works all the same, on the processor')
})
