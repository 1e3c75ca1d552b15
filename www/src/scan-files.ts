// Scans from the user's files, in the worker. In: files. Out: what is in them, and the engine's open scan.

import type { OneSlice } from '@pkg/oneslice.js'

import type { InputFile, ScanFiles, ScanInfo, SeriesInfo } from './messages'

let opened: Blob | undefined

export async function inspectFiles(engine: OneSlice, files: InputFile[]): Promise<SeriesInfo[]> {
  return Promise.all(
    files.map(async ({ name, data }) => {
      const info = engine.openScan(name, new Uint8Array(await data.arrayBuffer()))
      return { id: name, format: 'Nifti', description: name, modality: '', dims: info.dims, volumes: 1, spacing: info.spacing, files: [name], warnings: [], error: undefined }
    }),
  )
}

export async function openFiles(engine: OneSlice, { files, series }: ScanFiles): Promise<ScanInfo> {
  const file = files.find(({ name }) => series === undefined || name === series)
  if (!file) throw new Error('there is no file')
  const info = engine.openScan(file.name, new Uint8Array(await file.data.arrayBuffer()))
  opened = file.data
  return info
}

export async function scanNifti(_: OneSlice): Promise<Uint8Array> {
  if (!opened) throw new Error('no scan is open')
  return new Uint8Array(await opened.arrayBuffer())
}
