// Real scans, where somebody has them: every memory strategy and both methods give in a browser what the command line gives.
// In: ONESLICE_SHARED_DATA, a folder with ct-trunk-nifti/ and hippocampus/. Without it nothing is compared, and that is said.

import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'

import type { Page } from '../../www/node_modules/@playwright/test'
import type { FewShotOptions, MemoryStrategy } from '../../www/src/messages'
import { expect, test } from './harness'
import { inFolder } from './native'
import { dice, readNifti } from './nifti'
import { openPackage } from './package'

const FOLDER = process.env['ONESLICE_SHARED_DATA']
const MINUTE = 60_000
const SIZE = 128

interface Case {
  scan: string
  labels: string
  label: number
  /** Another scan with the label, where there is one: few-shot learns from it. */
  other?: { scan: string; labels: string }
}

const hippocampus = (number: string): { scan: string; labels: string } => ({
  scan: `hippocampus/images/hippocampus_${number}.nii.gz`,
  labels: `hippocampus/labels/hippocampus_${number}.nii.gz`,
})

const CASES: Record<string, Case> = {
  'a CT of the trunk, liver': { scan: 'ct-trunk-nifti/image.nii.gz', labels: 'ct-trunk-nifti/labels.nii.gz', label: 5 },
  'an MR of a hippocampus, anterior part': { ...hippocampus('057'), label: 1, other: hippocampus('058') },
}

interface Method {
  memory?: MemoryStrategy
  fewShot?: FewShotOptions
  onePrompt?: true
  /** What the command line adds. */
  more: string[]
}

const METHODS: Record<string, Method> = {
  fifo: { memory: 'fifo', more: ['--memory', 'fifo'] },
  'self-sorting': { memory: 'self-sorting', more: ['--memory', 'self-sorting'] },
  'self-sorting-released': { memory: 'self-sorting-released', more: ['--memory', 'self-sorting-released'] },
  'one-prompt': { onePrompt: true, more: [] },
  'few-shot': { fewShot: {}, more: [] },
  'few-shot, carried': { fewShot: { carry: {} }, more: ['--carry'] },
}

/** The command line's labels. */
function native({ scan, labels, label, other }: Case, { fewShot, onePrompt, more }: Method): Promise<Float32Array> {
  const at = (name: string): string => join(FOLDER!, name)
  return inFolder(async (run, file) => {
    const common = ['--label', String(label), '--image-size', String(SIZE), ...more]
    const name = basename(scan, '.nii.gz')
    if (fewShot) {
      const support = other ?? { scan, labels }
      await run('few-shot', '--support', at(support.scan), '--mask', at(support.labels), '--query', at(scan), '--out', file('out'), ...common)
    } else if (onePrompt) {
      await mkdir(file('set'))
      await copyFile(at(scan), file(`set/${name}.nii.gz`))
      await run('one-prompt', '--support', at(scan), '--mask', at(labels), '--query', file('set'), '--out', file('out'), ...common)
    } else {
      await mkdir(file('out'))
      await run('segment', at(scan), '--mask', at(labels), '--out', file(`out/${name}_seg.nii.gz`), ...common)
    }
    return readNifti(await readFile(file(`out/${name}_seg.nii.gz`))).data
  })
}

/** The package's, in a worker of the page: weights are read synchronously, which no page can do. */
async function inBrowser(page: Page, { scan, labels, label, other }: Case, method: Method): Promise<Float32Array> {
  const base64 = async (name: string): Promise<string> => (await readFile(join(FOLDER!, name))).toString('base64')
  const given = {
    scan: await base64(scan),
    labels: await base64(labels),
    other: other && { scan: await base64(other.scan), labels: await base64(other.labels) },
    voxels: method.onePrompt ? Array.from(readNifti(await readFile(join(FOLDER!, scan))).data) : [],
    memory: method.memory,
    fewShot: method.fewShot,
    label,
    imageSize: SIZE,
  }
  const found = await page.workers()[0]!.evaluate(async ({ scan, labels, other, voxels, memory, fewShot, label, imageSize }) => {
    const bytes = (text: string): Uint8Array => Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
    const engine = self.packageEngine
    await engine.loadLpips('lpips-tiny', await (await fetch(`${location.origin}/weights/lpips-tiny/lpips-tiny.safetensors`)).blob())
    const { dims, window } = engine.openScan('scan.nii.gz', bytes(scan))
    const truth = engine.readMask('labels.nii.gz', bytes(labels)).labels
    const area = dims[0] * dims[1]
    // The slice where the label is largest, of equals the first, as on the command line.
    const sizes = Array.from({ length: dims[2] }, (_, k) => truth.subarray(k * area, (k + 1) * area).filter((value: number) => value === label).length)
    const prompt = sizes.indexOf(Math.max(...sizes))
    const mask = Uint8Array.from(truth.subarray(prompt * area, (prompt + 1) * area), (value) => Number(value === label))
    if (voxels.length === 0) {
      const session = engine.session({ axis: 'axial', imageSize, ...(memory && { memory: { strategy: memory } }) })
      if (other) session.addSupport('other.nii.gz', bytes(other.scan), bytes(other.labels), { label })
      if (!other || !fewShot) session.addMask(label, prompt, mask)
      if (fewShot) session.fewShot(fewShot)
      else session.start('both')
      while (await session.next());
      return Array.from(session.labelMap())
    }
    const [lo, hi] = window
    const even = (value: number): number => (value % 1 === 0.5 ? 2 * Math.round(value / 2) : Math.round(value))
    const grey = (k: number): Uint8Array =>
      Uint8Array.from(voxels.slice(k * area, (k + 1) * area), (v) => even(Math.min(255, Math.max(0, (255 * (v - lo)) / (hi - lo)))))
    const set = engine.onePrompt(dims[1], dims[0], grey(prompt), mask, { imageSize })
    for (let k = 0; k < dims[2]; k++) set.add(dims[1], dims[0], grey(k))
    const result = new Array<number>(area * dims[2]).fill(0)
    for (let r; (r = await set.next()); ) r.mask.forEach((inside: number, at: number) => (result[r!.image * area + at] = inside * label))
    return result
  }, given)
  return Float32Array.from(found)
}

for (const [what, scan] of Object.entries(CASES))
  for (const [name, method] of Object.entries(METHODS))
    test(`${what}, by ${name}: the browser's labels are the command line's`, async ({ app }) => {
      if (FOLDER === undefined) {
        console.log('    SKIPPED: ONESLICE_SHARED_DATA names no folder of scans')
        return
      }
      test.setTimeout(30 * MINUTE)
      await openPackage(app.page)
      const [found, expected] = [await inBrowser(app.page, scan, method), await native(scan, method)]
      const overlap = dice(found, expected, scan.label)
      const voxels = expected.filter((value) => value === scan.label).length
      const differing = expected.filter((value, at) => value !== found[at]).length
      console.log(`    ${name}: Dice ${overlap.toFixed(6)}, ${differing} of ${voxels} labelled voxels differ`)
      expect(voxels).toBeGreaterThan(100)
      expect(overlap).toBeGreaterThanOrEqual(0.999)
    })
