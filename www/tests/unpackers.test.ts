// What the worker unpacks itself: how a file is told, what of a video is kept, and DICOM in JPEG-LS rewritten.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'

import { loadDecoder, unpacked, type Decode } from '../src/jpeg-ls'
import { unpackerOf } from '../src/sniff'
import { grey, LONGEST_SIDE, MOST_FRAMES, MOST_PIXELS, MOST_READ, plan } from '../src/video'

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0))
const file = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`../../tests/scan/files/${name}`, import.meta.url)))

describe('a file is told by its beginning', () => {
  test.each([
    ['\0\0\0\x18ftypisom\0\0', 'video'],
    ['\0\0\0\x14ftypqt  ', 'video'],
    ['\0\0\0\x08wide\0\0\0\0', 'video'],
    ['\x1aE\xdf\xa3\x9fB', 'video'],
    ['\0\0\0\x18ftypheic', undefined],
    ['\0\0\0\x18ftypavif', undefined],
    ['\x5c\x01\0\0', undefined],
    ['', undefined],
  ])('%j', (start, expected) => expect(unpackerOf(bytesOf(start))).toBe(expected))

  test('DICOM by its transfer syntax', () => {
    expect(unpackerOf(file('jpeg-ls.dcm'))).toBe('jpeg-ls')
    expect(unpackerOf(file('jpeg-2000-signed.dcm'))).toBeUndefined()
    expect(unpackerOf(file('oblique.nrrd'))).toBeUndefined()
  })
})

describe('what of a video is kept', () => {
  test('a short one as it is, and what a video does not say', () => {
    expect(plan(30, 640, 480)).toEqual({ every: 1, dims: [640, 480, 30], warnings: [expect.objectContaining({ kind: 'no-geometry' }), expect.objectContaining({ kind: 'colour' })] })
    expect(plan(30, 640, 480, [0.2, 0.2, 1]).warnings.map(({ kind }) => kind)).toEqual(['colour'])
  })

  test.each([
    [MOST_FRAMES + 1, 64, 48],
    [MOST_READ, 3840, 2160],
    [300, 1920, 1080],
    [1, 30_000, 2],
  ])('%d frames of %d × %d fit, and what was left out is said', (frames, width, height) => {
    const { every, dims, warnings } = plan(frames, width, height)
    expect(dims[2]).toBe(Math.ceil(frames / every))
    expect(dims[2]).toBeLessThanOrEqual(MOST_FRAMES)
    expect(Math.max(dims[0], dims[1])).toBeLessThanOrEqual(LONGEST_SIDE)
    expect(dims[0] * dims[1] * dims[2]).toBeLessThanOrEqual(MOST_PIXELS)
    expect(warnings.some(({ kind }) => kind === 'frames')).toBe(every > 1)
    expect(warnings.some(({ kind }) => kind === 'shrunk')).toBe(dims[0] !== width)
    for (const { message } of warnings) expect(message).toMatch(/^[^\n]{10,120}$/)
  })

  test('a film, and a video without frames, are refused in plain words', () => {
    expect(() => plan(172_800, 1920, 1080)).toThrow('the video has 172,800 frames, and at most 20,000 are read: cut it to the part you need')
    expect(() => plan(0, 640, 480)).toThrow('no pictures')
  })

  test('grey as of pictures', () => {
    const into = new Float32Array(3)
    grey(Uint8ClampedArray.from([255, 255, 255, 255, 10, 10, 10, 255, 255, 0, 0, 255]), into)
    expect([...into]).toEqual([255, 10, 54])
  })
})

describe('DICOM in JPEG-LS', () => {
  const pixels = (bytes: Uint8Array): Uint8Array => bytes.subarray(bytes.length - 24 * 20 * 2)
  const decoder = (): Promise<Decode> => loadDecoder(createRequire(import.meta.url).resolve('@cornerstonejs/codec-charls/decodewasm'))

  test('has the pixels that were packed, to the bit', async () => {
    const plain = unpacked('a.dcm', file('jpeg-ls.dcm'), await decoder())
    expect(unpackerOf(plain)).toBeUndefined()
    const found = Array.from({ length: 24 * 20 }, (_, at) => Buffer.from(pixels(plain)).readUInt16LE(2 * at))
    // The wave of tests/scan/files/make.py.
    expect(found).toEqual(found.map((_, at) => Math.trunc(Math.sin((at % 24) / 5) * Math.cos(Math.floor(at / 24) / 4) * 900 + 1100)))
  })

  test('has as many zeros when only its header is asked for', () => {
    const plain = unpacked('a.dcm', file('jpeg-ls.dcm'), undefined)
    expect(pixels(plain).every((value) => value === 0)).toBe(true)
    expect(pixels(plain)).toHaveLength(960)
  })

  test('another transfer syntax is left alone', async () => {
    const other = file('jpeg-2000-signed.dcm')
    expect(unpacked('a.dcm', other, await decoder())).toBe(other)
  })

  test('cut or damaged anywhere it is an error with the file’s name, or pixels; never a crash', async () => {
    const whole = file('jpeg-ls.dcm')
    const decode = await decoder()
    let refused = 0
    for (let at = 132; at < whole.length; at += 7) {
      const damaged = whole.slice()
      damaged[at]! ^= 0xff
      for (const bytes of [whole.subarray(0, at), damaged]) {
        try {
          unpacked('a.dcm', bytes, decode)
        } catch (error) {
          refused++
          expect((error as Error).message).toMatch(/^a\.dcm: [^\n]{10,200}$/)
        }
      }
    }
    expect(refused).toBeGreaterThan(20)
    // The codec goes on working.
    expect(unpacked('a.dcm', whole, decode)).not.toBe(whole)
  })
})
