// What every browser test stands on. In: Playwright. Out: `test` with an `app` that has the page open on one device, and
// that fails on any console error, uncaught error, breach of the content policy or request to another host.

import { expect, test as base, type Locator, type Page } from '../../www/node_modules/@playwright/test'

import { readNifti, type Nifti } from './nifti'

export interface Options {
  device: 'cpu' | 'webgpu' | 'auto'
}

export interface UploadedFile {
  name: string
  bytes: Uint8Array
}

export class App {
  readonly page: Page
  /** Everything that should not have happened. */
  problems: string[] = []

  constructor(page: Page) {
    this.page = page
  }

  async watch(origin: string): Promise<void> {
    const { page, problems } = this
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(`console: ${message.text()}`)
    })
    page.on('pageerror', (error) => problems.push(`uncaught: ${error.message}`))
    page.on('crash', () => problems.push('the page crashed'))
    page.context().on('request', (request) => {
      const { origin: asked, protocol } = new URL(request.url())
      if (asked !== origin && protocol !== 'data:' && protocol !== 'blob:') problems.push(`request: ${request.url()}`)
    })
    page.context().on('response', (response) => {
      if (response.status() >= 400) problems.push(`status ${response.status()}: ${response.url()}`)
    })
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) =>
        console.error(`content policy: ${event.violatedDirective} ${event.blockedURI}`),
      )
    })
  }

  async open(device: Options['device']): Promise<void> {
    await this.page.goto(`?device=${device}`)
    await this.ready()
  }

  /** Waits until nothing is being waited for. */
  async ready(): Promise<void> {
    await expect(this.page.locator('#busy')).toBeHidden({ timeout: 240_000 })
  }

  get alert(): Locator {
    return this.page.getByRole('alert').locator('p')
  }

  async choose(input: 'Scan file' | 'Mask file' | 'Weights file' | 'True labels file', ...files: UploadedFile[]): Promise<void> {
    const payload = files.map(({ name, bytes }) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) }))
    await this.page.getByLabel(input, { exact: true }).setInputFiles(payload)
    await this.ready()
  }

  /** What is folded away while nobody needs it. */
  async openOptions(): Promise<void> {
    const { page } = this
    if (!(await page.getByLabel('Method').isVisible())) await page.locator('#options > summary').click()
    await expect(page.getByLabel('Method')).toBeVisible()
  }

  async chooseTool(name: 'Points' | 'Box' | 'Outline' | 'Brush' | 'Eraser' | 'Fill' | 'Off'): Promise<void> {
    await this.page.getByRole('radio', { name, exact: true }).check()
  }

  async clear(what: 'This slice' | 'All but this label' | 'The whole mask'): Promise<void> {
    await this.page.locator('summary', { hasText: 'Clear' }).click()
    await this.page.getByRole('button', { name: what, exact: true }).click()
  }

  /** Pixels of the mask, as the page counts them. */
  async maskPixels(): Promise<number> {
    const facts = await this.page.locator('#mask-facts').textContent()
    return Number(/([\d,]+) pixels/.exec(facts!)?.[1]?.replaceAll(',', '') ?? 0)
  }

  /** The slice of the mask, as the page says it. */
  async maskSlice(): Promise<number> {
    return Number(/slice (\d+)/.exec((await this.page.locator('#mask-facts').textContent())!)![1])
  }

  /** The smallest image: the emulated GPU is slow. */
  async propagate(direction = 'both'): Promise<void> {
    await this.openOptions()
    await this.page.getByLabel('Image size').selectOption('128')
    await this.page.getByLabel('Direction').selectOption(direction)
    await this.page.getByRole('button', { name: 'Propagate', exact: true }).click()
  }

  /** Waits until so many slices are done. An alert ends the wait: the run has failed. */
  async slicesDone(count: number): Promise<void> {
    const seen = await this.page.waitForFunction(
      (count) => {
        const alert = document.querySelector('[role=alert] div:not([hidden]) p')?.textContent
        if (alert) return `alert: ${alert}`
        const text = document.querySelector('#progress-text')?.textContent ?? ''
        return Number(/Slice (\d+) of/.exec(text)?.[1]) >= count && text
      },
      count,
      { timeout: 0 },
    )
    expect(await seen.jsonValue()).toMatch(/^Slice \d+ of \d+/)
  }

  async cancel(): Promise<void> {
    await this.page.getByRole('button', { name: 'Cancel' }).click()
    await this.finished()
  }

  async finished(): Promise<void> {
    await expect(this.page.locator('#progress-box')).toBeHidden({ timeout: 0 })
    await this.ready()
  }

  /** Goes to a slice with the slider, as the keyboard would. */
  async goTo(slice: number): Promise<void> {
    await this.page.locator('#slice').fill(String(slice))
  }

  async download(): Promise<Nifti> {
    return readNifti(await this.downloadFile())
  }

  async downloadFile(format = 'nifti', name = /_oneslice\.nii\.gz$/): Promise<Uint8Array> {
    await this.page.getByLabel('File format').selectOption(format)
    return this.#taken(this.page.getByRole('button', { name: 'Export' }), name)
  }

  async saveSession(name: RegExp): Promise<Uint8Array> {
    return this.#taken(this.page.locator('#session-save'), name)
  }

  /** The file that a button gives. */
  async #taken(button: Locator, name: RegExp): Promise<Uint8Array> {
    const [download] = await Promise.all([this.page.waitForEvent('download'), button.click()])
    expect(download.suggestedFilename()).toMatch(name)
    const chunks = []
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks)
  }

  /** Centre and extent, in page pixels, of what is bright on the scan. */
  async brightArea(): Promise<{ x: number; y: number; width: number; height: number }> {
    const canvas = this.page.locator('#canvas')
    const box = (await canvas.boundingBox())!
    const png = (await canvas.screenshot()).toString('base64')
    const area = await this.page.evaluate(async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
      const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')!
      context.drawImage(bitmap, 0, 0)
      const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height)
      const edge = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity }
      for (let at = 0; at < data.length; at += 4) {
        if (Math.min(data[at]!, data[at + 1]!, data[at + 2]!) < 235) continue
        const x = (at / 4) % bitmap.width
        const y = Math.floor(at / 4 / bitmap.width)
        edge.left = Math.min(edge.left, x)
        edge.right = Math.max(edge.right, x)
        edge.top = Math.min(edge.top, y)
        edge.bottom = Math.max(edge.bottom, y)
      }
      return edge
    }, png)
    return {
      x: box.x + (area.left + area.right) / 2,
      y: box.y + (area.top + area.bottom) / 2,
      width: area.right - area.left,
      height: area.bottom - area.top,
    }
  }

  /** Draws an ellipse with the mouse, turned clockwise by `tilt` radians. */
  async outline({ x, y, width, height, tilt = 0 }: { x: number; y: number; width: number; height: number; tilt?: number }): Promise<void> {
    const { mouse } = this.page
    const at = (turn: number): [number, number] => {
      const [along, across] = [(width / 2) * Math.cos(turn), (height / 2) * Math.sin(turn)]
      return [x + along * Math.cos(tilt) - across * Math.sin(tilt), y + along * Math.sin(tilt) + across * Math.cos(tilt)]
    }
    await mouse.move(...at(0))
    await mouse.down()
    for (let step = 1; step <= 32; step++) await mouse.move(...at((step / 32) * 2 * Math.PI))
    await mouse.up()
  }
}

export const test = base.extend<Options & { app: App }>({
  device: ['cpu', { option: true }],
  app: async ({ page, device, baseURL }, use) => {
    const app = new App(page)
    await app.watch(new URL(baseURL!).origin)
    await app.open(device)
    await use(app)
    expect(app.problems).toEqual([])
  },
})

export { expect }
