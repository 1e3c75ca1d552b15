// What of the page's state is the user's work. In: the state. Out: the work as a plain value, for autosave and session files; and the
// state as that work left it. The only file that knows both.

import { render, say, showLabels, state } from './app'
import type { Snapshot } from './autosave'
import { goTo } from './edits'
import { GivenSlice } from './given'
import { newLabel, type MaskState } from './mask'
import { Result, type RunSettings } from './result'
import { setWindow } from './view'
import { identify, match, type FoundSlices, type Json, type LabelName, type MaskSlice, type ScanIdentity, type Work } from './work'
import type { ScanFiles } from './messages'

/** What the page does for a scan that is opened again. */
export interface Opener {
  openSample(): Promise<void>
  openChosen(chosen: ScanFiles): Promise<void>
  chooseMethod(fewShot: boolean): Promise<void>
}

/** The controls that belong to a run: those with `data-keep`. */
function keptControls(): (HTMLSelectElement | HTMLInputElement)[] {
  return [...document.querySelectorAll<HTMLSelectElement | HTMLInputElement>('select[data-keep], input[data-keep]')]
}

const isBox = (control: HTMLSelectElement | HTMLInputElement): control is HTMLInputElement => control instanceof HTMLInputElement && control.type === 'checkbox'

function readOptions(): Work['options'] {
  return Object.fromEntries(keptControls().map((control) => [control.id, isBox(control) ? control.checked : control.value]))
}

function applyOptions(options: Work['options']): void {
  for (const control of keptControls()) {
    const value = options[control.id]
    if (value === undefined) continue
    if (isBox(control)) control.checked = value === true
    else if (control instanceof HTMLInputElement || [...control.options].some((option) => option.value === value)) control.value = String(value)
    control.dispatchEvent(new Event('change', { bubbles: true }))
  }
}

/** Of each scan once: reading its files takes a moment. */
const identities = new WeakMap<object, Promise<ScanIdentity>>()

function identityOf(scan: NonNullable<typeof state.scan>): Promise<ScanIdentity> {
  const known = identities.get(scan) ?? identify(scan.info, scan.chosen)
  identities.set(scan, known)
  return known
}

function givenSlices({ axis, slices }: MaskState): MaskSlice[] {
  if (axis === undefined) return []
  return Array.from(slices, ([slice, given]) => ({ axis, slice, whole: given.whole, key: given, pixels: () => given.pixels() }))
}

function found(result: Result): FoundSlices {
  const run = { options: result.options, stopped: result.stopped || state.run !== undefined } as unknown as Json
  return { ...result.kept(), basis: givenSlices(result.basis), run }
}

export async function takeWork(): Promise<Snapshot> {
  const { scan } = state
  if (!scan) return { scan: undefined, chosen: { files: [] }, work: undefined }
  const identity = await identityOf(scan)
  // From here on without a wait, so that all parts are of one moment.
  if (state.scan !== scan) return takeWork()
  const { mask, result, axis, slice, window, place } = state
  const { chosen } = scan
  if (mask.isEmpty && !result) return { scan, chosen, work: undefined }
  const work: Work = {
    scan: identity,
    labels: mask.labels.map(({ value, name, colour }) => ({ value, name, colour: [...colour] })),
    place,
    masks: givenSlices(mask.state),
    options: readOptions(),
    view: { axis, slice, window },
    extra: { fewShot: state.fewShot, maskName: state.maskName, saved: state.saved },
    result: result && found(result),
  }
  return { scan, chosen, work }
}

/** Brings the scan of a work back, from its files, or takes the one that is open. Throws when it is another. */
export async function openFor(work: Work, files: ScanFiles | undefined, opener: Opener): Promise<string> {
  if (work.scan.sample) {
    if (!state.scan?.sampleMask) await opener.openSample()
  } else if (files) {
    await opener.openChosen(files)
  }
  const { scan } = state
  if (!scan) throw new Error(`open ${work.scan.name} first: this is work on it`)
  const fit = match(work.scan, await identityOf(scan))
  if (!fit.fits) throw new Error(`${fit.why}. Open that scan first.`)
  return fit.warning ?? ''
}

function setting(extra: Json, name: string): Json | undefined {
  return typeof extra === 'object' && extra !== null && !Array.isArray(extra) ? extra[name] : undefined
}

function maskState(labels: readonly LabelName[], masks: readonly MaskSlice[], known?: MaskState): MaskState {
  // A slice that the run was given and that is given still is one object: that is how the page sees that nothing was corrected.
  const given = ({ slice, whole, pixels }: MaskSlice): GivenSlice => {
    const before = known?.slices.get(slice)
    const now = pixels()
    return before?.whole === whole && before.equals(now) ? before : new GivenSlice(now, whole)
  }
  return {
    labels: labels.map(({ value, name, colour }, index) => {
      const made = newLabel(value, index + 1)
      return { value, name: name ?? made.name, colour: colour ?? made.colour }
    }),
    axis: masks[0]?.axis,
    slices: new Map(masks.map((mask) => [mask.slice, given(mask)])),
  }
}

function restoreResult(kept: FoundSlices, basis: MaskState): Result | undefined {
  const { scan } = state
  if (!scan) return undefined
  const { axis, values, prompted, slices, run } = kept
  const options = setting(run, 'options')
  const settings = { axis, direction: 'both', ...(typeof options === 'object' && options) } as RunSettings
  const result = new Result(scan.info, basis, { ...settings, axis }, prompted)
  slices.forEach(({ slice, labels, pixels }, at) => {
    const labelMap = Uint16Array.from(pixels(), (place) => values[place - 1] ?? 0)
    result.add({ slice, step: at + 1, steps: slices.length, labelMap, labels: [...labels] })
  })
  result.stopped = setting(run, 'stopped') === true
  return result
}

/** Puts the work on the open scan, in the place of what is there. */
export async function applyWork(work: Work, opener: Opener): Promise<void> {
  const { scan, mask } = state
  if (!scan) return
  const fewShot = setting(work.extra, 'fewShot') === true
  if (fewShot !== state.fewShot) await opener.chooseMethod(fewShot)
  const maskName = setting(work.extra, 'maskName')
  const basis = maskState(work.labels, work.result?.basis ?? [])
  mask.restore(maskState(work.labels, work.masks, basis))
  state.place = Math.min(Math.max(1, work.place), mask.labels.length)
  state.maskName = typeof maskName === 'string' ? maskName : ''
  state.maskFile = state.pending = state.live = undefined
  state.measurements = undefined
  applyOptions(work.options)
  setWindow(work.view.window)
  state.result = work.result && restoreResult(work.result, basis)
  state.saved = setting(work.extra, 'saved') !== false
  goTo(work.view.axis, work.view.slice)
  showLabels()
  render()
  say('Your work is here again.')
}

