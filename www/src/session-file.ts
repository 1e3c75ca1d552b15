// The session file (.oneslice): everything but the scan. In: the work. Out: a zip with session.json and two files of pixels; and back,
// with one plain sentence for what cannot be read. Pure.

import { strFromU8, strToU8, unzipSync, zipSync, type UnzipFileInfo } from 'fflate'
import * as v from 'valibot'

import type { AxisName, LabelScore } from './messages'
import { sliceShape } from './orientation'
import type { FoundSlice, Json, MaskSlice, ScanIdentity, Work } from './work'

/** Of the format. A reader takes its own and older ones. */
export const VERSION = 1
export const EXTENSION = '.oneslice'

const HEAD = 'session.json'
const MASKS = 'masks.u8'
const RESULT = 'result.u8'

export class SessionFileError extends Error {
  override readonly name = 'SessionFileError'
}

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const label = v.pipe(count, v.maxValue(65535))
const axis = v.picklist(['axial', 'coronal', 'sagittal'])
const triple = <T extends v.GenericSchema>(item: T) => v.strictTuple([item, item, item])
const positive = v.pipe(v.number(), v.gtValue(0))

const memory = v.object({
  used: v.array(v.object({ slice: count, prompted: v.boolean(), similarity: v.optional(v.number()), position: v.optional(v.number()) })),
  decision: v.object({ action: v.picklist(['kept', 'replaced', 'refused']), replaced: v.optional(count), why: v.string() }),
})
const choice = v.object({ scan: v.optional(v.string()), slice: count, copy: count, distance: v.optional(v.number()), accepted: v.boolean() })
export const scoreSchema = v.object({
  label,
  predictedIou: v.number(),
  objectScore: v.number(),
  pixels: count,
  choice: v.optional(choice),
  memory: v.optional(memory),
})

const scan = v.object({
  name: v.string(),
  dims: triple(v.pipe(count, v.minValue(1), v.maxValue(32767))),
  spacing: triple(positive),
  axes: v.pipe(v.object({ axial: count, coronal: count, sagittal: count }), v.check(({ axial, coronal, sagittal }) => [axial, coronal, sagittal].toSorted().join() === '0,1,2', 'three axes are needed')),
  affine: v.pipe(v.array(v.number()), v.length(16)),
  sample: v.boolean(),
  bytes: count,
  fingerprint: v.string(),
  series: v.optional(v.string()),
  volume: v.optional(count),
})
const json: v.GenericSchema<Json> = v.lazy(() => v.union([v.null(), v.boolean(), v.number(), v.string(), v.array(json), v.record(v.string(), json)]))

const given = v.object({ axis, slice: count, whole: v.boolean() })

/** `session.json`; the pixels it speaks of follow one another in the other two files. */
const session = v.object({
  format: v.literal('oneslice session'),
  version: v.literal(VERSION),
  scan,
  labels: v.pipe(v.array(v.object({ value: label, name: v.optional(v.string()), colour: v.optional(triple(v.pipe(count, v.maxValue(255)))) })), v.minLength(1), v.maxLength(255)),
  place: count,
  masks: v.array(given),
  options: v.record(v.string(), v.union([v.string(), v.number(), v.boolean()])),
  view: v.object({ axis, slice: count, window: v.optional(v.strictTuple([v.number(), v.number()])) }),
  extra: json,
  result: v.optional(
    v.object({
      axis,
      values: v.array(label),
      prompted: v.array(label),
      basis: v.array(given),
      run: json,
      slices: v.array(v.object({ slice: count, labels: v.array(scoreSchema) })),
    }),
  ),
})
const envelope = v.looseObject({ format: v.literal('oneslice session'), version: v.number() })

type Session = v.InferOutput<typeof session>

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

const about = ({ axis, slice, whole }: MaskSlice): { axis: AxisName; slice: number; whole: boolean } => ({ axis, slice, whole })

export function writeSession(work: Work): Uint8Array<ArrayBuffer> {
  const { masks, result, ...rest } = work
  const head = {
    format: 'oneslice session',
    version: VERSION,
    ...rest,
    masks: masks.map(about),
    ...(result && { result: { ...result, basis: result.basis.map(about), slices: result.slices.map(({ slice, labels }) => ({ slice, labels })) } }),
  }
  return zipSync(
    {
      [HEAD]: strToU8(JSON.stringify(head)),
      [MASKS]: concat([...masks, ...(result?.basis ?? [])].map((slice) => slice.pixels())),
      ...(result && { [RESULT]: concat(result.slices.map((slice) => slice.pixels())) }),
    },
    { level: 4 },
  ) as Uint8Array<ArrayBuffer>
}

/** No more than the format has: a name or a size that it does not have is not unpacked. */
const LARGEST_HEAD = 64e6
const LARGEST_PIXELS = 4e9

function unpack(name: string, bytes: Uint8Array): Record<string, Uint8Array> {
  const filter = ({ name, originalSize }: UnzipFileInfo): boolean => (name === HEAD ? originalSize <= LARGEST_HEAD : [MASKS, RESULT].includes(name) && originalSize <= LARGEST_PIXELS)
  try {
    return unzipSync(bytes, { filter })
  } catch {
    throw new SessionFileError(`${name} is not a session file, or it is damaged: session files end in ${EXTENSION} and come from “Save session”`)
  }
}

function parse(name: string, text: string): Session {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new SessionFileError(`${name} is damaged: its ${HEAD} cannot be read`)
  }
  const about = v.safeParse(envelope, value)
  if (!about.success) throw new SessionFileError(`${name} is not a session file`)
  const { version } = about.output
  if (version > VERSION) throw new SessionFileError(`${name} comes from a newer OneSlice (format ${version}, this page reads ${VERSION}): reload the page to get the newest version`)
  const read = v.safeParse(session, value)
  if (read.success) return read.output
  const [issue] = read.issues
  throw new SessionFileError(`${name} is damaged: ${v.getDotPath(issue) ?? HEAD}: ${issue.message}`)
}

/** Cuts slices' pixels off one after the other; each has as many as its axis says, and no place that the list of labels has not. */
class Cutter {
  #at = 0
  readonly #name: string
  readonly #pixels: Uint8Array
  readonly #scan: ScanIdentity
  readonly #places: number

  constructor(name: string, pixels: Uint8Array | undefined, scan: ScanIdentity, places: number) {
    this.#name = name
    this.#pixels = pixels ?? new Uint8Array()
    this.#scan = scan
    this.#places = places
  }

  cut(axis: AxisName, slice: number): Uint8Array {
    const across = this.#scan.axes[axis]
    const { rows, cols } = sliceShape(this.#scan.dims, across)
    if (slice >= this.#scan.dims[across]!) throw new SessionFileError(`${this.#name} is damaged: it speaks of ${axis} slice ${slice}, which the scan has not`)
    const pixels = this.#pixels.subarray(this.#at, (this.#at += rows * cols))
    if (pixels.length < rows * cols) throw new SessionFileError(`${this.#name} is damaged: the pixels of ${axis} slice ${slice} are missing`)
    if (pixels.some((place) => place > this.#places)) throw new SessionFileError(`${this.#name} is damaged: ${axis} slice ${slice} has labels that are not in its list`)
    return pixels
  }
}

export function readSession(name: string, bytes: Uint8Array): Work {
  const files = unpack(name, bytes)
  const head = files[HEAD]
  if (!head) throw new SessionFileError(`${name} is not a session file: it has no ${HEAD}`)
  const { format: _, version: __, masks, result, ...rest } = parse(name, strFromU8(head))
  const painted = new Cutter(name, files[MASKS], rest.scan, rest.labels.length)
  const found = new Cutter(name, files[RESULT], rest.scan, result?.values.length ?? 0)
  const mask = ({ axis, slice, whole }: { axis: AxisName; slice: number; whole: boolean }): MaskSlice => {
    const pixels = painted.cut(axis, slice)
    return { axis, slice, whole, key: pixels, pixels: () => pixels }
  }
  return {
    ...rest,
    masks: masks.map(mask),
    result: result && {
      ...result,
      basis: result.basis.map(mask),
      slices: result.slices.map(({ slice, labels }): FoundSlice => {
        const pixels = found.cut(result.axis, slice)
        // What JSON leaves out was undefined.
        return { slice, labels: labels as LabelScore[], pixels: () => pixels }
      }),
    },
  }
}
