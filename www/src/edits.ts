// Changes of the mask. In: pixels from tools, files and undo. Out: the mask in the state and on the screen.

import { forgetResult, render, say, showChanges, showLabels, state, viewer } from './app'
import { check, page } from './page'
import type { AxisName, MaskFile } from './messages'
import type { View } from './viewer'

/** The labels on a slice as they are shown. */
export function shownPixels(axis: AxisName, slice: number): Uint8Array {
  const { result, mask } = state
  if (result?.axis === axis) return result.pixels(axis, slice)
  const given = mask.given(axis, slice)
  if (given) return given.pixels()
  return result ? result.pixels(axis, slice) : viewer.emptySlice(axis)
}

/** Changes the slice in view; false when the pixels stay as they are. */
export function edit(change: (pixels: Uint8Array) => Uint8Array): boolean {
  const { axis, slice, result, mask } = state
  const before = shownPixels(axis, slice)
  const pixels = change(before)
  if (before.every((place, at) => place === pixels[at])) return false
  const reached = result?.axis === axis && (result.scores[slice] !== undefined || mask.given(axis, slice)?.whole === true)
  mask.give(axis, slice, pixels, reached)
  changed()
  return true
}

function changed(): number[] | undefined {
  const slices = showChanges()
  state.saved &&= state.mask.isEmpty
  state.measurements = undefined
  if (state.mask.isEmpty) state.maskName = ''
  if (state.place > state.mask.labels.length) state.place = 1
  render()
  return slices
}

/** Undo and redo go to the slice that they change. */
function stepped(done: boolean, word: string): void {
  if (!done) return say(`There is nothing to ${word}.`)
  const slices = changed()
  const { axis } = state.mask
  const [slice] = slices ?? []
  if (slices?.length === 1 && slice !== undefined) goTo(axis ?? state.axis, slice)
  else if (slices === undefined) goToMask()
}

export function undo(): void {
  stepped(state.mask.undo(), 'undo')
}

export function redo(): void {
  stepped(state.mask.redo(), 'do again')
}

/** Takes back what is given on the slice in view: a correction, or the mask. */
export function clearSlice(): void {
  const { mask, axis, slice } = state
  if (!mask.given(axis, slice)) return
  mask.drop(slice)
  changed()
}

export function clearMask(): void {
  state.mask.clear()
  changed()
}

export function keepOnlyLabel(): void {
  state.mask.keepOnly(state.place)
  changed()
}

export function addLabel(): void {
  state.place = state.mask.addLabel()
  changed()
}

export function changeLabel(change: { name?: string; colour?: [number, number, number] }): void {
  state.mask.changeLabel(state.place, change)
  changed()
}

/** Begins a new mask on the slice in view, with what the result has there. */
export function startMaskHere(): void {
  const { axis, slice, mask } = state
  mask.startOver(axis, slice, shownPixels(axis, slice))
  changed()
  say(mask.isEmpty ? 'Mark the structure on this slice.' : 'Correct this slice with any tool, then propagate.')
}

/** Takes the mask from a file: all labels of the slice where they are largest together, or one label where it is largest. */
export function useMask(name: string, file: MaskFile, label: number | undefined): void {
  const { scan, mask } = state
  if (!scan) return
  const missing = mask.load(file, scan.info, state.axis, label)
  const slice = mask.main ?? 0
  forgetResult()
  state.maskFile = { name, file, label }
  state.maskName = `${name}: `
  state.place = 1
  showLabels()
  goTo(state.axis, slice)
  const leftOut = missing.length > 0 ? ` Not on it: ${missing.length} of the file's ${missing.length + mask.labels.length} labels.` : ''
  say(`The mask is the one on ${state.axis} slice ${slice}, where its area is largest.${leftOut}`)
}

export function showView(axis: AxisName, view: View): void {
  state.axis = axis
  state.view = view
  check('view', view)
  viewer.show(axis, view)
  page.frame.classList.toggle('render', view === 'render')
}

/** Shows a slice alone. */
export function goTo(axis: AxisName, slice: number): void {
  if (state.axis !== axis || state.view !== axis) showView(axis, axis)
  viewer.slice = slice
  render()
}

export function goToMask(): void {
  const { axis, main } = state.mask
  if (axis !== undefined && main !== undefined) goTo(axis, main)
}
