// Session files: a round trip, and one plain sentence for whatever is wrong with one.

import { strToU8, unzipSync, zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'

import { readSession, SessionFileError, writeSession } from '../src/session-file'
import { plain, SCAN, work } from './work'

const NAME = 'mine.oneslice'

/** A good file with its parts changed. */
function changed(change: (files: Record<string, Uint8Array>, head: Record<string, unknown>) => void): Uint8Array {
  const files = unzipSync(writeSession(work()))
  const head = JSON.parse(new TextDecoder().decode(files['session.json'])) as Record<string, unknown>
  change(files, head)
  if (files['session.json']) files['session.json'] = strToU8(JSON.stringify(head))
  return zipSync(files)
}

describe('a session file', () => {
  it('gives back everything that was written', () => {
    expect(plain(readSession(NAME, writeSession(work())))).toEqual(plain(work()))
  })

  it('needs no result', () => {
    const { result: _, ...rest } = work()
    expect(plain(readSession(NAME, writeSession(rest)))).toEqual(plain(rest))
  })

  it('is small: pixels are packed', () => {
    const dims: [number, number, number] = [128, 128, 100]
    const pixels = new Uint8Array(128 * 128).fill(1, 3000, 9000)
    const slices = Array.from({ length: 100 }, (_, slice) => ({ slice, labels: [], pixels: () => pixels }))
    const result = { axis: 'axial' as const, values: [1], prompted: [1], basis: [], run: null, slices }
    expect(writeSession(work({ scan: { ...SCAN, dims }, masks: [], result })).length).toBeLessThan(20_000)
  })

  it('knows undefined values that JSON leaves out', () => {
    const [slice] = readSession(NAME, writeSession(work())).result!.slices
    expect(slice!.labels[0]!.memory!.used[0]!.similarity).toBeUndefined()
  })
})

describe('a bad session file', () => {
  const cases: [what: string, file: Uint8Array, why: RegExp][] = [
    ['nothing', new Uint8Array(), /^mine\.oneslice is not a session file, or it is damaged/],
    ['a letter', strToU8('Dear colleague, '.repeat(50)), /is not a session file, or it is damaged/],
    ['half of one', writeSession(work()).subarray(0, 300), /is not a session file, or it is damaged/],
    ['another zip', zipSync({ 'letter.txt': strToU8('Dear colleague') }), /it has no session\.json/],
    ['another JSON', zipSync({ 'session.json': strToU8('{"format":"something"}') }), /is not a session file$/],
    ['no JSON', zipSync({ 'session.json': strToU8('{"format":') }), /its session\.json cannot be read/],
    ['a newer version', changed((_, head) => (head['version'] = 2)), /comes from a newer OneSlice \(format 2, this page reads 1\): reload the page/],
    ['a label too large', changed((_, head) => (head['labels'] = [{ value: 70000 }])), /is damaged: labels\.0\.value/],
    ['no labels', changed((_, head) => (head['labels'] = [])), /is damaged: labels/],
    ['an axis of no kind', changed((_, head) => (head['masks'] = [{ axis: 'diagonal', slice: 0, whole: true }])), /is damaged: masks\.0\.axis/],
    ['axes that are no axes', changed((_, head) => (head['scan'] = { ...SCAN, axes: { axial: 2, coronal: 2, sagittal: 0 } })), /is damaged: scan\.axes: three axes are needed/],
    ['huge dimensions', changed((_, head) => (head['scan'] = { ...SCAN, dims: [1e9, 1e9, 1e9] })), /is damaged: scan\.dims/],
    ['a slice that is not there', changed((_, head) => (head['masks'] = [{ axis: 'axial', slice: 4, whole: true }])), /it speaks of axial slice 4, which the scan has not/],
    ['pixels cut off', changed((files) => (files['masks.u8'] = files['masks.u8']!.subarray(0, 40))), /the pixels of axial slice 3 are missing/],
    ['no pixels', changed((files) => delete files['result.u8']), /the pixels of axial slice 1 are missing/],
    ['a place without a label', changed((files) => files['masks.u8']!.fill(9)), /axial slice 1 has labels that are not in its list/],
  ]
  it.each(cases)('%s is refused in one line', (_, file, why) => {
    const read = (): unknown => readSession(NAME, file)
    expect(read).toThrow(SessionFileError)
    expect(read).toThrow(why)
    expect(read).toThrow(/^[^\n]{10,250}$/)
  })

  it('is never unpacked further than the format goes', () => {
    const bomb = zipSync({ 'session.json': strToU8('{}') }, { level: 0 })
    const view = new DataView(bomb.buffer, bomb.byteOffset)
    const entry = Array.from(bomb.keys()).find((at) => at + 4 <= bomb.length && view.getUint32(at, true) === 0x02014b50)!
    view.setUint32(entry + 24, 65e6, true)
    expect(() => readSession(NAME, bomb)).toThrow(/it has no session\.json/)
  })
})
