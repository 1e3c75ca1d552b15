// OneSlice in a page. In: a device, a checkpoint; out: times in milliseconds, samples of the outputs.

import init, { Bench } from '/pkg/oneslice.js'

export class Engine {
  async open({ device, stock, weights }) {
    await init()
    Bench.useStock(stock === true)
    this.bench = await Bench.create(device)
    const file = await fetch(`/models/${weights}`)
    if (!file.ok) throw new Error(`${weights}: ${file.status}`)
    this.bench.load(weights, new Uint8Array(await file.arrayBuffer()))
  }

  async prepare({ part, size }) {
    return { macs: this.bench.prepare(part, size) }
  }

  async run() {
    const started = performance.now()
    await this.bench.run()
    return performance.now() - started
  }

  async samples() {
    return this.bench.samples()
  }
}
