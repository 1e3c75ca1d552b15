// The tour over the sample, and the memories beside the slice: a real run, explained.

import { expect, test } from './harness'

test('the tour goes through, segments the sample on the way, and shows memories and attention', async ({ app }) => {
  const { page } = app
  await page.locator('#image-size').evaluate((size: HTMLSelectElement) => (size.value = '128'))
  await page.locator('#tour-start').click()
  const popover = page.locator('.driver-popover')
  const next = popover.getByRole('button', { name: 'Next' })
  const step = (title: string) => expect(popover.locator('.driver-popover-title')).toHaveText(title, { timeout: 240_000 })

  await step('A scan is a stack of slices')
  await next.click()
  await step('The prompt')
  await expect(page.locator('#mask-facts')).toHaveText(/sample mask/)
  await next.click()
  await step('The embedding')
  await expect(popover.getByRole('img', { name: 'The slice under a grid of 8 by 8 patches' })).toBeVisible()
  await next.click()
  await step('The propagation')
  await next.click()
  await step('The memory')
  const thumbnails = page.locator('#memory-bank .thumbnail')
  await expect(thumbnails.first()).toContainText('the mask')
  expect(await thumbnails.count()).toBeGreaterThan(2)
  await next.click()
  await step('Where it looks')
  const shares = async (): Promise<number[]> => (await thumbnails.allTextContents()).map((text) => Number(/(\d+) %$/.exec(text)?.[1]))
  const total = (await shares()).reduce((sum, share) => sum + share, 0)
  expect(total, 'all of the attention, in whole percents').toBeGreaterThan(95)
  expect(total).toBeLessThan(105)
  await next.click()
  await step('How sure it is')
  await next.click()
  await step('Yours again')
  await popover.getByRole('button', { name: 'Done' }).click()
  await expect(popover).toBeHidden()
  await expect(app.alert).toBeHidden()
})

test('a thumbnail is a way to its slice, and teaching can be switched off', async ({ app }) => {
  const { page } = app
  await page.locator('#mask-sample').click()
  await app.ready()
  await page.locator('#run').click()
  await app.slicesDone(4)
  await app.cancel()
  const bank = page.locator('#memory-bank')
  await expect(bank).toBeHidden()
  await page.getByLabel('Teaching').check()
  await expect(bank).toContainText('it needs no memory')
  const prompted = Number(/^(\d+)/.exec((await page.locator('#slice-value').textContent())!)![1])
  await app.goTo(prompted + 2)
  await expect(bank).toContainText(`Slice ${prompted + 2} was segmented by comparing it with`)
  await bank.getByRole('button', { name: `Go to slice ${prompted}, the mask` }).click()
  await expect(page.locator('#slice-value')).toHaveText(new RegExp(`^${prompted} `))
  await page.getByLabel('Teaching').uncheck()
  await expect(bank).toBeHidden()
})

test('the tour can be left at any step', async ({ app }) => {
  const { page } = app
  await page.locator('#tour-start').click()
  await expect(page.locator('.driver-popover')).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.locator('.driver-popover')).toBeHidden()
  await expect(page.locator('#run')).toBeVisible()
})
