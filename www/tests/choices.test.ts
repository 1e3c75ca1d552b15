// Which scan of several is opened, which windows are offered, which slice is next.

import { describe, expect, test } from 'vitest'

import { fromHex, toHex } from '../src/colours'
import { choose, seriesFacts, seriesName } from '../src/series'
import { initialState, nextAfter, runObstacle } from '../src/state'
import { biasOf, trackEndNote, trackEndWords } from '../src/track-end'
import { isCt, presetOf, presets, rounded } from '../src/windows'
import type { SeriesInfo, Triple } from '../src/messages'

const series = (id: string, more: Partial<SeriesInfo> = {}): SeriesInfo => ({
  id,
  format: 'Dicom',
  description: '',
  modality: 'CT',
  dims: [4, 4, 4],
  volumes: 1,
  spacing: [1, 1, 2.5],
  files: ['a', 'b'],
  warnings: [],
  error: undefined,
  ...more,
})

describe('series', () => {
  test('the only one that opens is opened, whatever else is in the files', () => {
    expect(choose([series('x', { error: 'x: no pixels' }), series('y')])).toEqual({ kind: 'open', series: series('y') })
  })

  test('of several the user chooses, the largest first; a 4-D scan asks for its volume', () => {
    const large = series('z', { dims: [9, 9, 9] })
    expect(choose([series('y'), large])).toEqual({ kind: 'ask', first: large })
    expect(choose([series('t', { volumes: 30 })]).kind).toBe('ask')
  })

  test('when none opens the reasons are given, each once', () => {
    expect(choose([series('x', { error: 'no pixels.' }), series('y', { error: 'no pixels.' }), series('z', { error: 'cut.' })])).toEqual({ kind: 'refuse', why: 'no pixels. cut.' })
    expect(choose([])).toEqual({ kind: 'refuse', why: 'There is no scan in these files.' })
  })

  test('words for the list', () => {
    expect(seriesName(series('1.2.3', { description: 'Thorax' }))).toBe('Thorax')
    expect(seriesName(series('1.2.3', { files: ['scan.nrrd'] }))).toBe('scan.nrrd')
    expect(seriesName(series('1.2.3'))).toBe('1.2.3')
    expect(seriesFacts(series('x', { volumes: 3 }))).toBe('CT · Dicom · 4 × 4 × 4 voxels, 1 × 1 × 2.5 mm · 3 volumes · 2 files')
  })
})

describe('windows', () => {
  test('Hounsfield presets for a CT, by its word or by its values, and for nothing else', () => {
    const ids = (range: [number, number], modality?: string): string[] => presets([0, 1], range, modality).map(({ id }) => id)
    expect(ids([-1024, 3071])).toEqual(['auto', 'soft', 'lung', 'bone', 'brain', 'all'])
    expect(ids([0, 4095])).toEqual(['auto', 'all'])
    expect(ids([-1024, 3071], 'MR')).toEqual(['auto', 'all'])
    expect(isCt([0, 90], 'CT')).toBe(true)
    expect(isCt([-32768, 32767], undefined)).toBe(false)
    expect(ids([5, 5])).toEqual(['auto'])
  })

  test('soft tissue is -160 to 240, and a window is known again', () => {
    const all = presets([0, 1], [-1024, 3071], 'CT')
    expect(presetOf([-160, 240], all)?.id).toBe('soft')
    expect(presetOf([-160, 241], all)).toBeUndefined()
  })

  test('whole numbers for wide windows, digits for narrow ones', () => {
    expect(rounded([-159.6, 240.4])).toEqual(['-159.6', '240.4'])
    expect(rounded([-1024.4, 3071.4])).toEqual(['-1024', '3071'])
    expect(rounded([0.00012, 0.00098])).toEqual(['0.00012', '0.00098'])
  })
})

test('after the last doubtful slice comes the first', () => {
  expect(nextAfter([3, 9, 12], 9)).toBe(12)
  expect(nextAfter([3, 9, 12], 12)).toBe(3)
  expect(nextAfter([], 4)).toBeUndefined()
})

test('a run needs engine, model, scan and mask, and says which is missing', () => {
  const state = initialState()
  expect(runObstacle(state)).toMatch(/engine/)
  state.device = { kind: 'cpu', description: 'CPU' }
  expect(runObstacle(state)).toMatch(/model/)
  state.weights = { name: 'nano', info: { config: 'nano', parameters: 1 } }
  expect(runObstacle(state)).toMatch(/scan/)
})

describe('the end of a track', () => {
  const seen = (format: string, config: string): Parameters<typeof biasOf>[1] => {
    const info = { name: '', dims: [4, 4, 4] as Triple, spacing: [1, 1, 1] as Triple, affine: [], window: [0, 1] as [number, number], axes: { axial: 2, coronal: 1, sagittal: 0 }, format }
    return { scan: { info, chosen: { files: [] }, sampleMask: undefined }, weights: { name: config, info: { config, parameters: 1 } } }
  }

  test('is later by itself on videos with nano, whose score is set for scans, and nowhere else', () => {
    expect(biasOf('', seen('Video', 'nano'))).toBe(1)
    expect(biasOf('', seen('Video', 'tiny'))).toBe(0)
    expect(biasOf('', seen('Dicom', 'nano'))).toBe(0)
    expect(biasOf('', initialState())).toBe(0)
    expect(trackEndNote('', seen('Video', 'nano'))).toMatch(/followed for longer/)
    expect(trackEndNote('', seen('Nifti', 'nano'))).toBe('')
  })

  test('is what was chosen, and said where it is not as usual', () => {
    expect(['-1', '0', '2'].map((choice) => biasOf(choice, seen('Video', 'nano')))).toEqual([-1, 0, 2])
    expect(trackEndNote('0', seen('Video', 'nano'))).toBe('')
    expect(['', '-1', '0', '2'].map(trackEndWords)).toEqual(['', 'ends sooner', '', 'ends later'])
  })
})

test('colours go through the page and back', () => {
  expect(fromHex(toHex([255, 7, 0]))).toEqual([255, 7, 0])
  expect(toHex([255, 7, 0])).toBe('#ff0700')
})
