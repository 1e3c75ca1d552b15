// The tally of requests: what is the page's own, what is not, and how it is said.

import { describe, expect, it } from 'vitest'

import { isOwnFile, networkWords, Tally, type Seen } from '../src/network'

const BASE = 'https://host.example/tools/oneslice/?device=cpu'
const seen = (url: string, more: Partial<Seen> = {}): Seen => ({ url, by: 'page', bytes: 10, ...more })

describe('own files', () => {
  it.each([
    ['https://host.example/tools/oneslice/assets/a.js', true],
    ['https://host.example/tools/oneslice/weights/nano/a.safetensors', true],
    ['https://host.example/tools/oneslice/assets/a.js?scan=secret', false],
    ['https://host.example/tools/other.js', false],
    ['https://host.example/tools/oneslice-other/a.js', false],
    ['http://host.example/tools/oneslice/a.js', false],
    ['https://host.example:8443/tools/oneslice/a.js', false],
    ['https://elsewhere.example/tools/oneslice/a.js', false],
  ])('%s: %s', (url, own) => expect(isOwnFile(url, BASE)).toBe(own))
})

describe('Tally', () => {
  it('adds up own files and counts none of them', () => {
    const tally = new Tally(BASE)
    tally.add(seen('https://host.example/tools/oneslice/a.js'))
    tally.add(seen('https://host.example/tools/oneslice/a.js', { by: 'offline copy', bytes: 5 }))
    tally.add(seen('blob:https://host.example/1234'))
    tally.add(seen('data:text/plain,x'))
    expect(tally.count).toBe(0)
    expect(tally.own).toEqual(new Map([['https://host.example/tools/oneslice/a.js', { times: 2, bytes: 15 }]]))
    expect(tally.ownBytes).toBe(15)
    expect(networkWords(tally)).toBe('Network: 0 requests since the page loaded')
  })

  it('counts what goes elsewhere, and says so', () => {
    const tally = new Tally(BASE)
    tally.add(seen('https://elsewhere.example/collect'))
    expect(networkWords(tally)).toBe('Network: 1 request since the page loaded: 1 to another place')
    tally.add(seen('https://other.example/', { blocked: 'connect-src', by: 'engine' }))
    expect(networkWords(tally)).toBe('Network: 2 requests since the page loaded: 1 to another place, 1 stopped by the page’s policy')
  })

  it.each([[true], [false]])('counts a stopped request once, also where the browser times it too (timed first: %s)', (timedFirst) => {
    const tally = new Tally(BASE)
    const both = [seen('https://elsewhere.example/x'), seen('https://elsewhere.example/x', { blocked: 'connect-src' })]
    for (const request of timedFirst ? both : both.reverse()) tally.add(request)
    expect([tally.others.length, tally.blocked.length]).toEqual([0, 1])
  })

  it('counts a breach of the policy that is no request: an inline script', () => {
    const tally = new Tally(BASE)
    tally.add(seen('inline', { blocked: 'script-src-elem' }))
    expect(tally.count).toBe(1)
  })
})
