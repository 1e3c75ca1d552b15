// Few-shot on the page: each slice by the picture that is most like it, as the command line does it.

import type { Page } from '../../www/node_modules/@playwright/test'
import type { FewShotOptions, RunOptions, SliceResult } from '../../www/src/messages'
import { expect, test } from './harness'
import { nativeFewShot, sampleFiles, type Labelled } from './native'
import { dice, geometry, readNifti, without, writeNifti, type Nifti } from './nifti'

test('few-shot gives the result of the command line, and says which network compares', async ({ app }) => {
  const native = await nativeFewShot(128)
  const { page } = app
  await page.getByRole('button', { name: "Use the sample's mask" }).click()
  await app.ready()
  await app.openOptions()
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
  const given = await app.maskSlice()
  const [foundThere, expectedThere] = [without(saved, given), without(expected, given)]
  const differing = foundThere.filter((label, at) => label !== expectedThere[at]).length
  const overlap = dice(foundThere, expectedThere, 1)
  const voxels = saved.data.filter((label) => label === 1).length
  console.log(`    few-shot against native: Dice ${overlap.toFixed(6)}, ${differing} of ${voxels} labelled voxels differ`)
  expect(overlap).toBeGreaterThanOrEqual(0.999)
  expect(voxels).toBeGreaterThan(1000)
})

test('the network is there again after another device was chosen', async ({ app }) => {
  const { page } = app
  await app.openOptions()
  await page.getByLabel('Method').selectOption('few-shot')
  await app.ready()
  await page.getByLabel('Device').selectOption('webgpu')
  await app.ready()
  await page.getByLabel('Device').selectOption('cpu')
  await app.ready()
  await page.getByRole('button', { name: "Use the sample's mask" }).click()
  await app.ready()
  await app.openOptions()
  await page.getByLabel('Image size').selectOption('128')
  await page.getByRole('button', { name: 'Segment by few-shot' }).click()
  await app.slicesDone(1)
  await app.cancel()
  await expect(app.alert).toBeHidden()
})

/** Part of a scan, with its first axis the other way round: another scan, stored otherwise. */
function mirroredPart(file: Uint8Array): Uint8Array {
  const { dims, pixdim, affine, data }: Nifti = readNifti(file)
  const [ni, nj, nk] = [dims[0] - 10, dims[1] - 4, dims[2] - 6]
  const turned = affine.map((value, at) => (at % 4 === 0 ? -value : at % 4 === 3 ? value + affine[at - 3]! * (ni - 1) : value))
  return writeNifti([ni, nj, nk], pixdim, turned, (i, j, k) => data[ni - 1 - i + dims[0] * (j + dims[1] * k)]!)
}

interface Ran {
  slices: SliceResult[]
  error: { name: string; message: string } | undefined
}

/** A run of an engine of its own, by the calls that the page makes. */
function runEngine(page: Page, { scan, mask }: Labelled, options: RunOptions): Promise<Ran> {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
  return page.evaluate(
    async ({ scan, mask, options }) => {
      const bytes = (text: string): Uint8Array => Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
      const worker = new Worker(performance.getEntriesByType('resource').find(({ name }) => /worker-[^/]*\.js$/.test(name))!.name, { type: 'module' })
      const call = (call: string, input: unknown): Promise<unknown> =>
        new Promise((resolve, reject) => {
          worker.onmessage = ({ data }) => {
            // It also says what it asks of the network.
            if ('requests' in data) return
            if (data.ok) resolve(data.output)
            else reject(data.error ?? data.crash)
          }
          worker.postMessage({ id: 1, call, input })
        })
      const weights = async (file: string): Promise<Blob> => (await fetch(`./weights/${file}`)).blob()
      const slices: SliceResult[] = []
      try {
        await call('create', 'cpu')
        await call('loadWeights', { name: 'nano', data: await weights('nano/sam2-nano.safetensors') })
        await call('loadLpips', { name: 'lpips-tiny', data: await weights('lpips-tiny/lpips-tiny.safetensors') })
        await call('openSample', null)
        await call('start', { ...options, supports: [{ name: 'other', scan: bytes(scan), mask: bytes(mask) }] })
        for (let slice; (slice = (await call('next', null)) as SliceResult | undefined); ) slices.push({ ...slice, labelMap: [...slice.labelMap] as never })
        return { slices, error: undefined }
      } catch (error) {
        const { name, message } = error as Error
        return { slices, error: { name, message } }
      } finally {
        worker.terminate()
      }
    },
    { scan: base64(scan), mask: base64(mask), options },
  )
}

/** The other scan's result in the page and on the command line; the page's slices. */
async function byAnotherScan(page: Page, fewShot: FewShotOptions, ...more: string[]): Promise<SliceResult[]> {
  const sample = await sampleFiles()
  const other = { scan: mirroredPart(sample.scan), mask: mirroredPart(sample.mask) }
  const expected = readNifti(await nativeFewShot(128, other, ...more))
  const options: RunOptions = { axis: 'axial', imageSize: 128, direction: 'both', prompts: [], fewShot }
  const { slices, error } = await runEngine(page, other, options)
  expect(error).toBeUndefined()
  expect(slices).toHaveLength(expected.dims[2])
  const found = Float32Array.from(slices.flatMap(({ labelMap }) => Array.from(labelMap)))
  const overlap = dice(found, expected.data, 1)
  console.log(`    few-shot by another scan ${more.join(' ')} against native: Dice ${overlap.toFixed(6)}`)
  expect(overlap).toBeGreaterThanOrEqual(0.999)
  expect(found.filter((label) => label === 1).length).toBeGreaterThan(1000)
  return slices
}

test('slices of another scan segment the open one as on the command line', async ({ app }) => {
  for (const { slice, labels } of await byAnotherScan(app.page, {})) {
    expect(labels).toHaveLength(1)
    const { choice, objectScore, memory } = labels[0]!
    expect(choice).toMatchObject({ scan: 'other', accepted: objectScore > 0 })
    expect(choice!.distance, `slice ${slice}`).toBeGreaterThanOrEqual(0)
    expect(memory).toBeUndefined()
  }
})

test('accepted slices are carried along as on the command line', async ({ app }) => {
  const slices = await byAnotherScan(app.page, { carry: { size: 5 } }, '--carry', '--memory-size', '5')
  const carried = new Set<number>()
  for (const { slice, labels } of slices) {
    const { choice, memory } = labels[0]!
    expect(memory!.used.every((used) => carried.has(used.slice) && !used.prompted)).toBe(true)
    if (!choice!.accepted) expect(memory!.decision.action).toBe('refused')
    if (memory!.decision.action !== 'refused') carried.add(slice)
  }
  expect(Math.max(...slices.map(({ labels }) => labels[0]!.memory!.used.length))).toBe(5)
})

test('a labelled scan of another kind, or without labels, is refused by name', async ({ app }) => {
  const { scan, mask } = await sampleFiles()
  const { dims, pixdim, affine, data } = readNifti(scan)
  const magnetic = writeNifti(dims, pixdim, affine, (i, j, k) => data[i + dims[0] * (j + dims[1] * k)]! + 1100)
  const empty = writeNifti(dims, pixdim, affine, () => 0)
  const options: RunOptions = { axis: 'axial', imageSize: 128, direction: 'both', prompts: [], fewShot: { copies: 0 } }
  const refused = async (files: Labelled, more: Partial<RunOptions> = {}): Promise<Ran['error']> => (await runEngine(app.page, files, { ...options, ...more })).error
  expect(await refused({ scan: magnetic, mask })).toMatchObject({ name: 'SessionValueRange', message: expect.stringContaining('of another kind') })
  expect(await refused({ scan, mask: empty })).toMatchObject({ name: 'SessionEmptyMask' })
  expect(await refused({ scan: scan.subarray(0, 900), mask })).toMatchObject({ name: 'ScanTruncated', message: expect.stringContaining('other') })
  expect(await refused({ scan, mask }, { fewShot: { contrast: 7 } })).toMatchObject({ name: 'SessionSupportOptions' })
  expect(await refused({ scan, mask }, { fewShot: { carry: { strategy: 'fifo' } } })).toMatchObject({ name: 'SessionMemoryOptions' })
})
