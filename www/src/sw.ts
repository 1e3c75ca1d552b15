// The service worker: the page's own files, kept for use without a network. In: the list of files that the build writes into it.
// Out: those files from its cache, each checked against its sha256 when it is fetched; the list of weights, the newest there is. Nothing
// else is answered or kept: weights are the page's business (weights-store.ts), and other hosts are nobody's.

import { cleanupOutdatedCaches, precacheAndRoute, type PrecacheEntry } from 'workbox-precaching'
import { registerRoute } from 'workbox-routing'
import { NetworkFirst } from 'workbox-strategies'

import { watchRequests, type Seen } from './network'

/** What TypeScript's page library does not know of a service worker. */
interface Scope extends EventTarget {
  registration: { scope: string }
  skipWaiting(): Promise<void>
  clients: { matchAll(options: { includeUncontrolled: boolean; type: 'window' }): Promise<{ postMessage(message: unknown): void }[]> }
}
declare const self: Scope

declare const __FILES__: PrecacheEntry[]

// A whole version at a time: a new one is fetched beside the old one and takes its place when no page uses the old one any more, or
// when the user says so. So a page never gets one version's script and another's wasm.
cleanupOutdatedCaches()
precacheAndRoute(__FILES__, { ignoreURLParametersMatching: [/.*/], cleanURLs: false })

// The site may get more models without becoming another version of the page.
const MANIFEST = new URL('weights/manifest.json', self.registration.scope).href
const cacheName = `oneslice-manifest ${self.registration.scope}`
registerRoute(({ url }) => url.href === MANIFEST, new NetworkFirst({ cacheName, networkTimeoutSeconds: 5 }))
self.addEventListener('install', (event) => {
  ;(event as Event & { waitUntil(done: Promise<unknown>): void }).waitUntil(caches.open(cacheName).then((cache) => cache.add(MANIFEST)))
})

self.addEventListener('message', (event) => {
  if ((event as MessageEvent).data === 'take over') void self.skipWaiting()
})

watchRequests('offline copy', (requests: Seen[]) => {
  void self.clients.matchAll({ includeUncontrolled: true, type: 'window' }).then((pages) => {
    for (const page of pages) page.postMessage({ requests })
  })
})
