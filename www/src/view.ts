// How the scan is shown. In: the view's controls. Out: the viewer as they say.

import { render, say, state, viewer } from './app'
import { showView } from './edits'
import { checked, onChoice, page } from './page'
import { drawWindow } from './render'
import { following } from './run'
import { leaveSlice } from './prompting'
import { corrections, nextAfter } from './state'
import { wireStrip } from './strip'
import { dropStarted, toleranceChanged } from './tools'
import { presets } from './windows'
import type { View } from './viewer'

function changeWindow(): void {
  const lo = page.windowLo.valueAsNumber
  const hi = page.windowHi.valueAsNumber
  const valid = Number.isFinite(lo) && Number.isFinite(hi) && lo < hi
  for (const input of [page.windowLo, page.windowHi]) input.setAttribute('aria-invalid', String(!valid))
  if (!valid) return say('The window needs a lowest value below its highest.')
  setWindow([lo, hi])
}

/** `undefined` is the automatic one. */
export function setWindow(window: [number, number] | undefined): void {
  const { scan } = state
  if (!scan) return
  state.window = window
  viewer.setWindow(window ?? scan.info.window)
  for (const input of [page.windowLo, page.windowHi]) input.removeAttribute('aria-invalid')
  drawWindow(state, viewer.range)
  toleranceChanged()
  render()
}

function choosePreset(): void {
  const { scan } = state
  const id = page.windowPreset.value
  const preset = scan && presets(scan.info.window, viewer.range, scan.info.modality).find((each) => each.id === id)
  if (preset) setWindow(id === 'auto' ? undefined : [...preset.window])
  else page.windowLo.focus()
}

export function setOverlay(): void {
  viewer.setOverlay(page.opacity.valueAsNumber, page.outlineOnly.checked)
}

/** Outlines alone, or filled again. */
export function toggleOutline(): void {
  page.outlineOnly.checked = !page.outlineOnly.checked
  setOverlay()
}

/** The next slice that the model was not sure of. */
export function goToDoubtful(): void {
  const { result, slice } = state
  if (!result) return
  const unseen = result.doubtful.filter((each) => !corrections(state).includes(each))
  const next = nextAfter(unseen, state.axis === result.axis ? slice : -1)
  if (next === undefined) return say('No slice is doubtful.')
  if (state.view !== result.axis) showView(result.axis, result.axis)
  viewer.slice = next
  render()
  say(`Slice ${next} is doubtful: correct it with any tool, then propagate again.`)
}

export function wireView(): void {
  viewer.onSlice = (slice) => {
    if (state.slice === slice) return
    state.slice = slice
    if (state.run && !following) state.run.follow = false
    leaveSlice()
    dropStarted()
    render()
  }
  onChoice('view', (view) => {
    const single = view === 'planes' || view === 'render' ? state.axis : (view as typeof state.axis)
    showView(single, view as View)
    leaveSlice()
    dropStarted()
    render()
  })
  page.slice.oninput = () => {
    viewer.slice = page.slice.valueAsNumber
  }
  wireStrip(
    () => Number(page.slice.max) + 1,
    (slice) => {
      if (state.scan) viewer.slice = slice
    },
  )
  page.windowLo.onchange = page.windowHi.onchange = changeWindow
  page.windowPreset.onchange = choosePreset
  page.opacity.oninput = page.outlineOnly.onchange = setOverlay
  page.zoomIn.onclick = () => viewer.zoom(1.25)
  page.zoomOut.onclick = () => viewer.zoom(0.8)
  page.zoomFit.onclick = () => viewer.resetView()
  page.radiological.onchange = () => {
    viewer.setRadiological(page.radiological.checked)
    render()
  }
  page.letters.onchange = () => {
    viewer.setLetters(page.letters.checked)
    render()
  }
  page.crosshair.onchange = () => viewer.setCrosshair(page.crosshair.checked)
  page.smooth.onchange = () => viewer.setSmooth(page.smooth.checked)
  page.doubtful.onclick = goToDoubtful
  page.options.ontoggle = render
  page.compare.ontoggle = render
  closeMenus()
  if (checked('view') !== 'axial') showView(state.axis, state.axis)
}

/** An open menu closes when something else is chosen. */
function closeMenus(): void {
  document.addEventListener('click', ({ target }) => {
    for (const menu of document.querySelectorAll<HTMLDetailsElement>('details.menu[open]')) {
      const inside = target instanceof Node && menu.contains(target)
      if (!inside || target instanceof HTMLButtonElement) menu.open = false
    }
  })
}
