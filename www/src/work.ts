// The user's work on one scan, apart from the page that shows it. In: plain values. Out: what is saved (work-store.ts), written to a
// file (session-file.ts) and read back; whether work and scan belong together. Pure.

import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'

import type { AxisName, InputFile, LabelScore, ScanFiles, ScanInfo, Triple } from './messages'

/** Enough to know a scan again. */
export interface ScanIdentity {
  name: string
  dims: Triple
  spacing: Triple
  /** 4 x 4, row-major, voxel to RAS millimetres. */
  affine: number[]
  /** The voxel axis across which each view is cut. */
  axes: Record<AxisName, number>
  /** The invented scan that comes with the page: it has no files. */
  sample: boolean
  /** Of all its files together. */
  bytes: number
  /** sha256 of a sample of its bytes; see `fingerprint`. */
  fingerprint: string
  /** Which of the scans in its files, when they hold several. */
  series?: string | undefined
  volume?: number | undefined
}

export interface LabelName {
  value: number
  name?: string | undefined
  /** Red, green, blue. */
  colour?: Triple | undefined
}

/** A slice that the user has drawn: places of labels in the list (1, 2, ...; 0 is outside), row-major. */
export interface MaskSlice {
  axis: AxisName
  slice: number
  /** Says of every label where it is and where it is not; otherwise only of those that it shows. */
  whole: boolean
  /** Another object whenever the pixels are others: that is how a change is known. */
  key: object
  pixels(): Uint8Array
}

/** A slice as the model found it. `labels` is replaced, never changed, when its pixels are: that is how a change is known. */
export interface FoundSlice {
  slice: number
  labels: readonly LabelScore[]
  pixels(): Uint8Array
}

export interface FoundSlices {
  axis: AxisName
  /** Label values by place, and those that were prompted. */
  values: number[]
  prompted: number[]
  /** The mask that the run was given. */
  basis: MaskSlice[]
  /** How it was run; the page's own business. */
  run: Json
  slices: FoundSlice[]
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

export interface Work {
  scan: ScanIdentity
  labels: LabelName[]
  /** The label in hand: a place in `labels`, from 1. */
  place: number
  masks: MaskSlice[]
  /** The page's controls that are part of a run: values by their ids. */
  options: Record<string, string | number | boolean>
  view: { axis: AxisName; slice: number; window?: [number, number] | undefined }
  /** Whatever else the page wants back; its own business. */
  extra: Json
  result?: FoundSlices | undefined
}

const PIECE = 64 * 1024

/** sha256 of sizes, beginnings, middles and ends of files: the whole of a large scan would take seconds. */
export async function fingerprint(files: readonly InputFile[]): Promise<string> {
  const hash = sha256.create()
  const ordered = files.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  // A series of many small files is told by its first, middle and last, and by the sizes of all.
  const read = new Set([0, Math.floor(ordered.length / 2), ordered.length - 1])
  for (const [index, { data }] of ordered.entries()) {
    hash.update(new TextEncoder().encode(`${data.size};`))
    if (!read.has(index)) continue
    for (const start of [0, Math.max(0, Math.floor(data.size / 2)), Math.max(0, data.size - PIECE)]) {
      hash.update(new Uint8Array(await data.slice(start, start + PIECE).arrayBuffer()))
    }
  }
  return bytesToHex(hash.digest())
}

export async function identify({ name, dims, spacing, affine, axes }: ScanInfo, { files, series, volume }: ScanFiles): Promise<ScanIdentity> {
  const bytes = files.reduce((sum, { data }) => sum + data.size, 0)
  return { name, dims, spacing, affine, axes, sample: files.length === 0, bytes, fingerprint: files.length === 0 ? '' : await fingerprint(files), series, volume }
}

/** Millimetres: the precision to which the readers agree. */
const SAME_MM = 1e-3

export type Match =
  | { fits: true; warning?: string }
  /** Why not, in words. */
  | { fits: false; why: string }

const size = ({ dims }: { dims: Triple }): string => `${dims.join(' × ')} voxels`

/** Whether work on scan `saved` can be continued on scan `open`. */
export function match(saved: ScanIdentity, open: ScanIdentity): Match {
  const needed = saved.sample ? 'the sample' : `${saved.name} (${size(saved)})`
  if (saved.dims.some((count, axis) => count !== open.dims[axis])) {
    return { fits: false, why: `this is work on ${needed}, and the open scan, ${open.name}, has ${size(open)}` }
  }
  if (saved.affine.some((value, at) => Math.abs(value - (open.affine[at] ?? NaN)) > SAME_MM)) {
    return { fits: false, why: `this is work on ${needed}, and the open scan, ${open.name}, lies elsewhere in space or has other voxel sizes` }
  }
  if (saved.sample !== open.sample) return { fits: false, why: `this is work on ${needed}, and the open scan is ${open.name}` }
  if (saved.fingerprint === open.fingerprint) {
    if (saved.series === open.series && saved.volume === open.volume) return { fits: true }
    return { fits: false, why: `this is work on ${needed}, and another scan of the same files is open` }
  }
  if (saved.name === open.name) {
    return { fits: true, warning: `${open.name} is not the very same file as then: make sure that it is the same scan.` }
  }
  return { fits: false, why: `this is work on ${needed}, and the open scan, ${open.name}, is another file` }
}
