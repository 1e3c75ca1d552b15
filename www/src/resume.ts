// Work that was left, offered again. In: what the store has, and what becomes of an answer. Out: one line at a time in #notices.

import type { ScanFiles } from './messages'
import type { Work } from './work'
import type { Saved, WorkStore } from './work-store'
import { notice } from './notices'

/** Older works than so many are let go: they fill the browser's storage. */
const KEPT = 5

export interface ResumeHost {
  /** Opens the work; `files` when its scan's were kept. Shows what goes wrong; whether it went well. */
  resume(saved: Saved, work: Work, files: ScanFiles | undefined): Promise<boolean>
}

// A tab holds a lock for the work it is on: the browser lets it go when the tab is closed, reloaded or has crashed.

const lockOf = (id: string): string => `oneslice work ${id}`

/** Whether the work is now this tab's. Where there are no locks, every tab may have it. */
export async function claim(id: string): Promise<boolean> {
  const locks = navigator.locks as LockManager | undefined
  if (!locks) return true
  return new Promise((resolve) => {
    void locks.request(lockOf(id), { ifAvailable: true }, (lock) => {
      resolve(lock !== null)
      return lock ? new Promise<void>(() => {}) : undefined
    })
  })
}

async function isFree(id: string): Promise<boolean> {
  const held = await (navigator.locks as LockManager | undefined)?.query()
  return !held?.held?.some(({ name }) => name === lockOf(id))
}

export async function offerWork(store: WorkStore, host: ResumeHost): Promise<void> {
  const left: Saved[] = []
  for (const saved of await store.list()) if (await isFree(saved.id)) left.push(saved)
  for (const old of left.slice(KEPT)) await store.remove(old.id)
  offer(store, host, left.slice(0, KEPT))
}

function offer(store: WorkStore, host: ResumeHost, [saved, ...others]: readonly Saved[]): void {
  if (!saved) return
  notice('resume', resumeWords(saved, others.length, new Date()), [
    {
      text: 'Continue',
      primary: true,
      act: () => void proceed(store, host, saved).then((done) => (done ? undefined : offer(store, host, [saved, ...others]))),
    },
    ...(others.length > 0 ? [{ text: 'Show another', act: () => offer(store, host, [...others, saved]) }] : []),
    { text: 'Discard', act: () => void store.remove(saved.id).then(() => offer(store, host, others)) },
    { text: 'Later', act: () => {} },
  ])
}

async function proceed(store: WorkStore, host: ResumeHost, saved: Saved): Promise<boolean> {
  const loaded = await store.load(saved.id)
  return loaded !== undefined && host.resume(saved, loaded.work, loaded.files)
}

export function resumeWords({ work, masks, slices, savedAt, hasFiles }: Pick<Saved, 'work' | 'masks' | 'slices' | 'savedAt' | 'hasFiles'>, others: number, now: Date): string {
  const name = work.scan.sample ? 'the sample' : work.scan.name
  const what = [
    ...(masks.length > 0 ? [masks.length === 1 ? `a mask on ${masks[0]!.axis} slice ${masks[0]!.slice}` : `masks on ${masks.length} slices`] : []),
    ...(slices > 0 ? [`${slices} slice${slices === 1 ? '' : 's'} done`] : []),
  ]
  const day = savedAt.toDateString() === now.toDateString() ? '' : ` ${savedAt.toLocaleDateString('en', { day: 'numeric', month: 'long' })},`
  const time = savedAt.toLocaleTimeString('en', { hour: '2-digit', minute: '2-digit', hour12: false })
  const missing = work.scan.sample || hasFiles ? '' : ' You will be asked for the scan: it was too large to keep.'
  const more = others > 0 ? ` (${others} more)` : ''
  return `Continue where you left off? ${name}: ${what.join(', ') || 'labels'}, saved${day} at ${time}.${missing}${more}`
}
