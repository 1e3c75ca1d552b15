// What `torch.save` writes, made from a `.safetensors` file of f32 or f16. In: its bytes. Out: those of a `.pt` with the same tensors.

interface Entry {
  name: string
  bytes: Uint8Array
}

/** `{"model": state_dict}`. */
export function torchFile(safetensors: Uint8Array): Uint8Array {
  const view = new DataView(safetensors.buffer, safetensors.byteOffset)
  const start = 8 + Number(view.getBigUint64(0, true))
  const header = JSON.parse(new TextDecoder().decode(safetensors.subarray(8, start))) as Record<string, { dtype: 'F32' | 'F16'; shape: number[]; data_offsets: [number, number] }>
  delete header['__metadata__']
  const pickle: (string | number[])[] = ['\x80\x02}', ...text('model'), '}(']
  const storages: Entry[] = []
  for (const [key, { dtype, shape, data_offsets: [from, to] }] of Object.entries(header)) {
    const name = String(storages.length)
    storages.push({ name: `archive/data/${name}`, bytes: safetensors.subarray(start + from, start + to) })
    const [storage, size] = { F32: ['FloatStorage', 4] as const, F16: ['HalfStorage', 2] as const }[dtype]
    pickle.push(...text(key), 'ctorch._utils\n_rebuild_tensor_v2\n((', ...text('storage'), `ctorch\n${storage}\n`, ...text(name), ...text('cpu'))
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1))
    pickle.push('J', word((to - from) / size), 'tQJ', word(0), ...tuple(shape), ...tuple(strides), '\x89ccollections\nOrderedDict\n)RtR')
  }
  pickle.push('us.')
  return zip([pickleEntry(pickle), ...storages])
}

/** A `.pt` whose pickle would have a program run. */
export function maliciousFile(): Uint8Array {
  return zip([pickleEntry(['\x80\x02cos\nsystem\n', ...text('echo'), '\x85R.'])])
}

function pickleEntry(parts: (string | number[])[]): Entry {
  return { name: 'archive/data.pkl', bytes: Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part)))) }
}

const word = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)]
const text = (text: string): (string | number[])[] => ['X', word(text.length), text]
const tuple = (values: number[]): (string | number[])[] => ['(', ...values.flatMap((value) => ['J', word(value)]), 't']

/** A zip archive of uncompressed files. */
function zip(entries: Entry[]): Uint8Array {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const { name, bytes } of entries) {
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(20, 0)
    fields.writeUInt32LE(crc32(bytes), 10)
    fields.writeUInt32LE(bytes.length, 14)
    fields.writeUInt32LE(bytes.length, 18)
    fields.writeUInt16LE(name.length, 22)
    const place = Buffer.alloc(14)
    place.writeUInt32LE(at, 10)
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, place, Buffer.from(name))
    const local = [Buffer.from('PK\x03\x04', 'latin1'), fields, Buffer.from(name), Buffer.from(bytes)]
    parts.push(...local)
    at += local.reduce((sum, part) => sum + part.length, 0)
  }
  const listed = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(listed.length, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...parts, listed, end])
}

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1
  return byte
})

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = CRC[(crc ^ byte) & 0xff]! ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}
