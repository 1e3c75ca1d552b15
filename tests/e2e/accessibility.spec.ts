// What a screen reader and a keyboard meet: axe's rules in every state of the page, light and dark, on a desk and on a tablet.

import AxeBuilder from '../../www/node_modules/@axe-core/playwright'
import { expect, test, type App } from './harness'

async function audit(app: App): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page: app.page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']).analyze()
  return violations.map(({ id, impact, nodes }) => `${impact}: ${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
}

for (const scheme of ['light', 'dark'] as const) {
  test(`no violation, ${scheme}`, async ({ app }) => {
    const { page } = app
    await page.emulateMedia({ colorScheme: scheme })
    expect(await audit(app), 'open').toEqual([])
    await page.getByRole('button', { name: "Use the sample's mask" }).click()
    await app.ready()
    await app.openOptions()
    await page.getByRole('button', { name: 'Add a label' }).click()
    expect(await audit(app), 'with a mask and the options').toEqual([])
    await app.propagate('forward')
    await app.slicesDone(2)
    expect(await audit(app), 'running').toEqual([])
    await app.cancel()
    await page.locator('#compare > summary').click()
    await app.choose('Mask file', { name: 'none.nii', bytes: new Uint8Array(9) })
    expect(await audit(app), 'with a result and an error').toEqual([])
    await page.getByRole('button', { name: 'Keys' }).click()
    expect(await audit(app), 'with the keys').toEqual([])
    await page.getByRole('button', { name: 'Close' }).click()
    await page.setViewportSize({ width: 820, height: 1180 })
    expect(await audit(app), 'on a tablet').toEqual([])
  })
}

test('on a tablet nothing is cut off', async ({ app }) => {
  const { page } = app
  for (const [width, height] of [[820, 1180], [1180, 820], [1280, 720]] as const) {
    await page.setViewportSize({ width, height })
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth), `${width} x ${height}`).toBeLessThanOrEqual(0)
    const small = await page.evaluate(() =>
      Array.from(document.querySelectorAll('button, select, input:not([type=radio]):not([type=checkbox])'))
        .filter((control) => control.getBoundingClientRect().width > 0 && control.getBoundingClientRect().height < 16)
        .map(({ id }) => id),
    )
    expect(small).toEqual([])
  }
})
