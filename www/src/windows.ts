// Windows: which values are shown from black to white. In: a scan's values. Out: the presets that make sense for it; pure.

export type Window = readonly [number, number]

export interface Preset {
  id: string
  name: string
  window: Window
}

const around = (centre: number, width: number): Window => [centre - width / 2, centre + width / 2]

/** The usual ones, in Hounsfield units. */
const CT: readonly Preset[] = [
  { id: 'soft', name: 'Soft tissue', window: around(40, 400) },
  { id: 'lung', name: 'Lung', window: around(-600, 1500) },
  { id: 'bone', name: 'Bone', window: around(400, 1800) },
  { id: 'brain', name: 'Brain', window: around(40, 80) },
]

/** Hounsfield units, by what the file says of itself, or by its values: air and something denser than water. */
export function isCt([lowest, highest]: Window, modality: string | undefined): boolean {
  if (modality) return modality === 'CT'
  return lowest <= -500 && lowest >= -4096 && highest >= 100
}

export function presets(auto: Window, range: Window, modality: string | undefined): Preset[] {
  const all = { id: 'all', name: 'All values', window: range }
  return [{ id: 'auto', name: 'Automatic', window: auto }, ...(isCt(range, modality) ? CT : []), ...(range[0] < range[1] ? [all] : [])]
}

/** The preset of a window, if it is one. */
export function presetOf(window: Window, of: readonly Preset[]): Preset | undefined {
  return of.find((preset) => preset.window[0] === window[0] && preset.window[1] === window[1])
}

/** Whole numbers, or a thousandth of the window's width where that is less than one. */
export function rounded([lo, hi]: Window): [string, string] {
  const digits = Math.min(20, Math.max(0, 3 - Math.floor(Math.log10(hi - lo))))
  return [String(+lo.toFixed(digits)), String(+hi.toFixed(digits))]
}

/** How far values may be apart to be filled together: a share of the window, which is what the eye sees. */
export function fillTolerance(percent: number, [lo, hi]: Window): number {
  return (percent / 100) * (hi - lo)
}

/** Four digits are enough for a person. */
export const short = (value: number): string => String(+value.toPrecision(4))
