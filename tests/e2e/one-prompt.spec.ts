// One-Prompt in a browser, through the package itself: the masks are the command line's, and no order matters.

import { expect, test } from './harness'
import { nativeOnePrompt } from './native'
import { readNifti, type Nifti } from './nifti'
import { openPackage } from './package'

/** Every sixth slice of the sample: enough for memories to be kept and refused. */
const EVERY = 6

/** A slice of the axial axis as the model sees it: grey from 0 to 255 in the window. */
function slice({ dims, data }: Nifti, at: number, grey: (value: number) => number): number[] {
  const area = dims[0] * dims[1]
  return Array.from(data.subarray(at * area, (at + 1) * area), grey)
}

test('a set has the masks of the command line, in whatever order it is given', async ({ app }) => {
  const { page } = app
  const { sample, mask, found } = await nativeOnePrompt(128)
  await openPackage(page)
  const result = await page.workers()[0]!.evaluate(async (bytes) => {
    const engine = self.packageEngine
    const { dims, window } = engine.openSample()
    const [lo, hi] = window
    const voxels = bytes.sample
    const area = dims[0] * dims[1]
    const even = (value: number): number => (value % 1 === 0.5 ? 2 * Math.round(value / 2) : Math.round(value))
    const grey = (slice: number): Uint8Array =>
      Uint8Array.from(voxels.slice(slice * area, (slice + 1) * area), (v) => even(Math.min(255, Math.max(0, (255 * (v - lo)) / (hi - lo)))))
    const run = async (order: number[]): Promise<Record<number, { mask: number[]; step: number; why: string }>> => {
      const set = engine.onePrompt(dims[1], dims[0], grey(bytes.prompt), Uint8Array.from(bytes.mask), { imageSize: 128 })
      for (const slice of order) set.add(dims[1], dims[0], grey(slice))
      const all: Record<number, { mask: number[]; step: number; why: string }> = {}
      for (let r; (r = await set.next()); ) all[order[r.image]!] = { mask: [...r.mask], step: r.step, why: r.memory.decision.why }
      set.free()
      return all
    }
    const sizeFor = (objectShare?: number): number => {
      const session = engine.session({ axis: 'axial', ...(objectShare !== undefined && { objectShare }) })
      const { imageSize } = session
      session.free()
      return imageSize
    }
    const imageSize = sizeFor()
    const slices = Array.from({ length: dims[2] }, (_, slice) => slice)
    const few = slices.filter((slice) => slice % bytes.every === 0)
    const masks = { all: await run(slices), few: await run(few), turned: await run([...few].reverse()) }
    engine.openVolume('large', new Float32Array(264 * 40 * 2).map((_, at) => at % 7), Uint32Array.of(264, 40, 2), Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1))
    return { ...masks, imageSize, large: [sizeFor(), sizeFor(0.01), sizeFor(0.5)] }
  }, prepared(readNifti(sample), readNifti(mask)))

  expect(result.imageSize, 'what suits nano and the sample').toBe(256)
  expect(result.large, 'of a larger slice, of a small and a large object on it').toEqual([512, 512, 256])
  expect(result.turned).toEqual(result.few)
  expect(Object.keys(result.few).length).toBeGreaterThan(5)
  const native = readNifti(found)
  const area = native.dims[0] * native.dims[1]
  let [both, total] = [0, 0]
  for (let at = 0; at < native.data.length; at++) {
    const [ours, theirs] = [result.all[Math.floor(at / area)]!.mask[at % area] === 1, native.data[at] === 1]
    total += Number(ours) + Number(theirs)
    both += Number(ours && theirs)
  }
  console.log(`    one-prompt against native: Dice ${((2 * both) / total).toFixed(6)} of ${total / 2} voxels`)
  expect(total).toBeGreaterThan(2000)
  expect((2 * both) / total).toBeGreaterThanOrEqual(0.999)
})

function prepared(sample: Nifti, mask: Nifti): { sample: number[]; prompt: number; mask: number[]; every: number } {
  const area = sample.dims[0] * sample.dims[1]
  const prompt = Math.floor(mask.data.findIndex((label) => label === 1) / area)
  return { sample: [...sample.data], prompt, mask: slice(mask, prompt, (label) => Number(label === 1)), every: EVERY }
}
