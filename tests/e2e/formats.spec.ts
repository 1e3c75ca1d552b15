// Scans as they come: every format opens in the page, and what is exported lies on the scan. Files of tests/scan/files were written by
// other programs, with their figures; series, pictures and a video are made here.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { unzipSync, zipSync } from '../../www/node_modules/fflate'
import { affineOf, dicomSlice, instanceUid, positionOf, readSeg, type Series } from './dicom'
import { expect, test, type App, type UploadedFile } from './harness'
import type { Nifti, Triple } from './nifti'
import { png, webm, type Film } from './pictures'

const FILES = join(__dirname, '../scan/files')
const made = (name: string): UploadedFile => ({ name, bytes: readFileSync(join(FILES, name)) })
const FIGURES = JSON.parse(readFileSync(join(FILES, 'expected.json'), 'utf8')) as Record<string, { dims: Triple; affine: number[][] }>

/** Names of files that make one scan, and whose figures they have. */
const FORMATS: [files: string[], figures: string][] = [
  ...['explicit', 'implicit', 'big-endian', 'deflated', 'rle', 'jpeg-baseline', 'jpeg-lossless-6', 'jpeg-lossless-sv1', 'jpeg-2000-signed', 'jpeg-2000-lossy'].map((name): [string[], string] => [[`${name}.dcm`], `${name}.dcm`]),
  // SimpleITK has no JPEG-LS; the file was made of the same pixels as this one.
  [['jpeg-ls.dcm'], 'jpeg-lossless-6.dcm'],
  ...['oblique.nrrd', 'oblique.mha', 'oblique-2.nii', 'oblique-2.nii.gz'].map((name): [string[], string] => [[name], name]),
  [['pair.hdr', 'pair.img'], 'pair.hdr'],
  [['raw.mhd', 'raw.raw'], 'raw.mhd'],
  [['raw.nhdr', 'raw.raw'], 'raw.nhdr'],
]

/** Millimetres that a place may be off. */
const PLACE = 3

async function paintAndPropagate(app: App): Promise<Nifti> {
  const box = (await app.page.locator('#canvas').boundingBox())!
  await app.chooseTool('Brush')
  await app.page.mouse.click(box.x + box.width / 2, box.y + box.height / 2)
  expect(await app.maskPixels()).toBeGreaterThan(0)
  await app.propagate('forward')
  await app.finished()
  await expect(app.alert).toBeHidden()
  return app.download()
}

test('every format opens, and its result lies where it does', async ({ app }) => {
  for (const [names, figures] of FORMATS)
    await test.step(names.join(', '), async () => {
      const { dims, affine } = FIGURES[figures]!
      await app.choose('Scan file', ...names.map(made))
      await expect(app.alert).toBeHidden()
      await expect(app.page.locator('#scan-facts')).toContainText(`${dims.join(' × ')} voxels`)
      const saved = await paintAndPropagate(app)
      expect(saved.dims).toEqual(dims)
      // SimpleITK gives a single slice no thickness: its third axis says nothing.
      const columns = figures.endsWith('.dcm') ? [0, 1, 3] : [0, 1, 2, 3]
      for (const row of [0, 1, 2]) for (const column of columns) expect(saved.affine[4 * row + column], `${row}, ${column}`).toBeCloseTo(affine[row]![column]!, PLACE)
      expect(saved.data.some((label) => label === 1)).toBe(true)
    })
})

const inBlob = (column: number, row: number): boolean => ((column - 12) / 7) ** 2 + ((row - 18) / 6) ** 2 < 1
/** Oblique, with rows that run to the patient's right: flipped and turned against every display. */
const OBLIQUE: Series = {
  uid: '1.2.826.0.1.3680043.8.498.71',
  description: 'oblique',
  columns: 36,
  rows: 30,
  spacing: [1.5, 2, 3],
  orientation: [-0.8, 0.6, 0, 0, 0, -1],
  origin: [40.5, -12.25, 30],
  slices: 8,
  value: (column, row, slice) => (inBlob(column, row) ? 900 : (column * 7 + row * 5 + slice) % 50),
}
const OTHER: Series = { ...OBLIQUE, uid: '1.2.826.0.1.3680043.8.498.72', description: 'scout', slices: 3, spacing: [3, 3, 9] }

test('a zip of two DICOM series: one is chosen, what is odd about it is said, and SEG lies on its images', async ({ app }) => {
  const { page } = app
  const missing = 6
  const files: Record<string, Uint8Array> = { 'study/readme.txt': Buffer.from('not a scan') }
  for (const series of [OTHER, OBLIQUE])
    for (let slice = 0; slice < series.slices; slice++) if (series !== OBLIQUE || slice !== missing) files[`study/IM${(slice * 37) % 11}_${series.description}`] = dicomSlice(series, slice)
  await page.getByLabel('Scan file', { exact: true }).setInputFiles({ name: 'study.zip', mimeType: 'application/zip', buffer: Buffer.from(zipSync(files)) })
  const chooser = page.locator('#series')
  await expect(chooser).toBeVisible()
  await expect(chooser).toContainText('These files hold 2 scans.')
  // The larger is the first choice.
  await expect(chooser.getByRole('radio').first()).toBeVisible()
  await chooser.locator('label', { hasText: 'oblique' }).click()
  await page.locator('#series-open').click()
  await app.ready()
  await expect(page.locator('#scan-facts')).toContainText('36 × 30 × 8 voxels, 1.5 × 2 × 3 mm')
  await expect(page.locator('#scan-warnings')).toContainText(/missing/i)

  const bright = await app.brightArea()
  await app.chooseTool('Outline')
  await app.outline(bright)
  const saved = await (async () => {
    await app.propagate('both')
    await app.finished()
    return app.download()
  })()
  affineOf(OBLIQUE).forEach((value, at) => expect(saved.affine[at], `${at}`).toBeCloseTo(value, PLACE))
  // What was drawn lies on what is bright.
  const found = Array.from(saved.data.keys()).filter((at) => saved.data[at] === 1)
  const onBlob = found.filter((at) => inBlob(at % 36, Math.floor(at / 36) % 30))
  expect(onBlob.length / found.length).toBeGreaterThan(0.5)

  const segFile = await app.downloadFile('seg', /_seg\.dcm$/)
  const seg = readSeg(segFile)
  expect(seg.labels).toEqual(['Label 1'])
  expect([seg.columns, seg.rows]).toEqual([36, 30])
  const area = 36 * 30
  const labelled = Array.from({ length: OBLIQUE.slices }, (_, slice) => saved.data.subarray(slice * area, (slice + 1) * area).some((label) => label === 1))
  // The missing slice has no image to refer to, and a place all the same.
  const frames = new Map(seg.frames.filter(({ instance }) => instance).map((frame) => [frame.instance, frame]))
  expect(frames.size).toBe(labelled.filter((has, slice) => has && slice !== missing).length)
  for (let slice = 0; slice < OBLIQUE.slices; slice++) {
    const frame = frames.get(instanceUid(OBLIQUE, slice))
    if (!frame) continue
    positionOf(OBLIQUE, slice).forEach((mm, axis) => expect(frame.position[axis]).toBeCloseTo(mm, PLACE))
    expect(frame.inside, `slice ${slice}`).toEqual(Array.from(saved.data.subarray(slice * area, (slice + 1) * area), (label) => label === 1))
  }
  const struct = await app.downloadFile('rtstruct', /_rtstruct\.dcm$/)
  for (const instance of frames.keys()) expect(Buffer.from(struct).includes(instance!)).toBe(true)

  // The file opens again as a mask, to the pixel: of its largest slice.
  await app.choose('Mask file', { name: 'own.dcm', bytes: segFile })
  await expect(app.alert).toBeHidden()
  await expect(page.locator('#mask-facts')).toContainText('own.dcm: ')
  const areas = labelled.map((_, slice) => saved.data.subarray(slice * area, (slice + 1) * area).filter((label) => label === 1).length)
  expect(Math.max(...areas)).toBeGreaterThan(0)
  expect(await app.maskPixels()).toBeGreaterThan(0)
})

test('pictures make a stack in the order people number them, and the result is one too', async ({ app }) => {
  const { page } = app
  const place = (picture: number): number => 6 + 2 * picture
  const files = Array.from({ length: 11 }, (_, picture) => ({
    name: `p${picture + 1}.png`,
    bytes: png(40, 30, (column, row) => (Math.abs(column - place(picture)) < 4 && Math.abs(row - 10) < 4 ? 255 : 20)),
  }))
  await app.choose('Scan file', ...[...files].reverse())
  await expect(page.locator('#scan-facts')).toContainText('40 × 30 × 11 voxels')
  await expect(page.locator('#scan-warnings')).toContainText('1 mm is assumed')
  const centres: number[] = []
  for (const picture of [0, 5, 10]) {
    await app.goTo(picture)
    await page.waitForTimeout(200)
    centres.push((await app.brightArea()).x)
  }
  expect(centres[1]! - centres[0]!).toBeGreaterThan(20)
  expect(centres[2]! - centres[1]!).toBeCloseTo(centres[1]! - centres[0]!, -1)
  await paintAndPropagate(app)
  const zip = unzipSync(await app.downloadFile('png', /_png\.zip$/))
  expect(Object.keys(zip).filter((name) => name.endsWith('.png'))).toHaveLength(11)
})

const FILM: Film = { columns: 64, rows: 48, frames: 12, side: 12, at: (frame) => [4 + 4 * frame, 8] }

test('a video opens frame by frame through the browser’s decoder', async ({ app }) => {
  const { page } = app
  const film = await webm(page, FILM)
  await app.choose('Scan file', { name: 'ultrasound.webm', bytes: film })
  await expect(app.alert).toBeHidden()
  await expect(page.locator('#scan-facts')).toContainText('64 × 48 × 12 voxels, 1 × 1 × 1 mm')
  await expect(page.locator('#scan-warnings')).toContainText('1 mm is assumed')
  const centres: { x: number; y: number }[] = []
  for (const frame of [0, 5, 10]) {
    await app.goTo(frame)
    await page.waitForTimeout(200)
    centres.push(await app.brightArea())
  }
  const box = (await page.locator('#canvas').boundingBox())!
  // The square runs to the right, in the upper half, as in the video.
  expect(centres[1]!.x - centres[0]!.x).toBeGreaterThan(20)
  expect(centres[2]!.x - centres[1]!.x).toBeCloseTo(centres[1]!.x - centres[0]!.x, -1)
  for (const { y } of centres) expect(y).toBeLessThan(box.y + box.height / 2)
  const saved = await paintAndPropagate(app)
  expect(saved.dims).toEqual([64, 48, 12])

  for (const [what, bytes] of [['cut', film.slice(0, 200)], ['empty', film.slice(0, 60)]] as const) {
    await app.choose('Scan file', { name: `${what}.webm`, bytes })
    await expect(app.alert, what).toHaveText(new RegExp(`^${what}\\.webm: [^\\n]{10,300}$`))
    await page.getByRole('button', { name: 'Dismiss' }).click()
  }
  await expect(page.locator('#scan-name')).toHaveText('ultrasound.webm')
})
