// SAM 2.1 with made-up weights under Meta's keys, as large as the real one. In: the numbers of an architecture. Out: the bytes of
// a `.safetensors` file. `tests/golden/weights.py` has the same rules for PyTorch: no part of the model is silent.

/** As `Sam2Config` in src/sam2/config.rs. */
export interface Architecture {
  embedDim: number
  stages: number[]
  width: number
  memory: number
  layers: number
  feedForward: number
}

export const NANO: Architecture = { embedDim: 24, stages: [1, 2, 3, 1], width: 64, memory: 32, layers: 2, feedForward: 256 }
export const TINY: Architecture = { embedDim: 96, stages: [1, 2, 7, 2], width: 256, memory: 64, layers: 4, feedForward: 2048 }

type Shapes = Record<string, number[]>

/** Every key and its shape. */
export function shapes(architecture: Architecture): Shapes {
  const made = new Maker(architecture)
  made.imageEncoder()
  made.memories()
  made.promptEncoder()
  made.maskDecoder()
  return made.shapes
}

class Maker {
  readonly shapes: Shapes = {}
  readonly of: Architecture

  constructor(of: Architecture) {
    this.of = of
  }

  /** A layer's or a norm's weight and bias. */
  private layer(key: string, ...weight: number[]): void {
    this.shapes[`${key}.weight`] = weight
    this.shapes[`${key}.bias`] = [weight[0]!]
  }

  private mlp(key: string, ...widths: number[]): void {
    widths.slice(1).forEach((width, i) => this.layer(`${key}.layers.${i}`, width, widths[i]!))
  }

  private attention(key: string, inner: number, keys = this.of.width): void {
    this.layer(`${key}.q_proj`, inner, this.of.width)
    this.layer(`${key}.k_proj`, inner, keys)
    this.layer(`${key}.v_proj`, inner, keys)
    this.layer(`${key}.out_proj`, this.of.width, inner)
  }

  private norms(key: string, count: number): void {
    for (let i = 1; i <= count; i++) this.layer(`${key}.norm${i}`, this.of.width)
  }

  imageEncoder(): void {
    const { embedDim, stages, width } = this.of
    const trunk = 'image_encoder.trunk'
    this.layer(`${trunk}.patch_embed.proj`, embedDim, 3, 7, 7)
    this.shapes[`${trunk}.pos_embed`] = [1, embedDim, 7, 7]
    this.shapes[`${trunk}.pos_embed_window`] = [1, embedDim, 8, 8]
    let [dim, block] = [embedDim, 0]
    stages.forEach((depth, stage) => {
      const out = embedDim << stage
      for (let i = 0; i < depth; i++, block++) {
        const key = `${trunk}.blocks.${block}`
        this.layer(`${key}.norm1`, dim)
        this.layer(`${key}.attn.qkv`, 3 * out, dim)
        this.layer(`${key}.attn.proj`, out, out)
        this.layer(`${key}.norm2`, out)
        this.mlp(`${key}.mlp`, out, 4 * out, out)
        if (dim !== out) this.layer(`${key}.proj`, out, dim)
        dim = out
      }
      this.layer(`image_encoder.neck.convs.${3 - stage}.conv`, width, out, 1, 1)
    })
  }

  memories(): void {
    const { width, memory, layers, feedForward } = this.of
    for (let i = 0; i < layers; i++) {
      const key = `memory_attention.layers.${i}`
      this.attention(`${key}.self_attn`, width)
      this.attention(`${key}.cross_attn_image`, width, memory)
      this.layer(`${key}.linear1`, feedForward, width)
      this.layer(`${key}.linear2`, width, feedForward)
      this.norms(key, 3)
    }
    this.layer('memory_attention.norm', width)
    const encoder = 'memory_encoder.mask_downsampler.encoder'
    for (let i = 0; i < 4; i++) {
      this.layer(`${encoder}.${3 * i}`, 4 ** (i + 1), 4 ** i, 3, 3)
      this.layer(`${encoder}.${3 * i + 1}`, 4 ** (i + 1))
    }
    this.layer(`${encoder}.12`, width, 256, 1, 1)
    for (const key of ['memory_encoder.fuser.layers.0', 'memory_encoder.fuser.layers.1']) {
      this.layer(`${key}.dwconv`, width, 1, 7, 7)
      this.layer(`${key}.norm`, width)
      this.layer(`${key}.pwconv1`, 4 * width, width)
      this.layer(`${key}.pwconv2`, width, 4 * width)
      this.shapes[`${key}.gamma`] = [width]
    }
    this.layer('memory_encoder.pix_feat_proj', width, width, 1, 1)
    this.layer('memory_encoder.out_proj', memory, width, 1, 1)
    this.layer('mask_downsample', 1, 1, 4, 4)
    this.mlp('obj_ptr_proj', width, width, width, width)
    this.layer('obj_ptr_tpos_proj', memory, width)
    const bare = { maskmem_tpos_enc: [7, 1, 1, memory], no_mem_embed: [1, 1, width], no_mem_pos_enc: [1, 1, width] }
    Object.assign(this.shapes, bare, { no_obj_ptr: [1, width], no_obj_embed_spatial: [1, memory] })
  }

  promptEncoder(): void {
    const { width } = this.of
    const key = 'sam_prompt_encoder'
    this.layer(`${key}.mask_downscaling.0`, 4, 1, 2, 2)
    this.layer(`${key}.mask_downscaling.1`, 4)
    this.layer(`${key}.mask_downscaling.3`, 16, 4, 2, 2)
    this.layer(`${key}.mask_downscaling.4`, 16)
    this.layer(`${key}.mask_downscaling.6`, width, 16, 1, 1)
    const points = [0, 1, 2, 3].map((i) => `point_embeddings.${i}`)
    for (const name of [...points, 'no_mask_embed', 'not_a_point_embed']) this.shapes[`${key}.${name}.weight`] = [1, width]
    this.shapes[`${key}.pe_layer.positional_encoding_gaussian_matrix`] = [2, width / 2]
  }

  maskDecoder(): void {
    const { width } = this.of
    const key = 'sam_mask_decoder'
    const transformer = `${key}.transformer`
    for (const layer of [`${transformer}.layers.0`, `${transformer}.layers.1`]) {
      this.attention(`${layer}.self_attn`, width)
      this.attention(`${layer}.cross_attn_token_to_image`, width / 2)
      this.attention(`${layer}.cross_attn_image_to_token`, width / 2)
      this.mlp(`${layer}.mlp`, width, 2048, width)
      this.norms(layer, 4)
    }
    this.attention(`${transformer}.final_attn_token_to_image`, width / 2)
    this.layer(`${transformer}.norm_final_attn`, width)
    this.layer(`${key}.conv_s0`, width / 8, width, 1, 1)
    this.layer(`${key}.conv_s1`, width / 4, width, 1, 1)
    for (let i = 0; i < 4; i++) this.mlp(`${key}.output_hypernetworks_mlps.${i}`, width, width, width, width / 8)
    this.mlp(`${key}.iou_prediction_head`, width, 256, 256, 4)
    this.mlp(`${key}.pred_obj_score_head`, width, width, width, 1)
    for (const [name, count] of Object.entries({ iou_token: 1, mask_tokens: 4, obj_score_token: 1 })) {
      this.shapes[`${key}.${name}.weight`] = [count, width]
    }
    // A transposed convolution's weight begins with its inputs.
    this.layer(`${key}.output_upscaling.1`, width / 4)
    const [first, second] = [`${key}.output_upscaling.0`, `${key}.output_upscaling.3`]
    Object.assign(this.shapes, { [`${first}.weight`]: [width, width / 4, 2, 2], [`${first}.bias`]: [width / 4] })
    Object.assign(this.shapes, { [`${second}.weight`]: [width / 4, width / 8, 2, 2], [`${second}.bias`]: [width / 8] })
  }
}

const product = (sizes: number[]): number => sizes.reduce((all, size) => all * size, 1)

/** Where a tensor's values lie: mean and deviation. */
function spread(key: string, shape: number[]): [mean: number, deviation: number] {
  if (key === 'mask_downsample.weight') return [12 / 16, 0.05] // a mask of 0 and 1 becomes -6 and 6
  if (key === 'mask_downsample.bias') return [-6, 0]
  if (key === 'sam_mask_decoder.pred_obj_score_head.layers.2.bias') return [4, 0] // the object is there
  if (key.endsWith('gaussian_matrix')) return [0, 1]
  if (/embed|token\w*\.weight$|tpos_enc$|pos_enc$|no_obj_ptr$/.test(key) && !key.includes('patch_embed')) return [0, 0.6]
  if (key.endsWith('.gamma')) return [0.4, 0.15]
  if (key.endsWith('.bias')) return [0, 0.15]
  if (shape.length === 1) return [1, 0.15] // a norm
  const inputs = key.includes('output_upscaling') ? shape[0]! : product(shape.slice(1))
  return [0, (/layers\.[01]\.weight$|linear1/.test(key) ? 1.4 : 1) / Math.sqrt(inputs)]
}

/** The file; the same for the same seed. */
export function randomCheckpoint(architecture: Architecture, seed: number): Uint8Array {
  const entries = Object.entries(shapes(architecture))
  const header: Record<string, { dtype: 'F32'; shape: number[]; data_offsets: [number, number] }> = {}
  let end = 0
  for (const [key, shape] of entries) header[key] = { dtype: 'F32', shape, data_offsets: [end, (end += 4 * product(shape))] }
  let text = JSON.stringify(header)
  text = text.padEnd(Math.ceil(text.length / 8) * 8)
  const bytes = Buffer.alloc(8 + text.length + end)
  bytes.writeBigUInt64LE(BigInt(text.length))
  bytes.write(text, 8, 'latin1')
  const values = new Float32Array(end / 4)
  let [at, state] = [0, seed]
  for (const [key, shape] of entries) {
    const [mean, deviation] = spread(key, shape)
    const reach = deviation * Math.sqrt(3) // of an even spread with that deviation
    for (const stop = at + product(shape); at < stop; at++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      values[at] = mean + reach * (state / 2 ** 31 - 1)
    }
  }
  Buffer.from(values.buffer).copy(bytes, 8 + text.length)
  return bytes
}
