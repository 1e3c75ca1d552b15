// The second wasm package's API as the page uses it, so that the page type-checks without a built package.

declare module '@pkg-scan/oneslice_scan.js' {
  import type { AxisName, DicomSource, ScanInfo, ScanWarning, Segment, SeriesInfo, Triple } from './messages'

  export default function init(): Promise<unknown>

  export interface ReadScan {
    /** In storage order. */
    voxels: Float32Array
    dims: Triple
    /** 4 x 4, row-major, voxel to RAS millimetres. */
    affine: number[]
    format: string
    modality: string
    warnings: ScanWarning[]
    source?: DicomSource
  }

  type Files = { name: string; bytes: Uint8Array }[]

  export function inspectFiles(files: Files): SeriesInfo[]
  export function readFiles(files: Files, options: { series?: string; volume?: number; spacing?: Triple }): ReadScan

  /** What DICOM files say of themselves; `now` is ISO 8601. */
  export interface About {
    segments: Segment[]
    seriesDescription?: string
    now: string
  }

  export function exportSeg(labels: Uint16Array, scan: ScanInfo, about: About): Uint8Array
  export function exportRtStruct(labels: Uint16Array, scan: ScanInfo, about: About): Uint8Array
  export function exportPngStack(labels: Uint16Array, scan: ScanInfo, axis: AxisName, segments: Segment[]): Uint8Array
}
