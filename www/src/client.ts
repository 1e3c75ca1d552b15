// The page's side of the worker. In: calls. Out: promises, one call at a time; a dead worker is replaced and
// brought back to where it was (device, weights, scan) before the next call.

import type {
  AttentionMaps,
  MemoryReport,
  Agreement,
  AxisName,
  CallName,
  Calls,
  Corrections,
  DeviceChoice,
  DeviceInfo,
  ExportOptions,
  Failure,
  InputFile,
  LpipsInfo,
  MaskFile,
  MaskInput,
  Measurement,
  PointPrompt,
  Preview,
  Reply,
  RestoreOptions,
  RunOptions,
  RunState,
  ScanFiles,
  ScanInfo,
  SeriesInfo,
  SessionOptions,
  SliceResult,
  WeightsInfo,
} from './messages'

/** The part of `Worker` that is used here. */
export interface WorkerLike {
  postMessage(message: unknown, transfer: Transferable[]): void
  terminate(): void
  onmessage: ((event: MessageEvent) => unknown) | null
  onerror: ((event: ErrorEvent) => unknown) | null
}

/** An error of the engine or of its worker. `crashed` is true when the worker had to be replaced. */
export class EngineError extends Error {
  readonly crashed: boolean
  constructor({ name, message }: Failure, crashed = false) {
    super(message)
    this.name = name
    this.crashed = crashed
  }
}

interface Named {
  name: string
  data: Blob
}

interface Pending {
  id: number
  timer: ReturnType<typeof setTimeout>
  resolve: (output: unknown) => void
  reject: (error: EngineError) => void
}

const MINUTE = 60_000
/** How long a call may take before its worker is given up; a slice at full size on a slow CPU takes minutes. */
const TIMEOUT: Record<CallName, number> = {
  create: 2 * MINUTE,
  loadWeights: 10 * MINUTE,
  packWeights: 10 * MINUTE,
  loadLpips: 5 * MINUTE,
  inspectFiles: 10 * MINUTE,
  openFiles: 10 * MINUTE,
  scanNifti: 5 * MINUTE,
  openSample: 5 * MINUTE,
  readMask: 5 * MINUTE,
  imageSize: 5 * MINUTE,
  preview: 20 * MINUTE,
  start: 20 * MINUTE,
  warmUp: 20 * MINUTE,
  next: 20 * MINUTE,
  correct: 5 * MINUTE,
  restore: 5 * MINUTE,
  attention: 20 * MINUTE,
  runState: MINUTE,
  compare: 10 * MINUTE,
  measure: 5 * MINUTE,
  exportFile: 10 * MINUTE,
}

export class EngineClient {
  /** Called when a worker has died and is about to be replaced. */
  onCrash: (error: EngineError) => void = () => {}
  /** Called when the replacement is where its predecessor was. */
  onRestart: (device: DeviceInfo) => void = () => {}
  /** Called when a dead worker could not be replaced: `start` has to be called again. */
  onDown: () => void = () => {}

  readonly #makeWorker: () => WorkerLike
  readonly #timeouts: Record<CallName, number>
  #worker: WorkerLike | undefined
  #pending: Pending | undefined
  #queue: Promise<unknown> = Promise.resolve()
  #lastId = 0
  #device: DeviceChoice = 'auto'
  #weights: Named | undefined
  #lpips: Named | undefined
  #scan: ScanFiles | 'sample' | undefined

  constructor(makeWorker: () => WorkerLike, timeouts: Partial<Record<CallName, number>> = {}) {
    this.#makeWorker = makeWorker
    this.#timeouts = { ...TIMEOUT, ...timeouts }
  }

  /** Starts (or restarts, on another device) the engine, with the weights and the scan that were open. */
  start(device: DeviceChoice): Promise<DeviceInfo> {
    return this.#enqueue(async () => {
      this.#device = device
      this.#stop()
      return this.#boot()
    })
  }

  async loadWeights(name: string, data: Blob): Promise<WeightsInfo> {
    const weights = { name, data }
    const info = await this.#enqueue(async () => {
      try {
        return await this.#call('loadWeights', weights)
      } catch (error) {
        // The engine never holds two models, so the one before is gone by now. (A new worker gets it from #boot.)
        if (this.#weights && !(error instanceof EngineError && error.crashed)) await this.#call('loadWeights', this.#weights)
        throw error
      }
    })
    this.#weights = weights
    return info
  }

  /** The checkpoint's weights in so many bits, or as they are when they are packed already. */
  async packWeights(name: string, data: Blob, bits: 8 | 4): Promise<Blob> {
    return (await this.#enqueue(() => this.#call('packWeights', { name, data, bits }))) ?? data
  }

  /** The network that few-shot compares slices with. */
  async loadLpips(name: string, data: Blob): Promise<LpipsInfo> {
    const lpips = { name, data }
    const info = await this.#enqueue(() => this.#call('loadLpips', lpips))
    this.#lpips = lpips
    return info
  }

  /** The scans that are in the files. */
  inspectFiles(files: InputFile[]): Promise<SeriesInfo[]> {
    return this.#enqueue(() => this.#call('inspectFiles', files))
  }

  async openFiles(files: ScanFiles): Promise<ScanInfo> {
    const info = await this.#enqueue(() => this.#call('openFiles', files))
    this.#scan = files
    return info
  }

  /** The open scan as a NIfTI file, whatever it came from. */
  scanNifti(): Promise<Uint8Array> {
    return this.#enqueue(() => this.#call('scanNifti', null))
  }

  async openSample(): Promise<Calls['openSample']['output']> {
    const sample = await this.#enqueue(() => this.#call('openSample', null))
    this.#scan = 'sample'
    return sample
  }

  readMask(name: string, data: Blob, on?: MaskInput['on']): Promise<MaskFile> {
    return this.#enqueue(async () => this.#call('readMask', { ...(await withBytes({ name, data })), ...(on && { on }) }))
  }

  /** The side of the square that the model sees, in its pixels. */
  imageSize(options: SessionOptions): Promise<number> {
    return this.#enqueue(() => this.#call('imageSize', options))
  }

  preview(session: SessionOptions, slice: number, prompt: PointPrompt): Promise<Preview> {
    return this.#enqueue(() => this.#call('preview', { session, slice, prompt }))
  }

  /** A run that was kept elsewhere, so that it can be corrected. */
  async restore(options: RestoreOptions): Promise<void> {
    await this.#enqueue(() => this.#call('restore', options))
  }

  runState(): Promise<RunState | undefined> {
    return this.#enqueue(() => this.#call('runState', null))
  }

  attention(label: number, slice: number, at: [number, number], used: MemoryReport['used']): Promise<AttentionMaps> {
    return this.#enqueue(() => this.#call('attention', { label, slice, at, used }))
  }

  compare(labels: Uint16Array, truth: Uint16Array, axis: AxisName, toleranceMm: number): Promise<Agreement[]> {
    return this.#enqueue(() => this.#call('compare', { labels, truth, axis, toleranceMm }))
  }

  measure(labels: Uint16Array): Promise<Measurement[]> {
    return this.#enqueue(() => this.#call('measure', labels))
  }

  exportFile(options: ExportOptions): Promise<Uint8Array> {
    return this.#enqueue(() => this.#call('exportFile', options))
  }

  /**
   * Propagates, or segments by few-shot, and yields slice by slice. Aborting ends it between slices: the slice being worked on is still
   * yielded, so that what the page shows and what the engine exports are the same. `onPrepare` hears how much of the
   * preparation (a graphics card's, few-shot's pictures) is done, before the first slice.
   */
  async *propagate(
    options: RunOptions,
    signal: AbortSignal,
    onPrepare: (done: number, parts: number) => void = () => {},
  ): AsyncGenerator<SliceResult> {
    const transfer = options.prompts.map(({ mask }) => mask.buffer as ArrayBuffer)
    const parts = await this.#enqueue(() => this.#call('start', options, transfer))
    for (let left = parts; left > 0 && !signal.aborted; ) {
      onPrepare(parts - left, parts)
      left = await this.#enqueue(() => this.#call('warmUp', null))
    }
    onPrepare(parts, parts)
    yield* this.#slices(signal)
  }

  /** Changes the last run and yields the slices that depend on the changes, and those that a stopped run has left. */
  async *correct(corrections: Corrections, signal: AbortSignal): AsyncGenerator<SliceResult> {
    await this.#enqueue(() => this.#call('correct', corrections))
    yield* this.#slices(signal)
  }

  async *#slices(signal: AbortSignal): AsyncGenerator<SliceResult> {
    while (!signal.aborted) {
      const result = await this.#enqueue(() => this.#call('next', null))
      if (result === undefined) return
      yield result
    }
  }

  /** One job after the other; a worker that died is replaced before the next job. */
  #enqueue<T>(job: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(job)
    this.#queue = done.catch(async (error: unknown) => {
      if (error instanceof EngineError && error.crashed) await this.#recover(error)
    })
    return done
  }

  async #recover(error: EngineError): Promise<void> {
    this.onCrash(error)
    try {
      this.onRestart(await this.#boot())
    } catch {
      this.#stop()
      this.onDown()
    }
  }

  async #boot(): Promise<DeviceInfo> {
    const worker = this.#makeWorker()
    this.#worker = worker
    worker.onmessage = ({ data }: MessageEvent<Reply>) => this.#receive(data)
    worker.onerror = ({ message }) => this.#crashed({ name: 'Crash', message: message || 'the engine stopped' })
    const device = await this.#call('create', this.#device)
    if (this.#weights) await this.#call('loadWeights', this.#weights)
    if (this.#lpips) await this.#call('loadLpips', this.#lpips)
    if (this.#scan === 'sample') await this.#call('openSample', null)
    else if (this.#scan) await this.#call('openFiles', this.#scan)
    return device
  }

  #stop(): void {
    const worker = this.#worker
    if (!worker) return
    this.#worker = undefined
    worker.onmessage = worker.onerror = null
    worker.terminate()
  }

  #receive(reply: Reply): void {
    if ('crash' in reply) return this.#crashed(reply.crash)
    const pending = this.#pending
    if (pending?.id !== reply.id) return
    clearTimeout(pending.timer)
    this.#pending = undefined
    if (reply.ok) pending.resolve(reply.output)
    else pending.reject(new EngineError(reply.error))
  }

  /** Ends the worker; the call it was working on fails, and the queue replaces the worker. */
  #crashed(failure: Failure): void {
    const error = new EngineError(failure, true)
    const pending = this.#pending
    this.#stop()
    this.#pending = undefined
    if (pending) {
      clearTimeout(pending.timer)
      pending.reject(error)
    } else {
      this.#enqueue(() => Promise.reject(error)).catch(() => {})
    }
  }

  #call<K extends CallName>(call: K, input: Calls[K]['input'], transfer: Transferable[] = []): Promise<Calls[K]['output']> {
    const worker = this.#worker
    if (worker === undefined) {
      return Promise.reject(new EngineError({ name: 'NotRunning', message: 'the engine is not running: choose a device to start it' }))
    }
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      const late = (): void => this.#crashed({ name: 'Timeout', message: `the engine did not answer (${call})` })
      const timer = setTimeout(late, this.#timeouts[call])
      this.#pending = { id, timer, resolve: resolve as (output: unknown) => void, reject }
      worker.postMessage({ id, call, input }, transfer)
    })
  }
}

async function withBytes({ name, data }: Named): Promise<{ name: string; bytes: Uint8Array }> {
  return { name, bytes: new Uint8Array(await data.arrayBuffer()) }
}
