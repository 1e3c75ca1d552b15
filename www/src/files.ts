// Files by button and by drop, folders too. In: the user's files. Out: a call with them, as scan, mask, labels or weights.

import { page } from './page'
import { EXTENSION } from './session-file'
import type { InputFile } from './messages'

/** Names of checkpoints; all else that is dropped is a scan or a mask. */
const WEIGHTS = /\.(safetensors|pth?)$/i

export interface FileTakers {
  canTake: () => boolean
  canTakeMask: () => boolean
  scan: (files: InputFile[]) => void
  mask: (file: File) => void
  weights: (file: File) => void
  session: (file: File) => void
  truth: (file: File) => void
  supportScan: (file: File) => void
  supportMask: (file: File) => void
}

/** A file with its path in the folder that was chosen. */
const named = (file: File, path = file.webkitRelativePath || file.name): InputFile => ({ name: path, data: file })

function wireButton(button: HTMLButtonElement, input: HTMLInputElement, take: (files: File[]) => void): void {
  button.onclick = () => input.click()
  wireInput(input, take)
}

function wireInput(input: HTMLInputElement, take: (files: File[]) => void): void {
  input.onchange = () => {
    const files = Array.from(input.files ?? [])
    // The same files may be chosen again.
    input.value = ''
    if (files.length > 0) take(files)
  }
}

const one = (take: (file: File) => void) => (files: File[]): void => take(files[0]!)

export function takeFiles(takers: FileTakers): void {
  const scan = (files: File[]): void => takers.scan(files.map((file) => named(file)))
  wireButton(page.scanChoose, page.scanFile, scan)
  wireButton(page.scanFolder, page.scanFolderFile, scan)
  wireButton(page.maskChoose, page.maskFile, one(takers.mask))
  wireInput(page.weightsFile, one(takers.weights))
  wireButton(page.sessionOpen, page.sessionFile, one(takers.session))
  wireButton(page.truthChoose, page.truthFile, one(takers.truth))
  wireButton(page.supportScan, page.supportScanFile, one(takers.supportScan))
  wireButton(page.supportMask, page.supportMaskFile, one(takers.supportMask))
  wireDrop(takers)
}

function wireDrop(takers: FileTakers): void {
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
    const zone = zoneOf(event)
    if (!event.dataTransfer || !takers.canTake()) return
    void dropped(event.dataTransfer).then((files) => {
      const [first] = files
      if (!first) return
      const file = first.data as File
      if (WEIGHTS.test(first.name)) takers.weights(file)
      else if (first.name.toLowerCase().endsWith(EXTENSION)) takers.session(file)
      else if (zone === 'mask' && takers.canTakeMask()) takers.mask(file)
      else takers.scan(files)
    })
  })
}

/** Everything that was dropped, folders opened. The list of entries is gone after the event, so it is taken first. */
function dropped(transfer: DataTransfer): Promise<InputFile[]> {
  const entries = Array.from(transfer.items).map((item) => item.webkitGetAsEntry?.())
  // Made by a program, a drop has files but no entries.
  if (!entries.some((entry) => entry)) return Promise.resolve(Array.from(transfer.files, (file) => named(file)))
  return Promise.all(entries.map((entry) => (entry ? inEntry(entry) : []))).then((lists) => lists.flat())
}

async function inEntry(entry: FileSystemEntry): Promise<InputFile[]> {
  const path = entry.fullPath.replace(/^\//, '')
  if (entry.isFile) return [named(await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)), path)]
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const found: InputFile[] = []
  // A folder is read in parts, until an empty one.
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (part.length === 0) return found
    for (const inner of part) found.push(...(await inEntry(inner)))
  }
}
