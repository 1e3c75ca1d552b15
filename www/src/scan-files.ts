// Scans from the user's files, in the worker. In: files. Out: what is in them, and the engine's open scan.

import { OneSlice } from '@pkg/oneslice.js'

import type { InputFile, ScanFiles, ScanInfo, SeriesInfo } from './messages'
import { scanModule } from './scan-module'

/** Bytes that show what a file is. */
const HEAD = 4096

export async function inspectFiles(engine: OneSlice, files: InputFile[]): Promise<SeriesInfo[]> {
  const reader = (await needsModule(files)) ? await scanModule() : engine
  return reader.inspectFiles(await withBytes(files))
}

export async function openFiles(engine: OneSlice, { files, series, volume, spacing }: ScanFiles): Promise<ScanInfo> {
  const options = { ...(series !== undefined && { series }), ...(volume !== undefined && { volume }), ...(spacing && { spacing }) }
  if (!(await needsModule(files))) return engine.openFiles(await withBytes(files), options)
  const module = await scanModule()
  const { voxels, dims, affine, ...about } = module.readFiles(await withBytes(files), options)
  const info = engine.openVolume(files[0]?.name ?? '', voxels, Uint32Array.from(dims), Float64Array.from(affine))
  return { ...info, ...about }
}

/** The open scan as an uncompressed NIfTI file. */
export async function scanNifti(engine: OneSlice): Promise<Uint8Array> {
  return engine.scanNifti()
}

/** Whether one of the files is for the second module. It is asked for each file's beginning, so that no file is copied twice. */
async function needsModule(files: InputFile[]): Promise<boolean> {
  for (const { data } of files) {
    const head = await data.slice(0, HEAD).arrayBuffer()
    if (OneSlice.needsFormats(new Uint8Array(head))) return true
  }
  return false
}

function withBytes(files: InputFile[]): Promise<{ name: string; bytes: Uint8Array }[]> {
  return Promise.all(files.map(async ({ name, data }) => ({ name, bytes: new Uint8Array(await data.arrayBuffer()) })))
}
