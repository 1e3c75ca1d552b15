"""Follows objects through a clip exactly as inference does, and spoils memories now and then so that the model recovers.

In: a model, a `Batch`.  Out: for each frame that was not told a mask after the prompt, what the decoder said: masks, IoU, object score.
Beside these what it says of the prompted mask, whose token is the pointer that later frames see (inference drops it when its score is
negative), and of a single picture with a mask that is a little wrong: the short way to learn that outlines lie on edges.
"""
from dataclasses import dataclass

import torch
import torch.nn.functional as F

# Longer than the number of pointers that a frame attends to, as real scans are.
LONG = 64


@dataclass
class Said:
    frame: int
    aside: bool  # not tracked by memory
    masks: torch.Tensor
    iou: torch.Tensor
    score: torch.Tensor
    chosen: torch.Tensor


def wrong(generator, masks, lost=0.06):
    """Masks [n, 1, side, side] as an unsure model would have drawn them: shifted, too large, too small, frayed, or none."""
    n, side, device = len(masks), masks.shape[-1], masks.device
    rand = lambda *shape: torch.rand(shape, generator=generator, device=device)
    shift = (rand(n, 2) - 0.5) * 0.12
    size = torch.exp((rand(n, 1, 1) - 0.5) * 0.4)
    base = torch.eye(2, device=device).expand(n, 2, 2) * size
    grid = F.affine_grid(torch.cat([base, shift[..., None]], 2), (n, 1, side // 2, side // 2), align_corners=False)
    moved = F.grid_sample(F.avg_pool2d(masks, 9, 4, 4), grid, align_corners=False)
    noise = torch.randn(n, 1, 10, 10, generator=generator, device=device)
    noise = F.interpolate(noise, size=moved.shape[-2:], mode="bilinear") * rand(n, 1, 1, 1) * 0.35
    out = (F.interpolate(moved + noise * (moved > 0.02), size=(side, side), mode="bilinear") > 0.3 + 0.4 * rand(n, 1, 1, 1)).float()
    return torch.where(rand(n, 1, 1, 1) < lost, torch.zeros_like(out), out)


def points(generator, masks):
    """A click inside each mask (its middle pixel by a random walk of its rows) or its box, as Meta's predictor passes them."""
    n, side = len(masks), masks.shape[-1]
    flat = masks.flatten(1)
    hit = torch.multinomial(flat + 1e-9, 1, generator=generator)[:, 0]
    click = torch.stack([hit % side, hit // side], 1).float()[:, None]
    rows, columns = masks.amax((1, 3)), masks.amax((1, 2))
    first = lambda line: line.argmax(1).float()
    last = lambda line: side - 1 - line.flip(1).argmax(1).float()
    box = torch.stack([torch.stack([first(columns), first(rows)], 1), torch.stack([last(columns), last(rows)], 1)], 1)
    if torch.rand(1, generator=generator, device=masks.device) < 0.5:
        return {"point_coords": click, "point_labels": torch.ones(n, 1, dtype=torch.int32, device=masks.device)}
    labels = torch.tensor([[2, 3]], dtype=torch.int32, device=masks.device).expand(n, 2)
    return {"point_coords": box, "point_labels": labels}


class Clip:
    """Encoded images of a batch; each clip's images are encoded once, for all its objects, the first `warm` without gradients."""

    def __init__(self, model, batch, objects, warm=0):
        clips = len(batch.images)
        encode = lambda images: model.forward_image((images.flatten(0, 1) - model.mean) / model.std)
        with torch.no_grad():
            early = [encode(batch.images[:, :warm])] if warm else []
        seen = encode(batch.images[:, warm:])
        apart = lambda f: f.view(clips, -1, *f.shape[1:])
        levels = zip(*([apart(f) for f in part["backbone_fpn"]] for part in (*early, seen)))
        self.features = [torch.cat(parts, 1).repeat_interleave(objects, 0) for parts in levels]
        self.positions = [p[:1].expand(clips * objects, *p.shape[1:]).flatten(2).permute(2, 0, 1) for p in seen["vision_pos_enc"]]
        self.sizes = [f.shape[-2:] for f in seen["backbone_fpn"]]

    def at(self, t):
        return [f[:, t].flatten(2).permute(2, 0, 1) for f in self.features]


def remember(model, features, sizes, out, sam, prompted):
    """Adds the memory of a frame to `out`; a prompted mask goes down to the mask's size and up again, as at inference."""
    _, _, _, low, high, pointer, score = sam
    if prompted:
        high = F.interpolate(low.float(), size=high.shape[-2:], mode="bilinear", align_corners=False)
        high = torch.where(high > 0, 20.0, -20.0)
    out.update(pred_masks=low, obj_ptr=pointer)
    model._encode_memory_in_output(features, sizes, None, True, high, score, out)


def mended(model, clip, batch, generator, at):
    """What the decoder makes of a neighbour's mask or of a spoiled one, given as a prompt on frame `at`."""
    masks, features = batch.masks, clip.at(at)
    near = batch.index[at] - batch.index[at - 1] == 1 and float(torch.rand(1, generator=generator, device=generator.device)) < 0.5
    prompt = masks[:, at - 1] if near else wrong(generator, masks[:, at], lost=0.0)
    plain = [f.permute(1, 2, 0).view(f.shape[1], f.shape[2], *size) for f, size in zip(features, clip.sizes)]
    out = model._forward_sam_heads(plain[-1], mask_inputs=model.mask_downsample(prompt), high_res_features=plain[:-1], multimask_output=True)
    low, iou, _, score = model.raw
    return Said(at, True, low.float(), iou.float(), score.float(), out[3].detach())


def follow(model, batch, objects, generator, by_points=False, spoil=True, warm=0):
    """Frames before `warm` are followed without gradients and not judged: a long way, of which only the end is learnt from."""
    chance = lambda p: spoil and float(torch.rand(1, generator=generator, device=generator.device)) < p
    clip, masks, index, learning = Clip(model, batch, objects, warm), batch.masks, batch.index, torch.is_grad_enabled()
    prompts, memories, said = {}, {}, []
    told = spoil and len(index) > 3 and (index[1] > 1 or chance(0.25))
    for t, number in enumerate(index):
        features, mask, clicks = clip.at(t), None, None
        if t == 0 and by_points:
            clicks = points(generator, masks[:, 0])
        elif t == 0:
            mask = masks[:, 0]
        elif t == 1 and told:  # what came long after the prompt, remembered more or less well
            mask = wrong(generator, masks[:, 1])
        known = memories if not chance(0.08) else {k: v for k, v in memories.items() if chance(0.5)}
        bank = {"cond_frame_outputs": prompts, "non_cond_frame_outputs": known}
        with torch.set_grad_enabled(learning and t >= warm):
            out, sam, _, _ = model._track_step(number, t == 0, features, clip.positions, clip.sizes, clicks, mask, bank, LONG, False, None)
            if t + 1 < len(index):
                remember(model, features, clip.sizes, out, sam, t == 0)
        (prompts if t == 0 else memories)[number] = out
        if t >= warm and (mask is None or t == 0):
            low, iou, _, score = model.raw
            said.append(Said(t, mask is not None, low.float(), iou.float(), score.float(), sam[3].detach()))
    if spoil:
        said.append(mended(model, clip, batch, generator, max(1, warm)))
    return said
