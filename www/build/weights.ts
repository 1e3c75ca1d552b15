// The weights that go with the page. In: ../weights and its manifest. Out: those files in public/weights, and a manifest that says of
// each model whether it is there.

import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Plugin } from 'vite'

import type { Manifest, WeightsEntry } from '../src/weights'

/** A network that is made of several files has to be put together by the command line first. */
type Source = Omit<Manifest, 'lpips'> & { lpips: (WeightsEntry & { parts?: unknown })[] }

/** Whatever the manifest names and the folder has is copied: the repository's own, and Meta's files if somebody has put them there. */
export function bundledWeights(from: string, to: string): Plugin {
  return {
    name: 'bundled-weights',
    buildStart() {
      rmSync(to, { recursive: true, force: true })
      mkdirSync(to, { recursive: true })
      const manifest = JSON.parse(readFileSync(join(from, 'manifest.json'), 'utf8')) as Source
      const isHere = ({ file }: WeightsEntry): boolean => existsSync(join(from, file))
      const models = manifest.models.map((entry) => ({ ...entry, here: isHere(entry) }))
      const lpips = manifest.lpips.filter((entry) => entry.parts === undefined && isHere(entry)).map((entry) => ({ ...entry, here: true }))
      for (const { file, here } of [...models, ...lpips]) {
        if (!here) continue
        mkdirSync(dirname(join(to, file)), { recursive: true })
        copyFileSync(join(from, file), join(to, file))
      }
      writeFileSync(join(to, 'manifest.json'), JSON.stringify({ ...manifest, models, lpips }, null, 2))
    },
  }
}
