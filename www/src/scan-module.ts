// The second wasm module, loaded when it is first needed. In: nothing. Out: its functions.

import init, * as scan from '@pkg-scan/oneslice_scan.js'

let loading: Promise<typeof scan> | undefined

/** Readers of DICOM, pictures and archives, and writers of DICOM. */
export function scanModule(): Promise<typeof scan> {
  loading ??= init().then(
    () => scan,
    (error: unknown) => {
      // Not for ever: the next call tries again.
      loading = undefined
      throw error
    },
  )
  return loading
}
