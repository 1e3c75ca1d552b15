// The page's shortcuts. In: keys that no control wants for itself. Out: what the same button does.

import { render, state } from './app'
import { redo, undo } from './edits'
import { page } from './page'
import { undoClick } from './prompting'
import { isIdle } from './state'
import { chooseTool, finish, giveUp, undoCorner, type Tool } from './tools'
import { goToDoubtful, toggleOutline } from './view'

const TOOLS: Record<string, Tool> = { p: 'points', b: 'box', l: 'outline', d: 'brush', e: 'erase', f: 'fill', v: 'off' }

/** Takes back what was begun first, then the last change of the mask. */
export function undoStep(): void {
  if (isIdle(state) && !undoCorner() && !undoClick()) undo()
}

function redoStep(): void {
  if (isIdle(state)) redo()
}

function withControl(event: KeyboardEvent): boolean {
  const key = event.key.toLowerCase()
  if (key === 'z' && event.shiftKey) redoStep()
  else if (key === 'z') undoStep()
  else if (key === 'y') redoStep()
  else return false
  return true
}

function chooseLabel(place: number): boolean {
  if (place < 1 || place > state.mask.labels.length) return false
  state.place = place
  render()
  return true
}

function plain(event: KeyboardEvent): boolean {
  const key = event.key.toLowerCase()
  const tool = TOOLS[key]
  if (tool) chooseTool(tool)
  else if (/^[1-9]$/.test(key)) return chooseLabel(Number(key))
  else if (key === '[' || key === ']') {
    page.brushSize.value = String(Number(page.brushSize.value) + (key === ']' ? 1 : -1))
    page.brushSize.dispatchEvent(new Event('input'))
  } else if (key === 'n') goToDoubtful()
  else if (key === 'o') toggleOutline()
  else if (key === 'g') page.run.click()
  else if (key === '?') page.keys.showModal()
  else if (key === 'enter') return finish()
  else if (key === 'escape') return giveUp()
  else return false
  return true
}

/** Controls that need letters, or Enter, themselves. */
function wantsKey({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target.closest('dialog')) return true
  if (target instanceof HTMLInputElement) return !['radio', 'checkbox', 'range'].includes(target.type)
  if (target instanceof HTMLSelectElement) return true
  return key === 'Enter' && target.closest('button, summary, a') !== null
}

export function wireKeys(): void {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || wantsKey(event)) return
    const used = event.ctrlKey || event.metaKey ? withControl(event) : !event.altKey && plain(event)
    if (used) event.preventDefault()
  })
  page.maskUndo.onclick = undoStep
  page.maskRedo.onclick = redoStep
  page.keysOpen.onclick = () => page.keys.showModal()
  page.keysClose.onclick = () => page.keys.close()
}
