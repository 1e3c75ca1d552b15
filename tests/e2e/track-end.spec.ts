// Where a track ends: the choice on the page and the option of the package move the object score, and videos are followed for longer.

import { strFromU8, unzipSync } from '../../www/node_modules/fflate'
import { expect, test, type App } from './harness'
import { openPackage } from './package'
import { webm } from './pictures'

/** Logits; scores come from 32-bit floats. */
const CLOSE = 3

interface Run {
  bias: number | undefined
  /** By slice. */
  scores: Map<number, number>
}

/** What the result came from, as a session file says it. */
async function run(app: App): Promise<Run> {
  const head = JSON.parse(strFromU8(unzipSync(await app.saveSession(/\.oneslice$/))['session.json']!)) as {
    result: { run: { options: { objectScoreBias?: number } }; slices: { slice: number; labels: { objectScore: number }[] }[] }
  }
  const { run, slices } = head.result
  return { bias: run.options.objectScoreBias, scores: new Map(slices.map(({ slice, labels }) => [slice, labels[0]!.objectScore])) }
}

test('the end of the structure comes sooner or later, and videos are followed for longer', async ({ app }) => {
  const { page } = app
  const end = page.getByLabel('End of the structure')
  await page.getByRole('button', { name: "Use the sample's mask" }).click()
  await app.ready()
  const given = await app.maskSlice()
  await app.openOptions()
  await page.getByLabel('First slice').fill(String(given))
  await page.getByLabel('Last slice').fill(String(given + 2))
  const runWith = async (choice: string): Promise<Run> => {
    await end.selectOption(choice)
    await app.propagate('forward')
    await app.finished()
    await expect(app.alert).toBeHidden()
    return run(app)
  }
  const plain = await runWith('')
  expect(plain.bias).toBeUndefined()
  expect([...plain.scores.keys()].sort((a, b) => a - b)).toEqual([given, given + 1, given + 2])
  // The slice beside the prompt remembers the prompt alone: its score is the plain one and the bias.
  for (const bias of [-1, 2]) {
    const moved = await runWith(String(bias))
    expect(moved.bias).toBe(bias)
    expect(moved.scores.get(given + 1)! - plain.scores.get(given + 1)!).toBeCloseTo(bias, CLOSE)
  }
  await page.locator('#options > summary').click()
  await expect(page.locator('#options-note')).toHaveText(/ends later/)

  await app.choose('Scan file', { name: 'film.webm', bytes: await webm(page, { columns: 64, rows: 48, frames: 4, side: 12, at: (frame) => [4 + 4 * frame, 8] }) })
  await app.openOptions()
  await end.selectOption('')
  await expect(page.locator('#track-end-note')).toHaveText('On a video it is followed for longer: things seldom leave one.')
  await app.goTo(0)
  await app.chooseTool('Fill')
  const square = await app.brightArea()
  await page.mouse.click(square.x, square.y)
  expect((await runWith('')).bias).toBe(1)
  await page.getByLabel('Method').selectOption('few-shot')
  await app.ready()
  await expect(end).toBeDisabled()
})

test('the package takes a bias of the object score, and refuses what is no number', async ({ app }) => {
  await openPackage(app.page)
  const { counts, refused } = await app.page.workers()[0]!.evaluate(async () => {
    const engine = self.packageEngine
    const { dims } = engine.openSample()
    const { labels } = engine.readMask('mask', engine.sampleMask())
    const area = dims[0] * dims[1]
    const slice = Math.floor(labels.findIndex((label: number) => label === 1) / area)
    const mask = Uint8Array.from(labels.subarray(slice * area, (slice + 1) * area), (label: number) => Number(label === 1))
    const pixels = async (objectScoreBias: number): Promise<number[]> => {
      const session = engine.session({ axis: 'axial', imageSize: 128, objectScoreBias })
      session.addMask(1, slice, mask)
      session.start({ direction: 'forward', first: slice, last: slice + 2 })
      const found: number[] = []
      for (let step; (step = await session.next()); ) if (!step.labels[0]!.prompted) found.push(step.labels[0]!.pixels)
      session.free()
      return found
    }
    const counts = { gone: await pixels(-1000), there: await pixels(1000) }
    const refused = [Number.NaN, Number.POSITIVE_INFINITY].map((objectScoreBias) => {
      try {
        return engine.session({ axis: 'axial', objectScoreBias })
      } catch (error) {
        return String(error)
      }
    })
    return { counts, refused }
  })
  expect(counts.gone).toEqual([0, 0])
  expect(counts.there).toHaveLength(2)
  for (const found of counts.there) expect(found).toBeGreaterThan(0)
  expect(refused).toEqual(['NaN', 'inf'].map((bias) => `Options: objectScoreBias is ${bias}, which is no finite number`))
})
