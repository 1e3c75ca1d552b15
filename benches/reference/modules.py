"""What is timed: the parts that a slice goes through, as PyTorch modules on made-up inputs.

In: a model's name and an image size.  Out: `Part`s, the same as src/sam2/parts.rs has, with inputs by the same formula, so
that every engine computes the same numbers and they can be compared.
"""
import os
import sys
from dataclasses import dataclass

import numpy as np
import torch

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "golden"))

import make_reference
import models
import weights
from safetensors.torch import load_file

MODELS = ("nano", "tiny")
NANO_WEIGHTS = os.path.join(ROOT, "weights", "nano", "sam2-nano.safetensors")
# As src/sam2/parts.rs: memories and object pointers of the two memory attentions.
RECALLS = ((1, 1), (7, 16))
SAMPLES = 512


@dataclass
class Part:
    name: str
    module: torch.nn.Module
    inputs: dict  # name -> shape
    outputs: list  # names

    def __post_init__(self):
        self.module.eval()  # the wrapper too: the exporter puts its mode, and so Meta's dropout, back afterwards

    def feeds(self):
        return {name: made_up(shape, i) for i, (name, shape) in enumerate(self.inputs.items())}


def made_up(shape, index):
    """Input number `index` of a part: a sine, so that every language makes the same without a file."""
    count = int(np.prod(shape))
    return np.sin(np.arange(count, dtype=np.float64) * 0.7310585 + index).astype(np.float32).reshape(shape)


def samples(values):
    """Evenly spread values of an output; enough to tell whether two engines computed the same."""
    flat = np.asarray(values, dtype=np.float32).reshape(-1)
    stride = max(1, flat.size // SAMPLES)
    return [float(v) for v in flat[::stride][:SAMPLES]]


class ImageEncoder(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, image):
        s0, s1, embedding = self.model.forward_image(image)["backbone_fpn"]
        return embedding, s0, s1


class MemoryAttention(torch.nn.Module):
    def __init__(self, model, pointer_tokens):
        super().__init__()
        self.model, self.pointer_tokens = model, pointer_tokens

    def forward(self, current, current_pos, memory, memory_pos):  # [tokens, 1, channels]
        return self.model.memory_attention(
            curr=current, curr_pos=current_pos, memory=memory, memory_pos=memory_pos,
            num_obj_ptr_tokens=self.pointer_tokens)


class MaskDecoder(torch.nn.Module):
    """Tracking: no prompt, so `sparse` are two "not a point" tokens."""

    def __init__(self, model):
        super().__init__()
        self.model = model
        self.register_buffer("pe", model.sam_prompt_encoder.get_dense_pe())

    def forward(self, embedding, s0, s1, sparse, dense):
        return self.model.sam_mask_decoder.predict_masks(embedding, self.pe, sparse, dense, False, [s0, s1])


class MemoryEncoder(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, features, mask):
        return self.model.memory_encoder(features, mask, skip_mask_sigmoid=True)["vision_features"]


def state_dict(name):
    if name == "nano":
        return {key: value.float() for key, value in load_file(NANO_WEIGHTS).items()}
    return weights.random_state_dict(make_reference.build(256).state_dict())


def build(name, size, state):
    if name == "nano":
        return models.build(models.NANO, size, state)
    return make_reference.build(size, state)


def fix_position_embedding(model, size):
    """It depends on the size only: a constant, as every engine that is compared can have it."""
    trunk = model.image_encoder.trunk
    embedding = trunk._get_pos_embed((size // 4, size // 4))
    trunk._get_pos_embed = lambda hw: embedding


def parts(name, size, state):
    model = build(name, size, state)
    fix_position_embedding(model, size)
    n, c, m = size // 16, model.hidden_dim, model.mem_dim
    high_res = {"s0": (1, c // 8, 4 * n, 4 * n), "s1": (1, c // 4, 2 * n, 2 * n)}
    yield Part("image_encoder", ImageEncoder(model), {"image": (1, 3, size, size)}, ["embedding", "s0", "s1"])
    for memories, pointers in RECALLS:
        pointer_tokens = pointers * c // m
        tokens = memories * n * n + pointer_tokens
        inputs = {"current": (n * n, 1, c), "current_pos": (n * n, 1, c),
                  "memory": (tokens, 1, m), "memory_pos": (tokens, 1, m)}
        yield Part(f"memory_attention_{memories}", MemoryAttention(model, pointer_tokens), inputs, ["features"])
    inputs = {"embedding": (1, c, n, n), **high_res, "sparse": (1, 2, c), "dense": (1, c, n, n)}
    yield Part("mask_decoder", MaskDecoder(model), inputs, ["masks", "ious", "tokens", "object_score"])
    yield Part("memory_encoder", MemoryEncoder(model), {"features": (1, c, n, n), "mask": (1, 1, size, size)}, ["memory"])
