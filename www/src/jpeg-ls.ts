// DICOM files packed in JPEG-LS, unpacked before the readers see them: their own decoders have none for it. In: a file's bytes. Out: the
// same file with its pixels as they are, or the file itself when it is something else.

import makeCharls from '@cornerstonejs/codec-charls/decodewasmjs'
import charlsUrl from '@cornerstonejs/codec-charls/decodewasm?url'
import { createJPEGBasicOffsetTable, parseDicom, readEncapsulatedImageFrame, type DataSet, type Element } from 'dicom-parser'

const JPEG_LS = ['1.2.840.10008.1.2.4.80', '1.2.840.10008.1.2.4.81']
const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1'
/** Tag, value representation, two bytes of nothing, length. */
const HEADER = 12
/** JPEG-LS' marker of a frame. */
const FRAME = 0xfff7

/** A frame's pixels of so many columns, rows and bits, or an error. */
export type Decode = (frame: Uint8Array, columns: number, rows: number) => { pixels: Uint8Array; bits: number }

type Charls = Awaited<ReturnType<typeof makeCharls>>
let charls: Promise<Charls> | undefined

/** The codec, loaded when it is first needed. */
export async function loadDecoder(url: string = charlsUrl): Promise<Decode> {
  charls ??= makeCharls({ locateFile: () => url })
  const module = await charls.catch((error: unknown) => {
    // Not for ever: the next call tries again.
    charls = undefined
    throw error
  })
  return (frame, columns, rows) => decode(module, frame, columns, rows)
}

function decode(module: Charls, frame: Uint8Array, columns: number, rows: number): ReturnType<Decode> {
  const decoder = new module.JpegLSDecoder()
  try {
    checkSize(frame, columns, rows)
    decoder.getEncodedBuffer(frame.length).set(frame)
    decoder.decode()
    const { width, height, bitsPerSample, componentCount } = decoder.getFrameInfo()
    if (width !== columns || height !== rows || componentCount !== 1) throw new Error('its picture is damaged')
    return { pixels: decoder.getDecodedBuffer().slice(), bits: bitsPerSample }
  } finally {
    decoder.delete()
  }
}

/** Before the codec takes memory for a picture: a damaged one may claim any size. */
function checkSize(frame: Uint8Array, columns: number, rows: number): void {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  // Behind the start of the picture come segments: a marker, a length, and for the frame's marker bits, rows, columns, colours.
  for (let at = 2; at + 10 <= frame.length; at += 2 + view.getUint16(at + 2)) {
    if (view.getUint16(at) !== FRAME) continue
    const [height, width, colours] = [view.getUint16(at + 5), view.getUint16(at + 7), view.getUint8(at + 9)]
    if (width === columns && height === rows && colours === 1) return
    throw new Error(`its picture has ${width} × ${height} pixels of ${colours} colours, and its header says ${columns} × ${rows} of 1`)
  }
  throw new Error('it holds no JPEG-LS picture')
}

/** With its pixels unpacked; without them (as many zeros) when only the header is asked for. */
export function unpacked(name: string, bytes: Uint8Array, decode: Decode | undefined): Uint8Array {
  const data = parsed(name, bytes)
  const element = data?.elements['x7fe00010']
  if (!data || !element?.encapsulatedPixelData || data.uint16('x00280002') !== 1) return bytes
  const [rows, columns, allocated] = [data.uint16('x00280010'), data.uint16('x00280011'), data.uint16('x00280100')]
  if (!rows || !columns || !(allocated === 8 || allocated === 16)) return bytes
  const frames = Number(data.intString('x00280008') ?? 1)
  const size = (rows * columns * allocated) / 8
  if (!(frames >= 1) || frames * size >= 2 ** 31) throw new Error(`${name}: ${frames} frames of ${columns} × ${rows} pixels are more than a browser can hold`)
  const pixels = new Uint8Array(frames * size + ((frames * size) % 2))
  for (let number = 0; decode && number < frames; number++) {
    try {
      const decoded = decode(frameOf(data, element, number, frames), columns, rows)
      pixels.set(widened(decoded, allocated), number * size)
    } catch (error) {
      // The codec's own errors are numbers.
      const why = error instanceof Error && !(error instanceof WebAssembly.RuntimeError) ? error.message : 'its picture is damaged'
      throw new Error(`${name}: frame ${number + 1} of ${frames}, packed in JPEG-LS, cannot be unpacked: ${why}`)
    }
  }
  return written(bytes, data, element, pixels)
}

function parsed(name: string, bytes: Uint8Array): DataSet | undefined {
  try {
    const data = parseDicom(bytes)
    return JPEG_LS.includes(data.string('x00020010') ?? '') ? data : undefined
  } catch (error) {
    // The library throws words or objects.
    const why = error instanceof Error ? error.message : typeof error === 'string' ? error : 'it ends early'
    throw new Error(`${name}: a DICOM file packed in JPEG-LS that cannot be read: ${why}`)
  }
}

function frameOf(data: DataSet, element: Element, number: number, frames: number): Uint8Array {
  if (element.fragments?.length !== frames || element.basicOffsetTable?.length) {
    const table = element.basicOffsetTable?.length ? element.basicOffsetTable : createJPEGBasicOffsetTable(data, element)
    return readEncapsulatedImageFrame(data, element, number, table) as Uint8Array
  }
  const { position, length } = element.fragments[number]!
  return (data.byteArray as Uint8Array).subarray(position, position + length)
}

/** In as many bytes as the header says. */
function widened({ pixels, bits }: ReturnType<Decode>, allocated: number): Uint8Array {
  const wide = bits > 8
  if (wide === (allocated === 16)) return pixels
  if (wide) throw new Error(`its picture has ${bits} bits, and its header says 8`)
  const into = new Uint8Array(pixels.length * 2)
  pixels.forEach((value, at) => (into[2 * at] = value))
  return into
}

/** The file up to its pixels, with another transfer syntax in the same place, and the pixels. What comes after them is padding. */
function written(bytes: Uint8Array, data: DataSet, element: Element, pixels: Uint8Array): Uint8Array {
  const start = element.dataOffset - HEADER
  const file = new Uint8Array(start + HEADER + pixels.length)
  file.set(bytes.subarray(0, start))
  const syntax = data.elements['x00020010']!
  file.fill(0, syntax.dataOffset, syntax.dataOffset + syntax.length)
  file.set(new TextEncoder().encode(EXPLICIT_LITTLE_ENDIAN), syntax.dataOffset)
  file.set([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x57, 0, 0], start)
  new DataView(file.buffer).setUint32(start + 8, pixels.length, true)
  file.set(pixels, start + HEADER)
  return file
}
