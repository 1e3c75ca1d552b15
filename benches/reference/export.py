"""Writes what the other engines run: each part as ONNX, the weights as safetensors, and PyTorch's answers.

usage: export.py DIR MODEL SIZE...
Writes DIR/MODEL.safetensors, and for each size and part DIR/MODEL_SIZE_PART.onnx and a .json of the same name: shapes of the
inputs, names of the outputs, samples of PyTorch's outputs.  What is there already is left alone.
"""
import json
import os
import sys
import warnings

warnings.filterwarnings("ignore")

import onnxruntime
import torch
from safetensors.torch import save_file
from sam2.modeling.sam import transformer

import modules

# The largest error of onnxruntime, of the largest value of an output: both are f32 and differ in the order of sums only.
MAX_ERROR = 1e-3


def rotate(x, cos, sin):
    """apply_rotary_enc without complex numbers, which ONNX does not have."""
    even, odd = x.reshape(*x.shape[:-1], -1, 2).unbind(-1)
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


def rope_attention(self, q, k, v, num_k_exclude_rope=0):
    """RoPEAttention.forward, by `rotate`."""
    q, k, v = (self._separate_heads(project(x), self.num_heads)
               for project, x in ((self.q_proj, q), (self.k_proj, k), (self.v_proj, v)))
    cos, sin = self.freqs_cis.real.float(), self.freqs_cis.imag.float()
    turned = k.shape[-2] - num_k_exclude_rope
    repeats = turned // q.shape[-2] if self.rope_k_repeat else 1
    keys = rotate(k[:, :, :turned], cos.repeat(repeats, 1), sin.repeat(repeats, 1))
    k = torch.cat((keys, k[:, :, turned:]), 2) if num_k_exclude_rope else keys
    attended = torch.nn.functional.scaled_dot_product_attention(rotate(q, cos, sin), k, v)
    return self.out_proj(self._recombine_heads(attended))


def answers(module, feeds):
    out = module(*(torch.from_numpy(x) for x in feeds.values()))
    return [x.numpy() for x in (out if isinstance(out, (tuple, list)) else (out,))]


def export(part, feeds, path):
    """The part as ONNX, with one file for graph and weights."""
    original = transformer.RoPEAttention.forward
    transformer.RoPEAttention.forward = rope_attention
    try:
        torch.onnx.export(
            part.module, tuple(torch.from_numpy(x) for x in feeds.values()), path, input_names=list(part.inputs),
            output_names=part.outputs, opset_version=17, dynamo=False, do_constant_folding=True)
    finally:
        transformer.RoPEAttention.forward = original


def write(part, stem):
    if os.path.exists(f"{stem}.json"):
        return
    feeds = part.feeds()
    expected = answers(part.module, feeds)
    export(part, feeds, f"{stem}.onnx")
    session = onnxruntime.InferenceSession(f"{stem}.onnx", providers=["CPUExecutionProvider"])
    for name, got, want in zip(part.outputs, session.run(part.outputs, feeds), expected):
        error = abs(got - want).max() / abs(want).max()
        assert error < MAX_ERROR, f"{stem}: {name} differs from PyTorch by {error:.1e} of its largest value"
    about = {
        "inputs": {name: list(shape) for name, shape in part.inputs.items()},
        "outputs": {name: modules.samples(x) for name, x in zip(part.outputs, expected)},
    }
    with open(f"{stem}.json", "w") as file:
        json.dump(about, file)


def main(directory, name, sizes):
    os.makedirs(directory, exist_ok=True)
    state = modules.state_dict(name)
    if not os.path.exists(f"{directory}/{name}.safetensors"):
        save_file(state, f"{directory}/{name}.safetensors")
    for size in sizes:
        for part in modules.parts(name, size, state):
            write(part, f"{directory}/{name}_{size}_{part.name}")


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    main(sys.argv[1], sys.argv[2], [int(size) for size in sys.argv[3:]])
