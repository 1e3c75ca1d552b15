// The mask the user gives, and what a run makes of it.

import { describe, expect, test } from 'vitest'

import type { MaskFile, ScanInfo, SliceResult } from '../src/messages'
import { Prompt } from '../src/prompt'
import { Result } from '../src/result'

const SCAN: ScanInfo = {
  name: 'scan.nii',
  dims: [2, 3, 4],
  spacing: [10, 10, 10],
  affine: [10, 0, 0, 0, 0, 10, 0, 0, 0, 0, 10, 0, 0, 0, 0, 1],
  window: [0, 1],
  axes: { axial: 2, coronal: 1, sagittal: 0 },
}

function maskFile(voxels: Record<number, number>): MaskFile {
  const labels = new Uint16Array(24)
  for (const [at, label] of Object.entries(voxels)) labels[Number(at)] = label
  return { labels, present: [...new Set(Object.values(voxels))] }
}

describe('Prompt', () => {
  test('takes the largest slice of a file and says which labels are not on it', () => {
    const prompt = new Prompt()
    const missing = prompt.load(maskFile({ 1: 9, 12: 700, 13: 700, 14: 5 }), SCAN, 'axial')
    expect(missing).toEqual([9])
    expect(prompt.current?.slice).toBe(2)
    expect(prompt.values).toEqual([5, 700])
    expect(Array.from(prompt.current!.pixels)).toEqual([2, 2, 1, 0, 0, 0])
    expect(prompt.toEngine()).toEqual([
      { label: 5, slice: 2, mask: Uint8Array.of(0, 0, 1, 0, 0, 0) },
      { label: 700, slice: 2, mask: Uint8Array.of(1, 1, 0, 0, 0, 0) },
    ])
  })

  test('takes one label of a file, from the slice where that one is largest', () => {
    const prompt = new Prompt()
    expect(prompt.load(maskFile({ 1: 9, 12: 700, 13: 700, 14: 5 }), SCAN, 'axial', 9)).toEqual([])
    expect(prompt.current?.slice).toBe(0)
    expect(prompt.toEngine()).toEqual([{ label: 9, slice: 0, mask: Uint8Array.of(0, 1, 0, 0, 0, 0) }])
  })

  test('refuses an empty mask file and keeps what it had', () => {
    const prompt = new Prompt()
    prompt.set({ axis: 'axial', slice: 0, pixels: Uint8Array.of(1, 0, 0, 0, 0, 0) })
    expect(() => prompt.load(maskFile({}), SCAN, 'axial')).toThrow('no labelled voxel')
    expect(prompt.current?.slice).toBe(0)
  })

  test('undoes strokes and moves, back to nothing', () => {
    const prompt = new Prompt()
    const first = { axis: 'axial' as const, slice: 0, pixels: Uint8Array.of(1, 0, 0, 0, 0, 0) }
    prompt.set(first)
    prompt.set({ axis: 'coronal', slice: 1, pixels: new Uint8Array(8) })
    expect(prompt.isEmpty).toBe(true)
    prompt.undo()
    expect(prompt.current).toBe(first)
    prompt.undo()
    expect(prompt.current).toBeUndefined()
    expect(prompt.canUndo).toBe(false)
  })

  test('gives a label without pixels no prompt, and a new label the lowest free value', () => {
    const prompt = new Prompt()
    expect(prompt.addLabel()).toBe(2)
    prompt.set({ axis: 'axial', slice: 3, pixels: Uint8Array.of(0, 2, 0, 0, 0, 0) })
    expect(prompt.toEngine().map(({ label }) => label)).toEqual([2])
    expect(prompt.areas()).toEqual([0, 1])
  })
})

describe('Result', () => {
  const slice = (index: number, labelMap: number[], iou: number): SliceResult => ({
    slice: index,
    step: 1,
    steps: 4,
    labelMap: Uint16Array.from(labelMap),
    labels: [5, 700].map((label) => ({ label, predictedIou: iou, objectScore: 1, pixels: 0 })),
  })

  test('counts voxels, volume and the mean predicted IoU of the slices with pixels', () => {
    const result = new Result(SCAN, 'axial', 2, [5, 700, 9], [5, 700])
    expect(Array.from(result.add(slice(2, [700, 700, 5, 0, 0, 0], 0.9)))).toEqual([2, 2, 1, 0, 0, 0])
    result.add(slice(3, [0, 700, 0, 0, 0, 0], 0.5))
    result.add(slice(1, [0, 0, 0, 0, 0, 0], 0.1))
    expect(result.figures()).toEqual([
      { place: 1, label: 5, voxels: 1, millilitres: 1, predictedIou: 0.9 },
      { place: 2, label: 700, voxels: 3, millilitres: 3, predictedIou: 0.7 },
    ])
    expect(result.confidence).toEqual([undefined, { kind: 'empty' }, { kind: 'prompt' }, { kind: 'found', predictedIou: 0.5 }])
    expect(Array.from(result.volume.slice(12, 20))).toEqual([2, 2, 1, 0, 0, 0, 0, 2])
  })

  test('a slice that comes twice counts once', () => {
    const result = new Result(SCAN, 'axial', 2, [5], [5])
    result.add(slice(2, [5, 5, 0, 0, 0, 0], 0.9))
    result.add(slice(2, [5, 0, 0, 0, 0, 0], 0.9))
    expect(result.figures()[0]?.voxels).toBe(1)
  })

  test('refuses a slice of another shape', () => {
    const result = new Result(SCAN, 'axial', 2, [5], [5])
    expect(() => result.add(slice(0, [1, 2], 0.5))).toThrow('2 pixels, not 3 x 2')
  })
})
