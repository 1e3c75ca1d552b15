// OneSlice and onnxruntime-web side by side in Chromium. Every engine has a page of its own; for each part of the model they
// take turns, run by run, so that other work on the machine slows all alike.
//
// node bench.mjs --models-dir DIR --pkg DIR --out FILE [--models nano,tiny] [--sizes 256,512] [--devices cpu,webgpu]
//                [--bits f32,int8,int4] [--parts a,b] [--runs 5] [--engines oneslice,stock,ort]
// Writes a line of JSON for each model, size, part and engine.

import { appendFileSync, existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { cpuSeconds } from './cpu.mjs'
import { serve } from './server.mjs'

const here = import.meta.dirname
const { chromium } = createRequire(join(here, '../../www/package.json'))('playwright-core')

const { values: options } = parseArgs({
  options: {
    'models-dir': { type: 'string' },
    pkg: { type: 'string' },
    out: { type: 'string' },
    models: { type: 'string', default: 'nano,tiny' },
    sizes: { type: 'string', default: '256' },
    devices: { type: 'string', default: 'cpu,webgpu' },
    bits: { type: 'string', default: 'f32,int8,int4' },
    parts: { type: 'string', default: 'image_encoder,memory_attention_1,memory_attention_7,mask_decoder,memory_encoder,slice' },
    engines: { type: 'string', default: 'oneslice,ort' },
    runs: { type: 'string', default: '5' },
  },
})
const list = (name) => options[name].split(',')
const dir = options['models-dir']

/** A run longer than this is not repeated for a median of five: an emulated GPU would take hours. */
const LONG_MS = 60_000
/** No single run takes this long; a page that does not answer any more has lost its device. */
const STUCK_MS = 1_200_000
const FLAGS = [
  '--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--enable-unsafe-webgpu', '--enable-features=Vulkan', '--disable-gpu-watchdog',
  // The pages that wait for their turn are not in front.
  '--disable-background-timer-throttling', '--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows',
]
// ONESLICE_ADAPTER=hardware leaves the choice of the adapter to Chromium.
if (process.env.ONESLICE_ADAPTER !== 'hardware') FLAGS.push('--use-webgpu-adapter=swiftshader')

function engines(model, device) {
  const wanted = list('engines')
  const all = []
  const weights = (bits) => (bits === 'f32' ? `${model}.safetensors` : `${model}.${bits}.safetensors`)
  const bits = list('bits').filter((b) => existsSync(join(dir, weights(b))))
  if (wanted.includes('oneslice')) {
    for (const b of bits) all.push({ name: `oneslice ${b}`, script: 'oneslice', open: { device, weights: weights(b) } })
  }
  if (wanted.includes('stock') && bits.includes('f32')) {
    all.push({ name: 'stock f32', script: 'oneslice', open: { device, weights: weights('f32'), stock: true } })
  }
  if (wanted.includes('ort')) {
    const threads = device === 'cpu' ? [1, 2] : [1]
    const provider = device === 'cpu' ? 'wasm' : 'webgpu'
    for (const t of threads) {
      const name = device === 'cpu' ? `ort f32, ${t} thread${t > 1 ? 's' : ''}` : 'ort f32'
      all.push({ name, script: 'ort', open: { provider, threads: t } })
    }
  }
  return all
}

/** Calls a method of the page's engine. */
async function call(page, method, argument) {
  let timer
  const stuck = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${method}: no answer in ${STUCK_MS / 1000} s`)), STUCK_MS)
  })
  try {
    return await Promise.race([page.evaluate(([m, a]) => window.engine[m](a), [method, argument]), stuck])
  } finally {
    clearTimeout(timer)
  }
}

async function open(browser, url, engine) {
  const page = await browser.newPage()
  const errors = []
  page.on('console', (m) => m.type() === 'error' && errors.push(m.text()))
  page.on('pageerror', (e) => errors.push(String(e)))
  await page.goto(`${url}page.html?engine=${engine.script}`)
  await page.waitForFunction(() => window.engine !== undefined)
  await call(page, 'open', engine.open)
  return { ...engine, page, errors }
}

/** A shader that does not compile is reported to the console only. */
function complain({ errors }) {
  if (errors.length > 0) throw new Error(errors.splice(0).join('; ').slice(0, 500))
}

async function attempt(result, what) {
  if (result.error !== undefined) return
  try {
    await what()
    complain(result.engine)
  } catch (e) {
    result.error = String(e.message ?? e).slice(0, 500)
  }
}

async function timed(result) {
  const { page } = result.engine
  const before = cpuSeconds(process.pid)
  const milliseconds = await call(page, 'run')
  return { milliseconds, cpu: (cpuSeconds(process.pid) - before) * 1e3 }
}

async function measure(opened, { model, size, part }) {
  const exported = existsSync(join(dir, `${model}_${size}_${part}.json`))
  const results = opened
    .filter(({ script }) => script === 'oneslice' || exported)
    .map((engine) => ({ engine, times: [], cpu: [] }))
  for (const result of results) {
    await attempt(result, async () => {
      const { macs } = await call(result.engine.page, 'prepare', { model, size, part })
      result.macs = macs
      result.first = (await timed(result)).milliseconds
      result.outputs = await call(result.engine.page, 'samples')
    })
  }
  for (let run = 0; run < Number(options.runs); run++) {
    for (const result of results) {
      if (run > 0 && Math.max(...result.times) > LONG_MS) continue
      await attempt(result, async () => {
        await result.engine.page.bringToFront()
        const { milliseconds, cpu } = await timed(result)
        result.times.push(milliseconds)
        result.cpu.push(cpu)
      })
    }
  }
  return results
}

const server = await serve({ '': here, pkg: options.pkg, models: dir, ort: join(here, 'node_modules/onnxruntime-web/dist') })
for (const model of list('models')) {
  for (const device of list('devices')) {
    const browser = await chromium.launch({ executablePath: process.env.ONESLICE_CHROMIUM, headless: true, args: FLAGS })
    const opened = []
    for (const engine of engines(model, device)) opened.push(await open(browser, server.url, engine))
    for (const size of list('sizes').map(Number)) {
      for (const part of list('parts')) {
        for (const { engine, ...result } of await measure(opened, { model, size, part })) {
          const line = { where: 'web', device, model, size, part, engine: engine.name, ...result, load: loadavg()[0] }
          appendFileSync(options.out, `${JSON.stringify(line)}\n`)
          console.error(`${device} ${model} ${size} ${part} ${engine.name}: ${result.error ?? result.times.map((t) => t.toFixed(0)).join(' ')} (cpu ${result.cpu.map((t) => t.toFixed(0)).join(' ')}) first ${result.first?.toFixed(0)}`)
        }
      }
    }
    await browser.close()
  }
}
server.close()
