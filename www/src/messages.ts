// The protocol between the page and the worker. In: nothing. Out: the types of every call and answer.

export type DeviceChoice = 'auto' | 'webgpu' | 'cpu'
export type AxisName = 'axial' | 'coronal' | 'sagittal'
export type Direction = 'both' | 'forward' | 'backward'
export type Triple = [number, number, number]

export interface DeviceInfo {
  kind: 'webgpu' | 'cpu'
  description: string
}

export interface WeightsInfo {
  config: string
  parameters: number
}

/** What the engine says of an open scan. `affine` is 4 x 4, row-major, voxel to RAS millimetres. */
export interface ScanInfo {
  name: string
  dims: Triple
  spacing: Triple
  affine: number[]
  window: [number, number]
  axes: Record<AxisName, number>
}

/** A label map on the scan's grid, in storage order (i fastest). */
export interface MaskFile {
  labels: Uint16Array
  present: number[]
}

/** One label's mask on one slice, row-major; non-zero is inside. */
export interface PromptMask {
  label: number
  slice: number
  mask: Uint8Array
}

export interface RunOptions {
  axis: AxisName
  imageSize: number
  window?: [number, number]
  direction: Direction
  prompts: PromptMask[]
}

export interface LabelScore {
  label: number
  predictedIou: number
  objectScore: number
  pixels: number
}

/** One finished slice; `labelMap` is rows x cols, row-major. */
export interface SliceResult {
  slice: number
  step: number
  steps: number
  labelMap: Uint16Array
  labels: LabelScore[]
}

/** Every call the page can make: what goes in, what comes out. */
export interface Calls {
  create: { input: DeviceChoice; output: DeviceInfo }
  loadWeights: { input: { name: string; data: Blob }; output: WeightsInfo }
  /** Packs the weights of a checkpoint in so many bits; undefined when they are packed already. */
  packWeights: { input: { name: string; data: Blob; bits: 8 | 4 }; output: Blob | undefined }
  openScan: { input: { name: string; bytes: Uint8Array }; output: ScanInfo }
  openSample: { input: null; output: { info: ScanInfo; image: Uint8Array; mask: Uint8Array } }
  readMask: { input: { name: string; bytes: Uint8Array }; output: MaskFile }
  /** How many parts of the engine must be prepared first. */
  start: { input: RunOptions; output: number }
  /** Prepares the next part; how many are left. */
  warmUp: { input: null; output: number }
  next: { input: null; output: SliceResult | undefined }
  /** Labels of the open scan, in storage order. */
  exportNifti: { input: Uint16Array; output: Uint8Array }
}

export type CallName = keyof Calls

export type Request = { [K in CallName]: { id: number; call: K; input: Calls[K]['input'] } }[CallName]

export interface Failure {
  name: string
  message: string
}

/** `crash` means that the worker can no longer be used. */
export type Reply =
  | { id: number; ok: true; output: unknown }
  | { id: number; ok: false; error: Failure }
  | { crash: Failure }
