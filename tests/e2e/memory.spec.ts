// Memory strategies on the page: the result is the command line's, and each slice says what it remembered and why.

import { memoryWords } from '../../www/src/memory'
import { expect, test } from './harness'
import { nativeMemory } from './native'
import { dice, geometry, readNifti, without } from './nifti'

test('a self-sorting memory gives the result of the command line, and the same reasons', async ({ app }) => {
  const native = await nativeMemory(128, 'self-sorting')
  const { page } = app
  await page.getByRole('button', { name: "Use the sample's mask" }).click()
  await app.ready()
  await app.openOptions()
  await expect(page.locator('#memory-note')).toHaveText(/the six slices before it/)
  await page.getByLabel('Memory').selectOption('self-sorting')
  await expect(page.locator('#memory-note')).toHaveText(/differ most from one another/)
  await app.propagate()
  await app.slicesDone(1)
  await expect(page.getByLabel('Memory')).toBeDisabled()
  await app.finished()
  await expect(app.alert).toBeHidden()

  const file = await app.downloadFile()
  const [saved, expected] = [readNifti(file), readNifti(native.labels)]
  expect(geometry(file)).toEqual(geometry(native.labels))
  const given = await app.maskSlice()
  const [found, there] = [without(saved, given), without(expected, given)]
  const voxels = found.filter((label) => label === 1).length
  const differing = found.filter((label, at) => label !== there[at]).length
  const overlap = dice(found, there, 1)
  console.log(`    self-sorting against native: Dice ${overlap.toFixed(6)}, ${differing} of ${voxels} labelled voxels differ`)
  expect(overlap).toBeGreaterThanOrEqual(0.999)
  expect(voxels).toBeGreaterThan(1000)

  // Of every kind of decision one slice; the figures in the reasons may differ in the last digit.
  const slices = native.explanation.slices
  const kinds = new Set(slices.map(({ decision }) => decision.action))
  expect(kinds.size, 'a run in which memories are kept, replaced and refused').toBe(3)
  const plain = (text: string): string => text.replace(/\d+\.\d+/g, '#')
  for (const kind of kinds) {
    const explained = slices.findLast(({ decision }) => decision.action === kind)!
    await app.goTo(explained.slice)
    const words = await page.locator('#memory-text').textContent()
    expect(plain(words!)).toBe(plain(memoryWords(explained.slice, { ...explained, decision: { ...explained.decision, replaced: explained.decision.replaced ?? undefined } })))
  }
})

test('few-shot has no memory to choose', async ({ app }) => {
  const { page } = app
  await app.openOptions()
  await page.getByLabel('Method').selectOption('few-shot')
  await app.ready()
  await expect(page.getByLabel('Memory')).toBeDisabled()
  await expect(page.locator('#memory-note')).toHaveText(/carries nothing/)
  await page.getByLabel('Method').selectOption('propagate')
  await app.ready()
  await expect(page.getByLabel('Memory')).toBeEnabled()
})
