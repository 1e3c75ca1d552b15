// What the browser itself says was asked of the network. In: its resource timings and breaches of the content policy, of the page, of
// its engine's worker and of its service worker. Out: reports; a tally of them. Runs in all three, so nothing here knows of the page.

export type Asker = 'page' | 'engine' | 'offline copy'

/** One request, as its browser recorded it. */
export interface Seen {
  url: string
  by: Asker
  /** What crossed the network; 0 when a cache answered. */
  bytes: number
  /** The rule of the content policy that stopped it before it was made. */
  blocked?: string
}

/** Milliseconds between two words of one breach. */
const SAME_BREACH = 50

/** Reports every request of this scope, those before the call too. */
export function watchRequests(by: Asker, report: (seen: Seen[]) => void): void {
  const seen = ({ name, transferSize }: PerformanceResourceTiming): Seen => ({ url: name, by, bytes: transferSize })
  const observer = new PerformanceObserver((list) => report((list.getEntries() as PerformanceResourceTiming[]).map(seen)))
  observer.observe({ type: 'resource', buffered: true })
  let last = { what: '', at: -Infinity }
  self.addEventListener('securitypolicyviolation', (event) => {
    const { blockedURI, effectiveDirective, timeStamp } = event as SecurityPolicyViolationEvent
    const what = `${effectiveDirective} ${blockedURI}`
    // The policy is in the page and in its header: what breaks it breaks both, one right after the other.
    const again = what === last.what && timeStamp - last.at < SAME_BREACH
    last = { what, at: again ? last.at : timeStamp }
    if (!again) report([{ url: blockedURI, by, bytes: 0, blocked: effectiveDirective }])
  })
}

/** The page's own files are those beside it, asked for by their bare names: a question mark could carry something away. */
export function isOwnFile(url: string, base: string): boolean {
  const [asked, home] = [new URL(url), new URL('./', base)]
  return asked.origin === home.origin && asked.pathname.startsWith(home.pathname) && asked.search === ''
}

export class Tally {
  readonly #base: string
  /** The page's own files, by address: how often each was asked for, and what of it crossed the network. */
  readonly own = new Map<string, { times: number; bytes: number }>()
  /** Requests to any other place that were made. */
  readonly others: Seen[] = []
  /** What the content policy stopped. */
  readonly blocked: Seen[] = []

  constructor(base: string) {
    this.#base = base
  }

  add(seen: Seen): void {
    // Not the network: files and pictures that the page holds in its own memory.
    if (/^(blob|data):/.test(seen.url)) return
    if (seen.blocked !== undefined) {
      this.blocked.push(seen)
      // Some browsers time a request that they have stopped.
      const timed = this.others.findIndex(({ url }) => url === seen.url)
      if (timed !== -1) this.others.splice(timed, 1)
    } else if (isOwnFile(seen.url, this.#base)) {
      const { times, bytes } = this.own.get(seen.url) ?? { times: 0, bytes: 0 }
      this.own.set(seen.url, { times: times + 1, bytes: bytes + seen.bytes })
    } else if (!this.blocked.some(({ url }) => url === seen.url)) {
      this.others.push(seen)
    }
  }

  /** Anything but the page's own files. */
  get count(): number {
    return this.others.length + this.blocked.length
  }

  /** What crossed the network for the page's own files. */
  get ownBytes(): number {
    return [...this.own.values()].reduce((sum, { bytes }) => sum + bytes, 0)
  }
}

export function networkWords({ count, others, blocked }: Tally): string {
  if (count === 0) return 'Network: 0 requests since the page loaded'
  const parts = [
    ...(others.length > 0 ? [`${others.length} to another place`] : []),
    ...(blocked.length > 0 ? [`${blocked.length} stopped by the page’s policy`] : []),
  ]
  return `Network: ${count} request${count === 1 ? '' : 's'} since the page loaded: ${parts.join(', ')}`
}
