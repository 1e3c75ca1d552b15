// Files by button and by drop. In: the user's files. Out: a call with the file, as scan, mask or weights.

import { isSession } from './extras'
import { page } from './page'

/** Names of checkpoints; all else that is dropped is a scan or a mask. */
const WEIGHTS = /\.(safetensors|pth?)$/i

export interface FileTakers {
  canTake: () => boolean
  canTakeMask: () => boolean
  scan: (file: File) => void
  mask: (file: File) => void
  weights: (file: File) => void
  session: (file: File) => void
}

function wireButton(button: HTMLButtonElement, input: HTMLInputElement, take: (file: File) => void): void {
  button.onclick = () => input.click()
  wireInput(input, take)
}

function wireInput(input: HTMLInputElement, take: (file: File) => void): void {
  input.onchange = () => {
    const file = input.files?.[0]
    // The same file may be chosen again.
    input.value = ''
    if (file) take(file)
  }
}

export function takeFiles(takers: FileTakers): void {
  wireButton(page.scanChoose, page.scanFile, takers.scan)
  wireButton(page.maskChoose, page.maskFile, takers.mask)
  wireInput(page.weightsFile, takers.weights)

  const zoneOf = (event: DragEvent): 'scan' | 'mask' => (event.target === page.dropMask ? 'mask' : 'scan')
  const hide = (): void => {
    page.drop.hidden = true
  }
  // Ahead of the viewer (true), which would keep these events to itself.
  const on = (type: 'dragenter' | 'dragover' | 'dragleave' | 'drop', listener: (event: DragEvent) => void): void =>
    window.addEventListener(type, listener, true)

  on('dragenter', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return
    event.preventDefault()
    page.drop.hidden = !takers.canTake()
    page.dropMask.hidden = !takers.canTakeMask()
  })
  on('dragover', (event) => {
    event.preventDefault()
    page.dropScan.classList.toggle('over', zoneOf(event) === 'scan')
    page.dropMask.classList.toggle('over', zoneOf(event) === 'mask')
  })
  on('dragleave', (event) => {
    if (event.relatedTarget === null) hide()
  })
  on('drop', (event) => {
    event.preventDefault()
    hide()
    const file = event.dataTransfer?.files[0]
    if (!file || !takers.canTake()) return
    if (WEIGHTS.test(file.name)) return takers.weights(file)
    if (isSession(file)) return takers.session(file)
    if (zoneOf(event) === 'mask' && takers.canTakeMask()) takers.mask(file)
    else takers.scan(file)
  })
}
