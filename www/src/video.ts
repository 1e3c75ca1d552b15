// A video through the browser's own decoder, in the worker. In: a file. Out: its frames, made grey, one behind the other like a stack of
// pictures. What is too much for a tab is thinned and shrunk, and that is said.

import { BlobSource, Input, MATROSKA, MP4, QTFF, VideoSampleSink, WEBM, type InputVideoTrack } from 'mediabunny'

import type { InputFile, ScanWarning, SeriesInfo, Triple } from './messages'
import type { ReadScan } from '@pkg-scan/oneslice_scan.js'

/** Frames that are kept. */
export const MOST_FRAMES = 400
/** Frames that are looked at. */
export const MOST_READ = 20_000
/** Pixels of all kept frames; the engine has four bytes for each, and the viewer as many. */
export const MOST_PIXELS = 64_000_000
/** The model sees no more on a side. */
export const LONGEST_SIDE = 1024

export interface Plan {
  /** Every how many frames one is kept. */
  every: number
  /** Columns, rows, kept frames. */
  dims: Triple
  warnings: ScanWarning[]
}

const said = (kind: string, message: string): ScanWarning => ({ kind, message })

/** What is kept of so many frames of such a size. */
export function plan(frames: number, width: number, height: number, spacing?: Triple): Plan {
  if (!(frames > 0 && width > 0 && height > 0)) throw new Error('the video has no pictures')
  if (frames > MOST_READ) throw new Error(`the video has ${frames.toLocaleString('en')} frames, and at most ${MOST_READ.toLocaleString('en')} are read: cut it to the part you need`)
  const every = Math.ceil(frames / MOST_FRAMES)
  const kept = Math.ceil(frames / every)
  const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height), Math.sqrt(MOST_PIXELS / (width * height * kept)))
  const [columns, rows] = [width, height].map((side) => Math.max(1, Math.floor(side * scale))) as [number, number]
  const warnings: ScanWarning[] = []
  if (every > 1) warnings.push(said('frames', `of ${frames} frames one in ${every} is taken, ${kept} in all`))
  if (scale < 1) warnings.push(said('shrunk', `frames of ${width} × ${height} pixels are shrunk to ${columns} × ${rows}, and so are results`))
  if (!spacing) warnings.push(said('no-geometry', 'a video does not say how large a pixel is: 1 mm is assumed'))
  warnings.push(said('colour', 'colours became grey'))
  return { every, dims: [columns, rows, kept], warnings }
}

/** Grey of red, green, blue and opacity, as pictures become grey. */
export function grey(rgba: Uint8ClampedArray, into: Float32Array): void {
  for (let at = 0; at < into.length; at++) {
    const [red, green, blue] = [rgba[4 * at]!, rgba[4 * at + 1]!, rgba[4 * at + 2]!]
    into[at] = Math.floor((2126 * red + 7152 * green + 722 * blue) / 10_000)
  }
}

/** The track, or in plain words why there is none. */
async function trackOf({ name, data }: InputFile): Promise<InputVideoTrack> {
  if (typeof VideoDecoder === 'undefined') {
    throw new Error(`${name}: this browser gives pages no video decoder (WebCodecs). A current Chrome, Edge, Firefox or Safari does; frames saved as PNG pictures open anywhere.`)
  }
  const input = new Input({ source: new BlobSource(data), formats: [MP4, QTFF, WEBM, MATROSKA] })
  const track = await input.getPrimaryVideoTrack().catch((error: unknown) => {
    throw new Error(`${name}: not a video that can be read (${error instanceof Error ? error.message : String(error)})`)
  })
  if (!track) throw new Error(`${name}: there is no picture track in this video`)
  if (!(await track.canDecode())) {
    throw new Error(`${name}: this browser cannot decode this video (${track.codec ?? 'an unknown codec'}). Another browser may; saved as MP4 with H.264 or as WebM with VP9 it opens in most.`)
  }
  return track
}

async function planOf(track: InputVideoTrack, spacing?: Triple): Promise<Plan & { packets: number }> {
  const { packetCount } = await track.computePacketStats()
  return { ...plan(packetCount, track.displayWidth, track.displayHeight, spacing), packets: packetCount }
}

export async function inspectVideo(file: InputFile): Promise<SeriesInfo> {
  const { dims, warnings } = await planOf(await trackOf(file))
  return { id: 'video', format: 'Video', description: '', modality: '', dims, volumes: 1, spacing: [1, 1, 1], files: [file.name], warnings, error: undefined }
}

export async function readVideo(file: InputFile, spacing?: Triple): Promise<ReadScan> {
  const track = await trackOf(file)
  const { every, dims, warnings, packets } = await planOf(track, spacing)
  const [columns, rows, frames] = dims
  const area = columns * rows
  const context = new OffscreenCanvas(columns, rows).getContext('2d', { willReadFrequently: true, alpha: false })
  if (!context) throw new Error(`${file.name}: this browser gives its workers no canvas`)
  const voxels = new Float32Array(area * frames)
  let seen = 0
  let kept = 0
  try {
    for await (const sample of new VideoSampleSink(track).samples()) {
      if (seen++ % every === 0 && kept < frames) {
        sample.draw(context, 0, 0, columns, rows)
        grey(context.getImageData(0, 0, columns, rows).data, voxels.subarray(kept * area, ++kept * area))
      }
      sample.close()
    }
  } catch (error) {
    throw new Error(`${file.name}: the video breaks off or is damaged at frame ${seen} (${error instanceof Error ? error.message : String(error)})`)
  }
  if (kept === 0) throw new Error(`${file.name}: no frame of this video can be decoded`)
  if (seen < packets) warnings.push(said('frames', `only ${seen} of ${packets} frames can be decoded: the video is damaged`))
  const [x, y, z] = spacing ?? [1, 1, 1]
  // As pictures lie: columns to the patient's left, rows to the back.
  const affine = [-x, 0, 0, 0, 0, -y, 0, 0, 0, 0, z, 0, 0, 0, 0, 1]
  return { voxels: voxels.subarray(0, kept * area), dims: [columns, rows, kept], affine, format: 'Video', modality: '', warnings }
}
