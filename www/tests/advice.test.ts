// What the page says of the device: one clear sentence for each reason not to have a graphics card, and what to do.

import { describe, expect, it } from 'vitest'

import { deviceAdvice, type Browser } from '../src/advice'

const CPU = { kind: 'cpu', description: 'the processor' } as const
const CHROME = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'
const browser = (more: Partial<Browser> = {}): Browser => ({ webgpu: true, secure: true, userAgent: CHROME, ...more })

describe('deviceAdvice', () => {
  it('names the graphics card and asks for nothing', () => {
    expect(deviceAdvice({ kind: 'webgpu', description: 'Card 9000' }, 'auto', browser())).toEqual({ title: 'The graphics card, by WebGPU: Card 9000.', todo: '' })
  })

  it('takes the user’s choice for granted', () => {
    expect(deviceAdvice(CPU, 'cpu', browser({ webgpu: false })).title).toBe('The processor, as you chose.')
  })

  it.each([
    [CHROME, /chrome:\/\/gpu/],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/110.0.0.0 Safari/537.36 Edg/110.0', /Edge have it from version 113/],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', /use Chrome or Edge/],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15', /Safari has it from version 26/],
    ['something else', /newest versions/],
  ])('says how %s gets WebGPU', (userAgent, todo) => {
    const advice = deviceAdvice(CPU, 'auto', browser({ webgpu: false, userAgent }))
    expect(advice.title).toBe('This browser has no WebGPU.')
    expect(advice.todo).toMatch(todo)
    expect(advice.todo).toMatch(/The page works all the same/)
  })

  it('tells the other reasons apart: no https, an emulation, no card', () => {
    const titles = [
      deviceAdvice(CPU, 'auto', browser({ secure: false, webgpu: false })),
      deviceAdvice({ kind: 'cpu', description: 'WebGPU is a software adapter' }, 'auto', browser()),
      deviceAdvice(CPU, 'auto', browser()),
      deviceAdvice('down', 'auto', browser()),
      deviceAdvice('starting', 'auto', browser()),
    ].map(({ title }) => title)
    expect(titles).toEqual([
      'This address is not https, so the browser offers no WebGPU.',
      'WebGPU is only emulated here, by the processor.',
      'WebGPU found no graphics card.',
      'The engine is not running.',
      'The engine is starting.',
    ])
  })
})
