// A result is corrected on a slice and propagated from there: the correction stays, what depends on it is done again, the rest is not.

import { expect, test } from './harness'
import { dice } from './nifti'

test('a corrected slice stays as it was drawn, and only a part is done again', async ({ app }) => {
  const { page } = app
  await page.getByRole('button', { name: "Use the sample's mask" }).click()
  await app.ready()
  const given = await app.maskSlice()
  await app.propagate()
  await app.slicesDone(1)
  await app.finished()
  const all = Number(/Done: (\d+) slices/.exec((await page.locator('#status').textContent())!)![1])
  const before = await app.download()
  const area = before.dims[0] * before.dims[1]
  const on = (data: Float32Array, slice: number): Float32Array => data.slice(slice * area, (slice + 1) * area)

  const corrected = given + 6
  await app.goTo(corrected)
  await app.chooseTool('Eraser')
  const box = (await page.locator('#canvas').boundingBox())!
  await app.outline({ x: box.x + box.width * 0.42, y: box.y + box.height * 0.42, width: 60, height: 60 })
  await expect(page.locator('#slice-value')).toHaveText(/ · corrected$/)
  await expect(page.locator('#hint-text')).toHaveText(`Slice ${corrected} differs from what was propagated.`)
  // It is in the file at once, and can be undone.
  const drawn = await app.download()
  expect(dice(on(drawn.data, corrected), on(before.data, corrected), 1)).toBeLessThan(0.99)
  await page.keyboard.press('Control+z')
  await expect(page.getByRole('button', { name: 'Propagate again from here' })).toHaveCount(0)
  await page.keyboard.press('Control+Shift+z')

  await page.locator('#run').click()
  await app.slicesDone(1)
  await app.finished()
  await expect(app.alert).toBeHidden()
  const again = Number(/Done: (\d+) slices/.exec((await page.locator('#status').textContent())!)![1])
  expect(again).toBeGreaterThan(0)
  expect(again).toBeLessThan(all - 10)
  const after = await app.download()
  expect(on(after.data, corrected)).toEqual(on(drawn.data, corrected))
  expect(on(after.data, given)).toEqual(on(before.data, given))
  // Behind the mask nothing depends on the correction.
  for (let slice = 0; slice < given; slice++) expect(on(after.data, slice), `slice ${slice}`).toEqual(on(before.data, slice))
  console.log(`    ${all} slices, ${again} of them again after the correction`)
  await expect(page.getByRole('button', { name: 'Propagate', exact: true })).toBeVisible()
})

test('an object that is rubbed out on a slice is not there, and a stopped run goes on', async ({ app }) => {
  const { page } = app
  await page.getByRole('button', { name: "Use the sample's mask" }).click()
  await app.ready()
  const given = await app.maskSlice()
  await app.propagate()
  await app.slicesDone(3)
  await app.cancel()
  await page.getByRole('button', { name: 'Go on' }).click()
  await app.finished()
  await expect(page.locator('#result-note')).not.toHaveText(/slices were done/)

  const end = given + 4
  await app.goTo(end)
  await app.chooseTool('Eraser')
  await page.getByLabel('Size', { exact: true }).fill('60')
  const box = (await page.locator('#canvas').boundingBox())!
  for (const width of [40, 160, 260]) await app.outline({ x: box.x + box.width * 0.42, y: box.y + box.height * 0.42, width, height: width })
  await page.locator('#run').click()
  await app.finished()
  await expect(app.alert).toBeHidden()
  const { data, dims } = await app.download()
  const area = dims[0] * dims[1]
  const count = (slice: number): number => data.slice(slice * area, (slice + 1) * area).filter((label) => label === 1).length
  expect(count(end)).toBe(0)
  expect(count(given)).toBeGreaterThan(100)
})

test('slices of a range only, forward only, from two given slices', async ({ app }) => {
  const { page } = app
  await page.getByRole('button', { name: "Use the sample's mask" }).click()
  await app.ready()
  const given = await app.maskSlice()
  await app.openOptions()
  await page.getByLabel('First slice').fill(String(given - 2))
  await page.getByLabel('Last slice').fill(String(given + 3))
  await app.propagate()
  await app.finished()
  await expect(page.locator('#status')).toHaveText('Done: 6 slices.')
  await page.getByLabel('Last slice').fill('99')
  await page.getByRole('button', { name: 'Propagate', exact: true }).click()
  await expect(app.alert).toHaveText(/slices from 0 to 47/)
})

test('a result is compared with true labels, by label and by slice', async ({ app }) => {
  const { page } = app
  await page.getByRole('button', { name: "Use the sample's mask" }).click()
  await app.ready()
  await app.propagate('forward')
  await app.slicesDone(3)
  await app.cancel()
  const own = await app.downloadFile()
  await app.goTo(await app.maskSlice())
  await page.locator('#compare > summary').click()
  await app.choose('True labels file', { name: 'truth.nii.gz', bytes: own })
  await expect(page.locator('#agreement-rows tr')).toHaveText('Label 11.0001.0001.000 / 1.000')
  await app.chooseTool('Eraser')
  const box = (await page.locator('#canvas').boundingBox())!
  await app.outline({ x: box.x + box.width * 0.42, y: box.y + box.height * 0.42, width: 60, height: 60 })
  await page.getByLabel('NSD within').fill('0')
  await page.getByLabel('NSD within').press('Enter')
  await app.ready()
  await expect(page.locator('#agreement-rows tr')).toHaveText(/^Label 10\.\d{3}0\.\d{3}0\.\d{3} \/ 0\.\d{3}$/)
})
