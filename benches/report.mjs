// Tables from the lines of JSON that the benches write.
//
// node report.mjs FILE DIR   (DIR: where reference/export.py wrote PyTorch's answers)
// A column an engine: median of its runs in milliseconds, and for ours multiply-adds a second. `difference` is the largest of
// any output, of that output's largest value: of f32 from PyTorch, of packed weights on WebGPU from the same weights on the CPU.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const [file, dir] = process.argv.slice(2)
const lines = readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line))
/** What the slice is made of, for engines that have only its parts. */
const OF_A_SLICE = ['image_encoder', 'memory_attention_7', 'mask_decoder', 'memory_encoder']

function median(times) {
  const sorted = [...times].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

function difference(outputs, expected) {
  let worst = 0
  for (const [i, want] of expected.entries()) {
    const largest = Math.max(...want.map(Math.abs))
    for (const [j, value] of want.entries()) {
      const off = Math.abs(outputs[i][j] - value) / largest
      if (!(off <= worst)) worst = Number.isNaN(off) ? Infinity : off // NaN counts as different
    }
  }
  return worst
}

/** What a line's outputs are compared with, if there is anything. */
function expected(line) {
  if (line.engine === 'oneslice int8' || line.engine === 'oneslice int4') {
    const onCpu = (l) => l.where === 'web' && l.device === 'cpu' && ['model', 'size', 'part', 'engine'].every((key) => l[key] === line[key])
    return line.device === 'cpu' ? undefined : lines.find(onCpu)?.outputs
  }
  const answers = join(dir, `${line.model}_${line.size}_${line.part}.json`)
  return existsSync(answers) ? Object.values(JSON.parse(readFileSync(answers, 'utf8')).outputs) : undefined
}

function cell(line) {
  if (line === undefined) return ''
  if (line.error !== undefined) return 'failed'
  const time = median(line.times)
  const speed = line.macs === undefined ? '' : ` (${(line.macs / time / 1e6).toFixed(1)})`
  return `${time < 10 ? time.toFixed(1) : time.toFixed(0)}${speed}`
}

/** Sum of the parts' medians, where the engine has no slice of its own. */
function total(group, engine) {
  const parts = OF_A_SLICE.map((part) => group.find((l) => l.engine === engine && l.part === part))
  if (parts.some((l) => l === undefined || l.error !== undefined)) return undefined
  return parts.map((l) => median(l.times)).reduce((a, b) => a + b, 0)
}

const groups = new Map()
for (const line of lines) {
  const title = `${line.where} ${line.device}, ${line.model} at ${line.size}`
  groups.set(title, [...(groups.get(title) ?? []), line])
}
for (const [title, group] of groups) {
  const engines = [...new Set(group.map((l) => l.engine))]
  const parts = [...new Set(group.map((l) => l.part))]
  console.log(`\n### ${title}: ms (GMAC/s), medians of ${Math.min(...group.map((l) => l.times.length))} or more\n`)
  console.log(`| part | ${engines.join(' | ')} |\n|---|${engines.map(() => '---').join('|')}|`)
  for (const part of parts) {
    const cells = engines.map((engine) => cell(group.find((l) => l.part === part && l.engine === engine)))
    console.log(`| ${part} | ${cells.join(' | ')} |`)
  }
  const sums = engines.map((engine) => total(group, engine))
  console.log(`| sum of a slice's parts | ${sums.map((s) => s?.toFixed(0) ?? '').join(' | ')} |`)
  const base = sums[engines.indexOf('oneslice f32')]
  if (base !== undefined) {
    console.log(`| of oneslice f32 | ${sums.map((s) => (s === undefined ? '' : (s / base).toFixed(2))).join(' | ')} |`)
  }
  const worst = engines.map((engine) => {
    const known = group.filter((l) => l.engine === engine && l.outputs !== undefined && expected(l) !== undefined)
    return known.length === 0 ? '' : Math.max(...known.map((l) => difference(l.outputs, expected(l)))).toExponential(1)
  })
  console.log(`| difference | ${worst.join(' | ')} |`)
}
