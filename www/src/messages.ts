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

/** The LPIPS network that few-shot compares slices with. */
export interface LpipsInfo {
  net: 'alex' | 'squeeze' | 'vgg' | 'tiny'
  parameters: number
}

export interface InputFile {
  name: string
  data: Blob
}

export interface ScanWarning {
  kind: string
  message: string
}

/** One of the scans that files hold. */
export interface SeriesInfo {
  id: string
  format: string
  description: string
  modality: string
  dims: Triple
  volumes: number
  spacing: Triple
  files: string[]
  warnings: ScanWarning[]
  /** Why it does not open; undefined when it does. */
  error: string | undefined
}

/** Where a scan's slices came from, for files that refer to them. The page passes it on unread. */
export type DicomSource = Record<string, unknown>

export interface ScanFiles {
  files: InputFile[]
  series?: string
  /** Of a 4-D scan, from 0. */
  volume?: number
  /** Of pictures, which have none of their own: millimetres. */
  spacing?: Triple
}

/** What the engine says of an open scan. `affine` is 4 x 4, row-major, voxel to RAS millimetres. */
export interface ScanInfo {
  name: string
  dims: Triple
  spacing: Triple
  affine: number[]
  window: [number, number]
  axes: Record<AxisName, number>
  format?: string
  modality?: string
  warnings?: ScanWarning[]
  source?: DicomSource
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

export type Matcher = 'lpips' | 'ssim' | 'psnr' | 'none'

/** How few-shot multiplies, compares and accepts; what is left out has the command line's default. */
export interface FewShotOptions {
  matcher?: Matcher
  /** Augmented copies of each support for each slice of the scan. */
  copies?: number
  /** Degrees. */
  rotation?: number
  /** Share. */
  scale?: number
  /** Degrees. */
  shear?: number
  /** Share of the longer side. */
  translation?: number
  /** Share of full brightness. */
  jitter?: number
  seed?: number
  /** A logit; labels with less are left out of the result. */
  minObjectScore?: number
}

/** Which slices of another scan few-shot learns from: all labels where they are largest, unless it is told. */
export interface SupportOptions {
  label?: number
  slices?: number[]
  window?: [number, number]
}

/** A labelled scan: the bytes of two files. */
export interface SupportFile extends SupportOptions {
  name: string
  scan: Uint8Array
  mask: Uint8Array
}

/** The support that few-shot chose. */
export interface SupportChoice {
  /** Name of its scan; undefined for the open one. */
  scan: string | undefined
  slice: number
  /** Which copy of it; 0 is the slice itself. */
  copy: number
  /** Undefined when nothing is compared. */
  distance: number | undefined
  /** Whether the label is in the result. */
  accepted: boolean
}

export type MemoryStrategy = 'fifo' | 'self-sorting' | 'self-sorting-released'

/** How a propagation chooses what a slice remembers; what is left out has the command line's default. */
export interface MemoryOptions {
  strategy?: MemoryStrategy
  /** Most memories that a self-sorting bank keeps, the prompted slices included. */
  size?: number
  /** Predicted IoU that a memory must exceed; `self-sorting` only. */
  threshold?: number
  /** Draws memories at random by similarity, instead of taking the most similar. */
  seed?: number
}

/** The memory's part in one label on one slice. */
export interface MemoryReport {
  /** What the slice attended to; nothing for a prompted slice. */
  used: {
    slice: number
    prompted: boolean
    /** Cosine of the two slices' image embeddings; undefined for `fifo`, which does not look. */
    similarity: number | undefined
    /** SAM 2's temporal position: 0 for prompted slices, 6 for the nearest to 1; undefined where there is none. */
    position: number | undefined
  }[]
  /** What became of the slice's own memory, which slice's it replaced, and why. */
  decision: { action: 'kept' | 'replaced' | 'refused'; replaced: number | undefined; why: string }
}

/** What One-Prompt found on a picture; its memory's report names pictures by their step, with 0 for the prompted one. */
export interface OnePromptResult {
  /** Number of the picture, as it was added. */
  image: number
  /** Place in the order of the walk, from 1; pictures with equal pixels share it. */
  step: number
  /** Cosine of the picture's embedding to that of the prompted one. */
  similarity: number
  /** Row by row; 1 is inside. */
  mask: Uint8Array
  predictedIou: number
  objectScore: number
  memory: MemoryReport
}

export interface RunOptions {
  axis: AxisName
  imageSize: number
  window?: [number, number]
  direction: Direction
  prompts: PromptMask[]
  /** Of a propagation; `fifo` when left out. */
  memory?: MemoryOptions
  /** Few-shot instead of a propagation. */
  fewShot?: FewShotOptions
  /** Labelled slices of other scans, for few-shot. */
  supports?: SupportFile[]
}

export interface LabelScore {
  label: number
  predictedIou: number
  objectScore: number
  pixels: number
  /** With few-shot. */
  choice?: SupportChoice
  /** With a propagation. */
  memory?: MemoryReport
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
  loadLpips: { input: { name: string; data: Blob }; output: LpipsInfo }
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
