// Grey PNG pictures and small videos for the browser tests. In: values. Out: bytes.

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'

import type { Page } from '../../www/node_modules/@playwright/test'

function chunk(type: string, body: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), body])
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(body.length)
  check.writeUInt32BE(crc32(named))
  return Buffer.concat([length, named, check])
}

/** 8 bits. */
export function png(columns: number, rows: number, value: (column: number, row: number) => number): Uint8Array {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(columns, 0)
  header.writeUInt32BE(rows, 4)
  header[8] = 8
  const lines = Buffer.alloc(rows * (columns + 1))
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) lines[row * (columns + 1) + 1 + column] = value(column, row)
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', header), chunk('IDAT', deflateSync(lines)), chunk('IEND', Buffer.alloc(0))])
}

/** What the video shows: a bright square on dark ground, further right in each frame. */
export interface Film {
  columns: number
  rows: number
  frames: number
  side: number
  /** The square's left upper corner. */
  at: (frame: number) => [column: number, row: number]
}

/** A WebM video, made by the browser's own encoder. */
export async function webm(page: Page, film: Film): Promise<Uint8Array> {
  await page.context().route('**/mediabunny.mjs', async (route) => {
    // Playwright runs in www.
    await route.fulfill({ body: await readFile(resolve('node_modules/mediabunny/dist/bundles/mediabunny.mjs')), contentType: 'text/javascript' })
  })
  const places = Array.from({ length: film.frames }, (_, frame) => film.at(frame))
  const bytes = await page.evaluate(async ({ columns, rows, side, places }) => {
    const { BufferTarget, CanvasSource, Output, WebMOutputFormat } = (await import(`${location.origin}/mediabunny.mjs`)) as typeof import('../../www/node_modules/mediabunny')
    const canvas = new OffscreenCanvas(columns, rows)
    const context = canvas.getContext('2d')!
    const target = new BufferTarget()
    const output = new Output({ format: new WebMOutputFormat(), target })
    const source = new CanvasSource(canvas, { codec: 'vp8', bitrate: 2_000_000 })
    output.addVideoTrack(source, { frameRate: 25 })
    await output.start()
    for (const [frame, [column, row]] of places.entries()) {
      context.fillStyle = '#202020'
      context.fillRect(0, 0, columns, rows)
      context.fillStyle = '#ffffff'
      context.fillRect(column, row, side, side)
      await source.add(frame / 25, 1 / 25)
    }
    await output.finalize()
    return Array.from(new Uint8Array(target.buffer!))
  }, { ...film, at: undefined, places })
  return Uint8Array.from(bytes)
}
