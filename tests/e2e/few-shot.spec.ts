// Few-shot on the page: each slice by the picture that is most like it, as the command line does it.

import { expect, test } from './harness'
import { nativeFewShot } from './native'
import { dice, geometry, readNifti } from './nifti'

test('few-shot gives the result of the command line, and says which network compares', async ({ app }) => {
  const native = await nativeFewShot(128)
  const { page } = app
  await page.getByRole('button', { name: "Use the sample's mask" }).click()
  await app.ready()
  await page.getByLabel('Method').selectOption('few-shot')
  await app.ready()
  await expect(page.locator('#method-note')).toHaveText(/LPIPS network: lpips-tiny\./)
  await expect(page.getByLabel('Direction')).toBeDisabled()
  await page.getByLabel('Image size').selectOption('128')
  await page.getByRole('button', { name: 'Segment by few-shot' }).click()
  await app.slicesDone(1)
  await app.finished()
  await expect(app.alert).toBeHidden()
  await expect(page.locator('#status')).toHaveText(/Done: 48 slices/)

  const file = await app.downloadFile()
  const [saved, expected] = [readNifti(file), readNifti(native)]
  expect(geometry(file)).toEqual(geometry(native))
  const differing = saved.data.filter((label, at) => label !== expected.data[at]).length
  const overlap = dice(saved.data, expected.data, 1)
  const voxels = saved.data.filter((label) => label === 1).length
  console.log(`    few-shot against native: Dice ${overlap.toFixed(6)}, ${differing} of ${voxels} labelled voxels differ`)
  expect(overlap).toBeGreaterThanOrEqual(0.999)
  expect(voxels).toBeGreaterThan(1000)
})

test('the network is there again after another device was chosen', async ({ app }) => {
  const { page } = app
  await page.getByLabel('Method').selectOption('few-shot')
  await app.ready()
  await page.getByLabel('Device').selectOption('webgpu')
  await app.ready()
  await page.getByLabel('Device').selectOption('cpu')
  await app.ready()
  await page.getByRole('button', { name: "Use the sample's mask" }).click()
  await app.ready()
  await page.getByLabel('Image size').selectOption('128')
  await page.getByRole('button', { name: 'Segment by few-shot' }).click()
  await app.slicesDone(1)
  await app.cancel()
  await expect(app.alert).toBeHidden()
})
