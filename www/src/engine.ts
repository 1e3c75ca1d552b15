// The engine and its models. In: choices of device, weights and method. Out: the engine as chosen, and what the state says of it.

import { busy, client, fail, render, say, state } from './app'
import { loadFirstModel } from './loading'
import { page } from './page'
import { openSample } from './scan'
import { fetchLpips } from './weights'
import type { DeviceChoice } from './messages'

async function startEngine(choice: DeviceChoice): Promise<void> {
  state.device = 'starting'
  state.choice = choice
  state.live = undefined
  render()
  try {
    state.device = await client.start(choice)
  } catch (error) {
    state.device = 'down'
    const why = error instanceof Error ? error.message : String(error)
    throw choice === 'webgpu' ? new Error(`${why}: choose CPU or Automatic as the device`) : error
  }
}

/** Few-shot needs a network to compare slices with, which comes with the page and is loaded once. */
export async function chooseMethod(fewShot: boolean): Promise<void> {
  await busy('Choosing the method…', async () => {
    if (fewShot && state.lpips === undefined) {
      const { entry, data } = await fetchLpips()
      await client.loadLpips(entry.name, data)
      state.lpips = entry.name
    }
    state.fewShot = fewShot
    say(fewShot ? 'Few-shot: slices need not be neighbours.' : 'Propagation: from slice to slice.')
  })
}

/** Starts the engine, and gives it what it does not have yet: after a first failure, everything. */
async function bringUp(choice: DeviceChoice): Promise<void> {
  await startEngine(choice)
  // Without the model the scan can still be looked at, and other weights chosen.
  if (!state.weights) await loadFirstModel().catch(fail)
  if (!state.scan) await openSample()
}

/** The device that the address asks for. */
export async function openPage(): Promise<void> {
  const asked = new URLSearchParams(location.search).get('device')
  const choice: DeviceChoice = asked === 'cpu' || asked === 'webgpu' ? asked : 'auto'
  page.device.value = choice
  page.version.textContent = __VERSION__
  await bringUp(choice)
}

export function wireEngine(): void {
  client.onCrash = (error) => {
    console.error(`the engine stopped: ${error.name}: ${error.message}`)
    state.device = 'starting'
    state.live = undefined
    render()
  }
  client.onRestart = (device) => {
    state.device = device
    say('The engine was started again; the scan, the model and the mask are still here.')
    render()
  }
  client.onDown = () => {
    state.device = 'down'
    render()
  }
  page.method.onchange = () => void chooseMethod(page.method.value === 'few-shot')
  page.device.onchange = () => {
    const choice = page.device.value as DeviceChoice
    void busy('Starting the engine…', async () => {
      const again = state.scan !== undefined
      await bringUp(choice)
      if (again) say('The engine was started; the scan, the model and the mask are still here.')
    })
  }
}
