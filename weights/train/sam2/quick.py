"""Figures on real scans with Meta's own code, in a minute or two: all labels of a scan, both ways, in one batch.  For looking at a run
while it goes on; `evaluate.py` gives the figures that count.  Needs nibabel.

usage: quick.py FOLDER [--sets NAME...] [--most N] [--side S] --models CHECKPOINT...
FOLDER is written by prepare.py.  The columns are those of evaluate.py's sets.csv; labels do not compete for pixels here.
"""
import argparse
import json
import os

import nibabel
import numpy as np
import torch
import torch.nn.functional as F

import evaluate
import model as models
import tracking


def square(pictures, side):
    return F.interpolate(pictures[:, None].float(), size=(side, side), mode="bilinear", antialias=True, align_corners=False)


def shown(case, folder):
    volume = np.asarray(nibabel.load(os.path.join(folder, case["scan"])).dataobj, np.float32)
    low, high = map(float, case["window"].split(",")) if case["window"] else np.percentile(volume, [0.5, 99.5])
    return torch.from_numpy(((volume - low) / (high - low)).clip(0, 1)).permute(2, 0, 1)


class Walk:
    """Tracks of a scan: each label forwards and backwards from its prompt, a step of all at a time."""

    def __init__(self, model, slices, truth, labels, side):
        self.model, self.side, self.count = model, side, len(slices)
        encoded = [model.forward_image((square(s[None], side).expand(-1, 3, -1, -1) - model.mean) / model.std) for s in slices]
        self.features = [torch.cat(level) for level in zip(*(e["backbone_fpn"] for e in encoded))]
        self.positions = encoded[0]["vision_pos_enc"]
        self.prompts = [int((truth == label).sum((0, 1)).argmax()) for label in labels]
        masks = torch.stack([torch.from_numpy(truth[:, :, k] == label) for k, label in zip(self.prompts, labels)])
        self.masks = (square(masks, side) >= 0.5).float().repeat(2, 1, 1, 1)
        self.ways = [1] * len(labels) + [-1] * len(labels)

    def steps(self):
        """For each step: the slices of all tracks, and what was said of them; tracks that left the scan stay at its end."""
        starts = np.array(self.prompts * 2)
        length = max(max(self.count - 1 - k, k) for k in self.prompts)
        sizes, prompts, memories = [f.shape[-2:] for f in self.features], {}, {}
        for step in range(length + 1):
            at = (starts + step * np.array(self.ways)).clip(0, self.count - 1)
            features = [f[at].flatten(2).permute(2, 0, 1) for f in self.features]
            places = [p.expand(len(at), -1, -1, -1).flatten(2).permute(2, 0, 1) for p in self.positions]
            bank = {"cond_frame_outputs": prompts, "non_cond_frame_outputs": memories}
            out, sam, _, _ = self.model._track_step(step, step == 0, features, places, sizes, None, self.masks if step == 0 else None,
                                                    bank, tracking.LONG, False, None)
            tracking.remember(self.model, features, sizes, out, sam, step == 0)
            (prompts if step == 0 else memories)[step] = out
            memories.pop(step - 16, None)
            if step:
                yield starts + step * np.array(self.ways), sam[3], sam[2].max(1).values, sam[6][:, 0]


def rows(case, folder, model, name, side):
    slices, truth = shown(case, folder), evaluate.voxels(os.path.join(folder, case["labels"]))
    labels = [int(n) for n in np.unique(truth[truth > 0])]
    walk, found, scores = Walk(model, slices, truth, labels, side), np.zeros((len(labels), *truth.shape), bool), [{} for _ in labels]
    for at, masks, iou, score in walk.steps():
        drawn = (F.interpolate(masks, size=truth.shape[:2], mode="bilinear", align_corners=False)[:, 0] > 0).numpy()
        for track, k in enumerate(at):
            if 0 <= k < len(slices):
                found[track % len(labels), :, :, k] = drawn[track]
                scores[track % len(labels)][int(k)] = {"predicted_iou": float(iou[track]), "object_score": float(score[track])}
    for n, label in enumerate(labels):
        prompt, true = walk.prompts[n], truth == label
        keep = np.arange(truth.shape[2]) != prompt
        yield {"set": case["set"], "model": name, "case": case["name"], "label": label, "slice": prompt,
               "dice": evaluate.overlap(found[n][:, :, keep], true[:, :, keep])} | evaluate.compare([], found[n], true, prompt, scores[n])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--sets", nargs="*")
    parser.add_argument("--most", type=int, default=1000)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--models", nargs="+", required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    loaded = {path: models.load(path, side=args.side) for path in args.models}
    taken, of = {}, {}
    for case in json.load(open(os.path.join(args.folder, "sets.json"))):
        taken[case["set"]] = taken.get(case["set"], 0) + 1
        if taken[case["set"]] > args.most or args.sets and case["set"] not in args.sets:
            continue
        for path, model in loaded.items():
            name = os.path.basename(path)
            so_far = of.setdefault((case["set"], name), [])
            so_far.extend(rows(case, args.folder, model, name, args.side))
            print(*(f"{key} {value}" for key, value in next(evaluate.summary(so_far)).items()), flush=True)


if __name__ == "__main__":
    main()
