// onnxruntime-web in a page. In: an execution provider, ONNX files; out: times in milliseconds, samples of the outputs.

/** As `samples` in src/sam2/parts.rs. */
const SAMPLES = 512

/** As `made_up` in src/sam2/parts.rs. */
function madeUp(count, index) {
  const values = new Float32Array(count)
  for (let i = 0; i < count; i++) values[i] = Math.sin(i * 0.7310585 + index)
  return values
}

function samples(values) {
  const stride = Math.max(1, Math.floor(values.length / SAMPLES))
  const spread = []
  for (let i = 0; i < values.length && spread.length < SAMPLES; i += stride) spread.push(values[i])
  return spread
}

export class Engine {
  async open({ provider, threads }) {
    this.ort = await import(`/ort/ort.${provider}.min.mjs`)
    const { env } = this.ort
    env.wasm.wasmPaths = '/ort/'
    env.wasm.numThreads = threads
    env.logLevel = 'error'
    this.provider = provider
  }

  async prepare({ model, part, size }) {
    await this.session?.release()
    const stem = `/models/${model}_${size}_${part}`
    const onnx = new Uint8Array(await (await fetch(`${stem}.onnx`)).arrayBuffer())
    const { inputs, outputs } = await (await fetch(`${stem}.json`)).json()
    const onGpu = this.provider === 'webgpu'
    this.session = await this.ort.InferenceSession.create(onnx, {
      executionProviders: [this.provider],
      graphOptimizationLevel: 'all',
      ...(onGpu ? { preferredOutputLocation: 'gpu-buffer' } : {}),
    })
    this.outputs = Object.keys(outputs)
    this.feeds = {}
    for (const [index, [name, shape]] of Object.entries(inputs).entries()) {
      const count = shape.reduce((a, b) => a * b, 1)
      const tensor = new this.ort.Tensor('float32', madeUp(count, index), shape)
      this.feeds[name] = onGpu ? await this.upload(tensor) : tensor
    }
    return {}
  }

  /** Inputs lie on the device before a run, as OneSlice's do. */
  async upload(tensor) {
    const device = await this.ort.env.webgpu.device
    const usage = GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST | GPUBufferUsage.STORAGE
    const gpuBuffer = device.createBuffer({ size: Math.ceil(tensor.data.byteLength / 16) * 16, usage })
    device.queue.writeBuffer(gpuBuffer, 0, tensor.data)
    return this.ort.Tensor.fromGpuBuffer(gpuBuffer, { dataType: 'float32', dims: tensor.dims })
  }

  /** Waits for the last output, which on WebGPU is brought to the host. */
  async run() {
    const started = performance.now()
    const results = await this.session.run(this.feeds)
    await results[this.outputs.at(-1)].getData()
    const milliseconds = performance.now() - started
    for (const tensor of Object.values(results)) tensor.dispose()
    return milliseconds
  }

  async samples() {
    const results = await this.session.run(this.feeds)
    const all = []
    for (const name of this.outputs) all.push(samples(await results[name].getData()))
    for (const tensor of Object.values(results)) tensor.dispose()
    return all
  }
}
