// The queue, cancelling, and the worker that is replaced, against a worker made of a function.

import { beforeEach, expect, test } from 'vitest'

import { EngineClient, EngineError, type WorkerLike } from '../src/client'
import type { Reply, Request, RunOptions, ScanFiles } from '../src/messages'

type Answer = (request: Request) => Reply | 'silence' | 'fault'

const RUN: RunOptions = { axis: 'axial', imageSize: 128, direction: 'both', prompts: [] }
const SCAN = new Blob([Uint8Array.of(1, 2, 3)])
const files = (name: string): ScanFiles => ({ files: [{ name, data: SCAN }] })

let log: string[]
let workers: FakeWorker[]
let answer: Answer

class FakeWorker implements WorkerLike {
  onmessage: WorkerLike['onmessage'] = null
  onerror: WorkerLike['onerror'] = null
  readonly name: number
  constructor() {
    this.name = workers.push(this)
  }
  postMessage(message: unknown): void {
    const request = message as Request
    log.push(`${this.name}:${request.call}`)
    const reply = answer(request)
    if (reply === 'silence') return
    queueMicrotask(() => {
      if (reply === 'fault') this.onerror?.({ message: 'unreachable' } as ErrorEvent)
      else this.onmessage?.({ data: reply } as MessageEvent)
    })
  }
  terminate(): void {
    log.push(`${this.name}:terminated`)
  }
}

const ok = (request: Request, output: unknown): Reply => ({ id: request.id, ok: true, output })

function steps(count: number): Answer {
  let left = count
  return (request) => {
    if (request.call === 'create') return ok(request, { kind: 'cpu', description: 'CPU' })
    if (request.call === 'start') return ok(request, 0)
    if (request.call !== 'next') return ok(request, {})
    return ok(request, left-- > 0 ? { slice: left } : undefined)
  }
}

beforeEach(() => {
  log = []
  workers = []
  answer = steps(3)
})

async function ready(timeouts = {}): Promise<EngineClient> {
  const client = new EngineClient(() => new FakeWorker(), timeouts)
  await client.start('auto')
  await client.loadWeights('nano', new Blob(['w']))
  await client.openFiles(files('scan.nii'))
  log = []
  return client
}

test('yields every slice, in order, one call at a time', async () => {
  const client = await ready()
  const slices = []
  for await (const { slice } of client.propagate(RUN, new AbortController().signal)) slices.push(slice)
  expect(slices).toEqual([2, 1, 0])
  expect(log).toEqual(['1:start', '1:next', '1:next', '1:next', '1:next'])
})

test('prepares a cold device part by part before the first slice, and says so', async () => {
  const client = await ready()
  let left = 2
  const slices = steps(1)
  answer = (request) => {
    if (request.call === 'start') return ok(request, left)
    return request.call === 'warmUp' ? ok(request, --left) : slices(request)
  }
  const heard: string[] = []
  const prepare = (done: number, parts: number): number => heard.push(`${done} of ${parts}`)
  for await (const _ of client.propagate(RUN, new AbortController().signal, prepare)) heard.push('slice')
  expect(heard).toEqual(['0 of 2', '1 of 2', '2 of 2', 'slice'])
  expect(log).toEqual(['1:start', '1:warmUp', '1:warmUp', '1:next', '1:next'])
})

test('aborting stops between slices and asks for no more', async () => {
  const client = await ready()
  const controller = new AbortController()
  const slices = []
  for await (const { slice } of client.propagate(RUN, controller.signal)) {
    slices.push(slice)
    controller.abort()
  }
  expect(slices).toEqual([2])
  expect(log).toEqual(['1:start', '1:next'])
  await client.measure(new Uint16Array(1))
  expect(log.at(-1)).toBe('1:measure')
})

test("an engine's error keeps its name and the worker", async () => {
  const client = await ready()
  answer = (request) => ({ id: request.id, ok: false, error: { name: 'Truncated', message: 'x.nii: ends early' } })
  const error = await client.openFiles(files('x.nii')).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(EngineError)
  expect(error).toMatchObject({ name: 'Truncated', message: 'x.nii: ends early', crashed: false })
  expect(workers).toHaveLength(1)
})

test('weights that are refused leave the ones before', async () => {
  const client = await ready()
  const good = answer
  answer = (request) =>
    request.call === 'loadWeights' && request.input.name === 'bad' ? { id: request.id, ok: false, error: { name: 'Parse', message: 'bad: no weights' } } : good(request)
  await expect(client.loadWeights('bad', SCAN)).rejects.toThrow('bad: no weights')
  expect(log).toEqual(['1:loadWeights', '1:loadWeights'])
})

const replayed = ['1:terminated', '2:create', '2:loadWeights', '2:openFiles']

test.each<[string, Answer, Record<string, number>]>([
  ['a trap', () => ({ crash: { name: 'RuntimeError', message: 'unreachable' } }), {}],
  ['a fault', () => 'fault', {}],
  ['silence', () => 'silence', { next: 20 }],
])('%s replaces the worker, with weights and the last good scan', async (_, broken, timeouts) => {
  const client = await ready(timeouts)
  const restarts: unknown[] = []
  client.onCrash = () => restarts.push('crash')
  client.onRestart = (device) => restarts.push(device.kind)
  const good = answer
  answer = (request) => (request.call === 'next' && workers.length === 1 ? broken(request) : good(request))
  const run = async (): Promise<void> => {
    for await (const slice of client.propagate(RUN, new AbortController().signal)) void slice
  }
  await expect(run()).rejects.toMatchObject({ crashed: true })
  await client.readMask('mask.nii', SCAN)
  expect(log).toEqual(['1:start', '1:next', ...replayed, '2:readMask'])
  expect(restarts).toEqual(['crash', 'cpu'])
})

test('a worker that dies between calls is replaced too', async () => {
  const client = await ready()
  workers[0]!.onmessage?.({ data: { crash: { name: 'Crash', message: 'boom' } } } as MessageEvent)
  await client.readMask('mask.nii', SCAN)
  expect(log).toEqual([...replayed, '2:readMask'])
})

test("few-shot's network is loaded again too, and a run is asked for in one call", async () => {
  const client = await ready()
  await client.loadLpips('lpips-tiny', SCAN)
  workers[0]!.onmessage?.({ data: { crash: { name: 'Crash', message: 'boom' } } } as MessageEvent)
  const slices = []
  for await (const { slice } of client.propagate({ ...RUN, fewShot: { copies: 0 } }, new AbortController().signal)) slices.push(slice)
  expect(slices).toHaveLength(3)
  expect(log.slice(0, 6)).toEqual(['1:loadLpips', '1:terminated', '2:create', '2:loadWeights', '2:loadLpips', '2:openFiles'])
  expect(log[6]).toBe('2:start')
})

test('a scan that was refused is not the one that is opened again', async () => {
  const client = await ready()
  const good = answer
  answer = (request) =>
    request.call === 'openFiles' && request.input.files[0]?.name === 'bad.nii' ? { crash: { name: 'Crash', message: 'boom' } } : good(request)
  await expect(client.openFiles(files('bad.nii'))).rejects.toThrow('boom')
  await client.readMask('mask.nii', SCAN)
  expect(log).toEqual(['1:openFiles', ...replayed, '2:readMask'])
})

test('a worker that cannot be replaced is reported, and can be started again', async () => {
  const client = await ready()
  let down = 0
  client.onDown = () => down++
  const good = answer
  answer = () => ({ crash: { name: 'Crash', message: 'boom' } })
  await expect(client.readMask('mask.nii', SCAN)).rejects.toThrow('boom')
  await expect(client.readMask('mask.nii', SCAN)).rejects.toMatchObject({ name: 'NotRunning' })
  expect(down).toBe(1)
  answer = good
  expect(await client.start('cpu')).toEqual({ kind: 'cpu', description: 'CPU' })
  await client.readMask('mask.nii', SCAN)
})

test('corrections are one call, then slices as in a run', async () => {
  const client = await ready()
  const good = answer
  answer = (request) => (request.call === 'correct' ? ok(request, 3) : good(request))
  const slices = []
  for await (const { slice } of client.correct({ prompts: [], dropped: [] }, new AbortController().signal)) slices.push(slice)
  expect(slices).toEqual([2, 1, 0])
  expect(log).toEqual(['1:correct', '1:next', '1:next', '1:next', '1:next'])
})
