"""Goldens of the full tiny model (sam2.1_hiera_t.yaml, seeded random weights), too large to commit.

usage: make_reference.py DIR [SIZE ...]      SIZE: 256 (every video, half a minute), 1024 (two minutes); both by default
Writes DIR/sam2.1_hiera_tiny_random.{safetensors,pt} and, for each size, DIR/SIZE/*.safetensors with an index.
"""
import os
import sys
import time
import warnings

os.environ.setdefault("TQDM_DISABLE", "1")
warnings.filterwarnings("ignore")

import torch
from sam2.build_sam import build_sam2_video_predictor

import blocks
import clips
import image
import videos
import weights
from files import Folder, as_u8
from make_goldens import BOTH, SCORE_BIAS
from predictor import memory_in_f32

NAME = "sam2.1_hiera_tiny_random"


def build(size, state=None):
    """Meta's own builder and configuration at another image size."""
    grid = size // 16
    overrides = [f"++model.image_size={size}"]
    overrides += [f"++model.memory_attention.layer.{which}.feat_sizes=[{grid},{grid}]"
                  for which in ("self_attention", "cross_attention")]
    model = build_sam2_video_predictor(
        "configs/sam2.1/sam2.1_hiera_t.yaml", None, device="cpu", hydra_overrides_extra=overrides)
    model.fill_hole_area = 0  # needs a CUDA extension; without it Meta's code warns and goes on
    if state is not None:
        model.load_state_dict(state, strict=True)
    return model.requires_grad_(False).eval()


class Maker:
    """One image size: its clips, a fresh model for each golden, and the folder they go to."""

    def __init__(self, root, size, state):
        self.size, self.state, self.folder = size, state, Folder(os.path.join(root, str(size)))
        self.shape = (240, 320) if size <= 512 else (480, 640)
        self.rgb, self.masks = clips.clip(8, *self.shape, seed=7)

    def model(self, score_bias=None):
        state = dict(self.state)
        if score_bias is not None:
            state[SCORE_BIAS] = torch.tensor([score_bias])
        return build(self.size, state)

    def stills(self):
        self.folder.save("clips.safetensors", {"rgb8": as_u8(self.rgb)})
        encoded = blocks.image_encoder(self.model(), self.rgb[0])
        if self.size > 256:  # the trunk's maps are large, and what follows shows their errors
            encoded = {key: value for key, value in encoded.items() if not key.startswith("trunk.")}
        self.folder.save("image.safetensors", encoded)
        self.folder.save("prompts.safetensors", image.goldens(
            self.model(), self.rgb[0], self.masks[0], at_picture_size=("point1_multi",)))

    def _track(self, name, passes, mask=None, score_bias=None, **keep):
        mask = self.masks[3] if mask is None else mask
        out = videos.mask_prompt(self.model(score_bias), self.rgb, mask, 3, passes, name=name, **keep)
        if score_bias is not None:
            out["score_bias"] = torch.tensor([score_bias])
        self.folder.save(f"{name}.safetensors", out)

    def main_video(self):
        frames = (1, 7) if self.size <= 256 else ()
        with memory_in_f32():
            self._track("video8", BOTH, memory_frames=(2, 3, 4), attention_frames=frames)

    def other_videos(self):
        self._track("video8_bf16", BOTH)
        with memory_in_f32():
            self._track("video8_rev", ("reverse",))
            self._track("video8_absent", ("forward",), score_bias=-50.0, memory_frames=(5,))
            self._track("video8_emptymask", ("forward",), mask=self.masks[3] & False, memory_frames=(3,))
            self.folder.save("video_points.safetensors", videos.points(
                self.model(), self.rgb, self.masks, "video_points"))
            frames, masks = clips.clip(20, *self.shape, seed=11)
            self.folder.save("clip20.safetensors", {"rgb20": as_u8(frames)})
            self.folder.save("video20.safetensors", videos.mask_prompt(
                self.model(), frames, masks[0], 0, ("forward",), memory_frames=(0, 19), name="video20"))

    def run(self):
        start = time.time()
        self.stills()
        self.main_video()
        if self.size <= 256:
            self.other_videos()
        self.folder.write_index()
        print(f"S = {self.size}: {time.time() - start:.0f} s", flush=True)


def main():
    torch.set_grad_enabled(False)
    torch.set_num_threads(2)
    root, sizes = sys.argv[1], [int(size) for size in sys.argv[2:]] or [256, 1024]
    state = weights.random_state_dict(build(256).state_dict())
    Folder(root).save(f"{NAME}.safetensors", state)
    torch.save({"model": state}, os.path.join(root, f"{NAME}.pt"))
    for size in sizes:
        Maker(root, size, state).run()


if __name__ == "__main__":
    main()
