// Memory strategies on the page: the result is the command line's, and each slice says what it remembered and why.

import { memoryWords } from '../../www/src/memory'
import { expect, test } from './harness'
import { nativeMemory } from './native'
import { dice, geometry, readNifti, without } from './nifti'

/** What its note on the page says, and how many kinds of decisions the sample has. */
const STRATEGIES = [
  { strategy: 'self-sorting', note: /differ most from one another/, decisions: 3 },
  { strategy: 'self-sorting-released', note: /replaces one that it can stand for/, decisions: 3 },
] as const

for (const { strategy, note, decisions } of STRATEGIES) test(`a memory of ${strategy} gives the result of the command line, and the same reasons`, async ({ app }) => {
  const native = await nativeMemory(128, strategy)
  const { page } = app
  await page.getByRole('button', { name: "Use the sample's mask" }).click()
  await app.ready()
  await app.openOptions()
  await expect(page.locator('#memory-note')).toHaveText(/the six slices before it/)
  await page.getByLabel('Memory').selectOption(strategy)
  await expect(page.locator('#memory-note')).toHaveText(note)
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
  console.log(`    ${strategy} against native: Dice ${overlap.toFixed(6)}, ${differing} of ${voxels} labelled voxels differ`)
  expect(overlap).toBeGreaterThanOrEqual(0.999)
  expect(voxels).toBeGreaterThan(1000)

  // Of every kind of decision one slice; the figures in the reasons may differ in the last digit.
  const slices = native.explanation.slices
  const kinds = new Set(slices.map(({ decision }) => decision.action))
  expect(kinds.size, 'a run in which memories are kept, replaced and refused').toBe(decisions)
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
