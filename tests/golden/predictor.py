"""Driving Meta's video predictor on arrays instead of JPEG folders, and recording what it computes.

In: a predictor and RGB frames uint8 [n,h,w,3].  Out: an inference state, and a `Recorder` of every frame's results.
"""
import contextlib

import numpy as np
import torch
from PIL import Image

import sam2.sam2_video_predictor as video_module

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def resize_u8(frame, size):
    """As sam2.utils.misc._load_img_as_tensor: PIL's default filter (antialiased BICUBIC) on uint8."""
    return np.array(Image.fromarray(frame).convert("RGB").resize((size, size)))


def preprocess(frames, size):
    """As load_video_frames_from_jpg_images: /255 in float64, to float32, minus mean, over std.  [n,3,S,S]."""
    images = torch.zeros(len(frames), 3, size, size, dtype=torch.float32)
    for i, frame in enumerate(frames):
        images[i] = torch.from_numpy(resize_u8(frame, size) / 255.0).permute(2, 0, 1)
    images -= torch.tensor(MEAN)[:, None, None]
    images /= torch.tensor(STD)[:, None, None]
    return images


def init_state(predictor, frames):
    """SAM2VideoPredictor.init_state with the frames given instead of loaded."""
    height, width = frames.shape[1:3]
    images = preprocess(frames, predictor.image_size)
    loader = video_module.load_video_frames
    video_module.load_video_frames = lambda **_: (images, height, width)
    try:
        return predictor.init_state("unused")
    finally:
        video_module.load_video_frames = loader


class _WideTorch:
    """The module `torch` as the predictor sees it, with bfloat16 replaced by float32."""

    def __getattr__(self, name):
        return torch.float32 if name == "bfloat16" else getattr(torch, name)


@contextlib.contextmanager
def memory_in_f32():
    """Meta's code rounds stored memories to bfloat16; inside this context it does not."""
    video_module.torch = _WideTorch()
    try:
        yield
    finally:
        video_module.torch = torch


class Recorder:
    """Keeps, per object index and frame, the predicted IoUs and the inputs and output of memory attention."""

    def __init__(self, predictor):
        self.frames, self.margins, self._now = {}, [], {}
        self._wrap(predictor, "_run_single_frame_inference", self._run)
        self._wrap(predictor, "_track_step", self._track)
        self._wrap(predictor.memory_attention, "forward", self._attention)

    @staticmethod
    def _wrap(owner, name, around):
        inner = getattr(owner, name)
        setattr(owner, name, lambda *a, **k: around(inner, *a, **k))

    def _run(self, inner, **kw):
        self._now = {}
        out = inner(**kw)
        per_object = kw["inference_state"]["output_dict_per_obj"]
        index = next(i for i, d in per_object.items() if d is kw["output_dict"])
        self.frames[index, kw["frame_idx"]] = self._now
        return out

    def _track(self, inner, *args, **kw):
        out = inner(*args, **kw)
        ious = out[1][2]
        self._now["ious"] = ious.expand(1, 3) if ious.shape[1] == 1 else ious
        if ious.shape[1] == 3:
            best = ious[0].sort(descending=True).values
            self.margins.append(float(best[0] - best[1]))
        return out

    def _attention(self, inner, **kw):
        out = inner(**kw)
        self._now.update({
            "memory": kw["memory"], "memory_pos": kw["memory_pos"], "memory_attention": out,
            "num_obj_ptr_tokens": torch.tensor([kw["num_obj_ptr_tokens"]], dtype=torch.int32)})
        return out
