// The viewer and the pen: what is painted on the screen is what the engine gets, however the scan is oriented.

import { expect, test } from './harness'
import { dice, orientedAffine, voxelCount, writeNifti, type Triple } from './nifti'

const DIMS: Triple = [44, 32, 20]
const SPACING: Triple = [2, 2, 2]

/** A bright, off-centre, uneven rod along each voxel axis in turn; on the slices across that axis it is one area. */
function rod(axis: number): (i: number, j: number, k: number) => boolean {
  const [a, b] = axis === 0 ? [1, 2] : axis === 1 ? [0, 2] : [0, 1]
  return (...voxel) => {
    const u = (voxel[a]! - DIMS[a]! * 0.3) / (DIMS[a]! * 0.15)
    const v = (voxel[b]! - DIMS[b]! * 0.65) / (DIMS[b]! * 0.2)
    return u * u + v * v < 1
  }
}

const CASES: { perm: Triple; axis: 'Axial' | 'Coronal' | 'Sagittal' }[] = [
  { perm: [1, 2, 3], axis: 'Axial' },
  { perm: [-1, 2, 3], axis: 'Coronal' },
  { perm: [-2, 3, -1], axis: 'Axial' },
  { perm: [3, -1, -2], axis: 'Sagittal' },
  { perm: [2, 1, -3], axis: 'Coronal' },
]

for (const { perm, axis } of CASES) {
  test(`paints where it shows: voxel axes ${perm.join(', ')}, ${axis}`, async ({ app }) => {
    const { page } = app
    const across = perm.findIndex((signed) => Math.abs(signed) === { Sagittal: 1, Coronal: 2, Axial: 3 }[axis])
    const bright = rod(across)
    const affine = orientedAffine(perm, SPACING)
    await app.choose('Scan file', { name: 'rod.nii.gz', bytes: writeNifti(DIMS, SPACING, affine, (i, j, k) => (bright(i, j, k) ? 1000 : 0)) })
    await page.getByRole('radio', { name: axis }).check()
    // From the last slice forward there is nothing more to do: one step.
    const last = DIMS[across]! - 1
    await app.goTo(last)
    await expect(page.locator('#slice-value')).toContainText(`${last} (0 to ${last})`)
    await app.chooseTool('Outline')
    await app.outline(await app.brightArea())
    await expect(page.locator('#mask-facts')).toHaveText(new RegExp(`${axis} slice ${last}, `))

    await app.propagate('forward')
    await app.finished()
    const saved = await app.download()
    const truth = new Float32Array(voxelCount(DIMS))
    for (let k = 0, at = 0; k < DIMS[2]; k++)
      for (let j = 0; j < DIMS[1]; j++)
        for (let i = 0; i < DIMS[0]; i++, at++) truth[at] = [i, j, k][across] === last && bright(i, j, k) ? 1 : 0
    expect(dice(saved.data, truth, 1)).toBeGreaterThan(0.75)
  })
}

test('labels, brush, eraser, undo, redo and clear', async ({ app }) => {
  const { page } = app
  const facts = page.locator('#mask-facts')
  const pixels = (): Promise<number> => app.maskPixels()
  const box = (await page.locator('#canvas').boundingBox())!
  const centre = { x: box.x + box.width / 2, y: box.y + box.height / 2, width: 120, height: 120 }
  await app.chooseTool('Outline')
  await app.outline(centre)
  await expect(facts).toHaveText(/Axial slice/)
  const first = await pixels()

  await page.getByRole('button', { name: 'Add a label' }).click()
  await expect(page.getByRole('radio', { name: 'Label 2' })).toBeChecked()
  await app.chooseTool('Brush')
  await app.outline({ ...centre, x: centre.x - 150, width: 20, height: 20 })
  const second = await pixels()
  expect(second).toBeGreaterThan(first)

  await app.chooseTool('Eraser')
  await app.outline({ ...centre, width: 20, height: 20 })
  const third = await pixels()
  expect(third).toBeLessThan(second)
  await page.getByRole('button', { name: 'Undo' }).click()
  expect(await pixels()).toBe(second)
  await page.keyboard.press('Control+Shift+Z')
  expect(await pixels()).toBe(third)
  await page.keyboard.press('Control+z')

  await page.getByRole('radio', { name: 'Label 1' }).check()
  await app.clear('All but this label')
  expect(await pixels()).toBe(first)
  await page.getByRole('button', { name: 'Undo' }).click()

  await app.clear('The whole mask')
  await expect(facts).toHaveText('Nothing marked yet.')
  await page.getByRole('button', { name: 'Undo' }).click()
  expect(await pixels()).toBe(second)
})

test('a label has a name and a colour of its own, which can be undone too', async ({ app }) => {
  const { page } = app
  await page.getByRole('button', { name: "Use the sample's mask" }).click()
  await app.ready()
  const picture = async (): Promise<string> => (await page.locator('#canvas').screenshot()).toString('base64')
  const red = await picture()
  await page.getByLabel('Name of the label').fill('Liver')
  await page.getByLabel('Name of the label').press('Enter')
  await page.getByLabel('Colour of the label').fill('#0000ff')
  await expect.poll(picture).not.toBe(red)
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect(page.getByLabel('Colour of the label')).toHaveValue('#ff6b5e')
  await expect(page.getByLabel('Name of the label')).toHaveValue('Liver')
})

test('several slices make one mask; across another axis a new one is offered, never begun by accident', async ({ app }) => {
  const { page } = app
  const facts = page.locator('#mask-facts')
  const box = (await page.locator('#canvas').boundingBox())!
  const centre = { x: box.x + box.width / 2, y: box.y + box.height / 2, width: 100, height: 100 }
  await app.chooseTool('Outline')
  await app.goTo(5)
  await app.outline(centre)
  await expect(facts).toHaveText(/Axial slice 5, /)
  await app.goTo(9)
  await app.outline({ ...centre, width: 60 })
  await expect(facts).toHaveText(/Axial slice 5 \+ 1 more, /)
  const before = (await facts.textContent())!

  await page.getByRole('radio', { name: 'Coronal' }).check()
  await app.outline(centre)
  await expect(facts).toHaveText(before)
  await page.getByRole('button', { name: 'Go to the mask' }).click()
  await expect(page.locator('#slice-value')).toContainText('5 (')

  await page.getByRole('radio', { name: 'Coronal' }).check()
  await page.getByRole('button', { name: 'Start a new mask here' }).click()
  await app.outline(centre)
  await expect(facts).toHaveText(/Coronal slice \d+, /)
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect(facts).toHaveText(before)
})

test('slices by keyboard and wheel, window, all planes', async ({ app }) => {
  const { page } = app
  const value = page.locator('#slice-value')
  await app.goTo(10)
  await page.locator('#canvas').focus()
  await page.keyboard.press('ArrowUp')
  await expect(value).toContainText('11 (')
  await page.keyboard.press('Home')
  await expect(value).toContainText('0 (')
  await page.locator('#canvas').hover()
  const shown = await value.textContent()
  await page.mouse.wheel(0, -120)
  await page.mouse.wheel(0, 120)
  await page.mouse.wheel(0, 120)
  await expect(value).not.toHaveText(shown!)

  await app.goTo(20)
  const picture = async (): Promise<string> => (await page.locator('#canvas').screenshot()).toString('base64')
  const automatic = await picture()
  await page.getByLabel('Window, highest value').fill('100000')
  await page.getByLabel('Window, highest value').press('Enter')
  await expect.poll(picture).not.toBe(automatic)
  await page.getByLabel('Window, lowest value').fill('200000')
  await page.getByLabel('Window, lowest value').press('Enter')
  await expect(page.locator('#status')).toHaveText(/lowest value below its highest/)
  await page.getByLabel('Window', { exact: true }).selectOption('Automatic')
  await expect.poll(picture).toBe(automatic)

  for (const view of ['All planes', '3-D']) {
    await page.getByRole('radio', { name: view }).check()
    await expect.poll(picture).not.toBe(automatic)
  }
})

test('presets of a CT, the strip, the patient turned round, outlines alone', async ({ app }) => {
  const { page } = app
  await page.getByRole('button', { name: "Use the sample's mask" }).click()
  await app.ready()
  const picture = async (): Promise<string> => (await page.locator('.stage').screenshot()).toString('base64')
  const shown = [await picture()]
  const another = async (): Promise<void> => {
    await expect.poll(async () => shown.includes(await picture())).toBe(false)
    shown.push(await picture())
  }
  await page.getByLabel('Window', { exact: true }).selectOption('Lung')
  await expect(page.getByLabel('Window, lowest value')).toHaveValue('-1350')
  await another()
  await page.getByRole('checkbox', { name: 'Outline' }).check()
  await another()
  await expect(page.locator('#letters-box span').last()).toHaveText('R')
  await page.locator('summary', { hasText: 'View' }).click()
  await page.getByRole('checkbox', { name: /^Radiological/ }).uncheck()
  await expect(page.locator('#letters-box span').last()).toHaveText('L')
  await page.keyboard.press('Escape')
  await another()

  const strip = (await page.locator('#strip').boundingBox())!
  await page.mouse.click(strip.x + strip.width * (10.5 / 48), strip.y + 5)
  await expect(page.locator('#slice-value')).toContainText('10 (0 to 47)')

  // No Hounsfield units, no presets of them.
  await app.choose('Scan file', { name: 'mr.nii.gz', bytes: writeNifti(DIMS, SPACING, orientedAffine([1, 2, 3], SPACING), (i, j) => i * j) })
  await expect(page.getByLabel('Window', { exact: true }).locator('option')).toHaveText(['Automatic', 'All values', 'Own'])
})
