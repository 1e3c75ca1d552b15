// Lines that ask or tell something and stay until they are answered. In: words and answers. Out: the lines in #notices.

import { button, element } from './dom'
import { page } from './page'

export interface Answer {
  text: string
  primary?: boolean
  act: () => void
}


/** Shows a line, in the place of the one of the same name. An answer takes it away. */
export function notice(name: string, text: string, answers: readonly Answer[] = []): void {
  withdraw(name)
  const answer = (act: () => void) => (): void => {
    withdraw(name)
    act()
  }
  const buttons = answers.map(({ text, primary, act }) => button(text, answer(act), { class: primary ? 'primary quiet' : 'quiet' }))
  page.notices.append(element('div', { class: 'notice', 'data-notice': name, role: 'status' }, element('p', {}, text), element('div', { class: 'row' }, ...buttons)))
}

export function withdraw(name: string): void {
  page.notices.querySelector(`[data-notice="${name}"]`)?.remove()
}
