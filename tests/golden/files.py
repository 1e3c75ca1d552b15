"""Writing goldens: contiguous tensors into safetensors files, and an index of every name, dtype and shape."""
import json
import os

import torch
from safetensors.torch import save_file

SHORT = {torch.float32: "f32", torch.float16: "f16", torch.uint8: "u8", torch.int32: "i32"}


class Folder:
    """A directory of goldens with its index."""

    def __init__(self, path):
        self.path, self.index = path, {}
        os.makedirs(path, exist_ok=True)

    def save(self, name, tensors):
        tensors = {k: v.detach().clone().contiguous() for k, v in sorted(tensors.items())}
        path = os.path.join(self.path, name)
        save_file(tensors, path)
        os.chmod(path, 0o644)
        self.index[name] = {k: [SHORT[v.dtype], list(v.shape)] for k, v in tensors.items()}
        print(f"{name}: {len(tensors)} tensors, {os.path.getsize(path) / 1e3:.0f} kB", flush=True)

    def write_index(self):
        lines = []
        for name in sorted(self.index):
            rows = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in self.index[name].items())
            lines.append(f"{json.dumps(name)}: {{\n{rows}\n}}")
        with open(os.path.join(self.path, "index.json"), "w") as file:
            file.write("{\n" + ",\n".join(lines) + "\n}\n")


def ints(values):
    return torch.tensor(list(values), dtype=torch.int32)


def as_u8(array):
    """A bool or uint8 numpy array (or bool tensor) as a uint8 tensor."""
    return torch.as_tensor(array).to(torch.uint8)
