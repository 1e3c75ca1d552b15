// The guided tour over the sample: what a prompt, an embedding and a memory are, on a real run. In: the page, as far as the tour uses it.
// Out: explanations beside the parts that they are about; what a step needs is done when it is reached.

import { driver, type DriveStep, type Driver } from 'driver.js'
import 'driver.js/dist/driver.css'

import { element } from './dom'
import { paint, type Layout, type Picture } from './layout'

export interface TourHost {
  openSample(): Promise<void>
  /** Gives the sample's mask and shows its slice. */
  useMask(): Promise<void>
  /** Propagates it; resolves when that has ended. `done` hears of each slice. */
  propagate(done: (slices: number, of: number) => void): Promise<void>
  goTo(slice: number): void
  promptSlice(): number
  picture(slice: number): Picture
  layout(): Layout
  /** The side of the square that the model sees. */
  imageSize(): Promise<number>
  /** Shows the memory bank beside the slice, or hides it again. */
  teach(on: boolean): void
  /** Shows what a click looks at in the memories; nothing where the engine cannot tell. */
  attend?: (() => Promise<void>) | undefined
}

interface Stop {
  element: string
  title: string
  text: (string | Node)[]
  side: 'left' | 'right' | 'top' | 'bottom'
  /** Done on the way to the next stop. */
  then?: (say: (words: string) => void) => Promise<void>
}

/** Pixels of the model's square in one patch of the embedding. */
const PATCH = 16

/** The slice as the model cuts it: squeezed into a square, a grid of patches over it. */
function patches(host: TourHost, side: number): HTMLElement {
  const picture = paint(host.picture(host.promptSlice()), host.layout(), () => undefined)
  const own = new OffscreenCanvas(picture.width, picture.height)
  own.getContext('2d')?.putImageData(picture, 0, 0)
  const canvas = element('canvas', { width: side, height: side, class: 'patches', role: 'img', 'aria-label': `The slice under a grid of ${side / PATCH} by ${side / PATCH} patches` })
  const context = canvas.getContext('2d')
  if (context) {
    context.drawImage(own, 0, 0, side, side)
    context.strokeStyle = 'rgb(255 213 74 / 55%)'
    context.lineWidth = side / 512
    for (let at = PATCH; at < side; at += PATCH) {
      context.strokeRect(at, -1, 0, side + 2)
      context.strokeRect(-1, at, side + 2, 0)
    }
  }
  return canvas
}

function stops(host: TourHost, side: number): Stop[] {
  const across = side / PATCH
  return [
    {
      element: '#scan-name',
      title: 'A scan is a stack of slices',
      text: ['This is the sample, an invented scan of no patient. The tour segments it before your eyes, on this computer.'],
      side: 'right',
      then: () => host.useMask(),
    },
    {
      element: '#canvas',
      title: 'The prompt',
      text: ['You show the model what you mean, once: here, a mask on one slice. Clicks and boxes are prompts too. The model does not know what the structure is; it only knows what you have marked.'],
      side: 'left',
    },
    {
      element: '#canvas',
      title: 'The embedding',
      text: [
        `The model looks at a slice as ${across} × ${across} patches, and turns each into 256 numbers that say what is there and what is around it. These numbers are the slice’s embedding. They are computed once for a slice: that is why a second click is answered at once.`,
        patches(host, side),
      ],
      side: 'left',
    },
    {
      element: '#run',
      title: 'The propagation',
      text: ['Now the model goes from slice to slice. “Next” starts it; the slices appear as they are done.'],
      side: 'right',
      then: async (say) => {
        await host.propagate((done, of) => say(`Slice ${done} of ${of}…`))
        host.teach(true)
        host.goTo(host.promptSlice() + 4)
      },
    },
    {
      element: '#memory-bank',
      title: 'The memory',
      text: ['What it finds on a slice it remembers: the embedding and the mask, pressed together. The next slice is compared with these memories, here as pictures, and that is how the mask travels. The first is always yours. Scroll, and they change.'],
      side: 'left',
    },
    ...(host.attend
      ? [
          {
            element: '#memory-bank',
            title: 'Where it looks',
            text: ['For the middle of the structure, the bright places of each memory counted most. This is the model’s attention. Click anywhere on the slice to see it for that point.'],
            side: 'left' as const,
          },
        ]
      : []),
    {
      element: '#strip',
      title: 'How sure it is',
      text: ['One bar for each slice: how good the model thinks its mask is. Far from your slice it may lose the structure. Look at the amber ones first: it is a model, and it errs.'],
      side: 'top',
    },
    {
      element: '#result',
      title: 'Yours again',
      text: ['Correct what is wrong, propagate again, and save the result. Then open a scan of your own.'],
      side: 'right',
    },
  ]
}

/** Runs the tour; resolves when it is over. */
export async function startTour(host: TourHost, failed: (error: unknown) => void): Promise<void> {
  await host.openSample()
  const plan = stops(host, await host.imageSize())
  await new Promise<void>((resolve) => {
    const steps = plan.map((stop, index): DriveStep => ({
      element: stop.element,
      popover: { title: stop.title, side: stop.side, align: 'start', description: '…', onNextClick: (_, __, { driver }) => void next(driver, stop, plan[index + 1], host, failed) },
    }))
    const tour = driver({
      steps,
      showProgress: true,
      progressText: '{{current}} of {{total}}',
      nextBtnText: 'Next',
      prevBtnText: 'Back',
      doneBtnText: 'Done',
      animate: !matchMedia('(prefers-reduced-motion: reduce)').matches,
      stagePadding: 6,
      overlayOpacity: 0.5,
      // Words and pictures as elements: nothing is written as markup.
      onPopoverRender: ({ description }, { state }) => {
        const stop = plan[state.activeIndex ?? 0]
        if (stop) description.replaceChildren(...stop.text.map((part) => (typeof part === 'string' ? element('p', {}, part) : part)))
      },
      onDestroyed: () => resolve(),
    })
    tour.drive()
  })
}

/** Does what the next stop needs, with the buttons at rest, and goes there. */
async function next(tour: Driver, { then, title }: Stop, following: Stop | undefined, host: TourHost, failed: (error: unknown) => void): Promise<void> {
  const popover = document.querySelector<HTMLElement>('#driver-popover-content')
  const buttons = popover?.querySelectorAll('button') ?? []
  const words = popover?.querySelector('.driver-popover-progress-text')
  try {
    if (then) {
      for (const button of buttons) button.disabled = true
      await then((text) => {
        if (words) words.textContent = text
      })
      for (const button of buttons) button.disabled = false
    }
    if (following?.title === 'Where it looks') await host.attend?.()
    if (!tour.isActive()) return
    if (following && document.querySelector(following.element)) tour.moveNext()
    else tour.destroy()
  } catch (error) {
    tour.destroy()
    failed(new Error(`the tour stopped at “${title}”: ${error instanceof Error ? error.message : String(error)}`))
  }
}
