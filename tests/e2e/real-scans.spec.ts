// Real scans, where somebody has them, by the page's whole path: open, paint, propagate, correct, propagate again, export, open again.
// In: ONESLICE_SHARED_DATA, the folder of tests/scan/files/real.json. Without it nothing is opened, and that is said.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'

import { expect, test, type App, type UploadedFile } from './harness'
import type { Triple } from './nifti'

const FOLDER = process.env['ONESLICE_SHARED_DATA']
const FIGURES = JSON.parse(readFileSync(join(__dirname, '../scan/files/real.json'), 'utf8')) as Record<string, { dims: Triple; affine: number[][] }>
/** A CT in JPEG 2000, an MR, a multi-frame object, an NRRD. */
const SCANS = ['ct-abdomen-dicom', 'mr-brain-dicom', 'dcm-seg/24x38x3/multiframe/mf.dcm', 'nrrd/brain2_image.nrrd']
/** Digits behind the point, in millimetres. */
const PLACE = 3

function filesOf(name: string): UploadedFile[] {
  const at = join(FOLDER!, name)
  const paths = statSync(at).isDirectory() ? readdirSync(at).map((file) => join(at, file)) : [at]
  return paths.map((path) => ({ name: basename(path), bytes: readFileSync(path) }))
}

/** A dot of the brush, so far from the centre, as shares of the picture. */
async function paint({ page }: App, right: number): Promise<void> {
  const box = (await page.locator('#canvas').boundingBox())!
  await page.mouse.click(box.x + box.width * (0.5 + right), box.y + box.height / 2)
}

for (const name of SCANS)
  test(`${name}: from the files to a file, in the right place`, async ({ app }) => {
    if (FOLDER === undefined) {
      console.log('    SKIPPED: ONESLICE_SHARED_DATA names no folder of scans')
      return
    }
    const { page } = app
    const { dims, affine } = FIGURES[name]!
    await app.choose('Scan file', ...filesOf(name))
    await expect(app.alert).toBeHidden()
    await expect(page.locator('#scan-facts')).toContainText(`${dims.join(' × ')} voxels`)
    await app.chooseTool('Brush')
    await page.getByLabel('Size', { exact: true }).fill('20')
    await paint(app, 0)
    const given = await app.maskSlice()
    await app.openOptions()
    const last = Math.max(1, given)
    await page.getByLabel('First slice').fill(String(last - 1))
    await page.getByLabel('Last slice').fill(String(last))
    await app.propagate()
    await app.finished()
    await expect(app.alert).toBeHidden()

    await app.goTo(given === last ? last - 1 : last)
    await paint(app, 0.06)
    await expect(page.locator('#run')).toContainText('again from here')
    await page.locator('#run').click()
    await app.finished()
    await expect(app.alert).toBeHidden()
    const file = await app.downloadFile()
    const saved = await app.download()
    expect(saved.dims).toEqual(dims)
    for (const row of [0, 1, 2]) for (const column of [0, 1, 2, 3]) expect(saved.affine[4 * row + column], `${row}, ${column}`).toBeCloseTo(affine[row]![column]!, PLACE)

    await app.choose('Mask file', { name: 'own.nii.gz', bytes: file })
    await expect(app.alert).toBeHidden()
    expect(await app.maskPixels()).toBeGreaterThan(0)
  })
