// What runs the model, and what to do when that is not a graphics card. In: the engine's device, what the browser is. Out: sentences; pure.

import type { DeviceChoice, DeviceInfo } from './messages'

export interface Browser {
  /** `navigator.gpu` is there. */
  webgpu: boolean
  /** An https address, or this computer's own. */
  secure: boolean
  userAgent: string
}

export interface Advice {
  title: string
  /** What to do, if anything. */
  todo: string
}

const ON_CPU = 'The page works all the same, on the processor: the results are the same, a slice takes longer.'

/** Where a browser without WebGPU gets it. Versions: when each switched it on for everybody. */
function howToGetWebGpu(userAgent: string): string {
  if (/Firefox\//.test(userAgent)) return 'Firefox has it from version 141 on Windows and 145 on Apple’s computers; elsewhere use Chrome or Edge.'
  if (/(Chrome|Chromium|Edg)\//.test(userAgent)) {
    return /Linux(?!.*Android)/.test(userAgent)
      ? 'Chrome on Linux has it for some graphics cards only: look at chrome://gpu, update the driver, or start Chrome with --enable-features=Vulkan --enable-unsafe-webgpu.'
      : 'Chrome and Edge have it from version 113: update the browser, and switch on “Use graphics acceleration when available” in its settings.'
  }
  if (/Safari\//.test(userAgent)) return 'Safari has it from version 26: update macOS or iOS, or use Chrome.'
  return 'Chrome, Edge, Firefox and Safari have it in their newest versions.'
}

export function deviceAdvice(device: DeviceInfo | 'starting' | 'down', choice: DeviceChoice, browser: Browser): Advice {
  if (device === 'starting') return { title: 'The engine is starting.', todo: '' }
  if (device === 'down') return { title: 'The engine is not running.', todo: 'Choose a device above to start it again.' }
  if (device.kind === 'webgpu') return { title: `The graphics card, by WebGPU: ${device.description}.`, todo: '' }
  if (choice === 'cpu') return { title: 'The processor, as you chose.', todo: 'With “Automatic” the graphics card is used where there is one.' }
  if (!browser.secure) return { title: 'This address is not https, so the browser offers no WebGPU.', todo: `Open the page by https, or on this computer itself. ${ON_CPU}` }
  if (!browser.webgpu) return { title: 'This browser has no WebGPU.', todo: `${howToGetWebGpu(browser.userAgent)} ${ON_CPU}` }
  if (device.description.includes('software')) {
    return { title: 'WebGPU is only emulated here, by the processor.', todo: `There is no graphics card, or its driver is on the browser’s list of those that fail: update it. ${ON_CPU}` }
  }
  return { title: 'WebGPU found no graphics card.', todo: `Update its driver, and switch on graphics acceleration in the browser’s settings. ${ON_CPU}` }
}
