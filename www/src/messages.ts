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

/** A file as the user gave it; `name` is its path in the folder that it came in. */
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

/** A mask's file; a SEG and pictures are placed on the open scan, pictures on what is in view. */
export interface MaskInput {
  name: string
  bytes: Uint8Array
  on?: { scan: ScanInfo; axis: AxisName; slice: number }
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
  brightness?: number
  /** Share. */
  contrast?: number
  seed?: number
  /** A logit; labels with less are left out of the result. */
  minObjectScore?: number
  /** Carries accepted slices along beside the supports; `self-sorting` without a strategy. Nothing is carried when left out. */
  carry?: MemoryOptions
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

/** What a session is made with. */
export interface SessionOptions {
  axis: AxisName
  /** Side of the square that the model sees; what suits model and slices when left out. */
  imageSize?: number
  /** Of its slice, that the smallest object to be prompted covers, 0 to 1, where that is known: a suitable image size goes by it. */
  objectShare?: number
  window?: [number, number]
  /** Of a propagation; `fifo` when left out. */
  memory?: MemoryOptions
  /** Logits added to every object score, below 0 of which a slice is left empty: above 0 tracks end later; 0 when left out. */
  objectScoreBias?: number
}

/** Points and a box on one slice, in its pixels: [x, y] along columns and rows. */
export interface PointPrompt {
  points?: [number, number][]
  /** For each point, 1 to include and 0 to exclude. */
  labels?: (0 | 1)[]
  /** Two opposite corners. */
  box?: [number, number, number, number]
  /** The mask to start from. */
  mask?: Uint8Array
}

export interface Preview {
  /** Row by row; 1 is inside. */
  mask: Uint8Array
  predictedIou: number
  objectScore: number
}

/** How a point of a slice attended to its memories: maps of side x side over the whole slice; all weights together add up to 1. */
export interface AttentionMaps {
  side: number
  memories: { slice: number; weights: Float32Array }[]
}

/** What of a run is done and what is outstanding; plain data. */
export interface RunState {
  direction: Direction
  first: number
  last: number
  pending: { label: number; slices: number[] }[]
}

export interface RunOptions extends SessionOptions {
  direction: Direction
  /** Slices of a propagation, both included; all when left out. */
  range?: [number, number]
  prompts: PromptMask[]
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
  /** With a propagation, and with few-shot that carries slices. */
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

/** Files, and which of the scans in them. */
export interface ScanFiles {
  files: InputFile[]
  series?: string
  /** Of a 4-D scan, from 0. */
  volume?: number
  /** Of pictures, which have none of their own: millimetres. */
  spacing?: Triple
}

/** A finished run as it was kept, for corrections after a reload. */
export interface RestoreOptions extends RunOptions {
  labelMap: Uint16Array
  state?: RunState
}

/** Changes of a finished run: masks given, and taken back. */
export interface Corrections {
  prompts: PromptMask[]
  dropped: { label: number; slice: number }[]
}

/** How two label maps agree on one label. */
export interface Agreement {
  label: number
  dice: number | undefined
  nsd: number | undefined
  /** Dice by slice along the axis asked for; undefined where neither has the label. */
  slices: (number | undefined)[]
  nsdSlices: (number | undefined)[]
}

export interface Extent {
  first: number
  last: number
  slices: number
  mm: number
}

/** What a label is on the open scan. */
export interface Measurement {
  label: number
  voxels: number
  ml: number
  extent: Record<AxisName, Extent>
  mean: number
  sd: number
  min: number
  max: number
}

export interface Segment {
  label: number
  name: string
  colour: readonly [number, number, number]
}

export type ExportFormat = 'nifti' | 'seg' | 'rtstruct' | 'png' | 'stl' | 'obj' | 'csv'

/** Labels of the open scan, in storage order, and what is said of them. */
export interface ExportOptions {
  format: ExportFormat
  labels: Uint16Array
  scan: ScanInfo
  segments: Segment[]
  axis: AxisName
  /** Of a surface: the one label. */
  label: number
  /** ISO 8601. */
  now: string
}

/** Every call the page can make: what goes in, what comes out. */
export interface Calls {
  create: { input: DeviceChoice; output: DeviceInfo }
  loadWeights: { input: { name: string; data: Blob }; output: WeightsInfo }
  loadLpips: { input: { name: string; data: Blob }; output: LpipsInfo }
  /** Packs the weights of a checkpoint in so many bits; undefined when they are packed already. */
  packWeights: { input: { name: string; data: Blob; bits: 8 | 4 }; output: Blob | undefined }
  inspectFiles: { input: InputFile[]; output: SeriesInfo[] }
  openFiles: { input: ScanFiles; output: ScanInfo }
  /** The open scan as a NIfTI file. */
  scanNifti: { input: null; output: Uint8Array }
  openSample: { input: null; output: { info: ScanInfo; image: Uint8Array; mask: Uint8Array } }
  readMask: { input: MaskInput; output: MaskFile }
  /** The side of the square that the model sees. */
  imageSize: { input: SessionOptions; output: number }
  /** What points and a box on a slice give; nothing is kept of it but the slice's embedding. */
  preview: { input: { session: SessionOptions; slice: number; prompt: PointPrompt }; output: Preview }
  /** How many parts of the engine must be prepared first. */
  start: { input: RunOptions; output: number }
  /** Prepares the next part; how many are left. */
  warmUp: { input: null; output: number }
  next: { input: null; output: SliceResult | undefined }
  /** Changes the run that was finished or stopped, and goes on with what depends on the changes; the number of steps. */
  correct: { input: Corrections; output: number }
  restore: { input: RestoreOptions; output: null }
  runState: { input: null; output: RunState | undefined }
  /** Where the model looked in the memories `used`, of a label, for a point [x, y] of a slice of the last run. */
  attention: { input: { label: number; slice: number; at: [number, number]; used: MemoryReport['used'] }; output: AttentionMaps }
  /** Against true labels of the open scan, in storage order. */
  compare: { input: { labels: Uint16Array; truth: Uint16Array; axis: AxisName; toleranceMm: number }; output: Agreement[] }
  /** Labels of the open scan, in storage order. */
  measure: { input: Uint16Array; output: Measurement[] }
  exportFile: { input: ExportOptions; output: Uint8Array }
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
