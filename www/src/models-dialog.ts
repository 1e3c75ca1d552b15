// The picker of models. In: what there is to choose from (models.ts). Out: a dialog, and the model that the user takes.

import { button, element, megabytes } from './dom'
import { forget, getFromSite, getKept, listChoices, remember, type Choice, type Model, type Pack } from './models'
import { isOnSite } from './weights'
import type { Advice } from './advice'

export interface ModelsHost {
  pack: Pack
  /** Puts the model into the engine; throws when it cannot. */
  load(model: Model): Promise<void>
  /** sha256 of the file that is loaded. */
  loaded(): string | undefined
  /** Does one thing at a time, and shows what goes wrong. */
  busy(words: string, job: () => Promise<void>): Promise<void>
  say(text: string): void
  advice(): Advice
  /** Opens the chooser for a checkpoint of this computer. */
  chooseFile(): void
}

export class ModelsDialog {
  readonly #host: ModelsHost
  readonly #dialog = element('dialog', { class: 'panel models', 'aria-labelledby': 'models-title' })

  constructor(host: ModelsHost) {
    this.#host = host
    document.body.append(this.#dialog)
  }

  async open(): Promise<void> {
    this.#fill([element('p', { class: 'help' }, 'Looking…')])
    if (!this.#dialog.open) this.#dialog.showModal()
    try {
      const choices = await listChoices()
      this.#fill(choices.map((choice) => this.#row(choice)))
      // What the manifest names and this browser has not is looked for in the site's own folder, now that the user wants to know.
      for (const choice of choices) if (choice.where === 'site' && choice.entry && !(await isOnSite(choice.entry))) this.#missing(choice)
    } catch (error) {
      this.#fill([element('p', { class: 'flagged' }, error instanceof Error ? error.message : String(error))])
    }
  }

  #fill(rows: HTMLElement[]): void {
    const { title, todo } = this.#host.advice()
    const close = (): void => this.#dialog.close()
    this.#dialog.replaceChildren(
      element('div', { class: 'panel-head' }, element('h2', { id: 'models-title' }, 'Models'), button('Close', close, { class: 'quiet' })),
      element('p', { class: 'device-advice' }, element('strong', {}, `Runs on: ${title}`), todo ? ` ${todo}` : ''),
      element('ul', { class: 'choices' }, ...rows),
      element('div', { class: 'row' }, button('Open a checkpoint from disk…', () => (close(), this.#host.chooseFile())), element('span', { class: 'help' }, 'Meta’s .pt, or .safetensors with its keys: packed in 8 bits on this computer, and kept in this browser.')),
    )
  }

  #row(choice: Choice): HTMLElement {
    const { name, licence, origin, memory, where, bytes } = choice
    const loaded = this.#host.loaded() === choice.sha256
    const state = loaded ? 'in use' : { kept: 'in this browser', site: `to be fetched from this site: ${megabytes(bytes)}, once`, away: 'not on this site' }[where]
    return element(
      'li',
      { 'data-model': name, ...(loaded && { 'aria-current': 'true' }) },
      element('div', {}, element('strong', {}, name), element('span', { class: 'state' }, state)),
      element('p', { class: 'help' }, `File: ${megabytes(bytes)}. Memory for its weights: ${megabytes(memory)}. Licence: ${licence}. Origin: ${origin}.`),
      ...(where === 'away' ? [this.#away(choice)] : []),
      element('div', { class: 'row' }, ...this.#actions(choice, loaded)),
    )
  }

  #actions(choice: Choice, loaded: boolean): HTMLElement[] {
    const { where, name, own, sha256 } = choice
    const use = button(where === 'site' ? 'Fetch and use' : 'Use', () => void this.#use(choice), { 'aria-label': `Use ${name}`, class: 'quiet' })
    const drop = button('Forget', () => void forget(sha256).then(() => this.open()), { 'aria-label': `Forget ${name}`, class: 'quiet' })
    return [...(where !== 'away' && !loaded ? [use] : []), ...(own && !loaded ? [drop] : [])]
  }

  /** Only the user follows this link: it opens the author's address in a new tab, and nothing of this page goes with it. */
  #away({ entry }: Choice): HTMLElement {
    const link = entry?.url ? element('a', { href: entry.url, target: '_blank', rel: 'noopener noreferrer' }, `${entry.file} from its author’s site`) : (entry?.file ?? '')
    return element('p', { class: 'help' }, 'Get ', link, ', then open it from disk.')
  }

  #missing(choice: Choice): void {
    const row = [...this.#dialog.querySelectorAll<HTMLElement>('[data-model]')].find(({ dataset }) => dataset['model'] === choice.name)
    row?.replaceWith(this.#row({ ...choice, where: 'away' }))
  }

  async #use(choice: Choice): Promise<void> {
    const { name, entry, bytes } = choice
    const { busy, pack, load, say } = this.#host
    this.#dialog.close()
    await busy(`Loading ${name}…`, async () => {
      const progress = (read: number): void => say(`Fetching ${name}: ${megabytes(read)} of ${megabytes(bytes)}`)
      const model = entry ? await getFromSite(entry, pack, progress) : await getKept(choice)
      await load(model)
      remember(model.sha256)
      say(`${name} is loaded.`)
    })
  }
}
