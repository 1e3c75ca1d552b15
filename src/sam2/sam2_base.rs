//! The model: its parts and how one image passes through them (`sam2_base.py`).
//!
//! Knows nothing of volumes and time; see [`tracker`](super::tracker) for that.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use super::config::{
    BACKBONE_STRIDE, NO_OBJ_SCORE, NUM_MASKMEM, PREV_LOGITS_CLAMP, SIGMOID_BIAS_FOR_MEM_ENC,
    SIGMOID_SCALE_FOR_MEM_ENC, Sam2Config, TEMPERATURE,
};
use super::image_encoder::ImageEncoder;
use super::mask_decoder::{DecoderInput, MaskDecoder};
use super::memory_attention::MemoryAttention;
use super::memory_encoder::MemoryEncoder;
use super::position_encoding::position_embedding_sine;
use super::prompt::{MaskPrompt, ModelPoint};
use super::prompt_encoder::PromptEncoder;
use super::transform::{ImageSize, ScoreBias};
use crate::nn::{
    Activation, AxialRope, Conv2d, Linear, LinearConfig, Mlp, MlpConfig, conv,
    interpolate_bilinear, parameter, sigmoid,
};

/// SAM 2.1. Field names are Meta's, so that they are the checkpoint's keys.
#[derive(Module, Debug)]
pub struct Sam2 {
    /// Image to features.
    pub image_encoder: ImageEncoder,
    /// Features look at memories.
    pub memory_attention: MemoryAttention,
    /// Features and mask to memory.
    pub memory_encoder: MemoryEncoder,
    /// Prompts to tokens.
    pub sam_prompt_encoder: PromptEncoder,
    /// Tokens and features to masks.
    pub sam_mask_decoder: MaskDecoder,
    /// Temporal position of a memory, `[7, 1, 1, mem_dim]`; the last is the prompted frames'.
    pub(super) maskmem_tpos_enc: Param<Tensor<4>>,
    /// Added to the features of a prompted frame, which attends to nothing, `[1, 1, c]`.
    pub(super) no_mem_embed: Param<Tensor<3>>,
    /// In every checkpoint, but read only with `directly_add_no_mem_embed` off.
    no_mem_pos_enc: Param<Tensor<3>>,
    /// Pointer of an absent object, `[1, c]`.
    no_obj_ptr: Param<Tensor<2>>,
    /// Added to the memory of a frame without the object, `[1, mem_dim]`.
    no_obj_embed_spatial: Param<Tensor<2>>,
    /// Mask prompt to the prompt encoder's resolution.
    mask_downsample: Conv2d,
    obj_ptr_proj: Mlp,
    /// Projection of the pointers' temporal encoding, c to mem_dim.
    pub(super) obj_ptr_tpos_proj: Linear,
    /// What the object score needs at large image sizes.
    #[module(skip)]
    score_bias: ScoreBias,
}

/// What depends on the image size only, made once per size.
#[derive(Clone, Debug)]
pub struct Tables {
    /// Side of the model's square.
    pub image_size: ImageSize,
    /// Trunk's position embedding, `[1, s / 4, s / 4, embed_dim]`.
    pub trunk_pos_embed: Tensor<4>,
    /// Positions of the image's tokens for memory attention, `[1, n * n, c]`.
    pub vision_pos_enc: Tensor<3>,
    /// Positions of a memory's tokens, `[1, n * n, mem_dim]`.
    pub maskmem_pos_enc: Tensor<3>,
    /// Positions of the image's tokens for the decoder, `[1, c, n, n]`.
    pub dense_pe: Tensor<4>,
    /// Rotation of memory attention's queries and keys.
    pub rope: AxialRope,
}

/// Features of one image, shared by all objects.
#[derive(Clone, Debug)]
pub struct ImageFeatures {
    /// `conv_s0` and `conv_s1` features: `[1, c / 8, 4n, 4n]` and `[1, c / 4, 2n, 2n]`.
    pub high_res: [Tensor<4>; 2],
    /// `backbone_fpn[2]`, without memory or `no_mem_embed`: `[1, c, n, n]`.
    pub embedding: Tensor<4>,
}

/// What the model says about one object in one image. All stays on the device.
#[derive(Clone, Debug)]
pub struct FrameOutput {
    /// Mask logits, `[1, 1, 4n, 4n]`; positive is inside.
    pub low_res_masks: Tensor<4>,
    /// Predicted IoU of the mask, `[1, 1]`.
    pub iou: Tensor<2>,
    /// Object pointer, `[1, c]`.
    pub obj_ptr: Tensor<2>,
    /// Positive where the object is in the image, `[1, 1]`.
    pub object_score_logits: Tensor<2>,
}

/// Sparse prompts for the SAM heads.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadPrompt<'a> {
    pub points: &'a [ModelPoint],
    pub mask: Option<&'a Tensor<4>>,
}

impl Sam2Config {
    /// The model, waiting for a checkpoint.
    pub fn init(&self, device: &Device) -> Sam2 {
        let (c, m) = (self.d_model, self.mem_dim);
        Sam2 {
            image_encoder: ImageEncoder::new(self, device),
            memory_attention: MemoryAttention::new(self, device),
            memory_encoder: MemoryEncoder::new(self, device),
            sam_prompt_encoder: PromptEncoder::new(c, device),
            sam_mask_decoder: MaskDecoder::new(c, device),
            maskmem_tpos_enc: parameter([NUM_MASKMEM, 1, 1, m], device),
            no_mem_embed: parameter([1, 1, c], device),
            no_mem_pos_enc: parameter([1, 1, c], device),
            no_obj_ptr: parameter([1, c], device),
            no_obj_embed_spatial: parameter([1, m], device),
            mask_downsample: conv([1, 1], 4, 4, 0, device),
            obj_ptr_proj: MlpConfig {
                d_input: c,
                d_hidden: c,
                d_output: c,
                num_layers: 3,
                activation: Activation::Relu,
            }
            .init(device),
            obj_ptr_tpos_proj: LinearConfig::new(c, m).init(device),
            score_bias: ScoreBias::of(self),
        }
    }
}

impl Sam2 {
    /// Device of the parameters.
    pub fn device(&self) -> Device {
        self.no_obj_ptr.val().device()
    }

    /// Constants of an image size.
    pub fn tables(&self, image_size: ImageSize) -> Tables {
        let (s, n) = (image_size.pixels(), image_size.pixels() / BACKBONE_STRIDE);
        let device = self.device();
        let [_, _, c] = self.no_mem_embed.val().dims();
        let [_, m] = self.no_obj_embed_spatial.val().dims();
        Tables {
            image_size,
            trunk_pos_embed: self.image_encoder.trunk.pos_embed(s / 4),
            vision_pos_enc: position_embedding_sine(c, n, &device),
            maskmem_pos_enc: position_embedding_sine(m, n, &device),
            dense_pe: self.sam_prompt_encoder.get_dense_pe(n),
            rope: AxialRope::new(c, n, TEMPERATURE, &device),
        }
    }

    /// Features of a normalised image (`forward_image`).
    ///
    /// # Shapes
    /// - image `[1, 3, s, s]`
    pub fn forward_image(&self, image: Tensor<4>, tables: &Tables) -> ImageFeatures {
        let pos_embed = tables.trunk_pos_embed.clone();
        let [s0, s1, embedding] = self.image_encoder.forward(image, pos_embed);
        ImageFeatures {
            high_res: self.sam_mask_decoder.high_res_features(s0, s1),
            embedding,
        }
    }

    /// Prompt encoder, mask decoder and pointer, and nothing of it where the object score is not positive
    /// (`_forward_sam_heads`).
    ///
    /// # Shapes
    /// - pix_feat `[1, c, n, n]`, mask prompt `[1, 1, 4n, 4n]`
    pub(super) fn forward_sam_heads(
        &self,
        pix_feat: Tensor<4>,
        high_res: &[Tensor<4>; 2],
        prompt: HeadPrompt<'_>,
        multimask: bool,
        tables: &Tables,
    ) -> FrameOutput {
        self.gate(self.predict_mask(pix_feat, high_res, prompt, multimask, tables))
    }

    /// The model with so many logits added to every object score, whose sign decides whether the object is in an image, and
    /// what is remembered of it. Above 0 where it is in nearly every image, as in videos; below 0 where it is drawn beyond its end.
    #[must_use]
    pub fn raise_object_score(mut self, by: f32) -> Self {
        self.sam_mask_decoder.raise_object_score(by);
        self
    }

    /// The model as it is to be used at this image size: once, before the first image.
    #[must_use]
    pub fn calibrated(self, image_size: ImageSize) -> Self {
        // DIFFERENCE: of Meta's models it is 0; nano's object score is calibrated for large images.
        let bias = self.score_bias.at(image_size);
        self.raise_object_score(bias)
    }

    /// No mask and no pointer of an object that the score says is absent: the last step of `_forward_sam_heads`.
    pub(super) fn gate(&self, found: FrameOutput) -> FrameOutput {
        let absent = found.object_score_logits.clone().lower_equal_elem(0.0); // [1, 1]
        let [b, _, h, w] = found.low_res_masks.dims();
        let absent_pixels = absent.clone().reshape([b, 1, 1, 1]).expand([b, 1, h, w]);
        let absent_channels = absent.expand(found.obj_ptr.dims());
        let no_obj_ptr = self.no_obj_ptr.val();
        FrameOutput {
            low_res_masks: found.low_res_masks.mask_fill(absent_pixels, NO_OBJ_SCORE),
            obj_ptr: found.obj_ptr.mask_where(absent_channels, no_obj_ptr),
            ..found
        }
    }

    /// Prompt encoder, mask decoder and pointer, whatever the object score.
    pub(super) fn predict_mask(
        &self,
        pix_feat: Tensor<4>,
        high_res: &[Tensor<4>; 2],
        prompt: HeadPrompt<'_>,
        multimask: bool,
        tables: &Tables,
    ) -> FrameOutput {
        let encoder = &self.sam_prompt_encoder;
        // Meta pads twice where there is no point at all: two "not a point" tokens.
        let mut sparse = encoder.embed_points(prompt.points, tables.image_size.pixels());
        if prompt.points.is_empty() {
            sparse = sparse.repeat_dim(1, 2);
        }
        let all = self.sam_mask_decoder.predict_masks(DecoderInput {
            image_embeddings: pix_feat,
            image_pe: tables.dense_pe.clone(),
            sparse: Some(sparse),
            dense: encoder.embed_mask(prompt.mask.cloned()),
            high_res_features: high_res.clone(),
        });
        let best = match multimask {
            true => all.best_multimask(),
            false => all.stable_single_mask(),
        };
        FrameOutput {
            low_res_masks: best.mask,
            iou: best.iou,
            obj_ptr: self.obj_ptr_proj.forward(best.token),
            object_score_logits: all.object_score_logits,
        }
    }

    /// A mask prompt is the output; the decoder runs for the pointer only
    /// (`_use_mask_as_output`).
    pub(super) fn use_mask_as_output(
        &self,
        image: &ImageFeatures,
        prompt: &MaskPrompt,
        tables: &Tables,
    ) -> FrameOutput {
        let mask = self.mask_downsample.forward(prompt.mask.clone());
        let prompt_mask = HeadPrompt {
            points: &[],
            mask: Some(&mask),
        };
        let embedding = image.embedding.clone();
        let heads = self.forward_sam_heads(embedding, &image.high_res, prompt_mask, false, tables);
        let device = self.device();
        let score = match prompt.is_empty {
            true => SIGMOID_BIAS_FOR_MEM_ENC,
            false => SIGMOID_SCALE_FOR_MEM_ENC + SIGMOID_BIAS_FOR_MEM_ENC,
        };
        FrameOutput {
            low_res_masks: prompt.low_res_logits.clone(),
            iou: Tensor::ones([1, 1], &device),
            obj_ptr: match prompt.is_empty {
                true => self.no_obj_ptr.val(),
                false => heads.obj_ptr,
            },
            object_score_logits: Tensor::full([1, 1], score, &device),
        }
    }

    /// Earlier logits as a mask prompt, bounded as Meta's predictor bounds them.
    pub(super) fn clamp_previous(logits: Tensor<4>) -> Tensor<4> {
        logits.clamp(-PREV_LOGITS_CLAMP, PREV_LOGITS_CLAMP)
    }

    /// The memory of a frame (`_encode_new_memory`). The mask of a prompted frame is made
    /// binary first.
    ///
    /// # Shapes
    /// - result `[1, n * n, mem_dim]`
    pub fn encode_new_memory(
        &self,
        image: &ImageFeatures,
        output: &FrameOutput,
        prompted: bool,
        tables: &Tables,
    ) -> Tensor<3> {
        let s = tables.image_size.pixels();
        let logits = interpolate_bilinear(output.low_res_masks.clone(), [s, s]);
        let mask = match prompted {
            true => logits.greater_elem(0.0).float(),
            false => sigmoid(logits),
        };
        let mask = mask * SIGMOID_SCALE_FOR_MEM_ENC + SIGMOID_BIAS_FOR_MEM_ENC;
        let memory = self.memory_encoder.forward(image.embedding.clone(), mask);
        let memory = memory.flatten::<3>(2, 3).swap_dims(1, 2); // [1, n * n, mem_dim]
        let absent = output
            .object_score_logits
            .clone()
            .lower_equal_elem(0.0)
            .float();
        let absent_embed = absent * self.no_obj_embed_spatial.val(); // [1, mem_dim]
        memory + absent_embed.unsqueeze::<3>()
    }
}
