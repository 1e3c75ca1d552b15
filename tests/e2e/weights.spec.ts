// Weights of the user's own: read, packed and used on this computer. A .pt is a program for a machine that is not here.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from './harness'
import { nativeResult } from './native'
import { dice, readNifti, without } from './nifti'
import { maliciousFile, torchFile } from './torch'

const nano = (): Promise<Uint8Array> => readFile(join(__dirname, '../../weights/nano/sam2-nano.safetensors'))

test('a .pt is packed in the page, and gives the result of the packed file of the command line', { tag: '@webgpu' }, async ({ app, device }) => {
  const native = readNifti(await nativeResult(128, 8))
  const { page } = app
  await app.choose('Weights file', { name: 'mine.pt', bytes: torchFile(await nano()) })
  await expect(app.alert).toBeHidden()
  await expect(page.locator('#status')).toHaveText('mine.pt is loaded, its weights packed in 8 bits.')
  await expect(page.locator('#weights-name')).toHaveText('mine.pt')
  await expect(page.locator('#weights-name')).toHaveAttribute('title', 'nano, 1,960,130 parameters')
  await page.getByRole('button', { name: "Use the sample's mask" }).click()
  await app.ready()
  await app.propagate()
  await app.slicesDone(1)
  await app.finished()
  await expect(app.alert).toBeHidden()
  const given = await app.maskSlice()
  const overlap = dice(without(await app.download(), given), without(native, given), 1)
  console.log(`    ${device}, packed, against native: Dice ${overlap.toFixed(6)}`)
  expect(overlap).toBeGreaterThanOrEqual(0.999)
})

test('a .safetensors that is dropped on the page becomes the model', async ({ app }) => {
  const { page } = app
  const data = await page.evaluateHandle(
    (bytes) => {
      const transfer = new DataTransfer()
      transfer.items.add(new File([Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0))], 'dropped.safetensors'))
      return transfer
    },
    Buffer.from(await nano()).toString('base64'),
  )
  await page.dispatchEvent('#canvas', 'dragenter', { dataTransfer: data })
  await page.dispatchEvent('#drop-scan', 'drop', { dataTransfer: data })
  await app.ready()
  await expect(page.locator('#weights-name')).toHaveText('dropped.safetensors')
  await expect(page.locator('#scan-name')).toContainText('The sample')
  await expect(app.alert).toBeHidden()
})

test('a .pt that asks for more than tensors is refused, and the model stays', async ({ app }) => {
  const { page } = app
  await app.choose('Weights file', { name: 'bad.pt', bytes: maliciousFile() })
  await expect(app.alert).toHaveText(/^bad\.pt: .*`os\.system` is refused/)
  await expect(page.locator('#weights-name')).toHaveText('nano')
  const whole = torchFile(await nano())
  await app.choose('Weights file', { name: 'cut.pt', bytes: whole.subarray(0, whole.length / 2) })
  await expect(app.alert).toHaveText(/^cut\.pt: neither a safetensors nor a PyTorch checkpoint/)
  await expect(page.locator('#weights-name')).toHaveText('nano')
})
