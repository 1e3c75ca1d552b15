//! One frame of tracking: attend to memories, decode, remember (`SAM2Base.track_step`).
//!
//! *Which* frames are remembered is decided by the caller
//! (`propagate::memory_bank`); here their tensors are put
//! together. Where Meta's `track_step` does everything, this is one call for each case.

use burn::tensor::Tensor;

use super::config::NUM_MASKMEM;
use super::memory_attention::MemoryTokens;
use super::position_encoding::get_1d_sine_pe;
use super::prompt::{MaskPrompt, ModelPoint};
use super::sam2_base::{FrameOutput, HeadPrompt, ImageFeatures, Sam2, Tables};

/// A memory to attend to.
#[derive(Clone, Debug)]
pub struct MemorySlot {
    /// From [`Sam2::encode_new_memory`], `[1, n * n, mem_dim]`.
    pub features: Tensor<3>,
    /// 0 for a prompted frame, else 1 (six frames away) to 6 (the neighbour); none for a memory
    /// that has no place in time.
    pub t_pos: Option<usize>,
}

/// An object pointer to attend to.
#[derive(Clone, Debug)]
pub struct PointerSlot {
    /// From [`FrameOutput::obj_ptr`], `[1, c]`.
    pub obj_ptr: Tensor<2>,
    /// Frames between the pointer's frame and this one.
    pub t_diff: usize,
}

/// Everything a tracked frame is conditioned on, in order.
#[derive(Clone, Debug)]
pub struct Conditioning {
    /// Prompted frames, then the others from the farthest to the nearest; never empty.
    pub memories: Vec<MemorySlot>,
    /// Prompted frames' pointers, then the others from the nearest to the farthest.
    pub pointers: Vec<PointerSlot>,
    /// Scale of the pointers' distances: the smaller of the number of frames and 16.
    pub max_obj_ptrs: usize,
}

impl Sam2 {
    /// A frame whose mask is given.
    pub fn prompt_mask(
        &self,
        image: &ImageFeatures,
        prompt: &MaskPrompt,
        tables: &Tables,
    ) -> FrameOutput {
        self.use_mask_as_output(image, prompt, tables)
    }

    /// A frame with points or a box.
    ///
    /// `conditioning` is for corrections on a frame that was tracked before; `previous` are that
    /// frame's earlier logits `[1, 1, 4n, 4n]`.
    pub fn prompt_points(
        &self,
        image: &ImageFeatures,
        points: &[ModelPoint],
        previous: Option<Tensor<4>>,
        conditioning: Option<&Conditioning>,
        tables: &Tables,
    ) -> FrameOutput {
        let pix_feat = match conditioning {
            Some(conditioning) => self.condition(image, conditioning, tables),
            None => self.without_memory(image),
        };
        self.gate(self.answer_points(pix_feat, image, points, previous, tables))
    }

    /// What points or a box mean on a frame, as `SAM2ImagePredictor` answers a click: without memories, and whatever the object
    /// score, because who clicks sees the object.
    pub fn predict_points(
        &self,
        image: &ImageFeatures,
        points: &[ModelPoint],
        previous: Option<Tensor<4>>,
        tables: &Tables,
    ) -> FrameOutput {
        self.answer_points(self.without_memory(image), image, points, previous, tables)
    }

    fn answer_points(
        &self,
        pix_feat: Tensor<4>,
        image: &ImageFeatures,
        points: &[ModelPoint],
        previous: Option<Tensor<4>>,
        tables: &Tables,
    ) -> FrameOutput {
        let previous = previous.map(Self::clamp_previous);
        let prompt = HeadPrompt {
            points,
            mask: previous.as_ref(),
        };
        let multimask = points.len() <= 1;
        self.predict_mask(pix_feat, &image.high_res, prompt, multimask, tables)
    }

    /// A frame without prompts.
    pub fn track(
        &self,
        image: &ImageFeatures,
        conditioning: &Conditioning,
        tables: &Tables,
    ) -> FrameOutput {
        let pix_feat = self.condition(image, conditioning, tables);
        let prompt = HeadPrompt {
            points: &[],
            mask: None,
        };
        self.forward_sam_heads(pix_feat, &image.high_res, prompt, true, tables)
    }

    /// Features of a frame that attends to nothing.
    ///
    /// # Shapes
    /// - `[1, c, n, n]`
    pub fn without_memory(&self, image: &ImageFeatures) -> Tensor<4> {
        let [_, c, _, _] = image.embedding.dims();
        image.embedding.clone() + self.no_mem_embed.val().reshape([1, c, 1, 1])
    }

    /// Features conditioned on memories and pointers
    /// (`_prepare_memory_conditioned_features`).
    ///
    /// # Shapes
    /// - `[1, c, n, n]`
    pub fn condition(
        &self,
        image: &ImageFeatures,
        conditioning: &Conditioning,
        tables: &Tables,
    ) -> Tensor<4> {
        let [b, c, h, w] = image.embedding.dims();
        let curr = image.embedding.clone().flatten::<3>(2, 3).swap_dims(1, 2); // [1, n * n, c]
        let tokens = self.memory_tokens(conditioning, tables);
        let pos = tables.vision_pos_enc.clone();
        let fused = self
            .memory_attention
            .forward(curr, pos, &tokens, &tables.rope);
        fused.swap_dims(1, 2).reshape([b, c, h, w])
    }

    /// Where one token of a frame, counted row by row, looks in the memories it is conditioned on: the weight of each
    /// memory's tokens, then of the pointers'. They add up to one.
    ///
    /// # Shapes
    /// - `[memories * n * n + pointer tokens]`
    pub fn memory_weights(
        &self,
        image: &ImageFeatures,
        conditioning: &Conditioning,
        tables: &Tables,
        token: usize,
    ) -> Tensor<1> {
        let curr = image.embedding.clone().flatten::<3>(2, 3).swap_dims(1, 2); // [1, n * n, c]
        let tokens = self.memory_tokens(conditioning, tables);
        let pos = tables.vision_pos_enc.clone();
        self.memory_attention
            .weights(curr, pos, &tokens, &tables.rope, token)
    }

    /// Memories and pointers as one sequence, with their positions.
    pub fn memory_tokens(&self, conditioning: &Conditioning, tables: &Tables) -> MemoryTokens {
        let temporal = self.maskmem_tpos_enc.val().flatten::<3>(1, 2); // [7, 1, mem_dim]
        let (mut memory, mut pos) = (Vec::new(), Vec::new());
        for slot in &conditioning.memories {
            let in_time = |t_pos: usize| temporal.clone().narrow(0, NUM_MASKMEM - 1 - t_pos, 1);
            let spatial = tables.maskmem_pos_enc.clone();
            memory.push(slot.features.clone());
            pos.push(match slot.t_pos {
                Some(t_pos) => spatial + in_time(t_pos),
                None => spatial,
            });
        }
        let mut num_obj_ptr_tokens = 0;
        if !conditioning.pointers.is_empty() {
            let (tokens, positions) = self.pointer_tokens(conditioning);
            num_obj_ptr_tokens = tokens.dims()[1];
            memory.push(tokens);
            pos.push(positions);
        }
        MemoryTokens {
            memory: Tensor::cat(memory, 1),
            pos: Tensor::cat(pos, 1),
            num_obj_ptr_tokens,
        }
    }

    /// Pointers cut into tokens of the memory's width, with their temporal positions.
    ///
    /// # Shapes
    /// - both `[1, pointers * c / mem_dim, mem_dim]`
    fn pointer_tokens(&self, conditioning: &Conditioning) -> (Tensor<3>, Tensor<3>) {
        let pointers = conditioning.pointers.iter().map(|p| p.obj_ptr.clone());
        let pointers = Tensor::cat(pointers.collect(), 0); // [pointers, c]
        let [count, c] = pointers.dims();
        let scale = conditioning.max_obj_ptrs.saturating_sub(1).max(1) as f32;
        let distances = conditioning
            .pointers
            .iter()
            .map(|p| p.t_diff as f32 / scale);
        let distances: Vec<f32> = distances.collect();
        let encoded = get_1d_sine_pe(&distances, c, &pointers.device());
        let pos = self.obj_ptr_tpos_proj.forward(encoded); // [pointers, mem_dim]
        let [_, m] = pos.dims();
        let split = c / m;
        let pos = pos.unsqueeze_dim::<3>(1).expand([count, split, m]);
        (
            pointers.reshape([1, count * split, m]),
            pos.reshape([1, count * split, m]),
        )
    }

    /// What the host needs of a frame, as one tensor: the logits, then the predicted IoU, then
    /// the object score. One transfer instead of three.
    ///
    /// # Shapes
    /// - `[4n * 4n + 2]`
    pub fn pack_output(output: &FrameOutput) -> Tensor<1> {
        Tensor::cat(
            vec![
                output.low_res_masks.clone().flatten::<1>(0, 3),
                output.iou.clone().flatten::<1>(0, 1),
                output.object_score_logits.clone().flatten::<1>(0, 1),
            ],
            0,
        )
    }
}
