"""Seeded random weights in Meta's key layout, chosen so that no part of the model is silent.

In: a model.  Out: a state dict in which each tensor depends only on the seed, its own name and its shape, no tensor
is zero or one throughout, and every value is a float16 number (so a float16 file holds the very same model).
"""
import math
import re
import zlib

import numpy as np
import torch

SEED = 20261120
EMBEDDING = re.compile(
    r"point_embeddings\.\d|not_a_point_embed|no_mask_embed|iou_token|mask_tokens|obj_score_token")
# (pattern of the whole name, standard deviation): parameters that are no weight or bias of a layer
PLAIN = [
    (re.compile(r"positional_encoding_gaussian_matrix$"), 1.0),
    (re.compile(r"maskmem_tpos_enc$|^no_mem_(embed|pos_enc)$|pos_embed(_window)?$"), 0.5),
    (re.compile(r"^no_obj_(ptr|embed_spatial)$"), 0.7),
    (EMBEDDING, 0.8),
]
# (pattern, gain over 1/sqrt(fan in)): first hit wins
GAIN = [
    (re.compile(r"(q_proj|k_proj|attn\.qkv)\.weight$"), 1.5),  # peaky attention
    (re.compile(r"^memory_encoder\.mask_downsampler\.encoder\.0\."), 0.5),  # its inputs are -10..10
    (re.compile(r"(layers\.0|layers\.1|linear1)\.weight$"), 1.4),  # before a (Re|Ge)LU
]


def _noise(key, shape, seed):
    generator = np.random.Generator(np.random.PCG64([seed, zlib.crc32(key.encode())]))
    return generator.standard_normal(tuple(shape)).astype(np.float32)


def _layer_weight(key, shape, noise, tune):
    if key == "mask_downsample.weight":  # a 0/1 mask becomes about -6/+6
        return np.full_like(noise, 12.0 / 16) + 0.05 * noise
    if "output_upscaling" in key:  # transposed convolution with kernel = stride
        fan = shape[0]
    else:
        fan = math.prod(shape[1:])
    gain = next((g for pattern, g in GAIN if pattern.search(key)), 1.0)
    gain = next((g for pattern, g in tune.items() if re.search(pattern, key)), gain)
    return gain / math.sqrt(fan) * noise


def _tensor(key, shape, seed, tune):
    noise = _noise(key, shape, seed)
    deviation = next((d for pattern, d in PLAIN if pattern.search(key)), None)
    if deviation is not None:
        return deviation * noise
    leaf = key.rsplit(".", 1)[-1]
    if leaf == "gamma":  # ConvNeXt layer scale
        return 0.4 + 0.15 * noise
    if leaf == "bias":
        fixed = {"sam_mask_decoder.pred_obj_score_head.layers.2.bias": 2.0, "mask_downsample.bias": -6.0, **tune}
        return np.full_like(noise, fixed[key]) if key in fixed else 0.15 * noise
    if leaf == "weight" and len(shape) == 1:  # norms
        return 1.0 + 0.15 * noise
    if leaf == "weight":
        return _layer_weight(key, shape, noise, tune)
    raise KeyError(key)


def random_state_dict(template, seed=SEED, tune=None):
    """`template`: name -> anything with a shape.  `tune`: a regex -> gain of layer weights, a full name -> bias."""
    made = {}
    for key, value in template.items():
        array = _tensor(key, tuple(value.shape), seed, tune or {})
        made[key] = torch.from_numpy(np.ascontiguousarray(array)).reshape(value.shape).half().float()
    return made
