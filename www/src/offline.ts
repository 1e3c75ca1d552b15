// The page without a network. In: the browser's service workers. Out: whether the page is kept on this computer, and word of a new
// version that waits. The service worker itself is sw.ts.

import type { Seen } from './network'

export type OfflineState =
  | { kind: 'preparing' }
  /** The page's files are here: it opens without a network. */
  | { kind: 'kept' }
  | { kind: 'impossible'; why: string }

export interface OfflineListener {
  state(state: OfflineState): void
  /** A new version is here and waits; `use` reloads the page with it. */
  update(use: () => void): void
  /** Another tab has taken the new version: this one goes on with what it has loaded. */
  updatedElsewhere(): void
  requests(seen: Seen[]): void
}

/** What sw.ts listens for. (Importing it from there would run it here.) */
const TAKE_OVER = 'take over'

export async function startOffline(listener: OfflineListener): Promise<void> {
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined
  if (workers === undefined) {
    const why = isSecureContext ? 'this browser, or its private window, keeps no pages' : 'browsers keep only pages from https addresses'
    return listener.state({ kind: 'impossible', why })
  }
  listener.state({ kind: 'preparing' })
  workers.addEventListener('message', ({ data }: MessageEvent<{ requests?: Seen[] }>) => {
    if (data.requests) listener.requests(data.requests)
  })
  workers.startMessages()

  const wasControlled = workers.controller !== null
  let asked = false
  workers.addEventListener('controllerchange', () => {
    if (asked) location.reload()
    else if (wasControlled) listener.updatedElsewhere()
  })
  const offer = (waiting: ServiceWorker): void =>
    listener.update(() => {
      asked = true
      waiting.postMessage(TAKE_OVER)
    })
  const follow = (worker: ServiceWorker, first: boolean): void => {
    const look = (): void => {
      if (worker.state === 'activated') listener.state({ kind: 'kept' })
      else if (worker.state === 'installed' && !first) offer(worker)
      else if (worker.state === 'redundant' && first) listener.state({ kind: 'impossible', why: 'not all of its files could be fetched as they were built' })
    }
    worker.addEventListener('statechange', look)
    look()
  }
  try {
    const registration = await workers.register('./sw.js', { scope: './', updateViaCache: 'none' })
    if (registration.active) listener.state({ kind: 'kept' })
    for (const worker of [registration.installing, registration.waiting]) if (worker) follow(worker, registration.active === null)
    registration.addEventListener('updatefound', () => {
      const { installing, active } = registration
      if (installing) follow(installing, active === null)
    })
  } catch (error) {
    listener.state({ kind: 'impossible', why: error instanceof Error ? error.message : String(error) })
  }
}

export function offlineWords(state: OfflineState): string {
  switch (state.kind) {
    case 'preparing':
      return 'The page is being kept for use without a network…'
    case 'kept':
      return 'The page is kept on this computer: it opens without a network too.'
    case 'impossible':
      return `The page cannot be kept for use without a network: ${state.why}.`
  }
}
