// A newcomer's path: the page opens with the sample, two clicks give a result, the result can be saved.

import { expect, test } from './harness'

test('opens with the sample, on the device that was asked for', async ({ app, device }) => {
  const { page } = app
  await expect(page.locator('#scan-name')).toContainText('The sample')
  await expect(page.locator('#device-text')).toHaveText(device === 'cpu' ? /CPU: slower, same result/ : /^Running on WebGPU: .+/)
  await expect(page.locator('#weights-name')).toHaveText('nano')
  await expect(page.getByRole('button', { name: 'Propagate' })).toBeDisabled()
  await expect(page.locator('#run-hint')).toHaveText('Give a mask first: load one or paint it.')
  await expect(page.locator('footer')).toContainText('Not a medical device')
  await expect(app.alert).toBeHidden()
  expect((await page.locator('#canvas').screenshot()).length, 'a blank canvas is a small picture').toBeGreaterThan(5000)
})

test('two clicks give a result on other slices, and a NIfTI file', async ({ app }) => {
  const { page } = app
  await page.getByRole('button', { name: "Use the sample's mask" }).click()
  await app.ready()
  await expect(page.locator('#mask-facts')).toHaveText(/sample mask: Axial slice \d+, [\d,]+ pixels/)
  const slice = Number(/slice (\d+)/.exec((await page.locator('#mask-facts').textContent())!)![1])

  await app.propagate()
  await expect(page.locator('#progress-text')).toHaveText(/Slice \d+ of \d+/, { timeout: 0 })
  await app.finished()
  await expect(app.alert).toBeHidden()
  await expect(page.locator('#status')).toHaveText(/Done: \d+ slices/)
  const row = page.locator('#figures tr')
  await expect(row).toHaveCount(1)
  await expect(row).toHaveText(/^1[\d,]+[\d.]+ ml0\.\d\d$/)

  const saved = await app.download()
  expect([...new Set(saved.data)].sort()).toEqual([0, 1])
  const perSlice = saved.dims[0] * saved.dims[1]
  const area = (k: number): number => saved.data.slice(k * perSlice, (k + 1) * perSlice).filter((label) => label === 1).length
  for (const k of [slice - 2, slice - 1, slice, slice + 1, slice + 2]) expect(area(k), `slice ${k}`).toBeGreaterThan(0)
  const voxels = Number((await row.locator('td').nth(1).textContent())!.replaceAll(',', ''))
  expect(saved.data.filter((label) => label === 1)).toHaveLength(voxels)
})

test('cancel stops between slices and keeps what is done', async ({ app }) => {
  const { page } = app
  await page.getByRole('button', { name: "Use the sample's mask" }).click()
  await app.ready()
  await app.propagate()
  await expect(page.locator('#progress-text')).toHaveText(/Slice [1-9]\d* of \d+/, { timeout: 0 })
  await page.getByRole('button', { name: 'Cancel' }).click()
  await app.finished()
  await expect(page.locator('#status')).toHaveText(/Stopped after \d+ slices; they are kept/)
  await expect(page.locator('#result-note')).toHaveText(/\d+ of \d+ slices were done/)
  const saved = await app.download()
  expect(saved.data.some((label) => label === 1)).toBe(true)
  // The page goes on: the same run can be started again.
  await app.propagate()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await app.finished()
})
