// The command line's result for the sample, to compare the page's with. In: ONESLICE_CLI, the binary. Out: a NIfTI file's bytes.

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * `oneslice segment` on the CPU with its defaults: axial, both ways, automatic window, the nano model, its weights packed in
 * `bits` when given; as the page's.
 */
export async function nativeResult(imageSize: number, bits?: 8 | 4): Promise<Uint8Array> {
  const binary = process.env['ONESLICE_CLI']
  if (!binary) throw new Error('ONESLICE_CLI is not set: it has to name the oneslice binary that the page is compared with (./dev test sets it)')
  const folder = await mkdtemp(join(tmpdir(), 'oneslice-'))
  const file = (name: string): string => join(folder, name)
  try {
    await run(binary, ['sample', folder])
    const model = bits ? file('packed.safetensors') : 'nano'
    if (bits) await run(binary, ['weights', 'quantize', 'nano', '--bits', String(bits), '--out', model])
    const size = String(imageSize)
    await run(binary, ['segment', file('sample.nii.gz'), '--mask', file('sample-mask.nii.gz'), '--model', model, '--image-size', size, '--out', file('native.nii.gz')])
    return await readFile(file('native.nii.gz'))
  } finally {
    await rm(folder, { recursive: true })
  }
}
