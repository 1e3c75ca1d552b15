// Owns the engine. In: one message per call. Out: one answer per call, or word that the engine has crashed.

import init, { OneSlice, type Session } from '@pkg/oneslice.js'

import { exportFile } from './export-files'
import { readMask } from './mask-files'
import { inspectFiles, openFiles, scanNifti } from './scan-files'
import { watchRequests } from './network'
import type { Calls, Corrections, Failure, PromptMask, Reply, Request, RestoreOptions, RunOptions, SessionOptions } from './messages'

let engine: OneSlice | undefined
/** The run's session; it stays after the run, for corrections. */
let session: Session | undefined
/** A session for previews of points and boxes, and the options it was made with. */
let previewer: { session: Session; key: string } | undefined

function theEngine(): OneSlice {
  if (engine === undefined) throw new Error('the engine has not started')
  return engine
}

function theSession(): Session {
  if (session === undefined) throw new Error('nothing has been propagated yet')
  return session
}

/** Sessions keep their scan and their model: another of either ends them. */
function endSessions(): void {
  session?.free()
  previewer?.session.free()
  session = previewer = undefined
}

function makeSession({ axis, imageSize, objectShare, window, memory, objectScoreBias }: SessionOptions): Session {
  return theEngine().session({
    axis, ...(imageSize && { imageSize }), ...(objectShare && { objectShare }), ...(window && { window }), ...(memory && { memory }),
    ...(objectScoreBias && { objectScoreBias }),
  })
}

/** Of its slice, that the smallest object covers; none without a mask. */
function smallestShare(prompts: PromptMask[]): number | undefined {
  const shares = prompts.map(({ mask }) => mask.reduce((sum, inside) => sum + Number(inside !== 0), 0) / mask.length)
  return shares.length > 0 ? Math.min(...shares) : undefined
}

function newRun(options: RunOptions): Session {
  session?.free()
  session = undefined
  // Few-shot's objects have any size on the slices that are asked for.
  const objectShare = options.fewShot ? undefined : smallestShare(options.prompts)
  const made = makeSession({ ...options, ...(objectShare && { objectShare }) })
  session = made
  for (const { label, slice, mask } of options.prompts) made.addMask(label, slice, mask)
  return made
}

function startRun(options: RunOptions): number {
  const session = newRun(options)
  const { direction, range, supports, fewShot } = options
  for (const { name, scan, mask, ...which } of supports ?? []) session.addSupport(name, scan, mask, which)
  if (fewShot) session.fewShot(fewShot)
  else session.start(range ? { direction, first: range[0], last: range[1] } : direction)
  return session.coldParts
}

function correct({ prompts, dropped }: Corrections): number {
  const session = theSession()
  for (const { label, slice } of dropped) session.removeMask(label, slice)
  for (const { label, slice, mask } of prompts) session.addMask(label, slice, mask)
  return session.resume()
}

function restoreRun(options: RestoreOptions): null {
  newRun(options).restore(options.labelMap, options.state)
  return null
}

function previewSession(options: SessionOptions): Session {
  const { axis, imageSize, window } = options
  const key = JSON.stringify([axis, imageSize, window])
  if (previewer?.key !== key) {
    previewer?.session.free()
    previewer = undefined
    previewer = { session: makeSession(options), key }
  }
  return previewer.session
}

const handlers: { [K in keyof Calls]: (input: Calls[K]['input']) => Calls[K]['output'] | Promise<Calls[K]['output']> } = {
  async create(device) {
    await init()
    engine = await OneSlice.create(device)
    return engine.device
  },
  loadWeights({ name, data }) {
    endSessions()
    return theEngine().loadWeights(name, data)
  },
  loadLpips: ({ name, data }) => theEngine().loadLpips(name, data),
  packWeights({ name, data, bits }) {
    const packed = OneSlice.quantize(name, data, bits)
    return packed && new Blob([packed])
  },
  inspectFiles: (files) => inspectFiles(theEngine(), files),
  async openFiles(files) {
    const info = await openFiles(theEngine(), files)
    endSessions()
    return info
  },
  scanNifti: () => scanNifti(theEngine()),
  openSample() {
    const engine = theEngine()
    const info = engine.openSample()
    endSessions()
    return { info, image: engine.sampleNifti(), mask: engine.sampleMask() }
  },
  readMask: (input) => readMask(theEngine(), input),
  imageSize: (options) => previewSession(options).imageSize,
  preview: ({ session, slice, prompt }) => previewSession(session).preview(slice, prompt),
  start: startRun,
  warmUp: () => theSession().warmUp(),
  next: () => theSession().next(),
  correct,
  restore: restoreRun,
  runState: () => session?.state(),
  attention: ({ label, slice, at, used }) => theSession().attention(label, slice, at, used),
  compare: ({ labels, truth, axis, toleranceMm }) => theEngine().compare(labels, truth, axis, toleranceMm),
  measure: (labels) => theEngine().measure(labels),
  exportFile: (options) => exportFile(theEngine(), options),
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
