"""Shifts the object score so that tracks end where objects end, judged on invented clips only; the last step before the export.

usage: calibrate.py CHECKPOINT.pt OUT.pt [--clips N] [--side S] [--seed S] [--shift X]
The object score decides by its sign.  Trained on short clips, in which most objects are there, it says so too often on a whole scan, where
most slices are without a given organ.  Clips of FRAMES frames are followed with larger and larger shifts of the score's last bias; printed
is for each the Dice of whole tracks, the share of frames without the object left empty, of those with it not lost.  Taken is the first
with at least STOPPED of the former: what is drawn beyond an organ's end is worse than what is missing of it, which the page asks to mend.
`--shift` takes one that is given.  With `--side 512`: what the model's own half logit there (src/sam2/transform.rs) is to be judged by.
"""
import argparse

import torch
import torch.nn.functional as F

import losses
import model as models
import scans
import tracking

FRAMES, OBJECTS, FIRST_SEED = 14, 4, 77_000_000  # a step of training has a seed of seed * 1000003 + step
SHIFTS = tuple(-k / 4 for k in range(17))
STOPPED = 0.9
GRIDS = 64, 96, 128, 160  # at 256 pixels and below; finer in proportion above


def clips(args):
    """Whole scans as they are segmented: without gaps, prompted where the object is to be found."""
    kept, seed = [], FIRST_SEED + args.seed * 10_000
    while len(kept) < args.clips:
        seed += 1
        generator = torch.Generator().manual_seed(seed)
        batch = scans.make(generator, 1, OBJECTS, FRAMES, args.side, GRIDS[seed % 4] * max(1, args.side // 256))
        if batch.index[1] == 1:
            kept.append(batch)
    return kept


def judge(model, batches):
    """(Dice, stopped, found) of all tracks, the prompted frame left out."""
    dice, stopped, absent, found, seen = [], 0, 0, 0, 0
    for batch in batches:
        said = [s for s in tracking.follow(model, batch, OBJECTS, torch.Generator(), spoil=False) if not s.aside]
        drawn = torch.stack([(s.chosen > 0).float()[:, 0] for s in said], 1)
        truth = F.interpolate(batch.masks[:, 1:, 0], size=drawn.shape[-2:], mode="area").gt(0.5).float()
        there, filled = truth.flatten(2).amax(2), drawn.flatten(2).amax(2)
        counted = (batch.masks[:, 0].flatten(1).amax(1) > 0) & (there.sum(1) > 0)
        there, filled = there[counted], filled[counted]
        dice.extend(losses.overlap(drawn[counted], truth[counted]).tolist())
        stopped, absent = stopped + ((1 - filled) * (1 - there)).sum().item(), absent + (1 - there).sum().item()
        found, seen = found + (filled * there).sum().item(), seen + there.sum().item()
    return sum(dice) / len(dice), stopped / max(1, absent), found / max(1, seen)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoint"), parser.add_argument("out")
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shift", type=float, help="taken as it is, and judged")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    model, batches = models.load(args.checkpoint, side=args.side), clips(args)
    bias = model.sam_mask_decoder.pred_obj_score_head.layers[-1].bias
    trained = bias.clone()
    for shift in SHIFTS if args.shift is None else (args.shift,):
        bias.copy_(trained + shift)
        dice, stopped, found = judge(model, batches)
        print(f"shift {shift:5.2f}  dice {dice:.4f}  stopped {stopped:.3f}  found {found:.3f}", flush=True)
        if stopped >= STOPPED or args.shift is not None:
            break
    else:
        raise SystemExit(f"no shift leaves {STOPPED} of the frames without the object empty")
    torch.save({"model": model.state_dict()}, args.out)
    print(f"{args.out}: shifted by {shift}")


if __name__ == "__main__":
    main()
