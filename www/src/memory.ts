// Memories in words. In: a strategy, or what a slice remembered. Out: sentences for the page; pure.

import type { MemoryReport, MemoryStrategy } from './messages'

export const MEMORY_NOTE: Record<MemoryStrategy, string> = {
  fifo: 'Each slice is compared with the mask and the six slices before it.',
  'self-sorting': 'A small set of slices is kept: confident ones that differ most from one another. Each slice is compared with the mask and those it is most like.',
  'self-sorting-released': 'As above, but a new slice replaces one that it can stand for. This is what the published program does; it differs from the paper.',
}

/** What the slice in view was compared with, and what became of its own memory. */
export function memoryWords(slice: number, { used, decision }: MemoryReport): string {
  if (used.length === 0) return `Slice ${slice} has the mask: its memory always stays.`
  const names = new Set(used.map(({ slice, prompted }) => (prompted ? `${slice} (mask)` : `${slice}`)))
  const kept = { kept: 'It is remembered', replaced: `It is remembered in the place of ${decision.replaced}`, refused: 'It is not remembered' }
  return `Slice ${slice} was compared with ${[...names].join(', ')}. ${kept[decision.action]}: ${decision.why}.`
}
