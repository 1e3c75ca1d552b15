// The command line's result for the sample, to compare the page's with. In: ONESLICE_CLI, the binary. Out: a NIfTI file's bytes.

import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import type { MemoryReport, MemoryStrategy } from '../../www/src/messages'

const run = promisify(execFile)

/**
 * `oneslice segment` on the CPU with its defaults: axial, both ways, automatic window, the nano model, its weights packed in
 * `bits` when given; as the page's.
 */
export async function nativeResult(imageSize: number, bits?: 8 | 4): Promise<Uint8Array> {
  return onSample(async (run, file) => {
    const model = bits ? file('packed.safetensors') : 'nano'
    if (bits) await run('weights', 'quantize', 'nano', '--bits', String(bits), '--out', model)
    const size = String(imageSize)
    await run('segment', file('sample.nii.gz'), '--mask', file('sample-mask.nii.gz'), '--model', model, '--image-size', size, '--out', file('native.nii.gz'))
    return readFile(file('native.nii.gz'))
  })
}

/** A scan and a label map of it, as files. */
export interface Labelled {
  scan: Uint8Array
  mask: Uint8Array
}

/** The sample and the mask of one of its slices. */
export async function sampleFiles(): Promise<Labelled> {
  return onSample(async (_, file) => ({ scan: await readFile(file('sample.nii.gz')), mask: await readFile(file('sample-mask.nii.gz')) }))
}

/** `oneslice few-shot` of the sample by its own masked slice or by another scan, with its defaults, as the page's, and with `more`. */
export async function nativeFewShot(imageSize: number, other?: Labelled, ...more: string[]): Promise<Uint8Array> {
  return onSample(async (run, file) => {
    if (other) {
      await writeFile(file('other.nii.gz'), other.scan)
      await writeFile(file('other-mask.nii.gz'), other.mask)
    }
    const support = other ? 'other' : 'sample'
    const given = ['--support', file(`${support}.nii.gz`), '--mask', file(`${support}-mask.nii.gz`)]
    await run('few-shot', ...given, '--query', file('sample.nii.gz'), '--image-size', String(imageSize), '--out', file('out'), ...more)
    return readFile(file('out/sample_seg.nii.gz'))
  })
}

export interface NativeMemory {
  labels: Uint8Array
  explanation: { slices: ({ slice: number } & MemoryReport)[] }
}

/** `oneslice segment` with another memory strategy; also what `--explain` says. */
export async function nativeMemory(imageSize: number, strategy: MemoryStrategy): Promise<NativeMemory> {
  return onSample(async (run, file) => {
    const [out, why] = [file('native.nii.gz'), file('why.json')]
    const mask = ['--mask', file('sample-mask.nii.gz'), '--image-size', String(imageSize)]
    await run('segment', file('sample.nii.gz'), ...mask, '--memory', strategy, '--explain', why, '--out', out)
    const explanation = JSON.parse(await readFile(why, 'utf8')) as NativeMemory['explanation']
    return { labels: await readFile(out), explanation }
  })
}

/** `oneslice one-prompt` of the sample's slices, in no order, by its masked one. */
export async function nativeOnePrompt(imageSize: number): Promise<{ sample: Uint8Array; mask: Uint8Array; found: Uint8Array }> {
  return onSample(async (run, file) => {
    const [sample, mask] = [file('sample.nii.gz'), file('sample-mask.nii.gz')]
    await mkdir(file('set'))
    await copyFile(sample, file('set/a.nii.gz'))
    const prompt = ['--support', sample, '--mask', mask, '--label', '1']
    await run('one-prompt', ...prompt, '--query', file('set'), '--image-size', String(imageSize), '--out', file('out'))
    return { sample: await readFile(sample), mask: await readFile(mask), found: await readFile(file('out/a_seg.nii.gz')) }
  })
}

type Job<T> = (run: (...words: string[]) => Promise<unknown>, file: (name: string) => string) => Promise<T>

/** Runs commands on the sample's files, in a folder of their own. */
function onSample<T>(job: Job<T>): Promise<T> {
  return inFolder(async (run, file) => {
    await run('sample', file('.'))
    return job(run, file)
  })
}

/** Runs commands in a folder of their own. */
export async function inFolder<T>(job: Job<T>): Promise<T> {
  const binary = process.env['ONESLICE_CLI']
  if (!binary) throw new Error('ONESLICE_CLI is not set: it has to name the oneslice binary that the page is compared with (./dev test sets it)')
  const folder = await mkdtemp(join(tmpdir(), 'oneslice-'))
  const file = (name: string): string => join(folder, name)
  try {
    return await job((...words) => run(binary, words), file)
  } finally {
    await rm(folder, { recursive: true })
  }
}
