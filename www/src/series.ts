// Which of several scans. In: what the engine found in the user's files. Out: the one to open, or what to ask; pure.

import type { SeriesInfo } from './messages'

export type Choice = { kind: 'open'; series: SeriesInfo } | { kind: 'ask'; first: SeriesInfo } | { kind: 'refuse'; why: string }

/** The only one that opens, or a question with the largest of those that do as the first choice. */
export function choose(all: readonly SeriesInfo[]): Choice {
  const open = all.filter(({ error }) => error === undefined)
  const voxels = ({ dims }: SeriesInfo): number => dims[0] * dims[1] * dims[2]
  const [first, ...others] = [...open].sort((a, b) => voxels(b) - voxels(a))
  if (first === undefined) {
    const reasons = [...new Set(all.flatMap(({ error }) => error ?? []))]
    return { kind: 'refuse', why: reasons.length === 0 ? 'There is no scan in these files.' : reasons.slice(0, 3).join(' ') }
  }
  return others.length === 0 && first.volumes <= 1 ? { kind: 'open', series: first } : { kind: 'ask', first }
}

export function seriesName({ description, id, files }: SeriesInfo): string {
  return description || (files.length === 1 ? files[0]! : id)
}

export function seriesFacts({ modality, format, dims, spacing, volumes, files }: SeriesInfo): string {
  const size = `${dims.join(' × ')} voxels, ${spacing.map((mm) => +mm.toFixed(2)).join(' × ')} mm`
  const count = files.length === 1 ? '1 file' : `${files.length} files`
  return [modality, format, size, volumes > 1 ? `${volumes} volumes` : '', count].filter(Boolean).join(' · ')
}
