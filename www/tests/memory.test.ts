// What the page says of a slice's memories.

import { expect, test } from 'vitest'

import { memoryWords } from '../src/memory'
import type { MemoryReport } from '../src/messages'

const used = (slice: number, prompted = false): MemoryReport['used'][number] => ({ slice, prompted, similarity: 0.5, position: undefined })
const decision = (action: MemoryReport['decision']['action'], replaced?: number): MemoryReport['decision'] => ({ action, replaced, why: 'so it is' })

test('a slice says what it was compared with, each once, and what became of its memory', () => {
  const drawn = [used(7, true), used(9), used(9), used(8)]
  expect(memoryWords(10, { used: drawn, decision: decision('kept') })).toBe('Slice 10 was compared with 7 (mask), 9, 8. It is remembered: so it is.')
  expect(memoryWords(10, { used: drawn, decision: decision('replaced', 8) })).toMatch(/ It is remembered in the place of 8: so it is\.$/)
  expect(memoryWords(10, { used: drawn, decision: decision('refused') })).toMatch(/ It is not remembered: so it is\.$/)
})

test('the slice of the mask was compared with nothing', () => {
  expect(memoryWords(7, { used: [], decision: decision('kept') })).toBe('Slice 7 has the mask: its memory always stays.')
})
