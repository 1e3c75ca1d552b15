// What the worker itself unpacks before the engine sees it. In: a file's beginning. Out: which of its unpackers it is for; pure.

export type Unpacker = 'video' | 'jpeg-ls'

/** Brands of still pictures that begin as films do. */
const STILL = /^(avif|avis|heic|heix|heim|heis|hevc|hevx|mif1|msf1|jxl |jp2 |jpx )$/
/** JPEG-LS in DICOM, lossless and near-lossless, as the file's header names it. */
const JPEG_LS = /1\.2\.840\.10008\.1\.2\.4\.8[01]/

const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes)

export function unpackerOf(head: Uint8Array): Unpacker | undefined {
  if (text(head.subarray(4, 8)) === 'ftyp') return STILL.test(text(head.subarray(8, 12))) ? undefined : 'video'
  // Older QuickTime files begin with another of their boxes.
  if (/^(moov|mdat|wide)$/.test(text(head.subarray(4, 8)))) return 'video'
  // Matroska and WebM.
  if (head[0] === 0x1a && text(head.subarray(1, 4)) === 'E\xdf\xa3') return 'video'
  if (text(head.subarray(128, 132)) === 'DICM' && JPEG_LS.test(text(head))) return 'jpeg-ls'
  return undefined
}
