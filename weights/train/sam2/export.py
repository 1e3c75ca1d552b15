"""Writes the average of a run as the file that is shipped: Meta's keys, half floats.

usage: export.py CHECKPOINT.pt OUT.safetensors
"""
import sys

import torch
from safetensors.torch import save_file

import model as models


def main(path, out):
    # Loading it into the model says whether the keys are complete.
    tensors = models.load(path).state_dict()
    halves = {key: value.half().contiguous() for key, value in tensors.items()}
    broken = [key for key, value in halves.items() if not torch.isfinite(value).all()]
    if broken:
        sys.exit(f"{path}: not finite as half floats: {', '.join(broken)}")
    save_file(halves, out, metadata={"format": "pt", "made_by": "weights/train/sam2/export.py"})
    print(f"{out}: {len(halves)} tensors, {sum(v.numel() for v in halves.values())} parameters")


if __name__ == "__main__":
    main(*sys.argv[1:])
