"""The weighted mean of several checkpoints of one size: runs that went on from each other, each good at something else.

usage: mean.py OUT.pt A.pt=0.5 B.safetensors=0.5 ...    the weights are brought to a sum of 1
"""
import sys

import torch

import model as models


def main(out, *parts):
    paths, shares = zip(*(part.rsplit("=", 1) for part in parts))
    shares = [float(share) / sum(map(float, shares)) for share in shares]
    states = [models.values(path) for path in paths]
    torch.save({"model": {key: sum(share * state[key] for share, state in zip(shares, states)) for key in states[0]}}, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
