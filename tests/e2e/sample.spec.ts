// A newcomer's path: the page opens with the sample, two clicks give a result, the result can be saved.

import { expect, test } from './harness'
import { nativeResult, sampleFiles } from './native'
import { dice, geometry, readNifti, without } from './nifti'

test('opens with the sample, on the device that was asked for', { tag: '@webgpu' }, async ({ app, device }) => {
  const { page } = app
  await expect(page.locator('#scan-name')).toContainText('The sample')
  await expect(page.locator('#device-text')).toHaveText(device === 'cpu' ? /CPU: slower, same result/ : /^Running on WebGPU: .+/)
  await expect(page.locator('#weights-name')).toHaveText('nano')
  await expect(page.getByRole('button', { name: 'Propagate', exact: true })).toBeDisabled()
  await expect(page.locator('#run-hint')).toHaveText('Mark the structure first: on any slice, with any tool.')
  await expect(page.locator('footer')).toContainText('Not a medical device')
  await expect(app.alert).toBeHidden()
  expect((await page.locator('#canvas').screenshot()).length, 'a blank canvas is a small picture').toBeGreaterThan(5000)
})

test('two clicks give the result of the command line, as a NIfTI file', { tag: '@webgpu' }, async ({ app, device }) => {
  const native = await nativeResult(128)
  const { page } = app
  await page.getByRole('button', { name: "Use the sample's mask" }).click()
  await app.ready()
  await expect(page.locator('#mask-facts')).toHaveText(/sample mask: Axial slice \d+, [\d,]+ pixels/)
  await app.propagate()
  await app.slicesDone(1)
  await app.finished()
  await expect(app.alert).toBeHidden()
  await expect(page.locator('#status')).toHaveText(/Done: \d+ slices/)

  const file = await app.downloadFile()
  const saved = readNifti(file)
  const expected = readNifti(native)
  expect([...new Set(saved.data)].sort()).toEqual([0, 1])
  expect(geometry(file)).toEqual(geometry(native))
  const given = await app.maskSlice()
  const [found, expectedThere] = [without(saved, given), without(expected, given)]
  const differing = found.filter((label, at) => label !== expectedThere[at]).length
  const overlap = dice(found, expectedThere, 1)
  const voxels = saved.data.filter((label) => label === 1).length
  console.log(`    ${device} against native: Dice ${overlap.toFixed(6)}, ${differing} of ${voxels} labelled voxels differ`)
  expect(overlap).toBeGreaterThanOrEqual(0.999)
  // The slice that was given is in the file to the pixel.
  const mask = readNifti((await sampleFiles()).mask).data
  expect(saved.data.filter((label, at) => mask[at] === 1 && label !== 1).length).toBe(0)
  const count = (labels: Float32Array): number => labels.filter((label) => label === 1).length
  expect(count(saved.data) - count(found)).toBe(count(mask))

  // More than the mask that was given, and the page's table counts what the file has.
  const perSlice = saved.dims[0] * saved.dims[1]
  const slices = new Set(Array.from(saved.data.keys()).filter((at) => saved.data[at] === 1).map((at) => Math.floor(at / perSlice)))
  expect(slices.size).toBeGreaterThan(10)
  const row = page.locator('#figures tr')
  await expect(row).toHaveCount(1)
  await expect(row).toHaveText(/^Label 1[\d.]+ ml\d+×\d+×\d+-?[\d.]+ ± [\d.]+0\.\d\d$/)
  await expect(row).toHaveAttribute('title', new RegExp(`: ${voxels.toLocaleString('en')} voxels`))
})

test('cancel stops between slices and keeps what is done', async ({ app }) => {
  const { page } = app
  await page.getByRole('button', { name: "Use the sample's mask" }).click()
  await app.ready()
  await app.propagate()
  await app.slicesDone(1)
  await app.cancel()
  await expect(page.locator('#status')).toHaveText(/Stopped after \d+ slices; they are kept/)
  await expect(page.locator('#result-note')).toHaveText(/\d+ of \d+ slices were done/)
  const saved = await app.download()
  expect(saved.data.some((label) => label === 1)).toBe(true)
  // The page goes on: so does the run.
  await page.getByRole('button', { name: 'Go on' }).click()
  await app.slicesDone(1)
  await app.cancel()
})
