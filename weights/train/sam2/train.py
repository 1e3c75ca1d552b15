"""Trains a small SAM 2 on invented scans.

usage: train.py --out DIR [--start FILE] [--minutes M] [--seed S] [...]
The same command continues an interrupted run: DIR/state.pt holds its last state, DIR/log.csv its figures.  DIR/average.pt is the
exponential average of the weights, the one to evaluate and export.  One CPU thread, or one GPU with bf16 where there is one; the
same command with --help-out 1 puts a second core to the same run.
"""
import argparse
import copy
import csv
import math
import os
import time

import torch

import losses
import model as models
import optimiser
import scans
import together
import tracking

OBJECTS = 4  # followed in one clip: they share its images
COLUMNS = ["step", "seconds", "side", "rate", "loss", "mask", "iou", "presence", "dice", "copied", "stopped", "generating"]


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--start", help="checkpoint to start from; tensors that do not fit are left out")
    parser.add_argument("--minutes", type=float, default=85, help="the rate falls to zero at this time, over all continued runs")
    parser.add_argument("--stop-after", type=float, default=1e9, help="minutes of this call only")
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--tracks", type=int, help="objects followed in a step, at 128 pixels")
    parser.add_argument("--large", type=float, default=0.5, help="share of the time after which images have 256 pixels")
    parser.add_argument("--huge", type=float, default=0.0, help="share of the steps after that whose images have the pixels of --largest")
    parser.add_argument("--largest", type=int, default=512, choices=(384, 512))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=50, help="steps of one row of the log")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--help-out", type=int, metavar="N", help="not a run: the N-th helper, 1 or more, of the one in --out (see together.py)")
    parser.add_argument("--width", type=int, default=24)
    parser.add_argument("--d-model", type=int, default=64)
    parser.add_argument("--memory", type=int, default=32)
    parser.add_argument("--layers", type=int, default=2)
    return parser.parse_args()


def shape_of_step(generator, args, share, tracks):
    """(side, the scan's own pixels, clips, frames, of these only followed) of a step."""
    draw = lambda: float(torch.rand(1, generator=generator))
    kind, frames = draw(), (3, 4, 5, 6, 8, 12)[int(draw() * 6)]
    side, warm = 256 if share >= args.large else 128, 0
    if side == 256 and kind < args.huge:
        # Half of them a way as far as time allows, small organs being lost late.
        side, frames, warm = (args.largest, 13, 9) if kind < args.huge / 2 else (args.largest, min(frames, 5), 0)
    elif side == 256 and kind > 0.6:
        # A long way, after which what went wrong has to be lived with, and most objects have ended.
        side, frames, warm = (128, 32, 22) if kind > 0.8 else (256, 20, 14)
    grids = {128: (48, 64, 96, 128), 256: (48, 64, 96, 128, 192), 384: (96, 128, 192, 256, 384), 512: (128, 256, 512, 512)}[side]
    clips = max(1, round(tracks / OBJECTS * 128 * 5 / (side * (frames - warm // 2))))
    return side, grids[int(draw() * len(grids))], clips, frames, warm


class Run:
    def __init__(self, args):
        self.args = args
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.tracks = args.tracks or (384 if self.device.type == "cuda" else 16)
        torch.manual_seed(args.seed)
        size = models.Size(args.width, args.d_model, args.memory, args.layers)
        self.model = models.build(size).to(self.device)
        self.step, self.seconds = 0, 0.0
        missing = models.start_from(self.model, args.start) if args.start else None
        self.average = copy.deepcopy(self.model)
        self.optimisers = optimiser.optimisers(self.model, args.rate)
        os.makedirs(args.out, exist_ok=True)
        self.state_path = os.path.join(args.out, "state.pt")
        if args.help_out:
            self.args.seed += 1000 * args.help_out
            return
        if os.path.exists(self.state_path):
            self.restore()
        self.log = self.continued(os.path.join(args.out, "log.csv"))
        self.writer = csv.writer(self.log)
        if self.step == 0:
            self.writer.writerow(COLUMNS)
        print(f"{models.parameters(self.model) / 1e6:.2f} M parameters, {self.device}, step {self.step}, tensors not in the start: {missing}")

    def restore(self):
        state = torch.load(self.state_path, map_location=self.device)
        self.model.load_state_dict(state["model"]), self.average.load_state_dict(state["average"])
        [o.load_state_dict(s) for o, s in zip(self.optimisers, state["optimisers"])]
        self.step, self.seconds = state["step"], state["seconds"]

    def continued(self, path):
        """The log without the rows of steps that will be done again."""
        kept = []
        if self.step and os.path.exists(path):
            with open(path, newline="") as file:
                kept = [row for row in csv.reader(file) if row[0] == "step" or int(row[0]) <= self.step]
        log = open(path, "w", newline="")
        csv.writer(log).writerows(kept)
        log.flush()
        return log

    def save(self):
        out = self.args.out
        state = {"model": self.model.state_dict(), "average": self.average.state_dict(), "optimisers": [o.state_dict() for o in self.optimisers],
                 "step": self.step, "seconds": self.seconds}
        for name, value in (("state.pt", state), ("average.pt", {"model": self.average.state_dict()})):
            torch.save(value, os.path.join(out, name + ".part"))
            os.replace(os.path.join(out, name + ".part"), os.path.join(out, name))

    def rate(self, share):
        return self.args.rate * min(1.0, (self.step + 1) / 150) * (0.5 + 0.5 * math.cos(math.pi * min(1.0, share)))

    def one(self, share):
        """A step: its data depend on the seed and its number only."""
        plan = torch.Generator().manual_seed(self.args.seed * 1_000_003 + self.step)
        generator = torch.Generator(self.device).manual_seed(self.args.seed * 1_000_003 + self.step)
        side, grid, clips, frames, warm = shape_of_step(plan, self.args, share, self.tracks)
        began = time.time()
        with torch.no_grad():
            batch = scans.make(generator, clips, OBJECTS, frames, side, grid)
        generating = time.time() - began
        self.model.resize(side)
        # Its cache would hand weights that were cast without gradients, in a long way, to what is learnt from.
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda", cache_enabled=False):
            said = tracking.follow(self.model, batch, OBJECTS, generator, by_points=self.step % 12 == 11, warm=warm)
        loss, figures = losses.of_clip(said, batch.masks)
        rate = self.rate(share)
        for one in self.optimisers:
            one.zero_grad()
            for group in one.param_groups:
                group["lr"] = rate
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        if torch.isfinite(norm):
            for one in self.optimisers:
                one.step()
        models.average(self.average, self.model, min(0.9975, (self.step + 1) / (self.step + 10)))
        self.step += 1
        return figures | {"loss": loss.item(), "side": side, "rate": rate, "generating": generating}

    def report(self, recent):
        total = lambda key: sum(r[key] for r in recent)
        frames = total("frames")
        row = [self.step, round(self.seconds), recent[-1]["side"], f"{recent[-1]['rate']:.2e}", f"{total('loss') / len(recent):.4f}",
               *(f"{total(k) / frames:.4f}" for k in ("mask", "iou", "presence")),
               *(f"{total(k) / max(1, total('seen')):.4f}" for k in ("dice", "copied")),
               f"{total('stopped') / max(1, total('absent')):.4f}", f"{total('generating') / len(recent):.3f}"]
        self.writer.writerow(row), self.log.flush()
        print("  ".join(f"{name} {value}" for name, value in zip(COLUMNS, row)), flush=True)

    def run(self):
        began, before, recent, saved = time.time(), self.seconds, [], time.time()
        while True:
            share = self.seconds / (60 * self.args.minutes)
            recent.append(self.one(share))
            self.seconds = before + time.time() - began
            last = self.seconds >= 60 * self.args.minutes or time.time() - began >= 60 * self.args.stop_after
            if self.step % self.args.every == 0 or last:
                self.report(recent)
                recent = []
            if self.step % together.ROUND == 0:
                together.lead(self)
            if last or time.time() - saved > 120:
                self.save()
                saved = time.time()
            if last:
                return


if __name__ == "__main__":
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    if options.help_out:
        together.help_out(Run(options), options.help_out)
    else:
        Run(options).run()
