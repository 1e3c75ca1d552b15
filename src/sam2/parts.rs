//! The parts that a slice goes through, each alone on made-up inputs: for measuring, and for comparing with other engines.
//!
//! In: a filled model and an image size; out: each part's outputs, still on the device. `benches/reference/modules.py` has the
//! same parts on the same inputs in PyTorch.

use std::fmt;

use burn::tensor::{Device, Tensor, TensorData};

use super::config::{BACKBONE_STRIDE, MAX_OBJ_PTRS, NUM_MASKMEM, Sam2Config};
use super::macs;
use super::mask_decoder::DecoderInput;
use super::memory_attention::MemoryTokens;
use super::sam2_base::{Sam2, Tables};
use super::tracker::{Conditioning, MemorySlot, PointerSlot};
use super::transform::ImageSize;

/// One part of a slice's way through the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Trunk, neck, and the decoder's shallow levels.
    ImageEncoder,
    /// With one memory and one object pointer: the second slice.
    MemoryAttention1,
    /// With seven memories and sixteen pointers, the most there are: any slice from the sixteenth on.
    MemoryAttention7,
    /// Without prompts.
    MaskDecoder,
    /// Of a mask at the model's size.
    MemoryEncoder,
    /// All of a tracked slice in one: encoder, attention to 7 memories, decoder, choice of the mask, memory.
    Slice,
}

impl Part {
    /// Every part, in forward order, then the slice.
    pub const ALL: [Self; 6] = [
        Self::ImageEncoder,
        Self::MemoryAttention1,
        Self::MemoryAttention7,
        Self::MaskDecoder,
        Self::MemoryEncoder,
        Self::Slice,
    ];

    /// Name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::ImageEncoder => "image_encoder",
            Self::MemoryAttention1 => "memory_attention_1",
            Self::MemoryAttention7 => "memory_attention_7",
            Self::MaskDecoder => "mask_decoder",
            Self::MemoryEncoder => "memory_encoder",
            Self::Slice => "slice",
        }
    }

    /// The part of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }

    /// Multiply-adds of one run.
    pub fn macs(self, config: &Sam2Config, image_size: ImageSize) -> u64 {
        let attention =
            |memories, pointers| macs::memory_attention(config, image_size, memories, pointers);
        match self {
            Self::ImageEncoder => macs::image_encoder(config, image_size),
            Self::MemoryAttention1 => attention(1, 1),
            Self::MemoryAttention7 => attention(NUM_MASKMEM, MAX_OBJ_PTRS),
            Self::MaskDecoder => macs::mask_decoder(config, image_size),
            Self::MemoryEncoder => macs::memory_encoder(config, image_size),
            Self::Slice => {
                let parts = [
                    Self::ImageEncoder,
                    Self::MemoryAttention7,
                    Self::MaskDecoder,
                    Self::MemoryEncoder,
                ];
                parts.iter().map(|part| part.macs(config, image_size)).sum()
            }
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Inputs of a part, on the device.
#[allow(clippy::large_enum_variant, reason = "one of them at a time")]
#[derive(Clone, Debug)]
enum Inputs {
    ImageEncoder(Tensor<4>),
    MemoryAttention(Tensor<3>, Tensor<3>, MemoryTokens),
    MaskDecoder(DecoderInput),
    MemoryEncoder(Tensor<4>, Tensor<4>),
    Slice(Tensor<4>, Conditioning),
}

/// A part ready to run, again and again with the same result.
#[derive(Clone, Debug)]
pub struct PreparedPart {
    model: Sam2,
    tables: Tables,
    inputs: Inputs,
}

impl PreparedPart {
    /// Makes the inputs of `part`. Cloning the model shares its parameters.
    pub fn new(model: Sam2, config: &Sam2Config, image_size: ImageSize, part: Part) -> Self {
        let tables = model.tables(image_size);
        let inputs = inputs(part, config, &tables, &model.device());
        Self {
            model,
            tables,
            inputs,
        }
    }

    /// Runs it; each output row by row. Nothing waits for the device.
    pub fn run(&self) -> Vec<Tensor<1>> {
        let (model, tables) = (&self.model, &self.tables);
        match self.inputs.clone() {
            Inputs::ImageEncoder(image) => {
                let features = model.forward_image(image, tables);
                let [s0, s1] = features.high_res;
                vec![flat(features.embedding), flat(s0), flat(s1)]
            }
            Inputs::MemoryAttention(current, pos, tokens) => {
                let attention = &model.memory_attention;
                vec![flat(attention.forward(current, pos, &tokens, &tables.rope))]
            }
            Inputs::MaskDecoder(input) => {
                let all = model.sam_mask_decoder.predict_masks(input);
                let scores = flat(all.object_score_logits);
                vec![flat(all.masks), flat(all.ious), flat(all.tokens), scores]
            }
            Inputs::MemoryEncoder(features, mask) => {
                vec![flat(model.memory_encoder.forward(features, mask))]
            }
            Inputs::Slice(image, conditioning) => {
                let features = model.forward_image(image, tables);
                let output = model.track(&features, &conditioning, tables);
                let memory = model.encode_new_memory(&features, &output, false, tables);
                // The last to be computed comes last, which is what a caller waits for.
                vec![Sam2::pack_output(&output), flat(memory)]
            }
        }
    }
}

fn inputs(part: Part, config: &Sam2Config, tables: &Tables, device: &Device) -> Inputs {
    let s = tables.image_size.pixels();
    let n = s / BACKBONE_STRIDE;
    let (c, m) = (config.d_model, config.mem_dim);
    let attention = |memories: usize, pointers: usize| {
        let num_obj_ptr_tokens = pointers * c / m;
        let count = memories * n * n + num_obj_ptr_tokens;
        let tokens = MemoryTokens {
            memory: made_up([1, count, m], 2, device),
            pos: made_up([1, count, m], 3, device),
            num_obj_ptr_tokens,
        };
        let current = |index| made_up([1, n * n, c], index, device);
        Inputs::MemoryAttention(current(0), current(1), tokens)
    };
    match part {
        Part::ImageEncoder => Inputs::ImageEncoder(made_up([1, 3, s, s], 0, device)),
        Part::MemoryAttention1 => attention(1, 1),
        Part::MemoryAttention7 => attention(NUM_MASKMEM, MAX_OBJ_PTRS),
        Part::MaskDecoder => Inputs::MaskDecoder(DecoderInput {
            image_embeddings: made_up([1, c, n, n], 0, device),
            image_pe: tables.dense_pe.clone(),
            high_res_features: [
                made_up([1, c / 8, 4 * n, 4 * n], 1, device),
                made_up([1, c / 4, 2 * n, 2 * n], 2, device),
            ],
            sparse: Some(made_up([1, 2, c], 3, device)),
            dense: made_up([1, c, n, n], 4, device),
        }),
        Part::MemoryEncoder => Inputs::MemoryEncoder(
            made_up([1, c, n, n], 0, device),
            made_up([1, 1, s, s], 1, device),
        ),
        Part::Slice => {
            let memory = |i| MemorySlot {
                features: made_up([1, n * n, m], i, device),
                t_pos: Some(i),
            };
            let pointer = |i| PointerSlot {
                obj_ptr: made_up([1, c], i, device),
                t_diff: i,
            };
            let conditioning = Conditioning {
                memories: (0..NUM_MASKMEM).map(memory).collect(),
                pointers: (1..=MAX_OBJ_PTRS).map(pointer).collect(),
                max_obj_ptrs: MAX_OBJ_PTRS,
            };
            Inputs::Slice(made_up([1, 3, s, s], 0, device), conditioning)
        }
    }
}

/// Input number `index` of a part: a sine, which every language makes alike without a file.
fn made_up<const D: usize>(shape: [usize; D], index: usize, device: &Device) -> Tensor<D> {
    let count = shape.iter().product::<usize>();
    let value = |i: usize| (i as f64 * 0.731_058_5 + index as f64).sin() as f32;
    let values: Vec<f32> = (0..count).map(value).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn flat<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    x.reshape([-1])
}

/// As many evenly spread values of an output as tell whether two engines computed the same, at most.
pub const SAMPLES: usize = 512;

/// Evenly spread values of an output.
pub fn samples(output: &[f32]) -> Vec<f32> {
    let stride = (output.len() / SAMPLES).max(1);
    let spread = output.iter().step_by(stride);
    spread.take(SAMPLES).copied().collect()
}
