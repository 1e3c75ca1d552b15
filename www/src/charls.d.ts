// The JPEG-LS codec's API as the page uses it; the package has no types.

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
