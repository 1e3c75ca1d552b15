// Label colours. In: a label's place in the list (1, 2, ...; 0 is none). Out: RGB and CSS colours, distinct on a grey scan.

const FIRST: [number, number, number][] = [
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
function further(place: number): [number, number, number] {
  const hue = (place * 137.508) % 360
  const channel = (offset: number): number => {
    const k = (offset + hue / 30) % 12
    return Math.round(255 * (0.65 - 0.28 * Math.max(-1, Math.min(k - 3, 9 - k, 1))))
  }
  return [channel(0), channel(8), channel(4)]
}

export function labelRgb(place: number): [number, number, number] {
  return place === 0 ? [0, 0, 0] : (FIRST[place - 1] ?? further(place))
}

export function labelCss(place: number): string {
  return `rgb(${labelRgb(place).join(' ')})`
}
