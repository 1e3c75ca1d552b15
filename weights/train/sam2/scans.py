"""Invented scans: anatomy shown as a CT, an MR or a camera would show it, with the objects to be followed.

In: a torch generator.  Out: `Batch`: images [clips, times, 3, side, side] in 0..1, masks [clips * objects, times, 1, side, side],
and the number of every frame in the imagined scan.
"""
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from anatomy import Draw, Scene, field


@dataclass
class Batch:
    images: torch.Tensor
    masks: torch.Tensor
    labels: torch.Tensor
    index: list


def tissues(draw, clips, organs):
    """Mean and texture strength of outside, body and organs.  Most neighbours differ little, as soft tissues do."""
    count = 2 + organs
    kind = draw.uniform(clips, 1)
    ct, wide = kind < 0.45, (kind >= 0.45) & (kind < 0.55)
    soft = draw.uniform(clips, 1, low=0.45, high=0.7) + draw.normal(clips, count) * draw.uniform(clips, 1, low=0.04, high=0.16)
    role = draw.uniform(clips, count)
    soft = torch.where(role < 0.14, draw.uniform(clips, count, low=0.85, high=2.0), soft)  # bone, contrast medium
    soft = torch.where((role > 0.14) & (role < 0.22), draw.uniform(clips, count, low=-0.5, high=0.02), soft)  # gas
    soft = torch.where((role > 0.22) & (role < 0.3), draw.uniform(clips, count, low=0.1, high=0.25), soft)  # fat
    soft[:, 1] = torch.where(draw.chance(clips, p=0.6), draw.uniform(clips, low=0.08, high=0.3), soft[:, 1])
    soft[:, 0] = draw.uniform(clips, low=-0.8, high=0.0)
    free = draw.uniform(clips, count)
    free = torch.where(draw.chance(clips, 1, p=0.5), 0.5 + (free - 0.5) * draw.uniform(clips, 1, low=0.15, high=0.7), free)
    free[:, 0] = torch.where(draw.chance(clips, p=0.75), torch.zeros_like(free[:, 0]), free[:, 0])
    mean = torch.where(ct, soft, torch.where(wide, soft * 0.35 + 0.3, free))
    strength = draw.uniform(clips, count) ** 2 * torch.where(ct | wide, 0.08, 0.3)
    strength[:, 0] = strength[:, 0] * 0.2
    return mean, strength, ct | wide


def blur(images, times=1):
    kernel = torch.tensor([1.0, 2.0, 1.0], device=images.device)
    kernel = (kernel[:, None] * kernel)[None, None] / 16
    shape = images.shape
    images = images.reshape(-1, 1, *shape[-2:])
    for _ in range(times):
        images = F.conv2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), kernel)
    return images.view(shape)


def spoil(draw, image, scene, ct):
    """What scanners do to a picture: shading, thick slices, blur, ringing, streaks, noise."""
    n, side = (scene.clips, 1, 1, 1), scene.side
    coarse = [F.interpolate(v.flatten(0, 1)[:, None], size=(side // 4,) * 2, mode="area").view(scene.clips, scene.times, side // 4, side // 4)
              for v in (scene.y, scene.x)]
    shade = field(draw, scene.clips, 1, scene.z * 0.5, coarse[0] * 0.6, coarse[1] * 0.6, 4, 3)[:, 0]
    shade = F.interpolate(shade, size=(side, side), mode="bilinear")
    image = image * (1 + torch.where(ct, 0.03, 0.22).view(n) * draw.uniform(*n) * shade)
    if scene.times > 2 and draw.one() < 0.3:
        share = draw.uniform(*n, low=0.0, high=0.25) * (scene.pair.view(n) == 0)
        before, after = torch.cat([image[:, :1], image[:, :-1]], 1), torch.cat([image[:, 1:], image[:, -1:]], 1)
        image = image * (1 - 2 * share) + share * (before + after)
    image = torch.where(draw.chance(*n, p=0.5), blur(image, 1 + (draw.one() < 0.4)), image)
    if draw.one() < 0.12:  # the outer part of k-space is missing
        spectrum = torch.fft.rfft2(image)
        fy, fx = torch.fft.fftfreq(side, device=image.device).abs(), torch.fft.rfftfreq(side, device=image.device)
        kept = ((fy[:, None] < draw.one(0.2, 0.4)) & (fx[None] < draw.one(0.2, 0.4))).float()
        image = torch.where(draw.chance(*n, p=0.7), torch.fft.irfft2(spectrum * kept, s=(side, side)), image)
    if draw.one() < 0.08:  # streaks from a point of metal
        dy, dx = scene.y - draw.uniform(*n, low=-0.7, high=0.7), scene.x - draw.uniform(*n, low=-0.7, high=0.7)
        turn = torch.atan2(dy, dx)
        rays = torch.sin(turn * draw.one(3, 9) + draw.one(0, 6)) * torch.sin(turn * draw.one(5, 17))
        image = image + draw.uniform(*n, low=0, high=0.25) * rays / (1 + 3 * (dy * dy + dx * dx).sqrt())
    noise = draw.normal(*image.shape)
    if draw.one() < 0.5:
        noise = blur(noise) * 2
    return image + noise * draw.uniform(*n) ** 2 * 0.09


def window(draw, image, scene, ct):
    """Grey values as they are shown: a window that saturates, gamma, sometimes inverted or re-lit from frame to frame."""
    n = (scene.clips, 1, 1, 1)
    flat = image.flatten(1)[:, ::7]
    low, high = torch.quantile(flat, torch.tensor([0.005, 0.995], device=image.device), dim=1).view(2, *n).unbind(0)
    keep = (ct.view(n) & draw.chance(*n, p=0.85))
    low, high = torch.where(keep, torch.zeros_like(low), low), torch.where(keep, torch.ones_like(high), high)
    image = ((image - low) / (high - low + 1e-4)).clamp(0, 1)
    gamma = torch.where(keep, torch.ones_like(low), draw.log(*n, low=0.6, high=1.6))
    image = image.clamp(min=1e-4) ** gamma
    times = (scene.clips, scene.times, 1, 1)
    lit = torch.where(scene.pair.view(n) > 0, 0.2, torch.where(scene.video.view(n) > 0, 0.08, 0.02))
    image = image * (1 + lit * draw.uniform(*times, low=-1, high=1)) + lit * 0.5 * draw.uniform(*times, low=-1, high=1)
    image = torch.where(draw.chance(*n, p=0.1), 1 - image, image)
    return image.clamp(0, 1)


def targets(draw, image, labels, objects, count, least, fine):
    """Labels [clips, objects] to follow: seen in the first frame, neither tiny nor nearly everything; preferably some that end, that
    are largest where they are prompted; large ones, but where the picture is `fine`, as that is for the small.  In a third of the clips
    those that differ from what lies around them: elsewhere borders may be invisible, as between a vein and the liver around it, and
    only the shape is left to go by.  A clip with too few has one of them twice."""
    clips, times, side = labels.shape[:3]
    offset = torch.arange(clips, device=labels.device).view(-1, 1, 1, 1) * count
    sizes = torch.stack([torch.bincount((labels[:, t] + offset[:, 0]).flatten(), minlength=clips * count) for t in (0, times - 1)])
    first, last = sizes.view(2, clips, count).float() / (side * side)
    good = (first > least) & (first < 0.45)
    good[:, 0] = False
    ended, enough, floor = (4, 0.004, 0.002) if fine else (20, 0.05, 0.01)
    weight = good * (1 + ended * (last == 0) + (last < first)) * (first.clamp(max=enough) + floor)
    weight[:, 1] *= 0.05
    drawn = torch.multinomial(weight + 1e-9, 2 * objects, generator=draw.generator)
    masks = (labels[:, None, 0] == drawn[:, :, None, None]).float()
    ring = F.max_pool2d(masks, 7, 1, 3) - masks
    mean = lambda m: (m * image[:, None, 0]).sum((2, 3)) / m.sum((2, 3)).clamp(min=1)
    clear = draw.chance(clips, 1, p=0.33)
    contrast = (mean(masks) - mean(ring)).abs().clamp(max=0.2) * clear + draw.uniform(clips, 2 * objects, high=0.1)
    best = (contrast + 10 * good.gather(1, drawn)).sort(1, descending=True)
    order = torch.where(best.values[:, :objects] > 5, best.indices[:, :objects], best.indices[:, :1])
    return drawn.gather(1, order)


def make(generator, clips, objects, times, side, grid):
    """A batch.  `grid` is the scan's own number of pixels; they are shown enlarged to `side`, as coarse scans are."""
    draw = Draw(generator)
    organs = int(draw.one(9, 20))
    fine = side > 256
    # A fine picture shows most of a body.
    scene = Scene(draw, clips, times, grid, organs, closest=0.65 if fine else 0.4)
    means, strengths, ct = tissues(draw, clips, organs)
    image, texture, labels = scene.paint(means, strengths)
    reach = torch.where(scene.video.view(-1, 1, 1, 1) > 0, 0.0, 1.0)
    grain = field(draw, clips, 1, scene.z * 0.9 * reach, scene.grain_y * 0.7, scene.grain_x * 0.7, int(draw.one(20, 64)), 24)[:, 0]
    image = image + texture * grain * 1.6
    image = window(draw, spoil(draw, image, scene, ct[:, 0]), scene, ct[:, 0])
    chosen = targets(draw, image, labels, objects, 2 + 2 * organs, 100 / (side * side), fine)
    masks = (labels[:, None] == chosen[:, :, None, None, None]).float().flatten(0, 1)
    if grid != side:
        image = F.interpolate(image, size=(side, side), mode="bilinear", antialias=grid > side)
        masks = (F.interpolate(masks, size=(side, side), mode="bilinear", antialias=grid > side) >= 0.5).float()
    return Batch(image[:, :, None].expand(-1, -1, 3, -1, -1), masks[:, :, None], labels, scene.index)


if __name__ == "__main__":
    import sys
    import time

    from torchvision.utils import save_image
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    side, grid = (int(sys.argv[2]), int(sys.argv[3])) if len(sys.argv) > 3 else (128, 128)
    make(generator, 4, 2, 5, side, grid)
    start = time.time()
    rows = [make(generator, 4, 2, 5, side, grid) for _ in range(3)]
    print(f"{(time.time() - start) / 3:.3f} s a batch; frames {rows[0].index}; gone at the end:",
          [round(float((r.masks[:, -1].flatten(1).sum(1) == 0).float().mean()), 2) for r in rows])
    out = []
    for r in rows:
        shown = r.images.clone()
        mask = r.masks.view(4, 2, 5, 1, side, side)
        edge = mask - -F.max_pool2d(-mask.flatten(0, 2), 3, 1, 1).view_as(mask)
        for k in range(2):
            shown[:, :, k:k + 1] = torch.where(edge[:, k] > 0, 1.0, shown[:, :, k:k + 1])
        out.append(shown.flatten(0, 1))
    save_image(torch.cat(out), "scans.png", nrow=5)
