// Elements made in scripts. In: what an element is. Out: the element. (The policy allows no markup with styles, and none is needed.)

type Attributes = Record<string, string | number | boolean | ((event: Event) => void)>

/** `on...` attributes are listeners; `true` is an attribute without a value, `false` none. */
export function element<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: (Node | string)[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name.slice(2), value)
    else if (value !== false) made.setAttribute(name, value === true ? '' : String(value))
  }
  made.append(...children)
  return made
}

export function button(text: string, act: () => void, attributes: Attributes = {}): HTMLButtonElement {
  return element('button', { type: 'button', onclick: act, ...attributes }, text)
}

/** 898 MB, 7.9 MB, 340 kB. */
export function megabytes(bytes: number): string {
  if (bytes < 995e3) return `${Math.ceil(bytes / 1e3)} kB`
  return `${(bytes / 1e6).toFixed(bytes < 99.5e6 ? 1 : 0)} MB`
}
