// Work is not lost: a reload in mid-run, a closed tab, a session file in another browser; and nothing goes on the wrong scan.

import { unzipSync, zipSync } from '../../www/node_modules/fflate'
import { App, expect, test } from './harness'
import { orientedAffine, writeNifti, type Triple } from './nifti'

const DIMS: Triple = [36, 32, 10]
const SPACING: Triple = [2, 2, 4]
const scan = (shift = 0): Uint8Array => {
  const affine = orientedAffine([-1, -2, 3], SPACING)
  affine[3]! += shift
  return writeNifti(DIMS, SPACING, affine, (i, j) => ((i - 18) ** 2 + (j - 16) ** 2 < 60 ? 800 : (i * 7 + j * 5) % 60))
}
const mask = writeNifti(DIMS, SPACING, orientedAffine([-1, -2, 3], SPACING), (i, j, k) => (k === 4 && (i - 18) ** 2 + (j - 16) ** 2 < 60 ? 1 : 0))

const offer = (app: App) => app.page.locator('[data-notice=resume]')

/** A mask, and a run that was stopped or is still going on. */
async function someSlices(app: App, count: number): Promise<void> {
  await app.page.locator('#image-size').evaluate((size: HTMLSelectElement) => (size.value = '128'))
  await app.page.locator('#run').click()
  await app.slicesDone(count)
}

/** Waits until the browser has saved a mask and so many slices. */
async function saved(app: App, slices: number): Promise<void> {
  const stored = (): Promise<number> =>
    app.page.evaluate(async () => {
      const answer = <T>(request: IDBRequest<T>): Promise<T> => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)))
      const [database] = (await indexedDB.databases()).filter(({ name }) => name?.startsWith('oneslice '))
      if (!database?.name) return -1
      const db = await answer(indexedDB.open(database.name))
      const works = await answer(db.transaction('works').objectStore('works').getAll() as IDBRequest<{ slices: number; masks: unknown[] }[]>)
      db.close()
      return Math.max(-1, ...works.filter(({ masks }) => masks.length > 0).map(({ slices }) => slices))
    })
  await expect.poll(stored).toBeGreaterThanOrEqual(slices)
}

const doneSlices = async (app: App): Promise<number> => Number(/(\d+) of \d+ slices were done/.exec((await app.page.locator('#result-note').textContent())!)?.[1])

test('a reload in mid-run: mask and slices are there again, and the run goes on', async ({ app }) => {
  const { page } = app
  await page.locator('#mask-sample').click()
  await app.ready()
  const facts = (await page.locator('#mask-facts').textContent())!
  await someSlices(app, 3)
  await saved(app, 3)
  await page.reload()
  await app.ready()
  await expect(offer(app)).toHaveText(/Continue where you left off\? the sample: a mask on axial slice \d+, \d+ slices done, saved at \d\d:\d\d/)
  await offer(app).getByRole('button', { name: 'Continue' }).click()
  await app.ready()
  await expect(page.locator('#mask-facts')).toHaveText(facts)
  await expect(page.locator('#image-size')).toHaveValue('128')
  const before = await doneSlices(app)
  expect(before).toBeGreaterThanOrEqual(3)

  await page.locator('#run').click()
  // Memories are not saved: what was half done in a direction is walked through again before there is more.
  await app.slicesDone(before + 2)
  await app.cancel()
  await expect(app.alert).toBeHidden()
  expect(await doneSlices(app), 'what was done stays, and more is done').toBeGreaterThan(before)
})

test('a closed tab: a scan of the user’s own comes back with its mask; discarded work does not', async ({ app }) => {
  await app.choose('Scan file', { name: 'patient.nii', bytes: scan() })
  await app.choose('Mask file', { name: 'mask.nii', bytes: mask })
  const facts = (await app.page.locator('#mask-facts').textContent())!
  await saved(app, 0)
  const context = app.page.context()
  await app.page.close()

  const again = new App(await context.newPage())
  await again.watch(new URL(test.info().project.use.baseURL!).origin)
  await again.open('cpu')
  await expect(offer(again)).toContainText('patient.nii: a mask on axial slice 4')
  await offer(again).getByRole('button', { name: 'Continue' }).click()
  await again.ready()
  await expect(again.page.locator('#scan-name')).toHaveText('patient.nii')
  await expect(again.page.locator('#mask-facts')).toContainText(facts.replace(/^.*?: /, ''))

  await again.page.reload()
  await again.ready()
  await offer(again).getByRole('button', { name: 'Discard' }).click()
  await expect(offer(again)).toBeHidden()
  await again.page.reload()
  await again.ready()
  await again.page.waitForTimeout(500)
  await expect(offer(again)).toBeHidden()
  expect(again.problems).toEqual([])
})

test('what cannot be saved is said in plain words, with a way out', async ({ app }) => {
  const { page } = app
  await page.evaluate(() => {
    IDBObjectStore.prototype.put = () => {
      throw new DOMException('full', 'QuotaExceededError')
    }
  })
  await page.locator('#mask-sample').click()
  await app.ready()
  const notice = page.locator('[data-notice=unsaved]')
  await expect(notice).toContainText('Your work could not be saved in this browser: there is no room left in this browser’s storage.')
  const [download] = await Promise.all([page.waitForEvent('download'), notice.getByRole('button', { name: 'Save session…' }).click()])
  expect(download.suggestedFilename()).toMatch(/\.oneslice$/)
})

const openSession = (app: App, name: string, bytes: Uint8Array): Promise<void> =>
  app.page.locator('#session-file').setInputFiles({ name, mimeType: 'application/zip', buffer: Buffer.from(bytes) })

test('a session file has everything but the scan, and goes on no other scan', async ({ app, browser }) => {
  await app.choose('Scan file', { name: 'patient.nii', bytes: scan() })
  await app.choose('Mask file', { name: 'mask.nii', bytes: mask })
  await someSlices(app, 2)
  await app.cancel()
  const facts = (await app.page.locator('#mask-facts').textContent())!
  const done = await doneSlices(app)
  const file = await app.saveSession(/^patient\.oneslice$/)

  const context = await browser.newContext({ baseURL: test.info().project.use.baseURL! })
  const other = new App(await context.newPage())
  await other.watch(new URL(test.info().project.use.baseURL!).origin)
  await other.open('cpu')
  await openSession(other, 'patient.oneslice', file)
  await other.ready()
  await expect(other.alert).toHaveText(/^this is work on patient\.nii \(36 × 32 × 10 voxels\), and the open scan, .*, has .* voxels\. Open that scan first\.$/)
  // Another scan of the same size, elsewhere in space, is still another.
  await other.choose('Scan file', { name: 'patient.nii', bytes: scan(25) })
  await expect(other.alert).toHaveText(/lies elsewhere in space or has other voxel sizes/)
  await openSession(other, 'patient.oneslice', file)
  await expect(other.page.locator('[data-notice=waiting]')).toContainText('Open that scan, and it goes on.')
  await other.choose('Scan file', { name: 'patient.nii', bytes: scan() })
  await expect(other.page.locator('#status')).toHaveText('Your work is here again.')
  await other.ready()
  await expect(other.page.locator('#mask-facts')).toHaveText(facts)
  expect(await doneSlices(other)).toBe(done)
  expect(other.problems).toEqual([])
  await context.close()
})

test('bad session files are refused in one line, and the work stays', async ({ app }) => {
  const { page } = app
  await app.choose('Scan file', { name: 'patient.nii', bytes: scan() })
  await app.choose('Mask file', { name: 'mask.nii', bytes: mask })
  const facts = (await page.locator('#mask-facts').textContent())!
  const file = await app.saveSession(/^patient\.oneslice$/)
  const newer = unzipSync(file)
  newer['session.json'] = new TextEncoder().encode(new TextDecoder().decode(newer['session.json']).replace('"version":1', '"version":9'))
  for (const [name, bytes, why] of [
    ['newer.oneslice', zipSync(newer), /^newer\.oneslice comes from a newer OneSlice \(format 9, this page reads 1\)/],
    ['cut.oneslice', file.subarray(0, 200), /^cut\.oneslice is not a session file, or it is damaged/],
    ['letter.oneslice', new TextEncoder().encode('Dear colleague'), /^letter\.oneslice is not a session file/],
  ] as const) {
    await openSession(app, name, bytes)
    await expect(app.alert).toHaveText(why)
    await expect(page.locator('#mask-facts')).toHaveText(facts)
  }
})

test('on a shared computer: the scan is not kept when it should not be, and everything can be forgotten', async ({ app }) => {
  const { page } = app
  await app.choose('Scan file', { name: 'patient.nii', bytes: scan() })
  await app.choose('Mask file', { name: 'mask.nii', bytes: mask })
  const facts = (await page.locator('#mask-facts').textContent())!
  await saved(app, 0)
  await page.locator('#network button').click()
  const panel = page.locator('#network-details')
  await expect(panel).toContainText('patient.nii (with the scan, ')
  await panel.getByLabel(/Keep the scan with the work/).uncheck()
  await expect(panel).toContainText('patient.nii (without the scan)')
  await page.reload()
  await app.ready()

  // The work waits for its scan, and goes on when that is open.
  await expect(offer(app)).toContainText('You will be asked for the scan')
  await offer(app).getByRole('button', { name: 'Continue' }).click()
  await expect(page.locator('[data-notice=waiting]')).toContainText('This is work on patient.nii (36 × 32 × 10 voxels). Open that scan, and it goes on.')
  await app.choose('Scan file', { name: 'patient.nii', bytes: scan() })
  await expect(page.locator('#mask-facts')).toContainText(facts.replace(/^.*?: /, ''))

  await page.locator('#network button').click()
  await panel.getByRole('button', { name: 'Forget all saved work' }).click()
  await expect(panel).toContainText('What this browser keeps of your workNothing.')
  await page.reload()
  await app.ready()
  await page.waitForTimeout(500)
  await expect(offer(app)).toBeHidden()
})
