// The page: who does what on each click. In: the user's actions. Out: calls of the modules that do it.

import { afterRender, busy, fail, render, state, viewer } from './app'
import { addLabel, changeLabel, clearMask, clearSlice, goToMask, keepOnlyLabel, startMaskHere, useMask } from './edits'
import { chooseMethod, openPage, wireEngine } from './engine'
import { startExtras } from './extras'
import { fromHex } from './colours'
import { takeFiles } from './files'
import { wireKeys } from './keys'
import { loadCheckpoint } from './loading'
import { drawAlert, onChoice, page } from './page'
import { accept, discard } from './prompting'
import { compareWith, measure, wireResults } from './results'
import { cancel, correct, propagate } from './run'
import { loadMask, openChosen, openSample, openScan, wireScan } from './scan'
import { canCorrect, isIdle } from './state'
import { dropStarted, toleranceChanged, wireTools } from './tools'
import { setOverlay, wireView } from './view'
import type { InputFile } from './messages'

function wireMask(): void {
  page.maskLabel.onchange = () => {
    const { maskFile } = state
    const { value } = page.maskLabel
    if (maskFile) useMask(maskFile.name, maskFile.file, value === '' ? undefined : Number(value))
    render()
  }
  page.maskClear.onclick = clearMask
  page.maskClearSlice.onclick = clearSlice
  page.labelOnly.onclick = keepOnlyLabel
  page.labelAdd.onclick = addLabel
  page.labelName.onchange = () => {
    const name = page.labelName.value.trim()
    if (name) changeLabel({ name })
    else render()
  }
  page.labelName.onkeydown = ({ key }) => {
    if (key === 'Enter') page.canvas.focus()
  }
  page.labelColour.onchange = () => changeLabel({ colour: [...fromHex(page.labelColour.value)] })
  page.brushSize.oninput = () => {
    page.brushValue.textContent = page.brushSize.value
    render()
  }
  page.tolerance.oninput = toleranceChanged
  page.accept.onclick = accept
  page.discard.onclick = discard
  page.hintGo.onclick = goToMask
  page.hintHere.onclick = startMaskHere
  onChoice('tool', () => {
    dropStarted()
    render()
  })
  onChoice('label', (place) => {
    state.place = Number(place)
    state.pending = undefined
    render()
  })
}

function wireRun(): void {
  page.run.onclick = page.hintRun.onclick = () => void (canCorrect(state) ? correct() : propagate())
  page.afresh.onclick = () => void propagate()
  page.cancel.onclick = cancel
  for (const control of [page.memory, page.direction, page.trackEnd, page.imageSize, page.first, page.last]) control.addEventListener('change', render)
  page.supportDrop.onclick = () => {
    state.support = supportScan = supportMask = undefined
    render()
  }
}

/** The other scan of few-shot: its labels count once both files are there. */
let supportScan: InputFile | undefined
let supportMask: InputFile | undefined
function takeSupport(): void {
  if (supportScan && supportMask) state.support = { scan: supportScan, mask: supportMask }
  page.supportNote.textContent = supportScan ? `${supportScan.name}: now its labels.` : 'Now its scan.'
  if (state.support) render()
}

takeFiles({
  canTake: () => isIdle(state) && typeof state.device !== 'string',
  canTakeMask: () => state.scan !== undefined,
  scan: (files) => void openScan(files),
  mask: (file) => void busy(`Reading ${file.name}…`, () => loadMask(file.name, file)),
  weights: (file) => void busy(`Packing the weights of ${file.name} in 8 bits, on this computer…`, () => loadCheckpoint(file)),
  session: (file) => extras.openSession(file),
  truth: (file) => void compareWith(file),
  supportScan: (file) => {
    supportScan = { name: file.name, data: file }
    takeSupport()
  },
  supportMask: (file) => {
    supportMask = { name: file.name, data: file }
    takeSupport()
  },
})
const extras = startExtras({ openSample, openChosen, chooseMethod, chooseScan: () => page.scanFile.click() })
wireEngine()
wireScan()
wireMask()
wireRun()
wireView()
wireResults()
wireTools()
wireKeys()
page.alertClose.onclick = () => drawAlert(null)
window.addEventListener('resize', render)
window.addEventListener('beforeunload', (event) => {
  if (!state.saved) event.preventDefault()
})
// Figures follow the result, after a pause in the work.
let pause: ReturnType<typeof setTimeout> | undefined
afterRender.push(() => {
  clearTimeout(pause)
  if (state.result && isIdle(state) && !state.measurements) pause = setTimeout(() => void measure().catch(fail), 300)
})
render()
void busy('Starting the engine…', async () => {
  await viewer.attach()
  setOverlay()
  await openPage()
})
