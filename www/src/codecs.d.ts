// Types of codecs that have none of their own, as the page uses them.

declare module '@cornerstonejs/codec-charls/decodewasmjs' {
  export interface Decoder {
    /** The codec's memory, to be filled with a packed picture. */
    getEncodedBuffer(length: number): Uint8Array
    decode(): void
    getFrameInfo(): { width: number; height: number; bitsPerSample: number; componentCount: number }
    /** The codec's memory, with the picture. */
    getDecodedBuffer(): Uint8Array
    delete(): void
  }
  export default function make(options: { locateFile: () => string }): Promise<{ JpegLSDecoder: new () => Decoder }>
}

// The browser tests lie outside of this folder and name packages by their place.
declare module '*/node_modules/dicom-parser' {
  export * from 'dicom-parser'
}
