// Owns the engine. In: one message per call. Out: one answer per call, or word that the engine has crashed.

import init, { OneSlice, type Session } from '@pkg/oneslice.js'

import { watchRequests } from './network'
import type { Calls, Failure, Reply, Request, RunOptions } from './messages'

let engine: OneSlice | undefined
let session: Session | undefined

function theEngine(): OneSlice {
  if (engine === undefined) throw new Error('the engine has not started')
  return engine
}

function theSession(): Session {
  if (session === undefined) throw new Error('nothing has been propagated yet')
  return session
}

function startRun(options: RunOptions): number {
  session?.free()
  session = undefined
  const { axis, imageSize, window, direction, prompts, memory, supports, fewShot } = options
  session = theEngine().session({ axis, imageSize, ...(window && { window }), ...(memory && { memory }) })
  for (const { label, slice, mask } of prompts) session.addMask(label, slice, mask)
  for (const { name, scan, mask, ...options } of supports ?? []) session.addSupport(name, scan, mask, options)
  if (fewShot) session.fewShot(fewShot)
  else session.start(direction)
  return session.coldParts
}

const handlers: { [K in keyof Calls]: (input: Calls[K]['input']) => Calls[K]['output'] | Promise<Calls[K]['output']> } = {
  async create(device) {
    await init()
    engine = await OneSlice.create(device)
    return engine.device
  },
  loadWeights: ({ name, data }) => theEngine().loadWeights(name, data),
  loadLpips: ({ name, data }) => theEngine().loadLpips(name, data),
  packWeights({ name, data, bits }) {
    const packed = OneSlice.quantize(name, data, bits)
    return packed && new Blob([packed])
  },
  openScan: ({ name, bytes }) => theEngine().openScan(name, bytes),
  openSample() {
    const engine = theEngine()
    return { info: engine.openSample(), image: engine.sampleNifti(), mask: engine.sampleMask() }
  },
  readMask: ({ name, bytes }) => theEngine().readMask(name, bytes),
  start: startRun,
  warmUp: () => theSession().warmUp(),
  next: () => theSession().next(),
  exportNifti: (labels) => theEngine().exportNifti(labels),
}

function failure(error: unknown): Failure {
  return error instanceof Error ? { name: error.name, message: error.message } : { name: 'Error', message: String(error) }
}

function post(reply: Reply): void {
  self.postMessage(reply)
}

self.onmessage = async ({ data }: MessageEvent<Request>) => {
  try {
    const handler = handlers[data.call] as (input: unknown) => unknown
    post({ id: data.id, ok: true, output: await handler(data.input) })
  } catch (error) {
    // A trap leaves the module's memory in an unknown state: nothing more may be asked of it.
    if (error instanceof WebAssembly.RuntimeError) post({ crash: failure(error) })
    else post({ id: data.id, ok: false, error: failure(error) })
  }
}

watchRequests('engine', (requests) => self.postMessage({ requests }))

self.addEventListener('error', (event) => post({ crash: { name: 'Crash', message: event.message } }))
self.addEventListener('unhandledrejection', (event) => post({ crash: failure(event.reason) }))
