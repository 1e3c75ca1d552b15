// What the page does besides segmenting: it works without a network and shows what it asks of it, saves the work as it is done, keeps models,
// and explains itself. In: what main.ts can do. Out: all of that, wired to its places in the page. The one place that main.ts calls.

import './extras.css'
import { deviceAdvice } from './advice'
import { afterRender, busy, client, fail, onWorkerRequests, render, say, state } from './app'
import { Autosave, LARGEST_SCAN, type SaveState } from './autosave'
import { applyWork, openFor, takeWork, type Opener } from './keep'
import { afterLoading, loadedModel, loadModel } from './loading'
import { ModelsDialog } from './models-dialog'
import { isKept } from './models'
import { notice, withdraw } from './notices'
import { startOffline } from './offline'
import { page, saveAs } from './page'
import { claim, offerWork } from './resume'
import { EXTENSION, readSession, writeSession } from './session-file'
import { isIdle } from './state'
import { keepsScans, SavedWork } from './saved-work'
import { startTeaching } from './teaching'
import { TrustLine } from './trust-line'
import { keepForOffline } from './weights'
import type { ScanFiles } from './messages'
import type { Work } from './work'
import { WorkStore, type Saved } from './work-store'

export interface ExtrasHost extends Opener {
  chooseScan(): void
}

let trust: TrustLine | undefined
/** What a visit without a network needs besides the model is here. */
let companionsKept = false

async function showKept(): Promise<void> {
  const sha256 = loadedModel()
  if (trust && sha256) trust.modelKept = companionsKept && (await isKept(sha256))
}

// Models

function startModels(): void {
  const dialog = new ModelsDialog({
    pack: (name, data) => client.packWeights(name, data, 8),
    load: loadModel,
    loaded: loadedModel,
    busy,
    say,
    advice: () => deviceAdvice(state.device, state.choice, { webgpu: 'gpu' in navigator, secure: isSecureContext, userAgent: navigator.userAgent }),
    chooseFile: () => page.weightsFile.click(),
  })
  page.models.onclick = () => void dialog.open()
}

// Saved work and session files

/** Work whose scan is not open yet: it goes on when the scan is. */
let waiting: { work: Work; resumed: Saved | undefined } | undefined

function showSaved(state: SaveState): void {
  const line = page.saved
  line.classList.toggle('flagged', state.kind === 'failed')
  if (state.kind === 'nothing') line.textContent = ''
  else if (state.kind === 'saved') line.textContent = `Work saved in this browser at ${state.at.toLocaleTimeString('en', { hour12: false })}${state.withScan ? '' : ', without the scan'}`
  else {
    line.textContent = 'Work not saved'
    notice('unsaved', `Your work could not be saved in this browser: ${state.why}. Save the session to a file, so that it is not lost.`, [{ text: 'Save session…', primary: true, act: () => void saveSession() }])
  }
  if (state.kind === 'saved') withdraw('unsaved')
}

let store: Promise<WorkStore> | undefined
const openStore = (): Promise<WorkStore> => (store ??= WorkStore.open(document.baseURI))
const autosave = new Autosave({ store: openStore, take: takeWork, show: showSaved, claim: (id) => void claim(id), largestScan: () => (keepsScans() ? LARGEST_SCAN : 0) })

/** Opens the scan of a work and puts the work on it. `files` when they are here. */
async function continueWork(host: ExtrasHost, work: Work, files: ScanFiles | undefined, resumed: Saved | undefined): Promise<void> {
  waiting = undefined
  withdraw('waiting')
  const warning = await openFor(work, files, host)
  await applyWork(work, host)
  if (resumed && state.scan) autosave.adopt(resumed.id, state.scan, resumed.hasFiles || work.scan.sample)
  if (warning) notice('warning', warning, [{ text: 'Dismiss', act: () => {} }])
}

/** Asks for the scan of a work; the work goes on as soon as it is open. */
function askForScan(host: ExtrasHost, work: Work, resumed: Saved | undefined): void {
  waiting = { work, resumed }
  const { name, dims } = work.scan
  notice('waiting', `This is work on ${name} (${dims.join(' × ')} voxels). Open that scan, and it goes on.`, [
    { text: 'Choose the scan…', primary: true, act: () => host.chooseScan() },
    { text: 'Not now', act: () => (waiting = undefined) },
  ])
}

/** Whether a scan that is needed is open now. */
function lookForScan(host: ExtrasHost): void {
  if (!waiting || !isIdle(state) || !state.scan || state.scan === seenScan) return
  seenScan = state.scan
  const { work, resumed } = waiting
  void busy('Opening your work…', () => continueWork(host, work, undefined, resumed))
}
let seenScan: typeof state.scan

async function resume(host: ExtrasHost, saved: Saved, work: Work, files: ScanFiles | undefined): Promise<boolean> {
  if (!(await claim(saved.id))) {
    notice('taken', 'This work is open in another tab.', [{ text: 'Dismiss', act: () => {} }])
    return true
  }
  if (!files && !work.scan.sample) {
    seenScan = state.scan
    askForScan(host, work, saved)
    return true
  }
  await busy('Opening your work…', () => continueWork(host, work, files, saved))
  return page.alertBody.hidden === true
}

async function saveSession(): Promise<void> {
  await busy('Writing the session…', async () => {
    const { work } = await takeWork()
    if (!work) throw new Error('there is nothing to save yet: mark something first')
    const name = work.scan.name.replace(/\.(nii|nrrd|mha|mhd|zip)?(\.gz)?$/i, '')
    saveAs(`${name}${EXTENSION}`, new Blob([writeSession(work)], { type: 'application/zip' }))
    say('The session is saved: everything but the scan.')
  })
}

/** A session file goes on the scan that is open, or waits for its own. */
async function openSession(host: ExtrasHost, file: File): Promise<void> {
  await busy(`Opening ${file.name}…`, async () => {
    const work = readSession(file.name, new Uint8Array(await file.arrayBuffer()))
    try {
      await continueWork(host, work, undefined, undefined)
    } catch (error) {
      if (work.scan.sample) throw error
      seenScan = state.scan
      askForScan(host, work, undefined)
      throw error
    }
  })
}

function startSessions(host: ExtrasHost): void {
  page.sessionSave.onclick = () => void saveSession()
  afterRender.push(() => {
    autosave.changed()
    lookForScan(host)
  })
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') void autosave.flush()
  })
}

/** Leaves the page with the work saved: the browser need not ask. */
async function leave(how: () => void): Promise<void> {
  await autosave.flush()
  state.saved = page.saved.classList.contains('flagged') ? state.saved : true
  how()
}

// The network

function startTrust(): void {
  trust = new TrustLine(page.network, new SavedWork({ store: openStore, forgetAll: () => autosave.forgetAll(), forgetScans: () => autosave.forgetScans() }))
  const shown = trust
  afterLoading.push(() => void showKept())
  onWorkerRequests((seen) => shown.add(seen))
  if (!import.meta.env.PROD) return
  void startOffline({
    state: (now) => (shown.offline = now),
    requests: (seen) => shown.add(seen),
    update: (use) =>
      notice('update', 'A new version of OneSlice is ready. Your work is saved and offered again.', [
        { text: 'Reload with it', primary: true, act: () => void leave(use) },
        { text: 'Later', act: () => {} },
      ]),
    updatedElsewhere: () => notice('update', 'OneSlice was updated in another tab. Reload this one when it suits you.', [{ text: 'Reload', act: () => void leave(() => location.reload()) }]),
  })
}

/** Once the page is ready: offers what was left, and keeps what a visit without a network needs. */
async function whenReady(host: ExtrasHost): Promise<void> {
  try {
    await offerWork(await openStore(), { resume: (saved, work, files) => resume(host, saved, work, files) })
  } catch (error) {
    console.warn(`saved work cannot be offered: ${String(error)}`)
  }
  await keepForOffline()
  companionsKept = true
  await showKept()
}

/** Wires everything; `openSession` is for a session file that was dropped. */
export function startExtras(host: ExtrasHost): { openSession: (file: File) => void } {
  startTrust()
  startModels()
  startSessions(host)
  startTeaching(host)
  let ready = false
  afterRender.push(() => {
    if (ready || !isIdle(state)) return
    ready = true
    whenReady(host).catch(fail)
  })
  render()
  return { openSession: (file) => void openSession(host, file) }
}
