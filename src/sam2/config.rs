//! Every number of the architecture, on one screen.
//!
//! Source: `configs/sam2.1/sam2.1_hiera_*.yaml` as `build_sam2_video_predictor` reads them.
//! Flags that have one value in every SAM 2.1 checkpoint are not options here but the code:
//! `use_mask_input_as_output_without_sam`, `directly_add_no_mem_embed`, `no_obj_embed_spatial`,
//! `use_high_res_features_in_sam`, `multimask_output_in_sam`, `multimask_output_for_tracking`
//! (0 to 1 points), `use_multimask_token_for_obj_ptr`, `iou_prediction_use_sigmoid`,
//! `use_obj_ptrs_in_encoder` with signed, projected temporal encoding of pointers in the past,
//! `pred_obj_scores` by an MLP, `fixed_no_obj_ptr`, `use_mlp_for_obj_ptr_proj`,
//! `binarize_mask_from_pts_for_mem_enc`, `dynamic_multimask_via_stability`. All are on;
//! `soft_no_obj_ptr`, `non_overlap_masks_for_mem_enc`, `max_cond_frames_in_attn` and hole
//! filling (which needs Meta's CUDA extension) are off.

/// Stride of the features that memory and decoder work on, in model pixels.
pub const BACKBONE_STRIDE: usize = 16;
/// Memories that one frame attends to: the prompted frames' slot and six previous frames.
pub const NUM_MASKMEM: usize = 7;
/// Object pointers that one frame attends to, at most (`max_obj_ptrs_in_encoder`).
pub const MAX_OBJ_PTRS: usize = 16;
/// Mask logits go to the memory encoder as `sigmoid(x) * SCALE + BIAS`.
pub const SIGMOID_SCALE_FOR_MEM_ENC: f32 = 20.0;
/// See [`SIGMOID_SCALE_FOR_MEM_ENC`]; a prompted mask becomes logits the same way.
pub const SIGMOID_BIAS_FOR_MEM_ENC: f32 = -10.0;
/// Logit of every pixel where the object is absent.
pub const NO_OBJ_SCORE: f32 = -1024.0;
/// Bound on earlier logits that are fed back with corrective points.
pub const PREV_LOGITS_CLAMP: f32 = 32.0;
/// Logit margin of the stability score.
pub const STABILITY_DELTA: f32 = 0.05;
/// A single mask less stable than this gives way to the best of three.
pub const STABILITY_THRESH: f32 = 0.98;
/// Ambiguity-aware masks beside the single one.
pub const NUM_MULTIMASK_OUTPUTS: usize = 3;
/// Two-way transformer: layers, heads, width of its MLP, narrowing of its cross attention.
pub const TWO_WAY_DEPTH: usize = 2;
/// See [`TWO_WAY_DEPTH`].
pub const TWO_WAY_HEADS: usize = 8;
/// See [`TWO_WAY_DEPTH`].
pub const TWO_WAY_MLP_DIM: usize = 2048;
/// See [`TWO_WAY_DEPTH`].
pub const TWO_WAY_DOWNSAMPLE: usize = 2;
/// Width and depth of the IoU head.
pub const IOU_HEAD_HIDDEN_DIM: usize = 256;
/// See [`IOU_HEAD_HIDDEN_DIM`].
pub const IOU_HEAD_DEPTH: usize = 3;
/// Channels inside the prompt encoder's mask branch.
pub const MASK_IN_CHANS: usize = 16;
/// Base of the rotary and the sine encodings.
pub const TEMPERATURE: f32 = 10_000.0;
/// How much of the position encoding is added to memory attention's input.
pub const POS_ENC_AT_INPUT: f32 = 0.1;
/// Hiera's MLPs are this much wider than their blocks.
pub const HIERA_MLP_RATIO: usize = 4;
/// Mean of each colour channel, of values in 0 to 1.
pub const IMAGE_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// Standard deviation of each colour channel.
pub const IMAGE_STD: [f32; 3] = [0.229, 0.224, 0.225];

/// The trunk (`backbones/hieradet.py`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HieraConfig {
    /// Channels of the first stage; each stage doubles them.
    pub embed_dim: usize,
    /// Attention heads of the first stage; each stage doubles them.
    pub num_heads: usize,
    /// Blocks per stage.
    pub stages: [usize; 4],
    /// Blocks that attend over the whole image.
    pub global_att_blocks: Vec<usize>,
    /// Side of the coarse position embedding.
    pub window_pos_embed_bkg_spatial_size: usize,
    /// Window of each stage, in tokens.
    pub window_spec: [usize; 4],
}

impl HieraConfig {
    /// Channels after each stage, shallow to deep.
    pub fn channels(&self) -> [usize; 4] {
        [1, 2, 4, 8].map(|m| m * self.embed_dim)
    }
}

/// A SAM 2.1 model; see the constructors for the published sizes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sam2Config {
    /// Name in the manifest.
    pub name: String,
    /// The trunk.
    pub trunk: HieraConfig,
    /// Channels of features, tokens and pointers (`hidden_dim`, `d_model`).
    pub d_model: usize,
    /// Channels of a memory (`mem_dim`); a pointer is `d_model / mem_dim` tokens.
    pub mem_dim: usize,
    /// Layers of memory attention.
    pub memory_attention_layers: usize,
    /// Width of memory attention's feed-forward.
    pub dim_feedforward: usize,
}

impl Sam2Config {
    fn meta(name: &str, trunk: HieraConfig) -> Self {
        Self {
            name: name.into(),
            trunk,
            d_model: 256,
            mem_dim: 64,
            memory_attention_layers: 4,
            dim_feedforward: 2048,
        }
    }

    /// `sam2.1_hiera_tiny`, 38.9 M parameters.
    pub fn tiny() -> Self {
        Self::meta(
            "tiny",
            hiera(96, 1, [1, 2, 7, 2], &[5, 7, 9], 7, [8, 4, 14, 7]),
        )
    }

    /// `sam2.1_hiera_small`, 46 M parameters.
    pub fn small() -> Self {
        Self::meta(
            "small",
            hiera(96, 1, [1, 2, 11, 2], &[7, 10, 13], 7, [8, 4, 14, 7]),
        )
    }

    /// `sam2.1_hiera_base_plus`, 80.8 M parameters.
    pub fn base_plus() -> Self {
        Self::meta(
            "base-plus",
            hiera(112, 2, [2, 3, 16, 3], &[12, 16, 20], 14, [8, 4, 14, 7]),
        )
    }

    /// `sam2.1_hiera_large`, 224.4 M parameters.
    pub fn large() -> Self {
        Self::meta(
            "large",
            hiera(144, 2, [2, 6, 36, 4], &[23, 33, 43], 7, [8, 4, 16, 8]),
        )
    }

    /// Our small model, trained on procedural scans, 2 M parameters.
    pub fn nano() -> Self {
        Self {
            name: "nano".into(),
            trunk: hiera(24, 1, [1, 2, 3, 1], &[5], 7, [8, 4, 8, 4]),
            d_model: 64,
            mem_dim: 32,
            memory_attention_layers: 2,
            dim_feedforward: 256,
        }
    }

    /// All named configurations.
    pub fn all() -> Vec<Self> {
        vec![
            Self::nano(),
            Self::tiny(),
            Self::small(),
            Self::base_plus(),
            Self::large(),
        ]
    }
}

fn hiera(
    embed_dim: usize,
    num_heads: usize,
    stages: [usize; 4],
    global_att_blocks: &[usize],
    window_pos_embed_bkg_spatial_size: usize,
    window_spec: [usize; 4],
) -> HieraConfig {
    HieraConfig {
        embed_dim,
        num_heads,
        stages,
        global_att_blocks: global_att_blocks.to_vec(),
        window_pos_embed_bkg_spatial_size,
        window_spec,
    }
}
