// What is said beside the pictures of memories.

import { describe, expect, it } from 'vitest'

import { bankWords, usedWords } from '../src/memory-bank'
import type { MemoryReport } from '../src/messages'

const used = (slice: number, more: Partial<MemoryReport['used'][number]> = {}): MemoryReport['used'][number] => ({ slice, prompted: false, similarity: undefined, position: undefined, ...more })
const report = (...all: MemoryReport['used']): MemoryReport => ({ used: all, decision: { action: 'kept', replaced: undefined, why: 'there is room' } })

describe('usedWords', () => {
  it.each([
    [used(24, { prompted: true, position: 0 }), 'slice 24, the mask'],
    // SAM 2 counts 6 for the nearest.
    [used(29, { position: 6 }), 'slice 29, 1 back'],
    [used(25, { position: 1 }), 'slice 25, 6 back'],
    [used(31, { similarity: 0.934, position: 3 }), 'slice 31, 93 % alike'],
    [used(20), 'slice 20, as a pointer'],
  ])('%o', (memory, words) => expect(usedWords(memory)).toBe(words))
})

describe('bankWords', () => {
  it('counts each slice once', () => {
    expect(bankWords(30, report(used(24, { prompted: true }), used(29, { position: 6 }), used(29)), false)).toMatch(/^Slice 30 was segmented by comparing it with these 2 memories\./)
    expect(bankWords(25, report(used(24, { prompted: true })), false)).toMatch(/comparing it with this memory\./)
  })

  it('knows the slice with the mask, and attention', () => {
    expect(bankWords(24, report(), false)).toBe('Slice 24 has the mask: it needs no memory.')
    expect(bankWords(30, report(used(24)), true)).toMatch(/for the point that you clicked/)
  })
})
