// What the engine is told of corrected slices. In: a result, and the mask as it is now. Out: masks given, and masks taken back; pure.

import { prompts, slicePrompts, type MaskState } from './mask'
import type { Corrections, PromptMask } from './messages'
import type { Result } from './result'

export function correctionsOf(result: Result, now: MaskState, slices: readonly number[]): Corrections {
  const real = prompts(now)
  const given = slices.flatMap((slice) => [...slicePrompts(now, slice), ...rubbedOut(result, now, slice, real)])
  const kept = new Set(given.map(({ label, slice }) => `${label} ${slice}`))
  const dropped = slices.flatMap((slice) => [...result.told(slice)].map((label) => ({ label, slice })))
  return { prompts: given, dropped: dropped.filter(({ label, slice }) => !kept.has(`${label} ${slice}`)) }
}

/** Empty masks of the labels that the run found on a slice and the user did not leave there: the object is not on it. */
function rubbedOut(result: Result, now: MaskState, slice: number, real: readonly PromptMask[]): PromptMask[] {
  const given = now.slices.get(slice)
  if (!given?.whole) return []
  const here = new Set(slicePrompts(now, slice).map(({ label }) => label))
  // A label is known by a mask with pixels: without one anywhere it has nothing to go by.
  const gone = result.foundOn(slice).filter((label) => !here.has(label) && real.some((prompt) => prompt.label === label))
  return gone.map((label) => ({ label, slice, mask: new Uint8Array(given.pixels().length) }))
}
