// Processor time of this process's children: on a machine with other work it says more than the clock.

import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts in hundredths of a second, whatever the kernel's own clock. */
const TICKS_PER_SECOND = 100

/** Seconds that all processes below `pid` have computed; 0 where the system does not tell. */
export function cpuSeconds(pid) {
  const children = new Map()
  const ticks = new Map()
  let entries = []
  try {
    entries = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  } catch {
    return 0
  }
  for (const entry of entries) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8')
      // After the name, which may hold blanks: state, parent, .. user and system time are fields 12 and 13 of what follows.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      children.set(fields[1], [...(children.get(fields[1]) ?? []), entry])
      ticks.set(entry, Number(fields[11]) + Number(fields[12]))
    } catch {
      // The process ended meanwhile.
    }
  }
  const below = (parent) => (children.get(parent) ?? []).reduce((sum, child) => sum + ticks.get(child) + below(child), 0)
  return below(String(pid)) / TICKS_PER_SECOND
}
