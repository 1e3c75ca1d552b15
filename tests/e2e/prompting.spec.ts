// Marking a structure: points and a box with the model's preview, fill, corners, and all of it by keyboard.

import { NANO, randomCheckpoint } from './checkpoint'
import { expect, test, type App } from './harness'

/** Somewhere in the sample's liver, on the slice that the page opens with; in shares of the canvas. */
const LIVER = { x: 0.42, y: 0.42 }

async function at(app: App, { x, y }: { x: number; y: number }): Promise<[number, number]> {
  const box = (await app.page.locator('#canvas').boundingBox())!
  return [box.x + box.width * x, box.y + box.height * y]
}

/** Made-up weights answer points with some mask; the embedded ones were trained on masks and answer with none. */
async function answering(app: App): Promise<void> {
  await app.choose('Weights file', { name: 'made-up.safetensors', bytes: randomCheckpoint(NANO, 3) })
}

const accept = (app: App) => app.page.getByRole('button', { name: 'Accept' })

test('a point gives a preview, more points correct it, Enter makes it the mask', async ({ app }) => {
  const { page } = app
  await answering(app)
  await app.chooseTool('Points')
  await page.mouse.click(...(await at(app, LIVER)))
  await expect(accept(app)).toBeEnabled()
  await expect(page.locator('#hint-text')).toHaveText(/^Predicted IoU \d\.\d\d\. Enter accepts/)
  await expect(page.locator('#mask-facts')).toHaveText('Nothing marked yet.')
  await expect(page.locator('#run-hint')).toHaveText(/Accept the outline first/)

  await page.keyboard.down('Shift')
  await page.mouse.click(...(await at(app, { x: 0.6, y: 0.75 })))
  await page.keyboard.up('Shift')
  await expect(page.locator('#hint-text')).toHaveText(/Enter accepts/)
  await expect(accept(app)).toBeEnabled()
  // Undo takes the last point back, not a mask.
  await page.keyboard.press('Control+z')
  await expect(accept(app)).toBeEnabled()
  await page.keyboard.press('Enter')
  await expect(page.locator('#mask-facts')).toHaveText(/Axial slice 24, [\d,]+ pixels/)
  expect(await app.maskPixels()).toBeGreaterThan(20)
  await page.keyboard.press('Control+z')
  await expect(page.locator('#mask-facts')).toHaveText('Nothing marked yet.')
})

test('a box gives a preview too; another slice or Escape gives it up', async ({ app }) => {
  const { page } = app
  await answering(app)
  await app.chooseTool('Box')
  const draw = async (): Promise<void> => {
    await page.mouse.move(...(await at(app, { x: 0.33, y: 0.22 })))
    await page.mouse.down()
    await page.mouse.move(...(await at(app, { x: 0.51, y: 0.58 })), { steps: 4 })
    await page.mouse.up()
    await expect(accept(app)).toBeEnabled()
  }
  await draw()
  await page.keyboard.press('Escape')
  await expect(accept(app)).toBeDisabled()
  await draw()
  await app.goTo(20)
  await expect(accept(app)).toBeDisabled()
  await draw()
  await accept(app).click()
  await expect(page.locator('#mask-facts')).toHaveText(/Axial slice 20, [\d,]+ pixels/)
  expect(await app.maskPixels()).toBeGreaterThan(100)
})

test('where the model finds nothing, the page says what to do', async ({ app }) => {
  await app.chooseTool('Points')
  await app.page.mouse.click(...(await at(app, LIVER)))
  await expect(app.page.getByText('mark it with Fill, Outline or Brush')).toBeAttached()
})

test('fill takes what is alike, and its tolerance can still be changed; corners close an outline', async ({ app }) => {
  const { page } = app
  await app.chooseTool('Fill')
  await page.mouse.click(...(await at(app, LIVER)))
  await expect(page.locator('#mask-facts')).toHaveText(/Axial slice 24/)
  const some = await app.maskPixels()
  expect(some).toBeGreaterThan(500)
  await page.getByLabel('Tolerance').fill('50')
  const more = await app.maskPixels()
  expect(more).toBeGreaterThan(some)
  // One step, however often the tolerance was changed.
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect(page.locator('#mask-facts')).toHaveText('Nothing marked yet.')

  await app.chooseTool('Outline')
  const corners = [{ x: 0.4, y: 0.3 }, { x: 0.6, y: 0.3 }, { x: 0.6, y: 0.6 }, { x: 0.4, y: 0.6 }]
  for (const corner of corners) await page.mouse.click(...(await at(app, corner)))
  await expect(page.locator('#mask-facts')).toHaveText('Nothing marked yet.')
  await page.keyboard.press('Enter')
  expect(await app.maskPixels()).toBeGreaterThan(500)
})

test('everything by keyboard alone: point, box, brush, propagate, export', async ({ app }) => {
  const { page } = app
  await answering(app)
  const press = async (key: string, times = 1): Promise<void> => {
    for (let time = 0; time < times; time++) await page.keyboard.press(key)
  }
  await page.locator('#canvas').focus()
  await press('p')
  await press('Shift+ArrowUp', 2)
  await expect(page.locator('#cursor-note')).toHaveText(/^Column \d+, row \d+, value -?\d+/)
  await press('Shift+ArrowLeft', 12)
  await press('Space')
  await expect(accept(app)).toBeEnabled()
  await press('Escape')
  await expect(accept(app)).toBeDisabled()

  await press('b')
  await press('Space')
  await press('Control+Shift+ArrowRight')
  await press('Control+Shift+ArrowDown')
  await press('Space')
  await expect(accept(app)).toBeEnabled()
  await press('Escape')

  await press('d')
  await press(']', 6)
  await press('Space')
  await expect(page.locator('#mask-facts')).toHaveText(/Axial slice 24, \d+ pixels/)
  await press('ArrowUp')
  await expect(page.locator('#slice-value')).toContainText('25 (')

  await app.openOptions()
  await page.getByLabel('Image size').selectOption('128')
  await page.locator('#canvas').focus()
  await press('g')
  await app.slicesDone(2)
  await app.cancel()
  await page.getByRole('button', { name: 'Export' }).focus()
  const [download] = await Promise.all([page.waitForEvent('download'), press('Enter')])
  expect(download.suggestedFilename()).toMatch(/\.nii\.gz$/)
})
