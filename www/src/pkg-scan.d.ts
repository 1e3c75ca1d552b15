// The second wasm package's API as the page uses it, so that the page type-checks without a built package.

declare module '@pkg-scan/oneslice_scan.js' {
  import type { DicomSource, ScanWarning, SeriesInfo, Triple } from './messages'

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
}
