// Packed weights in the browser, by the engine's own API: the real size of Meta's smallest model (made-up weights, 156 MB) is packed
// in little memory, and on WebGPU computes what the floats compute on the CPU.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { JSHandle, Page } from '../../www/node_modules/@playwright/test'

import { NANO, randomCheckpoint, shapes, TINY } from './checkpoint'
import { expect, test } from './harness'
import { dice } from './nifti'
import { torchFile } from './torch'

/** The parts of the engine that the test's worker loads, and where they are. */
const PKG = join(__dirname, '../../www/pkg')
const SERVED: Record<string, [path: string, type: string]> = {
  'worker.js': [join(__dirname, 'engine-worker.js'), 'text/javascript'],
  'oneslice.js': [join(PKG, 'oneslice.js'), 'text/javascript'],
  'oneslice_bg.wasm': [join(PKG, 'oneslice_bg.wasm'), 'application/wasm'],
}
const NANO_FILE = join(__dirname, '../../weights/nano/sam2-nano.safetensors')

/** Small, because the graphics card is played by a processor. */
const IMAGE_SIZE = 128
/** The prompted slice and two that are followed: encoder, memory encoder, memory attention and decoder. */
const SLICES = 3

interface Followed {
  device: string
  area: number
  label: number
  steps: { iou: number; score: number; pixels: number }[]
  labels: number[]
  held: { weights: number; temporaries?: number; reserved?: number }
}

interface Packed {
  file: Blob
  bytes: number
  memory: number
}

/** How far two results may be apart. */
interface Tolerance {
  dice: number
  /** Of predicted IoU, from 0 to 1, and of the object's score, of order 1 to 10. */
  iou: number
  score: number
}

/** Packed weights against the floats. Measured: see the lines that the tests print. */
const NANO_INT8: Tolerance = { dice: 0.99, iou: 0.02, score: 0.2 }
const NANO_INT4: Tolerance = { dice: 0.95, iou: 0.05, score: 0.5 }
const TINY_INT8: Tolerance = { dice: 0.99, iou: 0.02, score: 0.2 }
const TINY_INT4: Tolerance = { dice: 0.95, iou: 0.05, score: 0.5 }
/** Of the module while 156 MB are packed: one tensor at a time is in it, of 9.4 MB at most. */
const WASM_WHILE_PACKING = 64e6

/** The same packed weights on two devices: drivers compute `exp`, `sin` and `erf` less exactly. */
const DEVICES: Tolerance = { dice: 0.999, iou: 1e-3, score: 5e-3 }

/** A file that lies in the page, and what the engine makes of it. Each job has a worker, and so an engine, of its own. */
class Weights {
  private readonly page: Page
  private readonly file: JSHandle<Blob>

  private constructor(page: Page, file: JSHandle<Blob>) {
    this.page = page
    this.file = file
  }

  static async open(page: Page, path: string): Promise<Weights> {
    await page.context().route('**/engine/*', async (route) => {
      const [path, contentType] = SERVED[new URL(route.request().url()).pathname.split('/').at(-1)!]!
      await route.fulfill({ path, contentType })
    })
    const input = await page.evaluateHandle(() => document.body.appendChild(Object.assign(document.createElement('input'), { type: 'file' })))
    await input.asElement()!.setInputFiles(path)
    return new Weights(page, await input.evaluateHandle(({ files }) => files![0]!))
  }

  private ask<T>(job: string, options: object): Promise<JSHandle<T>> {
    return this.page.evaluateHandle(
      async ([file, job, options]) => {
        const worker = new Worker('/engine/worker.js', { type: 'module' })
        const answer = new Promise<[T, string?]>((resolve, reject) => {
          worker.onmessage = ({ data }) => resolve(data)
          worker.onerror = ({ message }) => reject(new Error(message))
        })
        worker.postMessage([job, { name: 'weights', file, ...options }])
        const [result, why] = await answer
        worker.terminate()
        if (why !== undefined) throw new Error(why)
        return result
      },
      [this.file, job, options] as const,
    )
  }

  async pack(bits: 8 | 4): Promise<{ weights: Weights; bytes: number; memory: number }> {
    const packed = await this.ask<Packed>('pack', { bits })
    const { bytes, memory } = await packed.evaluate(({ bytes, memory }) => ({ bytes, memory }))
    return { weights: new Weights(this.page, await packed.evaluateHandle(({ file }) => file)), bytes, memory }
  }

  async follow(device: 'cpu' | 'webgpu'): Promise<Followed> {
    const followed = await this.ask<Followed>('follow', { device, imageSize: IMAGE_SIZE, slices: SLICES })
    return followed.jsonValue()
  }
}

function compare(what: string, found: Followed, expected: Followed, tolerance: Tolerance): void {
  const values = ({ labels }: Followed): Float32Array => Float32Array.from(labels)
  const overlap = dice(values(found), values(expected), expected.label)
  const worst = (of: 'iou' | 'score'): number => Math.max(...found.steps.map((step, i) => Math.abs(step[of] - expected.steps[i]![of])))
  const words = `${what}: Dice ${overlap.toFixed(6)}, predicted IoU ${worst('iou').toExponential(1)} off, object score ${worst('score').toExponential(1)}`
  console.log(`    ${words}`)
  expect(overlap, words).toBeGreaterThanOrEqual(tolerance.dice)
  expect(worst('iou'), words).toBeLessThanOrEqual(tolerance.iou)
  expect(worst('score'), words).toBeLessThanOrEqual(tolerance.score)
}

/** A result that says something: the object is on every slice, and nowhere all of it. */
function expectObject({ steps, area }: Followed): void {
  for (const { pixels, score } of steps) {
    expect(score).toBeGreaterThan(0)
    expect(pixels).toBeGreaterThan(area / 100)
    expect(pixels).toBeLessThan(area * 0.99)
  }
}

test('the made-up models have the keys and shapes of the real ones', async () => {
  const bytes = await readFile(NANO_FILE)
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE()))) as Record<string, { shape: number[] }>
  delete header['__metadata__']
  expect(shapes(NANO)).toEqual(Object.fromEntries(Object.entries(header).map(([key, { shape }]) => [key, shape])))
})

test('nano: packed weights on WebGPU are what the floats are on the CPU', { tag: '@webgpu-only' }, async ({ app }) => {
  const weights = await Weights.open(app.page, NANO_FILE)
  const float = await weights.follow('cpu')
  expectObject(float)
  for (const [bits, tolerance] of [[8, NANO_INT8], [4, NANO_INT4]] as const) {
    const packed = (await weights.pack(bits)).weights
    await compareDevices(`nano int${bits}`, packed, float, tolerance)
  }
})

test('tiny: 156 MB are packed in little memory, and stay packed on WebGPU', { tag: '@webgpu-only' }, async ({ app }, info) => {
  const path = info.outputPath('tiny.pt')
  const floats = randomCheckpoint(TINY, 1)
  expect(floats.length).toBeGreaterThan(155e6)
  await writeFile(path, torchFile(floats))
  const weights = await Weights.open(app.page, path)
  const float = await weights.follow('cpu')
  expectObject(float)
  for (const [bits, largest, tolerance] of [[8, 42e6, TINY_INT8], [4, 24e6, TINY_INT4]] as const) {
    const packed = await weights.pack(bits)
    console.log(`    ${mb(floats.length)} in ${bits} bits: ${mb(packed.bytes)}; wasm memory while packing ${mb(packed.memory)}`)
    expect(packed.bytes).toBeLessThanOrEqual(largest)
    expect(packed.memory).toBeLessThan(WASM_WHILE_PACKING)

    const { held } = await compareDevices(`tiny int${bits}`, packed.weights, float, tolerance)
    console.log(`    on WebGPU: weights ${mb(held.weights)}, temporaries ${mb(held.temporaries!)}, reserved ${mb(held.reserved!)}`)
    // What the file has as half floats (norms, biases, embeddings: 3 MB) is f32 on the device. A float copy of the packed weights would be
    // four or eight times the words.
    expect(held.weights).toBeLessThan(1.2 * packed.bytes)
    expect(held.reserved!).toBeLessThan(floats.length / 2)
  }
})

/** WebGPU against the CPU with the same weights, and against the floats there. */
async function compareDevices(what: string, packed: Weights, float: Followed, tolerance: Tolerance): Promise<Followed> {
  const found = await packed.follow('webgpu')
  expect(found.device).toBe('webgpu')
  compare(`${what}, WebGPU against the CPU`, found, await packed.follow('cpu'), DEVICES)
  compare(`${what}, WebGPU against f32 on the CPU`, found, float, tolerance)
  return found
}

const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
