// What of the page's state is the user's work. In: the state. Out: the work as a plain value, for autosave and session files; and the
// state as that work left it. The only file that knows both.

import { check, page } from './page'
import { Result } from './result'
import { identify, match, type Json, type MaskSlice, type ScanFile, type ScanIdentity, type Work } from './work'
import { render, say, showLabels, state, viewer } from './app'
import type { Snapshot } from './autosave'
import type { PromptSlice } from './prompt'

/** What the page does for a scan that is opened again; main.ts has it. */
export interface Opener {
  openSample(): Promise<void>
  openFiles(files: ScanFile[]): Promise<void>
  chooseMethod(fewShot: boolean): Promise<void>
}

/** The controls that belong to a run: those with `data-keep`. */
function keptControls(): (HTMLSelectElement | HTMLInputElement)[] {
  return [...document.querySelectorAll<HTMLSelectElement | HTMLInputElement>('select[data-keep], input[data-keep]')]
}

function readOptions(): Work['options'] {
  const value = (control: HTMLSelectElement | HTMLInputElement): string | boolean =>
    control instanceof HTMLInputElement && control.type === 'checkbox' ? control.checked : control.value
  return Object.fromEntries(keptControls().map((control) => [control.id, value(control)]))
}

function applyOptions(options: Work['options']): void {
  for (const control of keptControls()) {
    const value = options[control.id]
    if (value === undefined) continue
    if (control instanceof HTMLInputElement && control.type === 'checkbox') control.checked = value === true
    else if (control instanceof HTMLInputElement || [...control.options].some((option) => option.value === value)) control.value = String(value)
    control.dispatchEvent(new Event('change', { bubbles: true }))
  }
}

/** Of each scan once: reading its files takes a moment. */
const identities = new WeakMap<object, Promise<ScanIdentity>>()

function identityOf(scan: NonNullable<typeof state.scan>): Promise<ScanIdentity> {
  const known = identities.get(scan) ?? identify(scan.info, scan.files)
  identities.set(scan, known)
  return known
}

const asMask = ({ axis, slice, pixels }: PromptSlice): MaskSlice => ({ axis, slice, whole: true, key: pixels, pixels: () => pixels })

export const hasWork = (): boolean => !state.prompt.isEmpty || state.result !== undefined

export async function takeWork(): Promise<Snapshot> {
  const { scan } = state
  if (!scan) return { scan: undefined, files: [], work: undefined }
  const identity = await identityOf(scan)
  // From here on without a wait, so that all parts are of one moment.
  if (state.scan !== scan) return takeWork()
  const { prompt, result, axis, slice, window, place } = state
  const { files } = scan
  if (!hasWork()) return { scan, files, work: undefined }
  const work: Work = {
    scan: identity,
    labels: prompt.values.map((value) => ({ value })),
    place,
    masks: prompt.current ? [asMask(prompt.current)] : [],
    options: readOptions(),
    view: { axis, slice, window },
    extra: { fewShot: state.fewShot, maskName: state.maskName, maskChanged: state.maskChanged, saved: state.saved },
    result: result?.found(),
  }
  return { scan, files, work }
}

/** Brings the scan of a work back, from its files, or takes the one that is open. Throws when it is another. */
export async function openFor(work: Work, files: ScanFile[] | undefined, opener: Opener): Promise<string> {
  if (work.scan.sample) {
    if (!state.scan || state.scan.files.length > 0) await opener.openSample()
  } else if (files) {
    await opener.openFiles(files)
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

/** Puts the work on the open scan, in the place of what is there. */
export async function applyWork(work: Work, opener: Opener): Promise<void> {
  const { scan, prompt } = state
  if (!scan) return
  const fewShot = setting(work.extra, 'fewShot') === true
  if (fewShot !== state.fewShot) await opener.chooseMethod(fewShot)
  applyOptions(work.options)
  const maskName = setting(work.extra, 'maskName')
  const [mask] = work.masks
  prompt.restore(work.labels.map(({ value }) => value), mask && { axis: mask.axis, slice: mask.slice, pixels: mask.pixels() })
  state.place = Math.min(Math.max(1, work.place), prompt.values.length)
  state.maskName = typeof maskName === 'string' ? maskName : ''
  state.maskFile = undefined
  state.result = work.result && Result.restore(scan.info, work.result)
  state.maskChanged = setting(work.extra, 'maskChanged') === true
  state.saved = setting(work.extra, 'saved') !== false
  showView(work.view)
  showLabels()
  render()
  say('Your work is here again.')
}

function showView({ axis, slice, window }: Work['view']): void {
  state.axis = axis
  state.allPlanes = page.allPlanes.checked = false
  check('axis', axis)
  viewer.show(axis, false)
  viewer.slice = slice
  if (!window) return
  page.windowLo.value = String(window[0])
  page.windowHi.value = String(window[1])
  state.window = window
  viewer.setWindow(window)
}
