// How slices lie on the screen: a bright corner of the patient is where radiologists look for it, however the file is stored.

import { describe, expect, it } from 'vitest'

import { layout } from '../src/layout'
import { sliceAxes } from '../src/orientation'
import type { AxisName } from '../src/messages'

/** Voxel axes along +-1 (right), +-2 (front), +-3 (up); as NIfTI's orientations are named. */
function scan(perm: readonly number[]): { affine: number[]; axes: Record<AxisName, number> } {
  const affine = new Array<number>(16).fill(0)
  perm.forEach((signed, axis) => (affine[4 * (Math.abs(signed) - 1) + axis] = Math.sign(signed) * 2))
  const across = (patient: number): number => perm.findIndex((signed) => Math.abs(signed) === patient)
  return { affine, axes: { sagittal: across(1), coronal: across(2), axial: across(3) } }
}

/** The patient's directions that the screen shows to the right and down, as signed patient axes. */
function shown(perm: readonly number[], axis: AxisName, radiological: boolean): [right: number, down: number] {
  const info = scan(perm)
  const { turned, flipX, flipY } = layout(info, axis, radiological)
  const [rows, cols] = sliceAxes(info.axes[axis]).map((voxelAxis) => perm[voxelAxis]!) as [number, number]
  const [x, y] = turned ? [rows, cols] : [cols, rows]
  return [flipX ? -x : x, flipY ? -y : y]
}

describe('layout', () => {
  const perms = [[1, 2, 3], [-1, -2, 3], [-2, 3, -1], [3, -1, -2], [2, 1, -3], [-3, -2, -1]]
  it.each(perms)('%i, %i, %i: the same view for every storage', (...perm) => {
    expect(shown(perm, 'axial', true)).toEqual([-1, -2])
    expect(shown(perm, 'coronal', true)).toEqual([-1, -3])
    expect(shown(perm, 'sagittal', true)).toEqual([2, -3])
    expect(shown(perm, 'axial', false)).toEqual([1, -2])
    expect(shown(perm, 'sagittal', false)).toEqual([2, -3])
  })
})
