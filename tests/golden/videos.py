"""Goldens of the video predictor: mask prompts in either direction, points and boxes, two objects, absent objects.

In: a function that builds a predictor, a clip.  Out: dicts of tensors, one per file; see README.md for the keys.
"""
import numpy as np
import torch

from files import as_u8, ints
from predictor import Recorder, init_state


class Track:
    """One inference state: prompts go in, passes run, and the stored results come out."""

    def __init__(self, model, frames):
        self.model, self.recorder = model, Recorder(model)
        self.state = init_state(model, frames)
        self.height, self.width = frames.shape[1:3]
        self.masks = {}

    def add_mask(self, frame, obj, mask):
        self.model.add_new_mask(self.state, frame, obj, torch.from_numpy(mask))

    def run(self, reverse=False, start=None):
        """One pass; returns what it yielded, frame -> [objects,1,H,W], and remembers the latest of each frame."""
        steps = self.model.propagate_in_video(self.state, start_frame_idx=start, reverse=reverse)
        seen = {t: masks.clone() for t, _, masks in steps}
        self.masks.update(seen)
        return seen

    def stored(self, obj_index, prefix="", memory_frames=()):
        """The inference state of one object, frame by frame in ascending order."""
        slots = self.state["output_dict_per_obj"][obj_index]
        by_frame = {**slots["non_cond_frame_outputs"], **slots["cond_frame_outputs"]}
        order = sorted(by_frame)
        cat = lambda key, which: torch.cat([by_frame[t][key] for t in which])
        out = {
            "frames": ints(order),
            "is_cond": ints(t in slots["cond_frame_outputs"] for t in order),
            "low_res_masks": cat("pred_masks", order),
            "obj_ptr": cat("obj_ptr", order),
            "object_score_logits": cat("object_score_logits", order),
            "ious": torch.cat([self.recorder.frames[obj_index, t]["ious"] for t in order]),
        }
        if memory_frames:
            out["maskmem_frames"] = ints(memory_frames)
            out["maskmem_features"] = cat("maskmem_features", memory_frames).float()
        return {prefix + key: value for key, value in out.items()}

    def attention(self, obj_index, frames):
        """Inputs and output of memory attention as it ran on the given frames."""
        keys = ("memory", "memory_pos", "num_obj_ptr_tokens", "memory_attention")
        return {f"t{t}.{key}": self.recorder.frames[obj_index, t][key] for t in frames for key in keys}

    def logits(self, obj_index=0):
        return torch.cat([self.masks[t][obj_index:obj_index + 1] for t in sorted(self.masks)])

    def report(self, name):
        """A line for the person who runs the generator: is the video alive, are its choices clear?"""
        for index in self.state["output_dict_per_obj"]:
            out, masks = self.stored(index), self.logits(index)
            area = " ".join(f"{a:.2f}" for a in (masks > 0).float().mean((1, 2, 3)).tolist())
            scores = " ".join(f"{s:.1f}" for s in out["object_score_logits"].flatten().tolist())
            low = out["low_res_masks"]
            print(f"  {name} object {index}: area {area} | scores {scores} | logits {low.min():.1f}..{low.max():.1f} | "
                  f"smallest IoU margin {min(self.recorder.margins, default=float('nan')):.4f}", flush=True)


def mask_prompt(model, frames, mask, prompt_frame, passes, memory_frames=(), attention_frames=(), name=""):
    """One mask prompt, then the passes ("forward", "reverse") in order on the same state."""
    track = Track(model, frames)
    track.add_mask(prompt_frame, 1, mask)
    for direction in passes:
        track.run(reverse=direction == "reverse", start=prompt_frame)
    out = {"prompt_mask": as_u8(mask), "prompt_frame": ints([prompt_frame]), "mask_logits": track.logits()}
    out.update(track.stored(0, memory_frames=memory_frames))
    out.update(track.attention(0, attention_frames))
    track.report(name)
    return out


def two_masks(model, frames, masks, other, memory_frames, name):
    """Object 1 prompted on frame 1, object 2 (another shape) on frame 5; forward from 1, then reverse from 1."""
    track = Track(model, frames)
    track.add_mask(1, 1, masks[1])
    track.add_mask(5, 2, other)
    track.run()
    track.run(reverse=True)
    out = {"obj1.prompt_mask": as_u8(masks[1]), "obj1.prompt_frame": ints([1]),
           "obj2.prompt_mask": as_u8(other), "obj2.prompt_frame": ints([5])}
    for index in (0, 1):
        prefix = f"obj{index + 1}."
        out[prefix + "mask_logits"] = track.logits(index)
        out.update(track.stored(index, prefix, memory_frames))
    track.report(name)
    return out


def _pass(track, seen, prefix):
    out = {prefix + "frames": ints(sorted(seen))}
    for index in (0, 1):
        own = f"{prefix}obj{index + 1}."
        out[own + "mask_logits"] = torch.cat([seen[t][index:index + 1] for t in sorted(seen)])
        stored = track.stored(index, own)
        out.update({own + key: stored[own + key] for key in
                    ("frames", "is_cond", "low_res_masks", "obj_ptr", "object_score_logits")})
    return out


def points(model, frames, masks, name):
    """Object 1: a box on frame 0; object 2: a click on frame 2; forward; then two clicks correct object 1 on frame 5
    and the video is propagated again from there."""
    track = Track(model, frames)
    h, w = track.height, track.width
    ys, xs = np.nonzero(masks[0])
    box = np.array([xs.min(), ys.min(), xs.max(), ys.max()], np.float32)
    click = np.array([[0.7 * w, 0.6 * h]], np.float32)
    fixes, labels = np.array([[0.55 * w, 0.5 * h], [0.1 * w, 0.1 * h]], np.float32), np.array([1, 0], np.int32)
    add = lambda *a, **k: model.add_new_points_or_box(track.state, *a, **k)[2]
    out = {"obj1.box_frame0": torch.from_numpy(box), "obj2.point_frame2": torch.from_numpy(click),
           "obj1.clicks_frame5": torch.from_numpy(fixes), "obj1.click_labels_frame5": torch.from_numpy(labels)}
    out["added.obj1"] = add(0, 1, box=box)
    out["added.obj2"] = add(2, 2, points=click, labels=np.array([1], np.int32))[1:]
    out.update(_pass(track, track.run(), "pass1."))
    out["added.obj1_correction"] = add(5, 1, points=fixes, labels=labels)[:1]
    out.update(_pass(track, track.run(start=5), "pass2."))
    track.report(name)
    return out
