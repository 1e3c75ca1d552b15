"""Invented slices for training: random anatomy, cut into slices, shown as a CT or MR would show it.

In: a torch generator.  Out: images [n, 3, side, side] in -1..1.  Neighbouring slices of one volume, augmented copies
and slices of other volumes stand in one batch, so that its pairs reach from nearly equal to unrelated.
"""
import math

import torch
import torch.nn.functional as F


def uniform(generator, shape, low=0.0, high=1.0):
    return torch.rand(shape, generator=generator) * (high - low) + low


def smooth_noise(generator, channels, depth, side, cells):
    grid = torch.randn(1, channels, 2, cells, cells, generator=generator)
    return F.interpolate(grid, size=(depth, side, side), mode="trilinear", align_corners=True)[0]


def anatomy(generator, depth, side):
    """Labels [depth, side, side]: 0 outside, 1 the body, then organs; a warped heap of ellipsoids and tubes."""
    thickness, first = uniform(generator, (1,), 0.05, 0.9), uniform(generator, (1,), -0.6, 0.3)
    t = torch.linspace(0, 1, depth).view(-1, 1, 1) * thickness + first
    # Some scans show a part of the body only, and no outside.
    crop = float(uniform(generator, (1,), 0.25, 0.7)) if torch.rand(1, generator=generator) < 0.3 else 1.0
    centre = uniform(generator, (2,), -0.4, 0.4) * (1 - crop)
    y = torch.linspace(-1, 1, side).view(1, -1, 1) * crop + centre[0]
    x = torch.linspace(-1, 1, side).view(1, 1, -1) * crop + centre[1]
    warp = smooth_noise(generator, 2, depth, side, 6) + 0.35 * smooth_noise(generator, 2, depth, side, 14)
    size = float(uniform(generator, (1,), 0.02, 0.2)) * crop
    y, x = y + size * warp[0], x + size * warp[1]
    # Nearness to the centre, 1 there and 0 at the rim.
    body_y, body_x = uniform(generator, (2,), 0.5, 1.15)
    body = (y / body_y) ** 2 + (x / body_x) ** 2
    labels = (body < 1).long()
    rim = float(uniform(generator, (1,), 0.02, 0.12))
    labels[(body < 1) & (body > (1 - rim) ** 2)] = 2
    best = torch.full_like(body, 1e9)
    for organ in range(3, 3 + int(torch.randint(5, 22, (1,), generator=generator))):
        cy, cx, ct = uniform(generator, (3,), -0.75, 0.75).tolist()
        ry, rx = (uniform(generator, (2,), 0.04, 1) ** 1.6 * 0.5 + 0.02).tolist()
        tube = torch.rand(1, generator=generator) < 0.3
        rt = 50.0 if tube else float(uniform(generator, (1,), 0.2, 1.2))
        lean = uniform(generator, (2,), -0.5, 0.5).tolist()
        turn = float(uniform(generator, (1,), 0, math.pi))
        dy, dx = y - cy - lean[0] * (t - ct), x - cx - lean[1] * (t - ct)
        a = (math.cos(turn) * dy + math.sin(turn) * dx) / ry
        b = (math.cos(turn) * dx - math.sin(turn) * dy) / rx
        distance = a * a + b * b + ((t - ct) / rt) ** 2
        inside = (distance < 1) & (distance < best) & (body < (1 - rim) ** 2)
        best, labels = torch.where(inside, distance, best), torch.where(inside, organ, labels)
    return labels


def show(generator, labels):
    """Grey values 0..1 of a volume: tissue means, texture, shading, blur, noise, window."""
    depth, side, _ = labels.shape
    count = int(labels.max()) + 1
    mean = uniform(generator, (count,))
    if torch.rand(1, generator=generator) < 0.6:  # soft tissues resemble one another
        mean = 0.5 + (mean - 0.5) * float(uniform(generator, (1,), 0.2, 0.8))
    if torch.rand(1, generator=generator) < 0.8:
        mean[0] = 0
    if count > 2 and torch.rand(1, generator=generator) < 0.4:
        mean[2] = 0.95
    texture = smooth_noise(generator, 2, depth, side, int(torch.randint(8, 40, (1,), generator=generator)))
    image = mean[labels] + uniform(generator, (count,), 0, 0.12)[labels] * texture[0]
    shading = smooth_noise(generator, 1, depth, side, 3)[0]
    image = image * (1 + float(uniform(generator, (1,), 0, 0.25)) * shading)
    image = image[:, None]
    kernel = torch.tensor([1.0, 2.0, 1.0])
    kernel = (kernel[:, None] * kernel)[None, None] / 16
    for _ in range(int(torch.randint(0, 4, (1,), generator=generator))):
        image = F.conv2d(F.pad(image, (1, 1, 1, 1), mode="replicate"), kernel)
    image = image[:, 0]
    noise = float(uniform(generator, (1,), 0, 0.07))
    image = image + noise * torch.randn(image.shape, generator=generator)
    low, high = torch.quantile(image.flatten()[::7], torch.tensor([0.005, 0.995])).tolist()
    image = ((image - low) / (high - low + 1e-6)).clamp(0, 1) ** float(uniform(generator, (1,), 0.6, 1.6))
    return 1 - image if torch.rand(1, generator=generator) < 0.1 else image


def augment(generator, images):
    """One affine map and one jitter for each image [n, side, side]: 15 degrees, 0.9 to 1.1, shear 5 degrees, shift 5 %,
    brightness and contrast 20 %.  Outside is black."""
    n = len(images)
    turn = uniform(generator, (n,), -15, 15) * math.pi / 180
    scale, shear = uniform(generator, (n,), 0.9, 1.1), torch.tan(uniform(generator, (n,), -5, 5) * math.pi / 180)
    cos, sin = turn.cos() / scale, turn.sin() / scale
    shift = uniform(generator, (n, 2), -0.1, 0.1)
    rows = [torch.stack([cos, cos * shear - sin, shift[:, 0]], 1), torch.stack([sin, sin * shear + cos, shift[:, 1]], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), (n, 1, *images.shape[1:]), align_corners=False)
    moved = F.grid_sample(images[:, None], grid, align_corners=False)[:, 0]
    contrast, brightness = uniform(generator, (n, 1, 1), 0.8, 1.2), uniform(generator, (n, 1, 1), 0.8, 1.2)
    mean = moved.mean((1, 2), keepdim=True)
    return (((moved - mean) * contrast + mean) * brightness).clamp(0, 1)


def volume(generator, depth, side):
    """`depth` neighbouring slices; some scans have few pixels, and are shown larger."""
    coarse = float(uniform(generator, (1,), 0.25, 0.7)) if torch.rand(1, generator=generator) < 0.35 else 1.0
    image = show(generator, anatomy(generator, depth, round(side * coarse)))
    return F.interpolate(image[:, None], size=(side, side), mode="bilinear")[:, 0]


def batch(generator, volumes, depth, copies, side):
    """`volumes` x `depth` slices, and `copies` augmented copies of some of them."""
    images = torch.cat([volume(generator, depth, side) for _ in range(volumes)])
    chosen = torch.randint(0, len(images), (copies,), generator=generator)
    images = torch.cat([images, augment(generator, images[chosen])])
    images = (images * 255).round()[:, None].repeat(1, 3, 1, 1) / 127.5 - 1
    if torch.rand(1, generator=generator) < 0.15:  # photographs and stained sections are coloured
        tint = uniform(generator, (1, 3, 1, 1), 0.5, 1.5)
        images = ((images + 1) / 2) ** tint * 2 - 1
    return images
