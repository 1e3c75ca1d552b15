//! Points, boxes and masks to tokens (`sam/prompt_encoder.py`).
//!
//! In: prompts in model pixels; out: sparse tokens and a dense map for the mask decoder.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use super::config::MASK_IN_CHANS;
use super::position_encoding::PositionEmbeddingRandom;
use super::prompt::{ModelPoint, PointLabel};
use crate::nn::{Activation, Conv2d, Embedding, LayerNorm2d, conv, conv1x1};

/// Two halvings and a projection of a mask prompt.
#[derive(Module, Debug)]
pub struct MaskDownscaling {
    conv1: Conv2d,
    norm1: LayerNorm2d,
    conv2: Conv2d,
    norm2: LayerNorm2d,
    conv3: Conv2d,
}

/// The prompt encoder.
#[derive(Module, Debug)]
pub struct PromptEncoder {
    pe_layer: PositionEmbeddingRandom,
    /// Exclude, include, a box's top-left and its bottom-right corner.
    point_embeddings: Vec<Embedding>,
    not_a_point_embed: Embedding,
    mask_downscaling: MaskDownscaling,
    no_mask_embed: Embedding,
}

impl PromptEncoder {
    /// The encoder, waiting for a checkpoint.
    pub fn new(dim: usize, device: &Device) -> Self {
        let embedding = || Embedding::new(1, dim, device);
        let norm = |c| LayerNorm2d::new(c, device);
        Self {
            pe_layer: PositionEmbeddingRandom::new(dim, device),
            point_embeddings: (0..4).map(|_| embedding()).collect(),
            not_a_point_embed: embedding(),
            mask_downscaling: MaskDownscaling {
                conv1: conv([1, MASK_IN_CHANS / 4], 2, 2, 0, device),
                norm1: norm(MASK_IN_CHANS / 4),
                conv2: conv([MASK_IN_CHANS / 4, MASK_IN_CHANS], 2, 2, 0, device),
                norm2: norm(MASK_IN_CHANS),
                conv3: conv1x1(MASK_IN_CHANS, dim, device),
            },
            no_mask_embed: embedding(),
        }
    }

    /// Position encoding of the image's tokens, a constant of the image size.
    ///
    /// # Shapes
    /// - `[1, dim, n, n]`
    pub fn get_dense_pe(&self, n: usize) -> Tensor<4> {
        self.pe_layer.dense(n)
    }

    /// Tokens of points and box corners, in order, and one "not a point" token after them.
    ///
    /// # Shapes
    /// - `[1, points + 1, dim]`
    pub fn embed_points(&self, points: &[ModelPoint], image_size: usize) -> Tensor<3> {
        let not_a_point = self.not_a_point_embed.weight.val().unsqueeze::<3>(); // [1, 1, dim]
        if points.is_empty() {
            return not_a_point;
        }
        let unit = |pixel: f32| (pixel + 0.5) / image_size as f32; // to the pixel's centre
        let coordinates: Vec<f32> = points.iter().flat_map(|p| [unit(p.x), unit(p.y)]).collect();
        let coordinates = TensorData::new(coordinates, [1, points.len(), 2]);
        let encoded = self
            .pe_layer
            .encode(Tensor::from_data(coordinates, &not_a_point.device()));
        let kinds = points.iter().map(|p| {
            let i = match p.label {
                PointLabel::Exclude => 0,
                PointLabel::Include => 1,
                PointLabel::BoxTopLeft => 2,
                PointLabel::BoxBottomRight => 3,
            };
            self.point_embeddings[i].weight.val()
        });
        let kinds = Tensor::cat(kinds.collect(), 0).unsqueeze::<3>(); // [1, points, dim]
        Tensor::cat(vec![encoded + kinds, not_a_point], 1)
    }

    /// Dense embedding of a mask prompt, or of its absence.
    ///
    /// # Shapes
    /// - mask `[b, 1, 4n, 4n]`; result `[b, dim, n, n]`, or `[1, dim, 1, 1]` to be broadcast
    pub fn embed_mask(&self, mask: Option<Tensor<4>>) -> Tensor<4> {
        match mask {
            Some(mask) => self.mask_downscaling.forward(mask),
            None => {
                let embed = self.no_mask_embed.weight.val();
                let [_, dim] = embed.dims();
                embed.reshape([1, dim, 1, 1])
            }
        }
    }
}

impl MaskDownscaling {
    fn forward(&self, mask: Tensor<4>) -> Tensor<4> {
        let x = self.conv1.forward(mask);
        let x = self.norm1.forward_activated(x, Activation::Gelu);
        let x = self.conv2.forward(x);
        let x = self.norm2.forward_activated(x, Activation::Gelu);
        self.conv3.forward(x)
    }
}
