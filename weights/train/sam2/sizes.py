"""A short table of runs: what other widths, depths and memories give in the same minutes of one core, each from a random start.

usage: sizes.py OUT [--minutes M] [--at-once N]
Each of SIZES is trained by train.py at 128 pixels, then follows the same invented clips, which no run has seen.  Printed is a table: the
parameters, the multiplications of one slice of 256 pixels with a full memory, the steps made, the loss of their last quarter, and of the
clips the Dice of whole tracks, the share of frames without the object left empty, and of those with it not lost.
"""
import argparse
import concurrent.futures
import csv
import os
import subprocess
import sys
import types

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

import calibrate
import model as models

SIZES = (models.Size(), models.Size(width=16), models.Size(width=32), models.Size(d_model=96), models.Size(memory=16), models.Size(memory=64),
         models.Size(layers=1), models.Size(layers=4))
SIDE = 128


def train(out, size, minutes):
    """The checkpoint of a run, its number of steps, and the mean loss of the last quarter of them."""
    here, folder = os.path.dirname(os.path.abspath(__file__)), os.path.join(out, "-".join(map(str, vars(size).values())))
    options = ["--width", size.width, "--d-model", size.d_model, "--memory", size.memory, "--layers", size.layers]
    call = [sys.executable, os.path.join(here, "train.py"), "--out", folder, "--minutes", minutes, "--large", 2, "--rate", 1e-3, *options]
    subprocess.run(list(map(str, call)), check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(folder, "log.csv"), newline="") as file:
        rows = [(int(row["step"]), float(row["loss"])) for row in csv.DictReader(file)]
    last = [loss for step, loss in rows if step > 0.75 * rows[-1][0]]
    return os.path.join(folder, "average.pt"), rows[-1][0], sum(last) / len(last)


def multiplications(size, side=256):
    """Of one tracked slice that sees a prompt, six memories and sixteen pointers."""
    model = models.build(size, side).requires_grad_(False)
    outputs = {t: {"maskmem_features": torch.zeros(1, size.memory, side // 16, side // 16), "obj_ptr": torch.zeros(1, size.d_model),
                   "maskmem_pos_enc": [torch.zeros(1, size.memory, side // 16, side // 16)]} for t in range(20)}
    bank = {"cond_frame_outputs": {0: outputs.pop(0)}, "non_cond_frame_outputs": outputs}
    # A fused attention's products would not be counted.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        seen = model.forward_image(torch.zeros(1, 3, side, side))
        _, features, positions, sizes = model._prepare_backbone_features(seen)
        model.track_step(20, False, features, positions, sizes, None, None, bank, 64)
    return counter.get_total_flops() / 2


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--minutes", type=float, default=6)
    parser.add_argument("--at-once", type=int, default=os.cpu_count())
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    with concurrent.futures.ThreadPoolExecutor(args.at_once) as pool:
        runs = list(pool.map(lambda size: train(args.out, size, args.minutes), SIZES))
    batches = calibrate.clips(types.SimpleNamespace(seed=1, clips=24, side=SIDE))
    print("| width | d_model | memory | layers | parameters | GMAC | steps | loss | Dice | stopped | found |\n|" + "---|" * 11)
    for size, (path, steps, loss) in zip(SIZES, runs):
        model = models.load(path, size, SIDE)
        found = (f"{value:.3f}" for value in calibrate.judge(model, batches))
        cells = (*vars(size).values(), f"{models.parameters(model) / 1e6:.2f} M", f"{multiplications(size) / 1e9:.2f}", steps, f"{loss:.2f}", *found)
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main()
