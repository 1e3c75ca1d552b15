//! Tokens and features to masks, predicted IoU and object score (`sam/mask_decoder.py`).

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};

use super::config::{
    IOU_HEAD_DEPTH, IOU_HEAD_HIDDEN_DIM, NUM_MULTIMASK_OUTPUTS, STABILITY_DELTA, STABILITY_THRESH,
};
use super::transformer::TwoWayTransformer;
use crate::nn::{
    Activation, Conv2d, ConvTranspose2d, Embedding, LayerNorm2d, Mlp, MlpConfig, conv1x1, product,
    sigmoid,
};

const NUM_MASK_TOKENS: usize = NUM_MULTIMASK_OUTPUTS + 1;

/// Two doublings of the image features.
#[derive(Module, Debug)]
pub struct OutputUpscaling {
    conv1: ConvTranspose2d,
    norm: LayerNorm2d,
    conv2: ConvTranspose2d,
}

/// The mask decoder.
#[derive(Module, Debug)]
pub struct MaskDecoder {
    /// Tokens and image look at each other.
    pub transformer: TwoWayTransformer,
    iou_token: Embedding,
    mask_tokens: Embedding,
    obj_score_token: Embedding,
    output_upscaling: OutputUpscaling,
    conv_s0: Conv2d,
    conv_s1: Conv2d,
    output_hypernetworks_mlps: Vec<Mlp>,
    iou_prediction_head: Mlp,
    pred_obj_score_head: Mlp,
}

/// The decoder's features of one image, and what they are conditioned on.
#[derive(Clone, Debug)]
pub struct DecoderInput {
    /// Image (with memory), `[b, c, n, n]`.
    pub image_embeddings: Tensor<4>,
    /// Positions of its tokens, `[1, c, n, n]`.
    pub image_pe: Tensor<4>,
    /// Prompt tokens, `[b, tokens, c]`; none is possible.
    pub sparse: Option<Tensor<3>>,
    /// Mask prompt, `[b, c, n, n]` or to be broadcast.
    pub dense: Tensor<4>,
    /// `conv_s0` and `conv_s1` of the image: `[b, c / 8, 4n, 4n]`, `[b, c / 4, 2n, 2n]`.
    pub high_res_features: [Tensor<4>; 2],
}

/// Masks before one is chosen: number 0 is the single mask, 1 to 3 are the alternatives.
#[derive(Clone, Debug)]
pub struct AllMasks {
    /// Logits, `[b, 4, 4n, 4n]`.
    pub masks: Tensor<4>,
    /// Predicted IoU, `[b, 4]`.
    pub ious: Tensor<2>,
    /// Output tokens of the masks, `[b, 4, c]`.
    pub tokens: Tensor<3>,
    /// Is the object in the image: positive or not, `[b, 1]`.
    pub object_score_logits: Tensor<2>,
}

/// The chosen mask.
#[derive(Clone, Debug)]
pub struct BestMask {
    /// Logits, `[b, 1, 4n, 4n]`.
    pub mask: Tensor<4>,
    /// Predicted IoU, `[b, 1]`.
    pub iou: Tensor<2>,
    /// Output token that becomes the object pointer, `[b, c]`.
    pub token: Tensor<2>,
}

impl MaskDecoder {
    /// The decoder, waiting for a checkpoint.
    pub fn new(dim: usize, device: &Device) -> Self {
        let embedding = |n| Embedding::new(n, dim, device);
        let up = |i, o| ConvTranspose2d::new(i, o, device);
        let mlp = |d_hidden, d_output, num_layers| {
            let activation = Activation::Relu;
            MlpConfig {
                d_input: dim,
                d_hidden,
                d_output,
                num_layers,
                activation,
            }
            .init(device)
        };
        Self {
            transformer: TwoWayTransformer::new(dim, device),
            iou_token: embedding(1),
            mask_tokens: embedding(NUM_MASK_TOKENS),
            obj_score_token: embedding(1),
            output_upscaling: OutputUpscaling {
                conv1: up(dim, dim / 4),
                norm: LayerNorm2d::new(dim / 4, device),
                conv2: up(dim / 4, dim / 8),
            },
            conv_s0: conv1x1(dim, dim / 8, device),
            conv_s1: conv1x1(dim, dim / 4, device),
            output_hypernetworks_mlps: (0..NUM_MASK_TOKENS).map(|_| mlp(dim, dim / 8, 3)).collect(),
            iou_prediction_head: mlp(IOU_HEAD_HIDDEN_DIM, NUM_MASK_TOKENS, IOU_HEAD_DEPTH),
            pred_obj_score_head: mlp(dim, 1, 3),
        }
    }

    /// Adds so many logits to every object score.
    pub(super) fn raise_object_score(&mut self, by: f32) {
        let last = self.pred_obj_score_head.layers.last_mut();
        if let Some(bias) = last.and_then(|layer| layer.bias.as_mut()) {
            *bias = bias.clone().map(|bias| bias + by);
        }
    }

    /// Prepares the two shallow feature levels, once per image.
    ///
    /// # Shapes
    /// - `[b, c, 4n, 4n]`, `[b, c, 2n, 2n]` to `[b, c / 8, 4n, 4n]`, `[b, c / 4, 2n, 2n]`
    pub fn high_res_features(&self, s0: Tensor<4>, s1: Tensor<4>) -> [Tensor<4>; 2] {
        [self.conv_s0.forward(s0), self.conv_s1.forward(s1)]
    }

    /// All four masks (`predict_masks`).
    pub fn predict_masks(&self, input: DecoderInput) -> AllMasks {
        let [b, c, h, w] = input.image_embeddings.dims();
        let output_tokens = Tensor::cat(
            vec![
                self.obj_score_token.weight.val(),
                self.iou_token.weight.val(),
                self.mask_tokens.weight.val(),
            ],
            0,
        );
        let [n_out, _] = output_tokens.dims();
        let output_tokens = output_tokens.unsqueeze::<3>().expand([b, n_out, c]);
        let tokens = match input.sparse {
            Some(sparse) => Tensor::cat(vec![output_tokens, sparse], 1),
            None => output_tokens,
        };
        let flat = |x: Tensor<4>| x.reshape([-1, c as i32, (h * w) as i32]).swap_dims(1, 2);
        let src = flat(input.image_embeddings + input.dense); // [b, h * w, c]
        let pe = flat(input.image_pe).expand([b, h * w, c]);
        let out = self.transformer.forward(src, pe, tokens);

        let token = |i: usize| out.queries.clone().narrow(1, i, 1).squeeze_dim::<2>(1); // [b, c]
        let mask_tokens = out.queries.clone().narrow(1, 2, NUM_MASK_TOKENS);
        let image = out.keys.swap_dims(1, 2).reshape([b, c, h, w]);
        let upscaled = self
            .output_upscaling
            .forward(image, input.high_res_features);
        let [_, c8, h4, w4] = upscaled.dims();
        let hyper = self.output_hypernetworks_mlps.iter().enumerate();
        let hyper = hyper.map(|(i, mlp)| mlp.forward(token(2 + i)).unsqueeze_dim::<3>(1));
        let hyper = Tensor::cat(hyper.collect(), 1); // [b, 4, c / 8]
        let masks = product(hyper, upscaled.reshape([b, c8, h4 * w4]));
        AllMasks {
            masks: masks.reshape([b, NUM_MASK_TOKENS, h4, w4]),
            ious: sigmoid(self.iou_prediction_head.forward(token(1))),
            tokens: mask_tokens,
            object_score_logits: self.pred_obj_score_head.forward(token(0)),
        }
    }
}

impl AllMasks {
    /// The alternative with the highest predicted IoU, with its token.
    pub fn best_multimask(&self) -> BestMask {
        let (iou, best) = self.alternative_ious().max_dim_with_indices(1); // [b, 1]
        let best = best + 1; // the alternatives come after the single mask
        BestMask {
            mask: gather_mask(self.masks.clone(), best.clone()),
            iou,
            token: gather_token(self.tokens.clone(), best),
        }
    }

    /// The single mask, or the best alternative where the single one is unstable
    /// (`_dynamic_multimask_via_stability`). The token is the single mask's in both cases.
    pub fn stable_single_mask(&self) -> BestMask {
        let best = self.best_multimask();
        let mask = self.masks.clone().narrow(1, 0, 1);
        let iou = self.ious.clone().narrow(1, 0, 1);
        let unstable = self.stability_score().lower_elem(STABILITY_THRESH); // [b, 1]
        let [b, _, h, w] = mask.dims();
        let unstable_mask = unstable.clone().reshape([b, 1, 1, 1]).expand([b, 1, h, w]);
        BestMask {
            mask: mask.mask_where(unstable_mask, best.mask),
            iou: iou.mask_where(unstable, best.iou),
            token: self.tokens.clone().narrow(1, 0, 1).squeeze_dim(1),
        }
    }

    /// Area of the single mask at a raised threshold over that at a lowered one, `[b, 1]`.
    pub fn stability_score(&self) -> Tensor<2> {
        let mask = self.masks.clone().narrow(1, 0, 1).flatten::<2>(1, 3); // [b, pixels]
        let area = |threshold: f32| mask.clone().greater_elem(threshold).float().sum_dim(1);
        let (inner, outer) = (area(STABILITY_DELTA), area(-STABILITY_DELTA));
        let nothing = outer.clone().equal_elem(0.0);
        (inner / outer.clamp_min(1.0)).mask_fill(nothing, 1.0)
    }

    fn alternative_ious(&self) -> Tensor<2> {
        self.ious.clone().narrow(1, 1, NUM_MULTIMASK_OUTPUTS)
    }
}

/// Picks mask `index[b]` of each image: `[b, 4, h, w]` to `[b, 1, h, w]`.
fn gather_mask(masks: Tensor<4>, index: Tensor<2, Int>) -> Tensor<4> {
    let [b, _, h, w] = masks.dims();
    masks.gather(1, index.reshape([b, 1, 1, 1]).expand([b, 1, h, w]))
}

/// Picks token `index[b]` of each image: `[b, 4, c]` to `[b, c]`.
fn gather_token(tokens: Tensor<3>, index: Tensor<2, Int>) -> Tensor<2> {
    let [b, _, c] = tokens.dims();
    tokens
        .gather(1, index.reshape([b, 1, 1]).expand([b, 1, c]))
        .squeeze_dim(1)
}

impl OutputUpscaling {
    /// # Shapes
    /// - image `[b, c, n, n]` to `[b, c / 8, 4n, 4n]`
    fn forward(&self, image: Tensor<4>, [s0, s1]: [Tensor<4>; 2]) -> Tensor<4> {
        // High-resolution features are added *before* the norm.
        let x = self.conv1.forward(image) + s1;
        let x = self.norm.forward_activated(x, Activation::Gelu);
        Activation::Gelu.apply(self.conv2.forward(x) + s0)
    }
}
