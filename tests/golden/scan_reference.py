"""Meta's video predictor on a scan: one mask on one slice of a label, propagated over all slices of the axis.

usage: scan_reference.py IMAGE.nii.gz LABELS.nii.gz CHECKPOINT --labels 5,1 --out DIR [--axis axial] [--image-size 256]
       [--window=LO,HI] [--direction both|forward|backward]
CHECKPOINT is a nano checkpoint (.pt or .safetensors).  For each label the prompt is its mask on the slice with its
largest area (the first one on a tie).  Writes DIR/label_<n>.nii.gz (0 and 1) and DIR/dice.json; prints the Dice.
"""
import argparse
import json
import os
import time
import warnings

os.environ.setdefault("TQDM_DISABLE", "1")
warnings.filterwarnings("ignore")

import numpy as np
import torch
from safetensors.torch import load_file

import models
import slices
from predictor import init_state


def arguments():
    pair = lambda text: tuple(float(part) for part in text.split(","))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("image", "labels_file", "checkpoint"):
        parser.add_argument(name)
    parser.add_argument("--labels", required=True, type=lambda text: [int(part) for part in text.split(",")])
    parser.add_argument("--out", required=True)
    parser.add_argument("--axis", default="axial", choices=slices.ANATOMICAL)
    parser.add_argument("--image-size", default=256, type=int)
    parser.add_argument("--window", type=pair)
    parser.add_argument("--direction", default="both", choices=("both", "forward", "backward"))
    return parser.parse_args()


def load_model(path, size):
    if path.endswith(".safetensors"):
        state = load_file(path)
    else:
        state = torch.load(path, map_location="cpu", weights_only=True)["model"]
    return models.build(models.NANO, size, state)


def propagate(model, frames, prompt, at, direction):
    """Masks bool [n,h,w] and object scores; Meta's code as it is, memories in bfloat16 included."""
    state = init_state(model, frames)
    model.add_new_mask(state, at, 1, torch.from_numpy(prompt))
    masks = np.zeros(frames.shape[:3], bool)
    for reverse in {"both": (False, True), "forward": (False,), "backward": (True,)}[direction]:
        for t, _, logits in model.propagate_in_video(state, start_frame_idx=at, reverse=reverse):
            masks[t] = (logits[0, 0] > 0).numpy()
    slots = state["output_dict_per_obj"][0]
    stored = {**slots["non_cond_frame_outputs"], **slots["cond_frame_outputs"]}
    return masks, {t: float(stored[t]["object_score_logits"]) for t in sorted(stored)}


def segment(model, frames, truth, direction):
    """`truth` bool [n,h,w]: where the prompt is cut from and what the result is compared with."""
    at = int(truth.sum((1, 2)).argmax())
    start = time.time()
    masks, scores = propagate(model, frames, truth[at], at, direction)
    others = np.arange(len(frames)) != at
    return masks, {
        "prompt_slice": at, "prompt_pixels": int(truth[at].sum()),
        "dice": slices.dice(masks, truth), "dice_without_prompt_slice": slices.dice(masks[others], truth[others]),
        "voxels": int(masks.sum()), "truth_voxels": int(truth.sum()),
        "slices_with_object": sum(score > 0 for score in scores.values()), "seconds": round(time.time() - start, 1)}


def main():
    args = arguments()
    torch.set_grad_enabled(False)
    torch.set_num_threads(2)
    os.makedirs(args.out, exist_ok=True)
    image, voxels = slices.read_scan(args.image)
    axis = slices.voxel_axis(image.affine, args.axis)
    low, high = slices.window(voxels, args.window)
    grey = slices.stack(slices.to_u8(voxels, low, high), axis)
    frames = np.repeat(grey[..., None], 3, axis=-1)
    labels = slices.stack(slices.read_labels(args.labels_file), axis)
    report = {"axis": args.axis, "voxel_axis": axis, "slices": len(frames), "image_size": args.image_size,
              "window": [low, high], "direction": args.direction, "labels": {}}
    for label in args.labels:
        if not (labels == label).any():
            raise SystemExit(f"{args.labels_file}: no voxel has label {label}")
        model = load_model(args.checkpoint, args.image_size)
        masks, row = segment(model, frames, labels == label, args.direction)
        slices.write_labels(os.path.join(args.out, f"label_{label}.nii.gz"), slices.unstack(masks, axis), image)
        report["labels"][label] = row
        print(f"label {label}: prompt slice {row['prompt_slice']}, Dice {row['dice']:.4f}, without the prompt slice "
              f"{row['dice_without_prompt_slice']:.4f}, {row['seconds']} s", flush=True)
    with open(os.path.join(args.out, "dice.json"), "w") as file:
        json.dump(report, file, indent=1)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
