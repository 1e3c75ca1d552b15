// Models on their way into the engine. In: the model of the last visit, the site's own, a checkpoint of this computer. Out: the model in
// the engine and in the state, kept for the next visit.

import { client, say, state } from './app'
import { defaultModel, getFromFile, lastModel, remember, type Model } from './models'

let loaded: string | undefined
/** sha256 of the file that the engine has. */
export const loadedModel = (): string | undefined => loaded

/** Heard when another model is in the engine. */
export const afterLoading: (() => void)[] = []

export async function loadModel({ name, sha256, data }: Model): Promise<void> {
  state.weights = { name, info: await client.loadWeights(name, data) }
  state.live = undefined
  state.pending = undefined
  loaded = sha256
  for (const listener of afterLoading) listener()
}

/** The model that was used last, or the site's own. */
export async function loadFirstModel(): Promise<void> {
  say('Loading the model…')
  const last = await lastModel()
  if (!last) return loadModel(await defaultModel())
  try {
    await loadModel(last)
  } catch (error) {
    await loadModel(await defaultModel())
    throw new Error(`${last.name}, the model of your last visit, does not load: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Weights from this computer: packed here in 8 bits, which costs next to no accuracy and a quarter of the memory. */
export async function loadCheckpoint(file: File): Promise<void> {
  let packed = false
  const model = await getFromFile(file, async (name, data) => {
    const small = await client.packWeights(name, data, 8)
    packed = small !== data
    say(`Loading ${name}…`)
    return small
  })
  await loadModel(model)
  remember(model.sha256)
  say(packed ? `${file.name} is loaded, its weights packed in 8 bits.` : `${file.name} is loaded.`)
}
