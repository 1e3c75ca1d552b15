// The wasm package's API as the page uses it, so that the page type-checks without a built package.

declare const __VERSION__: string

declare module '@pkg/oneslice.js' {
  import type {
    AttentionMaps,
    MemoryReport,
    Agreement,
    AxisName,
    DeviceChoice,
    DeviceInfo,
    Direction,
    FewShotOptions,
    LpipsInfo,
    MaskFile,
    Measurement,
    MemoryOptions,
    OnePromptResult,
    PointPrompt,
    Preview,
    RunState,
    ScanInfo,
    Segment,
    SeriesInfo,
    SessionOptions,
    SliceResult,
    SupportOptions,
    Triple,
    WeightsInfo,
  } from './messages'

  export default function init(): Promise<unknown>

  export class OneSlice {
    static create(device: DeviceChoice): Promise<OneSlice>
    readonly device: DeviceInfo
    loadWeights(name: string, file: Blob): Promise<WeightsInfo>
    loadLpips(name: string, file: Blob): Promise<LpipsInfo>
    static quantize(name: string, file: Blob, bits: number, group?: string): Uint8Array<ArrayBuffer> | undefined
    openScan(name: string, bytes: Uint8Array): ScanInfo
    static needsFormats(head: Uint8Array): boolean
    inspectFiles(files: { name: string; bytes: Uint8Array }[]): SeriesInfo[]
    openFiles(files: { name: string; bytes: Uint8Array }[], options: { series?: string; volume?: number; spacing?: Triple }): ScanInfo
    openVolume(name: string, voxels: Float32Array, dims: Uint32Array, affine: Float64Array): ScanInfo
    scanNifti(): Uint8Array
    openSample(): ScanInfo
    sampleNifti(): Uint8Array
    sampleMask(): Uint8Array
    readMask(name: string, bytes: Uint8Array): MaskFile
    exportNifti(labels: Uint16Array): Uint8Array
    exportMesh(labels: Uint16Array, label: number, format: 'stl' | 'obj'): Uint8Array
    measure(labels: Uint16Array): Measurement[]
    measureCsv(labels: Uint16Array, segments: Segment[]): Uint8Array
    compare(labels: Uint16Array, truth: Uint16Array, axis: AxisName, toleranceMm: number): Agreement[]
    session(options: SessionOptions): Session
    onePrompt(rows: number, cols: number, grey: Uint8Array, mask: Uint8Array, options: { imageSize?: number; memory?: MemoryOptions }): OnePrompt
  }

  export class OnePrompt {
    free(): void
    add(rows: number, cols: number, grey: Uint8Array): number
    look(): Promise<number>
    next(): Promise<OnePromptResult | undefined>
  }

  export class Session {
    free(): void
    readonly shape: { rows: number; cols: number; slices: number }
    addMask(label: number, slice: number, mask: Uint8Array): void
    addSupport(name: string, scan: Uint8Array, mask: Uint8Array, options: SupportOptions): number
    removeMask(label: number, slice: number): boolean
    preview(slice: number, prompt: PointPrompt): Promise<Preview>
    start(how: Direction | { direction?: Direction; first?: number; last?: number }): number
    resume(): number
    state(): RunState | undefined
    restore(labelMap: Uint16Array, state?: RunState): void
    attention(label: number, slice: number, at: [number, number], used: MemoryReport['used']): Promise<AttentionMaps>
    fewShot(options: FewShotOptions): number
    readonly imageSize: number
    readonly coldParts: number
    warmUp(): Promise<number>
    next(): Promise<SliceResult | undefined>
    labelMap(): Uint16Array
  }
}
