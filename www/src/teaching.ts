// Teaching mode: the tour, and the memories beside the slice. In: the state, the viewer, what main.ts can do. Out: the memory bank drawn
// for the slice in view, and the tour's steps done on the page as a user would do them.

import { afterRender, fail, render, state, viewer } from './app'
import { labelRgb } from './colours'
import { element } from './dom'
import { layout, type Layout } from './layout'
import { MemoryBank } from './memory-bank'
import { page } from './page'
import { isIdle } from './state'
import { sliceAxes } from './orientation'
import type { AxisName, ScanInfo } from './messages'
import type { Opener } from './keep'
import type { TourHost } from './tour'

let teaching = false

function slicePicture(slice: number): { rows: number; cols: number; grey: Uint8Array } {
  return viewer.slicePicture(state.axis, slice)
}

function layoutOf(info: ScanInfo, axis: AxisName): Layout {
  return layout(info, axis)
}

function aspect({ spacing, axes }: ScanInfo, axis: AxisName): number {
  const [rows, cols] = sliceAxes(axes[axis])
  return (spacing[rows] ?? 1) / (spacing[cols] ?? 1)
}

function drawBank(bank: MemoryBank): void {
  const { scan, result, axis, slice, place } = state
  if (!teaching || !scan || !result || result.axis !== axis) return bank.hide()
  const memories = result.memories(slice)
  const label = state.prompt.values[place - 1]
  const memory = (memories.find((one) => one.label === label) ?? memories[0])?.memory
  const key = JSON.stringify([scan.info.name, axis, slice, label, memory?.used, state.window, state.run?.done])
  bank.draw(
    {
      slice,
      memory,
      layout: layoutOf(scan.info, axis),
      aspect: aspect(scan.info, axis),
      picture: slicePicture,
      places: (other) => result.pixels(axis, other),
      colour: labelRgb,
    },
    key,
  )
}

/** Waits until nothing is being waited for, with word of each slice. */
function idle(done: (slices: number, of: number) => void = () => {}): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (state.run) done(state.run.done, state.run.steps)
      if (!isIdle(state)) return
      afterRender.splice(afterRender.indexOf(look), 1)
      resolve()
    }
    afterRender.push(look)
    look()
  })
}

function tourHost(host: Opener, teach: (on: boolean) => void): TourHost {
  return {
    async openSample() {
      if (!state.scan?.sampleMask) await host.openSample()
      render()
    },
    async useMask() {
      page.maskSample.click()
      await idle()
    },
    async propagate(done) {
      if (state.fewShot) await host.chooseMethod(false)
      page.run.click()
      await idle(done)
      if (!page.alertBody.hidden) throw new Error(page.alertText.textContent ?? '')
    },
    goTo(slice) {
      viewer.slice = slice
    },
    promptSlice: () => state.prompt.current?.slice ?? state.slice,
    picture: slicePicture,
    layout: () => layoutOf(state.scan!.info, state.axis),
    imageSize: () => Number(page.imageSize.value),
    teach,
  }
}

export function startTeaching(host: Opener): void {
  const place = element('aside', { id: 'memory-bank', class: 'bank', 'aria-label': 'Memories of this slice', hidden: true })
  page.canvas.closest('.stage')?.append(place)
  const bank = new MemoryBank(place, (slice) => {
    viewer.slice = slice
  })
  const toggle = document.getElementById('teach') as HTMLInputElement | null
  const teach = (on: boolean): void => {
    teaching = on
    if (toggle) toggle.checked = on
    place.parentElement?.classList.toggle('teaching', on)
    render()
  }
  toggle?.addEventListener('change', () => teach(toggle.checked))
  afterRender.push(() => drawBank(bank))
  const start = document.getElementById('tour-start') as HTMLButtonElement | null
  start?.addEventListener('click', () => {
    // The tour's library comes with the first tour.
    void import('./tour').then(({ startTour }) => startTour(tourHost(host, teach), fail)).catch(fail)
  })
  afterRender.push(() => {
    if (start) start.disabled = !isIdle(state) || !state.weights
  })
}
