// The engine behind the page: another device, and the policy that keeps everything on this computer.

import { expect, test } from './harness'

test('the device can be changed without losing scan, model or mask', { tag: '@webgpu' }, async ({ app, device }) => {
  const { page } = app
  await page.getByRole('button', { name: "Use the sample's mask" }).click()
  await app.ready()
  const facts = await page.locator('#mask-facts').textContent()
  await page.getByLabel('Device').selectOption(device === 'cpu' ? 'webgpu' : 'cpu')
  await app.ready()
  await expect(page.locator('#device-text')).toHaveText(device === 'cpu' ? /^Running on WebGPU/ : /CPU/)
  await expect(page.locator('#mask-facts')).toHaveText(facts!)
  await page.getByLabel('Device').selectOption(device)
  await app.ready()
  await app.propagate()
  await app.slicesDone(1)
  await app.cancel()
  await expect(app.alert).toBeHidden()
})

test('an engine that dies is rebuilt, with scan, model and mask', async ({ app }) => {
  const { page } = app
  await page.getByRole('button', { name: "Use the sample's mask" }).click()
  await app.ready()
  const facts = await page.locator('#mask-facts').textContent()
  await page.workers()[0]!.evaluate(() => {
    setTimeout(() => {
      throw new Error('broken on purpose')
    })
  })
  await expect(page.locator('#status')).toHaveText(/The engine was started again/, { timeout: 120_000 })
  await expect(page.locator('#mask-facts')).toHaveText(facts!)
  await app.propagate()
  await app.slicesDone(1)
  await app.cancel()
  await expect(app.alert).toBeHidden()
  app.problems = app.problems.filter((problem) => !problem.includes('broken on purpose'))
})

test('neither the page nor its worker can reach another host', async ({ app }) => {
  const { page } = app
  const ask = (url: string): Promise<string> =>
    new Promise((resolve) => {
      const scope = typeof document === 'undefined' ? self : document
      scope.addEventListener('securitypolicyviolation', (event) => resolve((event as SecurityPolicyViolationEvent).violatedDirective))
      fetch(url).then(() => resolve('reached'), () => setTimeout(() => resolve('not stopped by the policy'), 2000))
    })
  expect(await page.evaluate(ask, 'http://127.0.0.1:9/page')).toBe('connect-src')
  expect(await page.workers()[0]!.evaluate(ask, 'http://127.0.0.1:9/worker')).toBe('connect-src')
  // These breaches are what this test is about; they were stopped before any request was made.
  app.problems = app.problems.filter((problem) => !/content (security )?policy/i.test(problem))
})

test('what the GPU refuses is an error on the page and in the console', { tag: '@webgpu-only' }, async ({ app }) => {
  const { page } = app
  await page.getByRole('button', { name: "Use the sample's mask" }).click()
  await app.ready()
  await page.workers()[0]!.evaluate(() => {
    const make = GPUDevice.prototype.createShaderModule
    GPUDevice.prototype.createShaderModule = function (descriptor) {
      return make.call(this, { ...descriptor, code: 'no shader' })
    }
  })
  await app.propagate()
  await app.finished()
  await expect(app.alert).toHaveText(/^[^\n]{10,300}$/)
  expect(app.problems.join('\n')).toMatch(/console: .*wgpu error/s)
  app.problems = []
})

test('without WebGPU the page says so, and works on the CPU', { tag: '@no-webgpu' }, async ({ app }) => {
  const { page } = app
  await expect(page.locator('#device-text')).toHaveText('No WebGPU: on the CPU, slower, same result')
  await page.getByRole('button', { name: "Use the sample's mask" }).click()
  await app.ready()
  await app.propagate()
  await app.slicesDone(1)
  await app.cancel()
  await expect(app.alert).toBeHidden()

  // Asking for it all the same is refused in one line, and the way back is open.
  await page.getByLabel('Device').selectOption('webgpu')
  await app.ready()
  await expect(app.alert).toHaveText(/WebGPU.*: choose CPU or Automatic as the device$/)
  await page.getByLabel('Device').selectOption('cpu')
  await app.ready()
  await expect(page.locator('#device-text')).toHaveText('Running on the CPU: slower, same result')
  // The stopped run can go on.
  await expect(page.locator('#run')).toBeEnabled()
})

test('Automatic takes the CPU where WebGPU is only emulated', { tag: '@webgpu-only' }, async ({ app }) => {
  const { page } = app
  await page.getByLabel('Device').selectOption('auto')
  await app.ready()
  await expect(page.locator('#device-text')).toHaveText('WebGPU is only emulated here: on the CPU, which is faster')
})
