// Label colours. In: a label's place in the list (1, 2, ...). Out: RGB and CSS colours, distinct on a grey scan.

export type Rgb = readonly [number, number, number]

export const FIRST_COLOURS: readonly Rgb[] = [
  [255, 107, 94],
  [76, 195, 255],
  [120, 220, 110],
  [255, 213, 74],
  [192, 139, 255],
  [255, 159, 67],
  [255, 122, 198],
  [47, 214, 195],
]

/** Past the first eight, hues a golden angle apart, so that neighbours differ. */
export function furtherColour(place: number): Rgb {
  const hue = (place * 137.508) % 360
  const channel = (offset: number): number => {
    const k = (offset + hue / 30) % 12
    return Math.round(255 * (0.65 - 0.28 * Math.max(-1, Math.min(k - 3, 9 - k, 1))))
  }
  return [channel(0), channel(8), channel(4)]
}

export function css([red, green, blue]: Rgb, alpha = 1): string {
  return `rgb(${red} ${green} ${blue} / ${alpha})`
}

/** As a colour input has it: #rrggbb. */
export function toHex(colour: Rgb): string {
  return `#${colour.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`
}

export function fromHex(hex: string): Rgb {
  const channel = (at: number): number => Number.parseInt(hex.slice(at, at + 2), 16) || 0
  return [channel(1), channel(3), channel(5)]
}
