// Made-up work for the tests. In: what should be special about it. Out: a `Work`.

import type { AxisName, LabelScore } from '../src/messages'
import type { FoundSlice, MaskSlice, ScanIdentity, Work } from '../src/work'

export const SCAN: ScanIdentity = {
  name: 'patient.nii.gz',
  dims: [6, 5, 4],
  spacing: [1, 1.5, 3],
  affine: [-1, 0, 0, 10, 0, -1.5, 0, 20, 0, 0, 3, 30, 0, 0, 0, 1],
  axes: { axial: 2, coronal: 1, sagittal: 0 },
  sample: false,
  bytes: 1234,
  fingerprint: 'ab12',
}

export function mask(axis: AxisName, slice: number, pixels: Uint8Array, whole = true): MaskSlice {
  return { axis, slice, whole, key: pixels, pixels: () => pixels }
}

const score = (label: number, predictedIou: number): LabelScore => ({
  label,
  predictedIou,
  objectScore: 3.25,
  pixels: 7,
  memory: { used: [{ slice: 1, prompted: true, similarity: undefined, position: 0 }], decision: { action: 'kept', replaced: undefined, why: 'there is room' } },
})

export function found(slice: number, place: number, predictedIou = 0.5): FoundSlice {
  const pixels = Uint8Array.from({ length: 30 }, (_, at) => (at % 3 === 0 ? place : 0))
  return { slice, labels: [score(3, predictedIou)], pixels: () => pixels }
}

export function work(change: Partial<Work> = {}): Work {
  const drawn = mask('axial', 1, Uint8Array.from({ length: 30 }, (_, at) => (at > 20 ? 2 : at > 10 ? 1 : 0)))
  return {
    scan: SCAN,
    labels: [{ value: 3, name: 'Left kidney', colour: [10, 200, 30] }, { value: 60000 }],
    place: 2,
    masks: [drawn, mask('axial', 3, new Uint8Array(30).fill(1), false)],
    options: { 'image-size': '256', outline: true },
    view: { axis: 'coronal', slice: 2, window: [-100, 250.5] },
    extra: { fewShot: false, list: [1, null, 'x'] },
    result: { axis: 'axial', values: [3, 60000], prompted: [3], basis: [drawn], run: { direction: 'both' }, slices: [found(1, 1), found(2, 2, 0.75)] },
    ...change,
  }
}

/** Work as plain values, to compare. */
export function plain({ masks, result, ...rest }: Work): unknown {
  const flat = ({ axis, slice, whole, pixels }: MaskSlice): unknown => ({ axis, slice, whole, pixels: Array.from(pixels()) })
  return JSON.parse(
    JSON.stringify({
      ...rest,
      masks: masks.map(flat),
      result: result && { ...result, basis: result.basis.map(flat), slices: result.slices.map(({ slice, labels, pixels }) => ({ slice, labels, pixels: Array.from(pixels()) })) },
    }),
  )
}
