"""Goldens of the single boxes of the model: inputs and outputs, in forward order.

In: a predictor, RGB frames.  Out: one dict of tensors; see README.md for the keys.
"""
import contextlib

import numpy as np
import torch
import torch.nn.functional as F

from files import as_u8, ints
from predictor import preprocess, resize_u8
from sam2.modeling.position_encoding import PositionEmbeddingSine, apply_rotary_enc, compute_axial_cis
from sam2.modeling.sam2_utils import get_1d_sine_pe

# (height, width, S): up in both, down in both, up in one and down in the other
RESIZES = [(48, 64, 128), (200, 150, 96), (37, 301, 64)]


def _rng(seed):
    return np.random.Generator(np.random.PCG64(seed))


def _randn(seed, *shape):
    return torch.from_numpy(_rng(seed).standard_normal(shape).astype(np.float32))


@contextlib.contextmanager
def outputs(modules):
    """`modules`: name -> module; yields a dict that fills with name -> (positional inputs, keywords, output)."""
    seen, hooks = {}, []
    for name, module in modules.items():
        keep = lambda _m, args, kw, out, name=name: seen.__setitem__(name, (args, kw, out))
        hooks.append(module.register_forward_hook(keep, with_kwargs=True))
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def resizes():
    """PIL's resize of a grey slice with hard edges (so that it overshoots), and the two resizes of a mask prompt."""
    out = {}
    for i, (h, w, size) in enumerate(RESIZES):
        rng = _rng(100 + i)
        y, x = np.mgrid[0:h, 0:w]
        blob = np.hypot((y - 0.45 * h) / (0.3 * h), (x - 0.55 * w) / (0.28 * w)) < 1 + 0.15 * np.sin(0.4 * (x + y))
        grey = np.where(blob, 255, rng.integers(0, 120, (h, w))).astype(np.uint8)
        rgb = resize_u8(np.repeat(grey[..., None], 3, -1), size)
        assert (rgb == rgb[..., :1]).all()
        as_float = torch.from_numpy(blob)[None, None].float()
        smooth = dict(align_corners=False, mode="bilinear", antialias=True)
        model = (F.interpolate(as_float, size=(size, size), **smooth) >= 0.5).float()  # add_new_mask
        low = F.interpolate(model * 20 - 10, size=(size // 4, size // 4), **smooth)  # _use_mask_as_output
        out.update({f"resize.{i}.grey": as_u8(grey), f"resize.{i}.resized": as_u8(rgb[..., 0].copy()),
                    f"resize.{i}.mask": as_u8(blob), f"resize.{i}.mask_model": as_u8(model[0, 0].numpy()),
                    f"resize.{i}.mask_low_res": low[0, 0]})
    return out


def encodings():
    """Position encodings that need no weights."""
    out = {}
    for channels, h, w in ((32, 8, 8), (16, 8, 8), (16, 5, 7)):
        sine = PositionEmbeddingSine(num_pos_feats=channels, normalize=True, scale=None, temperature=10000)
        out[f"sine.{channels}.{h}x{w}"] = sine(torch.zeros(1, channels, h, w))
    positions = torch.tensor([0, 1, 2, 5, 15, -3, 40], dtype=torch.float32) / 15
    out["sine1d.positions"], out["sine1d.32"] = positions, get_1d_sine_pe(positions, dim=32)
    table = compute_axial_cis(dim=32, end_x=6, end_y=6)
    q, k = _randn(1, 1, 1, 36, 32), _randn(2, 1, 1, 3 * 36, 32)
    out["rope.q"], out["rope.k"] = q, k
    out["rope.q_rotated"], out["rope.k_rotated"] = apply_rotary_enc(q, k, table, repeat_freqs_k=True)
    return out


def image_encoder(model, frame):
    """One frame from its uint8 pixels to the features and encodings that the tracker uses."""
    size = model.image_size
    image = preprocess(frame[None], size)
    trunk = model.image_encoder.trunk
    named = {"patch_embed": trunk.patch_embed, **{f"blocks.{i}": b for i, b in enumerate(trunk.blocks)}}
    with outputs(named) as seen:
        raw = model.image_encoder(image)
    out = {"frame": as_u8(frame), "frame_resized": as_u8(resize_u8(frame, size)), "input": image,
           "trunk.pos_embed": trunk._get_pos_embed((size // 4, size // 4))}
    out.update({f"trunk.{name}": result for name, (_, _, result) in seen.items()})
    out.update({f"backbone_fpn.{i}": raw["backbone_fpn"][i].clone() for i in (1, 2)})  # level 0 shows in s0
    out.update({f"vision_pos_enc.{i}": raw["vision_pos_enc"][i] for i in (1, 2)})
    after = model.forward_image(image)["backbone_fpn"]
    out["high_res_feats.s0"], out["high_res_feats.s1"] = after[0], after[1]
    return out


def prompt_encoder(model):
    """Clicks of either sign, a box with a click, no prompt as the tracker gives it, and a mask."""
    encoder, size = model.sam_prompt_encoder, model.image_size
    coords = torch.tensor([[[0.2, 0.3], [0.71, 0.55], [0.5, 0.9]]]) * size
    low = _randn(3, 1, 1, size // 4, size // 4) * 6
    cases = {
        "points": (coords, ints([1, 0, 1])), "box": (coords, ints([2, 3, 1])),
        "none": (torch.zeros(1, 1, 2), ints([-1])),
    }
    out = {"prompt.dense_pe": encoder.get_dense_pe(), "prompt.mask.in": low}
    for name, (xy, labels) in cases.items():
        sparse, dense = encoder(points=(xy, labels[None]), boxes=None, masks=low if name == "box" else None)
        out.update({f"prompt.{name}.coords": xy, f"prompt.{name}.labels": labels[None],
                    f"prompt.{name}.sparse": sparse})
        if name == "box":
            out["prompt.mask.dense"] = dense
        else:
            out["prompt.no_mask.dense"] = dense
    return out


def mask_decoder(model, encoded, prompts):
    """Two-way transformer and raw decoder outputs for each prompt, on the frame's features + no_mem_embed."""
    decoder = model.sam_mask_decoder
    features = encoded["backbone_fpn.2"] + model.no_mem_embed.view(1, -1, 1, 1)
    out = {"decoder.image_embeddings": features}
    for name, dense in (("points", "no_mask"), ("box", "mask"), ("none", "no_mask")):
        with outputs({"twoway": decoder.transformer}) as seen:
            masks, ious, tokens, score = decoder.predict_masks(
                image_embeddings=features, image_pe=prompts["prompt.dense_pe"], repeat_image=False,
                sparse_prompt_embeddings=prompts[f"prompt.{name}.sparse"],
                dense_prompt_embeddings=prompts[f"prompt.{dense}.dense"],
                high_res_features=[encoded["high_res_feats.s0"], encoded["high_res_feats.s1"]])
        (src, pe, queries), _, (queries_out, keys_out) = seen["twoway"]
        out.update({f"twoway.{name}.image_embedding": src, f"twoway.{name}.point_embedding": queries,
                    f"twoway.{name}.queries": queries_out, f"twoway.{name}.keys": keys_out})
        out.update({f"decoder.{name}.all_masks": masks, f"decoder.{name}.all_ious": ious,
                    f"decoder.{name}.mask_tokens": tokens, f"decoder.{name}.object_score_logits": score})
    return out


def memory_encoder(model, encoded):
    size = model.image_size
    y, x = torch.meshgrid(torch.linspace(-1, 1, size), torch.linspace(-1, 1, size), indexing="ij")
    mask = (torch.sigmoid(12 * torch.sin(5 * x + 2 * y) * torch.cos(4 * y)) * 20 - 10)[None, None]
    result = model.memory_encoder(encoded["backbone_fpn.2"], mask, skip_mask_sigmoid=True)
    return {"memory_encoder.mask": mask, "memory_encoder.features": result["vision_features"],
            "memory_encoder.pos": result["vision_pos_enc"][0]}


def memory_attention(model):
    """Random inputs; (spatial memories, object pointers): one, a few, a full bank, and no pointer at all."""
    n, d, m = (model.image_size // 16) ** 2, model.hidden_dim, model.mem_dim
    out = {"memory_attention.curr": _randn(10, n, 1, d), "memory_attention.curr_pos": _randn(11, n, 1, d)}
    for spatial, pointers in ((1, 1), (3, 2), (7, 16), (2, 0)):
        tail = pointers * d // m
        memory, pos = _randn(20 + spatial, spatial * n + tail, 1, m), _randn(40 + spatial, spatial * n + tail, 1, m)
        with outputs({"first": model.memory_attention.layers[0]}) as seen:
            result = model.memory_attention(
                curr=[out["memory_attention.curr"]], curr_pos=[out["memory_attention.curr_pos"]],
                memory=memory, memory_pos=pos, num_obj_ptr_tokens=tail)
        own = f"memory_attention.{spatial}+{pointers}."
        out.update({own + "memory": memory, own + "memory_pos": pos, own + "num_obj_ptr_tokens": ints([tail]),
                    own + "layer0": seen["first"][2], own + "output": result})
    return out


def goldens(model, frame):
    encoded, prompts = image_encoder(model, frame), prompt_encoder(model)
    out = {**resizes(), **encodings(), **encoded, **prompts}
    out.update(mask_decoder(model, encoded, prompts))
    out.update(memory_encoder(model, encoded))
    out.update(memory_attention(model))
    return out
