"""Meta's SAM 2.1 classes at the small configurations of this project: `MICRO` (goldens) and `NANO` (trained).

In: a `Config` and an image size.  Out: an initialised `SAM2VideoPredictor` in eval mode, with the options that
`build_sam2_video_predictor(..., apply_postprocessing=True)` sets for the official sizes.
"""
from dataclasses import dataclass

from sam2.modeling.backbones.hieradet import Hiera
from sam2.modeling.backbones.image_encoder import FpnNeck, ImageEncoder
from sam2.modeling.memory_attention import MemoryAttention, MemoryAttentionLayer
from sam2.modeling.memory_encoder import CXBlock, Fuser, MaskDownSampler, MemoryEncoder
from sam2.modeling.position_encoding import PositionEmbeddingSine
from sam2.modeling.sam.transformer import RoPEAttention
from sam2.sam2_video_predictor import SAM2VideoPredictor


@dataclass(frozen=True)
class Config:
    """What differs between our sizes; all the rest is as in sam2.1_hiera_t.yaml."""

    embed_dim: int  # of the trunk's first stage; doubles with each stage
    stages: tuple  # blocks of each stage
    global_att_blocks: tuple
    window_spec: tuple
    d_model: int
    mem_dim: int  # a pointer is d_model / mem_dim tokens
    feed_forward: int  # of memory attention
    num_heads: int = 1
    attention_layers: int = 2


# Windows of 6 and 3 do not divide the grids 8 and 4 of a 128-pixel image, so tokens are padded in several windows.
MICRO = Config(embed_dim=8, stages=(1, 2, 3, 1), global_att_blocks=(5,), window_spec=(8, 4, 6, 3),
               d_model=32, mem_dim=16, feed_forward=128)
NANO = Config(embed_dim=24, stages=(1, 2, 3, 1), global_att_blocks=(5,), window_spec=(8, 4, 8, 4),
              d_model=64, mem_dim=32, feed_forward=256)

# sam2.1_hiera_t.yaml, then what build_sam2_video_predictor adds.
TRACKER = dict(
    num_maskmem=7, sigmoid_scale_for_mem_enc=20.0, sigmoid_bias_for_mem_enc=-10.0,
    use_mask_input_as_output_without_sam=True, directly_add_no_mem_embed=True, no_obj_embed_spatial=True,
    use_high_res_features_in_sam=True, multimask_output_in_sam=True, iou_prediction_use_sigmoid=True,
    use_obj_ptrs_in_encoder=True, add_tpos_enc_to_obj_ptrs=True, proj_tpos_enc_in_obj_ptrs=True,
    use_signed_tpos_enc_to_obj_ptrs=True, only_obj_ptrs_in_the_past_for_eval=True,
    pred_obj_scores=True, pred_obj_scores_mlp=True, fixed_no_obj_ptr=True, multimask_output_for_tracking=True,
    use_multimask_token_for_obj_ptr=True, multimask_min_pt_num=0, multimask_max_pt_num=1,
    use_mlp_for_obj_ptr_proj=True,
    binarize_mask_from_pts_for_mem_enc=True,
    # Meta sets 8, but the hole filling is a CUDA extension and is skipped on a CPU; 0 skips it without a warning.
    fill_hole_area=0,
)
DECODER_EXTRA = dict(dynamic_multimask_via_stability=True, dynamic_multimask_stability_delta=0.05,
                     dynamic_multimask_stability_thresh=0.98)


def _sine(channels):
    return PositionEmbeddingSine(num_pos_feats=channels, normalize=True, scale=None, temperature=10000)


def _image_encoder(c):
    trunk = Hiera(embed_dim=c.embed_dim, num_heads=c.num_heads, stages=c.stages, window_spec=c.window_spec,
                  global_att_blocks=c.global_att_blocks, window_pos_embed_bkg_spatial_size=(7, 7))
    neck = FpnNeck(position_encoding=_sine(c.d_model), d_model=c.d_model,
                   backbone_channel_list=[c.embed_dim * m for m in (8, 4, 2, 1)],
                   fpn_top_down_levels=[2, 3], fpn_interp_model="nearest")
    return ImageEncoder(trunk=trunk, neck=neck, scalp=1)


def _memory_attention(c, grid):
    rope = dict(rope_theta=10000.0, feat_sizes=[grid, grid], embedding_dim=c.d_model, num_heads=1, downsample_rate=1)
    layer = MemoryAttentionLayer(
        activation="relu", dim_feedforward=c.feed_forward, dropout=0.0, d_model=c.d_model, pos_enc_at_attn=False,
        pos_enc_at_cross_attn_keys=True, pos_enc_at_cross_attn_queries=False,
        self_attention=RoPEAttention(**rope),
        cross_attention=RoPEAttention(rope_k_repeat=True, kv_in_dim=c.mem_dim, **rope))
    return MemoryAttention(d_model=c.d_model, pos_enc_at_input=True, layer=layer, num_layers=c.attention_layers)


def _memory_encoder(c):
    block = CXBlock(dim=c.d_model, kernel_size=7, padding=3, layer_scale_init_value=1e-6, use_dwconv=True)
    return MemoryEncoder(
        out_dim=c.mem_dim, in_dim=c.d_model, position_encoding=_sine(c.mem_dim), fuser=Fuser(block, num_layers=2),
        mask_downsampler=MaskDownSampler(embed_dim=c.d_model, kernel_size=3, stride=2, padding=1))


def build(config, image_size, state_dict=None):
    """Meta's video predictor (a SAM2Base too) holding exactly the tensors of `state_dict` (None: Meta's own start)."""
    model = SAM2VideoPredictor(
        image_encoder=_image_encoder(config), memory_attention=_memory_attention(config, image_size // 16),
        memory_encoder=_memory_encoder(config), image_size=image_size,
        sam_mask_decoder_extra_args=dict(DECODER_EXTRA), **TRACKER)
    if state_dict is not None:
        model.load_state_dict(state_dict, strict=True)
    return model.requires_grad_(False).eval()
