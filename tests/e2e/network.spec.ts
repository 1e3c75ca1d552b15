// The line that says what was asked of the network: nothing on the whole path, and whatever tries is stopped and shown.

import { expect, test } from './harness'

const QUIET = /^Network: 0 requests since the page loaded/

test('nothing is asked of the network on the whole path', async ({ app }) => {
  const { page } = app
  await page.locator('#mask-sample').click()
  await app.ready()
  await page.locator('#run').click()
  await app.slicesDone(2)
  await app.cancel()
  await expect(page.locator('#network')).toHaveText(QUIET)

  // Whoever wants to know more sees the page's own files, as the browser has recorded them, those of the worker too.
  await page.locator('#network button').click()
  const details = page.locator('#network-details')
  await expect(details).toContainText('To any other place: nothing')
  await expect(details).toContainText('weights/nano/sam2-nano.safetensors')
  await expect(details).toContainText('.wasm')
  await page.keyboard.press('Escape')
  await expect(details).toBeHidden()
})

test('a request to another host is stopped, counted and shown: the page’s and its worker’s', async ({ app }) => {
  const { page } = app
  const ask = (url: string): Promise<string> => fetch(url).then(() => 'reached', () => 'stopped')
  expect(await page.evaluate(ask, 'http://127.0.0.1:9/collect?from=page')).toBe('stopped')
  const line = page.locator('#network')
  await expect(line).toContainText('Network: 1 request since the page loaded: 1 stopped by the page’s policy')
  expect(await page.workers()[0]!.evaluate(ask, 'http://127.0.0.1:9/collect?from=worker')).toBe('stopped')
  await expect(line).toContainText('Network: 2 requests since the page loaded: 2 stopped by the page’s policy')
  await expect(line.getByRole('button')).toHaveClass(/flagged/)

  await page.locator('#network button').click()
  const details = page.locator('#network-details')
  await expect(details).toContainText('http://127.0.0.1:9/collect?from=page, by the page: stopped by the page’s policy (connect-src)')
  await expect(details).toContainText('http://127.0.0.1:9/collect?from=worker, by its engine: stopped by the page’s policy (connect-src)')
  // These breaches are what this test is about; they were stopped before any request was made.
  expect(app.problems.filter((problem) => problem.startsWith('request'))).toEqual([])
  app.problems = app.problems.filter((problem) => !/content (security )?policy/i.test(problem))
})

test('an own address that carries something is no own file', async ({ app }) => {
  const { page } = app
  await page.evaluate(() => fetch('./favicon.svg?scan=secret'))
  await expect(page.locator('#network')).toContainText('Network: 1 request since the page loaded: 1 to another place')
})
