// Whether saved work and the open scan belong together, and how a scan is known again.

import { describe, expect, it } from 'vitest'

import { fingerprint, identify, match } from '../src/work'
import { SCAN } from './work'

const file = (name: string, ...bytes: number[]): { name: string; data: Blob } => ({ name, data: new Blob([Uint8Array.from(bytes)]) })

describe('match', () => {
  it('takes the same scan, also under another name', () => {
    expect(match(SCAN, SCAN)).toEqual({ fits: true })
    expect(match(SCAN, { ...SCAN, name: 'renamed.nii.gz' })).toEqual({ fits: true })
    expect(match(SCAN, { ...SCAN, affine: SCAN.affine.map((value) => value + 5e-4) })).toEqual({ fits: true })
  })

  it('warns when a file of that name has other bytes', () => {
    expect(match(SCAN, { ...SCAN, fingerprint: 'cd34' })).toEqual({ fits: true, warning: expect.stringContaining('make sure that it is the same scan') })
  })

  it.each([
    ['another size', { dims: [6, 5, 9] as [number, number, number] }, /patient\.nii\.gz \(6 × 5 × 4 voxels\), and the open scan, patient\.nii\.gz, has 6 × 5 × 9 voxels/],
    ['another place', { affine: SCAN.affine.map((value, at) => (at === 3 ? value + 1 : value)) }, /lies elsewhere in space/],
    ['another file', { name: 'other.nii', fingerprint: 'cd34' }, /the open scan, other\.nii, is another file/],
    ['another series of the same files', { series: '1.2.3' }, /another scan of the same files is open/],
    ['the sample', { sample: true, name: 'sample' }, /the open scan is sample/],
  ])('refuses %s', (_, change, why) => {
    const fit = match(SCAN, { ...SCAN, ...change })
    expect(fit.fits).toBe(false)
    expect('why' in fit && fit.why).toMatch(why)
  })

  it('knows the sample by its grid: it has no file', () => {
    const sample = { ...SCAN, sample: true, fingerprint: '' }
    expect(match(sample, sample)).toEqual({ fits: true })
    expect(match(sample, SCAN).fits).toBe(false)
  })
})

describe('fingerprint', () => {
  it('does not depend on the order of the files, and does on their bytes and sizes', async () => {
    const [a, b] = [file('a.dcm', 1, 2, 3), file('b.dcm', 4)]
    expect(await fingerprint([a, b])).toBe(await fingerprint([b, a]))
    expect(await fingerprint([a, b])).not.toBe(await fingerprint([a]))
    expect(await fingerprint([file('a.dcm', 1, 2, 4), b])).not.toBe(await fingerprint([a, b]))
    expect(await fingerprint([file('a.dcm', 1, 2, 3, 0), b])).not.toBe(await fingerprint([a, b]))
  })

  it('sees the beginning, the middle and the end of a large file', async () => {
    const bytes = new Uint8Array(1e6)
    const whole = await fingerprint([{ name: 'a', data: new Blob([bytes]) }])
    for (const at of [0, 5e5, 1e6 - 1]) {
      const other = bytes.slice()
      other[at] = 1
      expect(await fingerprint([{ name: 'a', data: new Blob([other]) }])).not.toBe(whole)
    }
  })

  it('is part of what a scan is known by', async () => {
    const { name, dims, spacing, affine, axes } = SCAN
    const info = { name, dims, spacing, affine, axes, window: [0, 1] as [number, number] }
    expect(await identify(info, { files: [] })).toMatchObject({ sample: true, bytes: 0, fingerprint: '' })
    expect(await identify(info, { files: [file('a', 1, 2)], series: '1.2.3' })).toMatchObject({ sample: false, bytes: 2, series: '1.2.3', fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) })
  })
})
