"""Meta's SAM2Base at the size of `Sam2Config::nano()` (src/sam2/config.rs) or near it, and its checkpoints.

In: a `Size`, a checkpoint (.pt or .safetensors).  Out: the model, with inference's switches, at any image size.
"""
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from sam2.modeling.backbones.hieradet import Hiera
from sam2.modeling.backbones.image_encoder import FpnNeck, ImageEncoder
from sam2.modeling.memory_attention import MemoryAttention, MemoryAttentionLayer
from sam2.modeling.memory_encoder import CXBlock, Fuser, MaskDownSampler, MemoryEncoder
from sam2.modeling.position_encoding import PositionEmbeddingSine
from sam2.modeling.sam.transformer import RoPEAttention
from sam2.modeling.sam2_base import SAM2Base
from sam2.modeling.sam2_utils import LayerNorm2d

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Size:
    """What the runs of the architecture table vary."""
    width: int = 24
    d_model: int = 64
    memory: int = 32
    layers: int = 2


def sine(channels):
    return PositionEmbeddingSine(num_pos_feats=channels, normalize=True, scale=None, temperature=10000)


def attention(side, size, **options):
    return RoPEAttention(rope_theta=10000.0, feat_sizes=[side, side], embedding_dim=size.d_model, num_heads=1,
                         downsample_rate=1, dropout=0.0, **options)


def encoder(size):
    trunk = Hiera(embed_dim=size.width, num_heads=1, stages=(1, 2, 3, 1), global_att_blocks=(5,), window_spec=(8, 4, 8, 4),
                  window_pos_embed_bkg_spatial_size=(7, 7), drop_path_rate=0.0)
    neck = FpnNeck(position_encoding=sine(size.d_model), d_model=size.d_model, fpn_top_down_levels=[2, 3],
                   backbone_channel_list=[m * size.width for m in (8, 4, 2, 1)], fpn_interp_model="nearest")
    return ImageEncoder(trunk=trunk, neck=neck, scalp=1)


def memory_attention(size, side):
    layer = MemoryAttentionLayer(
        activation="relu", dim_feedforward=4 * size.d_model, dropout=0.0, d_model=size.d_model, pos_enc_at_attn=False,
        pos_enc_at_cross_attn_keys=True, pos_enc_at_cross_attn_queries=False, self_attention=attention(side, size),
        cross_attention=attention(side, size, rope_k_repeat=True, kv_in_dim=size.memory))
    return MemoryAttention(d_model=size.d_model, pos_enc_at_input=True, layer=layer, num_layers=size.layers)


def memory_encoder(size):
    block = CXBlock(dim=size.d_model, kernel_size=7, padding=3, layer_scale_init_value=0.1, use_dwconv=True)
    return MemoryEncoder(out_dim=size.memory, in_dim=size.d_model, position_encoding=sine(size.memory), fuser=Fuser(block, num_layers=2),
                         mask_downsampler=MaskDownSampler(embed_dim=size.d_model, kernel_size=3, stride=2, padding=1))


def normed(self, x):
    """LayerNorm2d in one operation: Meta's takes seven, which is what a small model's time goes into."""
    return F.layer_norm(x.permute(0, 2, 3, 1), self.weight.shape, self.weight, self.bias, self.eps).permute(0, 3, 1, 2)


LayerNorm2d.forward = normed


class Tracker(SAM2Base):
    """SAM2Base that also keeps what the decoder said, before an absent object's masks are overwritten: losses need that."""

    raw = None

    def _forward_sam_heads(self, *args, **kwargs):
        hook = self.sam_mask_decoder.register_forward_hook(self._keep)
        try:
            return super()._forward_sam_heads(*args, **kwargs)
        finally:
            hook.remove()

    def _keep(self, _module, _inputs, output):
        self.raw = output

    def resize(self, side):
        """From now on images are `side` pixels wide."""
        self.image_size, grid = side, side // 16
        self.sam_image_embedding_size = grid
        prompts = self.sam_prompt_encoder
        prompts.image_embedding_size, prompts.input_image_size = (grid, grid), (side, side)
        prompts.mask_input_size = (side // 4, side // 4)


def build(size=Size(), side=128):
    model = Tracker(
        image_encoder=encoder(size), memory_attention=memory_attention(size, side // 16), memory_encoder=memory_encoder(size),
        num_maskmem=7, image_size=side, sigmoid_scale_for_mem_enc=20.0, sigmoid_bias_for_mem_enc=-10.0,
        use_mask_input_as_output_without_sam=True, directly_add_no_mem_embed=True, no_obj_embed_spatial=True,
        use_high_res_features_in_sam=True, multimask_output_in_sam=True, iou_prediction_use_sigmoid=True,
        use_obj_ptrs_in_encoder=True, add_tpos_enc_to_obj_ptrs=True, proj_tpos_enc_in_obj_ptrs=True,
        use_signed_tpos_enc_to_obj_ptrs=True, only_obj_ptrs_in_the_past_for_eval=True, pred_obj_scores=True,
        pred_obj_scores_mlp=True, fixed_no_obj_ptr=True, multimask_output_for_tracking=True,
        use_multimask_token_for_obj_ptr=True, multimask_min_pt_num=0, multimask_max_pt_num=1, use_mlp_for_obj_ptr_proj=True,
        binarize_mask_from_pts_for_mem_enc=True)
    # Neither dropout nor stochastic depth is on, so inference's mode only switches what training mode does otherwise.
    model.eval()
    model.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
    model.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)
    return model


def values(path):
    """The tensors of a checkpoint as floats."""
    if str(path).endswith(".safetensors"):
        from safetensors.torch import load_file
        state = load_file(path)
    else:
        state = torch.load(path, map_location="cpu")
        state = state.get("model", state)
    return {key: value.float() for key, value in state.items()}


def load(path, size=Size(), side=256):
    model = build(size, side)
    model.load_state_dict(values(path))
    return model


def start_from(model, path):
    """Takes every tensor of a checkpoint that fits; the others keep their random start.  Returns how many did not fit."""
    own, given = model.state_dict(), values(path)
    fit = {k: v for k, v in given.items() if k in own and own[k].shape == v.shape}
    model.load_state_dict(fit, strict=False)
    return len(own) - len(fit)


def average(into, model, keep):
    """`into` moves towards `model`: the exponential average that is shipped."""
    with torch.no_grad():
        target, source = list(into.parameters()), list(model.parameters())
        torch._foreach_mul_(target, keep)
        torch._foreach_add_(target, source, alpha=1 - keep)


def parameters(model):
    return sum(p.numel() for p in model.parameters())
