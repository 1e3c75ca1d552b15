// The user's own files: scans and masks, good and bad.

import { gzipSync } from 'node:zlib'

import { expect, test } from './harness'
import { dice, orientedAffine, voxelCount, writeNifti, type Triple } from './nifti'

const DIMS: Triple = [40, 36, 12]
const SPACING: Triple = [2, 1.5, 4]
/** Voxel axes run to P, S and L: no axis is where a RAS file has it. */
const AFFINE = orientedAffine([-2, 3, -1], SPACING)

const inBlob = (i: number, j: number, k: number): boolean => ((i - 12) / 7) ** 2 + ((j - 22) / 8) ** 2 + ((k - 6) / 6) ** 2 < 1
const scan = { name: 'patient.nii.gz', bytes: writeNifti(DIMS, SPACING, AFFINE, (i, j, k) => (inBlob(i, j, k) ? 900 : ((i * 7 + j * 13 + k * 5) % 40) - 20)) }
/** Only slices of the voxel axis across A-P (the first: coronal) are asked for below. */
const mask = (label: number): Uint8Array => writeNifti(DIMS, SPACING, AFFINE, (i, j, k) => (i === 12 && inBlob(i, j, k) ? label : 0))

test('a scan and a mask file of its own: the result lies where the mask does', async ({ app }) => {
  const { page } = app
  await app.choose('Scan file', scan)
  await expect(page.locator('#scan-name')).toHaveText('patient.nii.gz')
  await expect(page.locator('#scan-facts')).toHaveText('40 × 36 × 12 voxels, 2 × 1.5 × 4 mm')
  await page.getByRole('radio', { name: 'Coronal' }).check()
  await app.choose('Mask file', { name: 'mask.nii.gz', bytes: mask(300) })
  await expect(page.locator('#mask-facts')).toHaveText(/mask\.nii\.gz: Coronal slice 12/)
  await expect(page.getByLabel('Name of the label')).toHaveValue('Label 300')
  await expect(page.locator('#slice-value')).toHaveText(/^12 \(0 to 39\) · mask/)

  await app.propagate('forward')
  await app.slicesDone(2)
  await app.cancel()
  const saved = await app.download()
  expect(saved.dims).toEqual(DIMS)
  expect(saved.pixdim).toEqual(SPACING)
  expect(saved.affine).toEqual(AFFINE)
  const given = new Float32Array(voxelCount(DIMS))
  for (let k = 0; k < DIMS[2]; k++) for (let j = 0; j < DIMS[1]; j++) if (inBlob(12, j, k)) given[12 + 40 * (j + 36 * k)] = 300
  const onSlice = saved.data.map((label, at) => (at % 40 === 12 ? label : 0))
  // What was given is in the file to the pixel.
  expect(dice(onSlice, given, 300)).toBe(1)
})

test('of a mask file with several labels, any one can be chosen', async ({ app }) => {
  const { page } = app
  await app.choose('Scan file', scan)
  const two = writeNifti(DIMS, SPACING, AFFINE, (i, j, k) => (!inBlob(i, j, k) ? 0 : i === 12 ? 3 : i === 15 && k === 6 ? 7 : 0))
  await page.getByRole('radio', { name: 'Coronal' }).check()
  await app.choose('Mask file', { name: 'two.nii.gz', bytes: two })
  await expect(page.locator('#mask-facts')).toHaveText(/two\.nii\.gz: Coronal slice 12/)
  await expect(page.getByLabel('Name of the label')).toHaveValue('Label 3')
  await expect(page.locator('#status')).toHaveText(/Not on it: 1 of the file's 2 labels/)
  await page.getByLabel('Of this file').selectOption('label 7 alone')
  await expect(page.locator('#mask-facts')).toHaveText(/two\.nii\.gz: Coronal slice 15/)
  await expect(page.getByLabel('Name of the label')).toHaveValue('Label 7')
  await app.propagate('forward')
  await app.slicesDone(1)
  await app.cancel()
  await expect(page.locator('#figures tr')).toHaveCount(1)
})

const broken = [
  { what: 'a truncated scan', input: 'Scan file', name: 'cut.nii.gz', bytes: scan.bytes.slice(0, Math.floor(scan.bytes.length / 2)) },
  { what: 'a file that is no scan', input: 'Scan file', name: 'letter.nii', bytes: new TextEncoder().encode('Dear colleague, '.repeat(40)) },
  { what: 'an empty file', input: 'Scan file', name: 'nothing.nii.gz', bytes: new Uint8Array() },
  { what: 'a mask on another grid', input: 'Mask file', name: 'other.nii.gz', bytes: writeNifti([5, 5, 5], SPACING, AFFINE, () => 1) },
  { what: 'a mask with no voxel', input: 'Mask file', name: 'blank.nii.gz', bytes: writeNifti(DIMS, SPACING, AFFINE, () => 0) },
  { what: 'a truncated mask', input: 'Mask file', name: 'cut-mask.nii.gz', bytes: gzipSync(new Uint8Array(400)) },
  { what: 'weights that are none', input: 'Weights file', name: 'zeros.safetensors', bytes: new Uint8Array(5) },
] as const

test('every broken file gives one line, and the page goes on with what it had', async ({ app }) => {
  const { page } = app
  await app.choose('Scan file', scan)
  await page.getByRole('radio', { name: 'Coronal' }).check()
  await app.choose('Mask file', { name: 'mask.nii.gz', bytes: mask(2) })
  for (const { what, input, name, bytes } of broken) {
    await test.step(what, async () => {
      await app.choose(input, { name, bytes })
      await expect(app.alert).toHaveText(/^[^\n]{10,300}$/)
      await expect(page.locator('#scan-name')).toHaveText('patient.nii.gz')
      await expect(page.locator('#mask-facts')).toHaveText(/Coronal slice 12/)
      await expect(page.locator('#weights-name')).toHaveText('nano')
      await page.getByRole('button', { name: 'Dismiss' }).click()
      await expect(app.alert).toBeHidden()
    })
  }
  await app.propagate('forward')
  await app.slicesDone(1)
  await app.cancel()
  await expect(app.alert).toBeHidden()
})

test('a dropped file opens as the scan', async ({ app }) => {
  const { page } = app
  const data = await page.evaluateHandle((bytes) => {
    const transfer = new DataTransfer()
    transfer.items.add(new File([Uint8Array.from(bytes)], 'dropped.nii.gz'))
    return transfer
  }, [...scan.bytes])
  await page.dispatchEvent('#canvas', 'dragenter', { dataTransfer: data })
  await expect(page.locator('#drop-scan')).toBeVisible()
  await expect(page.locator('#drop-mask')).toBeVisible()
  await page.dispatchEvent('#drop-scan', 'drop', { dataTransfer: data })
  await app.ready()
  await expect(page.locator('#scan-name')).toHaveText('dropped.nii.gz')
  await expect(page.locator('#drop')).toBeHidden()
})
