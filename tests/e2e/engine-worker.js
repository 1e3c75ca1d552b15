// The engine's own API in a worker, for tests that ask for more than the page shows. In: one job; out: [result] or [undefined, message].

import init, { OneSlice } from './oneslice.js'

const jobs = {
  /** Packs a file; also how large the module's memory has grown by then. */
  async pack({ name, file, bits }) {
    const { memory } = await init()
    const packed = OneSlice.quantize(name, file, bits)
    return { file: new Blob([packed]), bytes: packed.length, memory: memory.buffer.byteLength }
  },

  /** Follows the sample's mask from its slice on; the whole label map, and what the engine says of each slice and of its memory. */
  async follow({ device, name, file, imageSize, slices }) {
    await init()
    const engine = await OneSlice.create(device)
    await engine.loadWeights(name, file)
    const { dims } = engine.openSample()
    const { labels, present } = engine.readMask('mask.nii.gz', engine.sampleMask())
    const label = present[0]
    const area = dims[0] * dims[1]
    const slice = Math.floor(labels.indexOf(label) / area)
    const mask = Uint8Array.from(labels.subarray(slice * area, (slice + 1) * area), (value) => Number(value === label))
    const session = engine.session({ axis: 'axial', imageSize })
    session.addMask(label, slice, mask)
    session.start('forward')
    const steps = []
    for (let i = 0; i < slices; i++) {
      const { labels: [found] } = await session.next()
      steps.push({ iou: found.predictedIou, score: found.objectScore, pixels: found.pixels })
    }
    return { device: engine.device.kind, area, label, steps, labels: Array.from(session.labelMap()), held: session.memoryReport() }
  },
}

self.onmessage = async ({ data: [job, input] }) => {
  try {
    self.postMessage([await jobs[job](input)])
  } catch (error) {
    self.postMessage([undefined, `${error.name}: ${error.message}`])
  }
}
