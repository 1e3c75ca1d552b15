// Scans from the user's files, in the worker. In: files. Out: what is in them, and the engine's open scan.
// Videos and JPEG-LS are unpacked here, by modules that are loaded when they are needed; the engine has no decoder for them.

import { OneSlice } from '@pkg/oneslice.js'

import type { InputFile, ScanFiles, ScanInfo, SeriesInfo } from './messages'
import { scanModule } from './scan-module'
import { unpackerOf } from './sniff'

/** Bytes that show what a file is. */
const HEAD = 4096

export async function inspectFiles(engine: OneSlice, files: InputFile[]): Promise<SeriesInfo[]> {
  const video = await onlyVideo(files)
  if (video) return [await (await import('./video')).inspectVideo(video)]
  const reader = (await needsModule(files)) ? await scanModule() : engine
  return reader.inspectFiles(await withBytes(files, 'headers'))
}

export async function openFiles(engine: OneSlice, { files, series, volume, spacing }: ScanFiles): Promise<ScanInfo> {
  const options = { ...(series !== undefined && { series }), ...(volume !== undefined && { volume }), ...(spacing && { spacing }) }
  const video = await onlyVideo(files)
  if (!video && !(await needsModule(files))) return engine.openFiles(await withBytes(files), options)
  const read = video ? await (await import('./video')).readVideo(video, spacing) : (await scanModule()).readFiles(await withBytes(files), options)
  const { voxels, dims, affine, ...about } = read
  const info = engine.openVolume(files[0]?.name ?? '', voxels, Uint32Array.from(dims), Float64Array.from(affine))
  return { ...info, ...about }
}

/** The open scan as an uncompressed NIfTI file. */
export async function scanNifti(engine: OneSlice): Promise<Uint8Array> {
  return engine.scanNifti()
}

/** The video, when there is one and nothing else. */
async function onlyVideo(files: InputFile[]): Promise<InputFile | undefined> {
  const [only, ...others] = files
  return only && others.length === 0 && unpackerOf(await headOf(only)) === 'video' ? only : undefined
}

/** Whether one of the files is for the second module. It is asked for each file's beginning, so that no file is copied twice. */
async function needsModule(files: InputFile[]): Promise<boolean> {
  for (const file of files) if (OneSlice.needsFormats(await headOf(file))) return true
  return false
}

const headOf = async ({ data }: InputFile): Promise<Uint8Array> => new Uint8Array(await data.slice(0, HEAD).arrayBuffer())

function withBytes(files: InputFile[], part: 'all' | 'headers' = 'all'): Promise<{ name: string; bytes: Uint8Array }[]> {
  return Promise.all(
    files.map(async ({ name, data }) => {
      const bytes = new Uint8Array(await data.arrayBuffer())
      if (unpackerOf(bytes.subarray(0, HEAD)) !== 'jpeg-ls') return { name, bytes }
      const { loadDecoder, unpacked } = await import('./jpeg-ls')
      return { name, bytes: unpacked(name, bytes, part === 'all' ? await loadDecoder() : undefined) }
    }),
  )
}
