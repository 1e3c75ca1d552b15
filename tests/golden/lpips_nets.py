"""LPIPS by its own package (`lpips` 0.1.4): distances, their terms and a difference map, with made-up weights; and the
distances of the network that is part of the repository, by its training code.

No made-up weights are stored: both sides compute them from the same formula.  Element i of the tensor named `key` is

    h = fnv1a32(key) + i * 0x9E3779B1            (mod 2^32, as all below)
    h = (h ^ h >> 16) * 0x85EBCA6B;  h = (h ^ h >> 13) * 0xC2B2AE35;  h = h ^ h >> 16
    u = ((h >> 8) - 2^23) / 2^23                  in -1..1, exact in f32

convolution weights are u * f32(sqrt(6 / fan_in)), biases u * 0.125, heads max(u, 0).  So every product is rounded once.
"""
import math
import os
import sys

import lpips
import numpy as np
import torch
from PIL import Image, ImageFilter

from clips import clip

WEIGHTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../weights")
sys.path.append(os.path.join(WEIGHTS, "train/lpips"))
import network  # the shipped network's own code

TINY = os.path.join(WEIGHTS, "lpips-tiny/lpips-tiny.safetensors")
NETS = ("alex", "squeeze", "vgg")


def _units(key, count):
    state = 0x811C9DC5
    for byte in key.encode():
        state = ((state ^ byte) * 0x01000193) & 0xFFFFFFFF
    h = np.uint32(state) + np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1)
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    h = h ^ (h >> np.uint32(16))
    return ((h >> np.uint32(8)).astype(np.int32) - (1 << 23)).astype(np.float32) / np.float32(1 << 23)


def weight(key, shape):
    units = _units(key, math.prod(shape))
    if key.startswith("lin"):
        values = np.maximum(units, 0)
    elif key.endswith("bias"):
        values = units * np.float32(0.125)
    else:
        values = units * np.float32(math.sqrt(6 / math.prod(shape[1:])))
    return torch.from_numpy(values.astype(np.float32)).reshape(shape)


def model(net, spatial):
    built = lpips.LPIPS(net=net, pretrained=False, pnet_rand=True, spatial=spatial, verbose=False)
    state = built.state_dict()
    for key, value in state.items():
        if key.startswith("net."):  # net.slice<n>.<i>.weight is torchvision's features.<i>.weight
            value.copy_(weight("features." + key.split(".", 2)[2], tuple(value.shape)))
        elif key.startswith("lin") and not key.startswith("lins."):  # `lins` holds the same tensors once more
            value.copy_(weight(key, tuple(value.shape)))
    return built


def _pairs():
    frame = clip(2, 64, 64, seed=21)[0]
    a = frame[0]
    rng = np.random.Generator(np.random.PCG64(3))
    noisy = np.clip(a + 20 * rng.standard_normal(a.shape), 0, 255).astype(np.uint8)
    blurred = np.array(Image.fromarray(a).filter(ImageFilter.GaussianBlur(2)))
    odd = clip(2, 75, 101, seed=9)[0]
    grey = np.repeat(clip(2, 49, 86, seed=10)[0].mean(-1, keepdims=True).astype(np.uint8), 3, -1)
    return {"identical": (a, a), "next": (a, frame[1]), "noise": (a, noisy), "blur": (a, blurred),
            "shift": (a, np.roll(a, 3, 1)), "dark": (a, (a * 0.7).astype(np.uint8)),
            "odd": (odd[0], odd[1]), "grey": (grey[0], grey[1])}


def _input(image):
    return torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None] / 127.5 - 1


def goldens():
    pairs = _pairs()
    out = {}
    for name, (a, b) in pairs.items():
        out[f"{name}.a"], out[f"{name}.b"] = torch.from_numpy(a.copy()), torch.from_numpy(b.copy())
    for net in NETS:
        plain, spatial = model(net, False), model(net, True)
        for name, (a, b) in pairs.items():
            distance, terms = plain(_input(a), _input(b), retPerLayer=True)
            out[f"{net}.{name}.distance"] = distance.flatten()
            out[f"{net}.{name}.terms"] = torch.stack([term.flatten() for term in terms]).flatten()
        out[f"{net}.odd.map"] = spatial(*map(_input, pairs["odd"]))
    tiny = network.load(TINY, network.TINY)
    for name, (a, b) in pairs.items():
        distance = tiny.terms(tiny(torch.cat([_input(a), _input(b)])), [0], [1]).sum(1)
        out[f"tiny.{name}.distance"] = distance
    return out
