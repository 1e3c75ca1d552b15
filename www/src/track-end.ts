// Where a track ends. In: the choice on the page, the scan and the model. Out: what is added to the object score, and words for it; pure.

import type { State } from './state'

type Seen = Pick<State, 'scan' | 'weights'>

/** What nano gains on videos: its score is set for scans, most of whose slices lack a given organ. See its model card. */
const VIDEO_BIAS = 1

/** Logits added to every object score; a choice is a number, or nothing for what suits scan and model. */
export function biasOf(choice: string, { scan, weights }: Seen): number {
  if (choice !== '') return Number(choice)
  return scan?.info.format === 'Video' && weights?.info.config === 'nano' ? VIDEO_BIAS : 0
}

/** What is said below the choice. */
export function trackEndNote(choice: string, seen: Seen): string {
  return choice === '' && biasOf(choice, seen) > 0 ? 'On a video it is followed for longer: things seldom leave one.' : ''
}

/** What is not as usual. */
export function trackEndWords(choice: string): string {
  return choice === '' || choice === '0' ? '' : `ends ${Number(choice) < 0 ? 'sooner' : 'later'}`
}
