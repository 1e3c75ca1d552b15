// The mask the user gives: slices, labels, undo; and what a run makes of it.

import { describe, expect, test } from 'vitest'

import { correctionsOf } from '../src/corrections'
import { GivenSlice } from '../src/given'
import { Mask, prompts } from '../src/mask'
import { Result, type RunSettings } from '../src/result'
import type { MaskFile, ScanInfo, SliceResult } from '../src/messages'

const SCAN: ScanInfo = {
  name: 'scan.nii',
  dims: [2, 3, 4],
  spacing: [10, 10, 10],
  affine: [10, 0, 0, 0, 0, 10, 0, 0, 0, 0, 10, 0, 0, 0, 0, 1],
  window: [0, 1],
  axes: { axial: 2, coronal: 1, sagittal: 0 },
}
const of = (...pixels: number[]): Uint8Array => Uint8Array.from(pixels)

function maskFile(voxels: Record<number, number>): MaskFile {
  const labels = new Uint16Array(24)
  for (const [at, label] of Object.entries(voxels)) labels[Number(at)] = label
  return { labels, present: [...new Set(Object.values(voxels))] }
}

describe('GivenSlice', () => {
  test('keeps pixels and areas through packing, whatever they are', () => {
    let seed = 7
    const random = (): number => (seed = (seed * 16807) % 2147483647)
    for (let run = 0; run < 50; run++) {
      const pixels = Uint8Array.from({ length: 1 + (random() % 300) }, () => [0, 0, 0, 1, 1, 2, 255][random() % 7]!)
      const given = new GivenSlice(pixels, false)
      expect(given.pixels()).toEqual(pixels)
      expect(given.equals(pixels)).toBe(true)
      for (const place of [1, 2, 255]) expect(given.areas.get(place) ?? 0).toBe(pixels.filter((at) => at === place).length)
      pixels[0] = pixels[0] === 9 ? 8 : 9
      expect(given.equals(pixels)).toBe(false)
    }
  })

  test('a whole slice replaces what is under it, another only its own labels', () => {
    const under = of(1, 1, 2, 3, 0)
    expect(new GivenSlice(of(0, 1, 1, 0, 0), true).over(under)).toEqual(of(0, 1, 1, 0, 0))
    expect(new GivenSlice(of(0, 1, 1, 0, 0), false).over(under)).toEqual(of(0, 1, 1, 3, 0))
  })
})

describe('Mask', () => {
  test('takes the largest slice of a file and says which labels are not on it', () => {
    const mask = new Mask()
    const missing = mask.load(maskFile({ 1: 9, 12: 700, 13: 700, 14: 5 }), SCAN, 'axial')
    expect(missing).toEqual([9])
    expect(mask.main).toBe(2)
    expect(mask.values).toEqual([5, 700])
    expect(mask.given('axial', 2)?.pixels()).toEqual(of(2, 2, 1, 0, 0, 0))
    expect(mask.given('coronal', 2)).toBeUndefined()
    expect(prompts(mask.state)).toEqual([
      { label: 5, slice: 2, mask: of(0, 0, 1, 0, 0, 0) },
      { label: 700, slice: 2, mask: of(1, 1, 0, 0, 0, 0) },
    ])
  })

  test('takes one label of a file, from the slice where that one is largest', () => {
    const mask = new Mask()
    expect(mask.load(maskFile({ 1: 9, 12: 700, 13: 700, 14: 5 }), SCAN, 'axial', 9)).toEqual([])
    expect(prompts(mask.state)).toEqual([{ label: 9, slice: 0, mask: of(0, 1, 0, 0, 0, 0) }])
  })

  test('refuses an empty mask file and keeps what it had', () => {
    const mask = new Mask()
    mask.give('axial', 0, of(1, 0, 0, 0, 0, 0), false)
    expect(() => mask.load(maskFile({}), SCAN, 'axial')).toThrow('no labelled voxel')
    expect(mask.main).toBe(0)
  })

  test('several slices of one axis make one mask; another axis begins anew', () => {
    const mask = new Mask()
    mask.give('axial', 3, of(0, 2, 2, 0, 0, 0), false)
    mask.give('axial', 1, of(1, 0, 0, 0, 0, 0), false)
    expect(mask.takes('coronal')).toBe(false)
    mask.addLabel()
    expect(mask.areas()).toEqual([1, 2])
    expect(prompts(mask.state).map(({ label, slice }) => [label, slice])).toEqual([[1, 1], [2, 3]])
    mask.startOver('coronal', 0, new Uint8Array(8).fill(1))
    expect(mask.axis).toBe('coronal')
    expect(mask.main).toBe(0)
    mask.undo()
    expect(mask.axis).toBe('axial')
    expect(mask.main).toBe(3)
  })

  test('every change can be undone and done again, back to nothing, and a new change forgets what was undone', () => {
    const mask = new Mask()
    const states = [mask.state]
    for (let step = 0; step < 200; step++) {
      mask.give('axial', step % 4, of(step % 3, 1, 0, 0, 0, 0), false)
      states.push(mask.state)
    }
    mask.changeLabel(1, { name: 'liver', colour: [1, 2, 3] })
    states.push(mask.state)
    for (const state of states.slice(0, -1).reverse()) {
      expect(mask.undo()).toBe(true)
      expect(mask.state).toBe(state)
    }
    expect(mask.undo()).toBe(false)
    expect(mask.isEmpty).toBe(true)
    for (const state of states.slice(1)) {
      expect(mask.redo()).toBe(true)
      expect(mask.state).toBe(state)
    }
    expect(mask.labels[0]).toEqual({ value: 1, name: 'liver', colour: [1, 2, 3] })
    mask.undo()
    mask.clear()
    expect(mask.canRedo).toBe(false)
  })

  test('a slice that says nothing is none, unless it says that nothing is there', () => {
    const mask = new Mask()
    mask.give('axial', 0, of(1, 0, 0, 0, 0, 0), false)
    mask.give('axial', 0, new Uint8Array(6), false)
    expect(mask.axis).toBeUndefined()
    mask.give('axial', 0, new Uint8Array(6), true)
    expect(mask.given('axial', 0)?.area).toBe(0)
    expect(mask.isEmpty).toBe(true)
    mask.drop(0)
    expect(mask.given('axial', 0)).toBeUndefined()
  })

  test('a new label has the lowest free value; keeping one leaves the others out', () => {
    const mask = new Mask()
    expect(mask.addLabel()).toBe(2)
    mask.give('axial', 3, of(1, 2, 0, 0, 0, 0), false)
    mask.give('axial', 2, of(1, 0, 0, 0, 0, 0), false)
    mask.keepOnly(2)
    expect(prompts(mask.state)).toEqual([{ label: 2, slice: 3, mask: of(0, 1, 0, 0, 0, 0) }])
  })
})

describe('Result', () => {
  const SETTINGS: RunSettings = { axis: 'axial', imageSize: 256, direction: 'both' }
  const slice = (index: number, labelMap: number[], iou: number): SliceResult => ({
    slice: index,
    step: 1,
    steps: 4,
    labelMap: Uint16Array.from(labelMap),
    labels: [5, 700].map((label) => ({ label, predictedIou: iou, objectScore: 1, pixels: 0 })),
  })
  /** Labels 5 and 700, given on slice 2. */
  function given(): { mask: Mask; result: Result } {
    const mask = new Mask()
    mask.load(maskFile({ 12: 700, 13: 700, 14: 5 }), SCAN, 'axial')
    return { mask, result: new Result(SCAN, mask.state, SETTINGS, [5, 700]) }
  }

  test('counts voxels, volume and the mean predicted IoU of the slices that were found', () => {
    const { result } = given()
    // What the user gave stays as it was given, whatever the model made of it.
    expect(result.add(slice(2, [700, 0, 5, 5, 0, 0], 0.9))).toEqual(of(2, 2, 1, 0, 0, 0))
    result.add(slice(3, [0, 700, 0, 0, 0, 0], 0.5))
    result.add(slice(1, [0, 0, 0, 0, 0, 0], 0.1))
    expect(result.figures()).toEqual([
      { place: 1, label: 5, voxels: 1, millilitres: 1, predictedIou: undefined },
      { place: 2, label: 700, voxels: 3, millilitres: 3, predictedIou: 0.5 },
    ])
    expect(result.confidence).toEqual([undefined, { kind: 'empty' }, { kind: 'prompt' }, { kind: 'found', predictedIou: 0.5 }])
    expect(result.doubtful).toEqual([3])
    expect(Array.from(result.labels().slice(12, 20))).toEqual([700, 700, 5, 0, 0, 0, 0, 700])
  })

  test('a slice that comes twice counts once', () => {
    const { result } = given()
    result.add(slice(0, [5, 5, 0, 0, 0, 0], 0.9))
    result.add(slice(0, [5, 0, 0, 0, 0, 0], 0.9))
    expect(result.figures()[0]?.voxels).toBe(2)
  })

  test('a correction shows at once, counts as a change, and goes again with undo', () => {
    const { mask, result } = given()
    for (const index of [2, 1, 0, 3]) result.add(slice(index, [5, 5, 5, 0, 0, 0], 0.9))
    expect(result.changes(mask.state)).toEqual([])
    mask.give('axial', 0, of(0, 0, 1, 2, 0, 0), true)
    expect(result.sync(mask.state)).toEqual([0])
    expect(result.changes(mask.state)).toEqual([0])
    expect(Array.from(result.labels().slice(0, 6))).toEqual([0, 0, 5, 700, 0, 0])
    expect(result.confidence[0]).toEqual({ kind: 'prompt' })
    // The run goes over it again: it stays.
    result.add(slice(0, [5, 5, 5, 5, 5, 5], 0.9))
    expect(Array.from(result.labels().slice(0, 6))).toEqual([0, 0, 5, 700, 0, 0])
    mask.undo()
    expect(result.sync(mask.state)).toEqual([0])
    expect(result.changes(mask.state)).toEqual([])
    expect(Array.from(result.labels().slice(0, 6))).toEqual([5, 5, 5, 5, 5, 5])
  })

  test('the engine hears what was corrected, what was rubbed out, and what is taken back', () => {
    const { mask, result } = given()
    result.tell(prompts(mask.state))
    for (const index of [2, 1, 0, 3]) result.add(slice(index, [5, 5, 700, 0, 0, 0], 0.9))
    mask.give('axial', 0, of(1, 1, 0, 0, 0, 0), true)
    const said = correctionsOf(result, mask.state, result.changes(mask.state))
    expect(said.prompts).toEqual([
      { label: 5, slice: 0, mask: of(1, 1, 0, 0, 0, 0) },
      { label: 700, slice: 0, mask: of(0, 0, 0, 0, 0, 0) },
    ])
    expect(said.dropped).toEqual([])
    result.tell(said.prompts)
    result.basis = mask.state
    mask.drop(0)
    expect(correctionsOf(result, mask.state, result.changes(mask.state))).toEqual({ prompts: [], dropped: [{ label: 5, slice: 0 }, { label: 700, slice: 0 }] })
  })

  test('refuses a slice of another shape', () => {
    expect(() => given().result.add(slice(0, [1, 2], 0.5))).toThrow('2 pixels, not 3 x 2')
  })
})
