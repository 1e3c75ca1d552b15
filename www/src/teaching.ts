// Teaching mode: the tour, and the memories beside the slice. In: the state, the viewer, clicks on the slice. Out: the memory bank drawn
// for the slice in view, with the attention of a point that was clicked; the tour's steps, done on the page as a user would do them.

import { afterRender, busy, client, fail, render, say, state, viewer } from './app'
import { layout, type Layout } from './layout'
import { MemoryBank, type Attention } from './memory-bank'
import { sliceAxes } from './orientation'
import { check, page } from './page'
import { at } from './plane'
import { sessionOptions } from './prompting'
import { bringBack } from './run'
import { isIdle } from './state'
import { tool } from './tools'
import type { AxisName, MemoryReport, ScanInfo, Triple } from './messages'
import type { Opener } from './keep'
import type { TourHost } from './tour'

let teaching = false
/** Of a point on the slice in view; another slice or result ends it. */
let attention: { key: string; of: Attention } | undefined

const layoutOf = (info: ScanInfo, axis: AxisName): Layout => layout(info, axis, page.radiological.checked)

function aspect({ spacing, axes }: ScanInfo, axis: AxisName): number {
  const [rows, cols] = sliceAxes(axes[axis])
  return (spacing[rows] ?? 1) / (spacing[cols] ?? 1)
}

/** What the slice in view remembered of the label in hand, or of the first that it has. */
function memoryHere(): { label: number; memory: MemoryReport } | undefined {
  const { result, axis, slice, mask, place } = state
  if (!result || result.axis !== axis) return undefined
  const memories = result.memories(slice)
  return memories.find(({ label }) => label === mask.labels[place - 1]?.value) ?? memories[0]
}

/** Counts the changes of what is shown of labels. */
let revision = 0
let shown: unknown[] = []

/** What the pictures depend on. */
function keyHere(): string {
  const { axis, slice, window, run, mask, result, scan } = state
  const now = [scan, result, mask.state, run?.done]
  if (now.some((each, index) => each !== shown[index])) revision++
  shown = now
  const here = memoryHere()
  return JSON.stringify([revision, axis, slice, here?.label, here?.memory.used, window, page.radiological.checked])
}

function drawBank(bank: MemoryBank): void {
  const { scan, result, axis, slice, mask, view } = state
  if (!teaching || !scan || !result || view !== result.axis) return bank.hide()
  const key = keyHere()
  if (attention?.key !== key) attention = undefined
  const colours = mask.labels.map(({ colour }) => colour)
  const bankView = {
    slice,
    memory: memoryHere()?.memory,
    layout: layoutOf(scan.info, axis),
    aspect: aspect(scan.info, axis),
    picture: (other: number) => viewer.slicePicture(axis, other),
    places: (other: number) => result.pixels(axis, other),
    colour: (place: number): Triple => [...(colours[place - 1] ?? [255, 255, 255])],
  }
  bank.draw(bankView, key + (attention ? JSON.stringify(attention.of.point) : ''), attention?.of)
}

/** Where the model looked in its memories for a point of the slice in view, in slice pixels. */
async function attendTo(x: number, y: number): Promise<void> {
  const { result, slice } = state
  const here = memoryHere()
  if (!result || !here || here.memory.used.length === 0) return
  const key = keyHere()
  await busy('Looking into the memories…', async () => {
    await bringBack(result)
    const { label, memory } = here
    const maps = await client.attention(label, slice, [x, y], memory.used)
    attention = { key, of: { ...maps, point: [x, y] } }
    say('The brighter a place of a memory, the more it counted for the point that you clicked.')
  })
}

/** The middle of the label on the slice in view, or of the slice. */
function middle(): [number, number] {
  const { rows, cols } = viewer.shape
  const pixels = state.result?.pixels(state.axis, state.slice) ?? new Uint8Array()
  let [x, y, count] = [0, 0, 0]
  pixels.forEach((place, pixel) => {
    if (place !== state.place) return
    x += pixel % cols
    y += Math.floor(pixel / cols)
    count++
  })
  return count > 0 ? [x / count + 0.5, y / count + 0.5] : [cols / 2, rows / 2]
}

function attendToClicks(): void {
  page.canvas.addEventListener('click', (event) => {
    const { plane } = viewer
    if (!teaching || !plane || !isIdle(state) || tool() !== 'off') return
    const { x, y } = at(plane, { x: event.offsetX, y: event.offsetY })
    const { rows, cols } = viewer.shape
    if (x >= 0 && y >= 0 && x <= cols && y <= rows) void attendTo(x, y)
  })
}

/** Waits until something holds, looking at each drawing of the state. */
function until(holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!holds()) return
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
      if (!state.scan?.sampleMask) await busy('Opening the sample…', host.openSample)
    },
    async useMask() {
      page.maskSample.click()
      await until(() => isIdle(state))
    },
    async propagate(done) {
      if (state.fewShot) await host.chooseMethod(false)
      page.run.click()
      const failed = (): boolean => !page.alertBody.hidden
      await until(() => state.run !== undefined || failed())
      await until(() => {
        if (state.run) done(state.run.done, state.run.steps)
        return isIdle(state)
      })
      if (failed()) throw new Error(page.alertText.textContent ?? '')
    },
    goTo(slice) {
      viewer.slice = slice
    },
    promptSlice: () => state.mask.main ?? state.slice,
    picture: (slice) => viewer.slicePicture(state.axis, slice),
    layout: () => layoutOf(state.scan!.info, state.axis),
    imageSize: () => client.imageSize(sessionOptions()),
    teach,
    async attend() {
      check('tool', 'off')
      await attendTo(...middle())
    },
  }
}

export function startTeaching(host: Opener): void {
  const bank = new MemoryBank(page.memoryBank, (slice) => {
    viewer.slice = slice
  })
  const teach = (on: boolean): void => {
    teaching = page.teach.checked = on
    page.memoryBank.parentElement?.classList.toggle('teaching', on)
    render()
  }
  page.teach.onchange = () => teach(page.teach.checked)
  afterRender.push(() => drawBank(bank))
  attendToClicks()
  page.tourStart.onclick = () => {
    // The tour's library comes with the first tour.
    void import('./tour').then(({ startTour }) => startTour(tourHost(host, teach), fail)).catch(fail)
  }
}
