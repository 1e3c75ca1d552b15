"""Invented anatomy: volumes of organs as formulas, sampled slice by slice.

In: a torch generator, a number of clips, of slices and of pixels.  Out: `Scene`, with each pixel's label, and for each organ in the
order of painting its cover (0..1, soft edges).  All clips of a batch are made by the same tensor operations, on any device.
"""
import math

import torch
import torch.nn.functional as F


class Draw:
    """Random numbers of one shape per call, from one generator."""

    def __init__(self, generator):
        self.generator, self.device = generator, generator.device

    def uniform(self, *shape, low=0.0, high=1.0):
        return torch.rand(shape, generator=self.generator, device=self.device) * (high - low) + low

    def log(self, *shape, low, high):
        return torch.exp(self.uniform(*shape, low=math.log(low), high=math.log(high)))

    def normal(self, *shape):
        return torch.randn(shape, generator=self.generator, device=self.device)

    def chance(self, *shape, p):
        return self.uniform(*shape) < p

    def one(self, low=0.0, high=1.0):
        """A plain number: what all clips of a batch share."""
        return float(self.uniform(1, low=low, high=high))


def field(draw, clips, channels, z, y, x, cells, depth):
    """Smooth noise [clips, channels, t, side, side] at the places z, y, x (each [clips, t, ., .], about -1..1)."""
    noise = draw.normal(clips, channels, depth, cells, cells)
    grid = torch.stack([x, y, z.expand_as(x)], -1)
    return F.grid_sample(noise, grid, padding_mode="reflection", align_corners=True)


def affine(draw, clips, times, turn, scale, shift):
    """Maps [clips, times, 2, 3] of plane coordinates, each drawn on its own within the given bounds [clips, 1]."""
    angle = draw.uniform(clips, times, low=-1, high=1) * turn
    size = torch.exp(draw.uniform(clips, times, low=-1, high=1) * scale)
    rows = [angle.cos() / size, -angle.sin() / size, draw.uniform(clips, times, low=-1, high=1) * shift,
            angle.sin() / size, angle.cos() / size, draw.uniform(clips, times, low=-1, high=1) * shift]
    return torch.stack(rows, -1).view(clips, times, 2, 3)


def movement(draw, clips, times):
    """How the plane lies in each frame.  Scans hardly move; videos drift; pairs for few-shot jump."""
    kind = draw.uniform(clips, 1)
    pair, video = (kind < 0.05).float(), ((kind >= 0.05) & (kind < 0.27)).float()
    still = affine(draw, clips, times, 0.01, 0.01, 0.006)
    jump = affine(draw, clips, times, 0.26, 0.14, 0.12)
    first, last = affine(draw, clips, 1, 0.0, 0.0, 0.0), affine(draw, clips, 1, 0.35, 0.2, 0.3)
    path = torch.linspace(0, 1, times, device=draw.device).view(1, -1, 1, 1)
    shaken = affine(draw, clips, times, 0.02, 0.01, 0.02) - affine(draw, clips, 1, 0.0, 0.0, 0.0)
    drift = first + (last - first) * path + shaken * draw.uniform(clips, 1, 1, 1)
    w = pair.view(-1, 1, 1, 1), video.view(-1, 1, 1, 1)
    return w[0] * jump + w[1] * drift + (1 - w[0] - w[1]) * still, pair[:, 0], video[:, 0]


class Scene:
    """Geometry of a batch: the coordinates of every pixel, before (`y`, `x`) and after (`wy`, `wx`) the warp, and, once painted, on the
    organ that is seen there (`grain_y`, `grain_x`)."""

    def __init__(self, draw, clips, times, side, organs, closest):
        self.draw, self.clips, self.times, self.side, self.organs = draw, clips, times, side, organs
        self.map, self.pair, self.video = movement(draw, clips, times)
        # Small pictures show a part of what large ones show, so that organs have as many pixels in both.
        self.zoom = draw.log(clips, 1, low=closest, high=1.0)
        self.step = draw.log(clips, 1, low=0.004, high=0.035) * self.zoom
        self.slices()
        line = (torch.arange(side, device=draw.device) + 0.5) / side * 2 - 1
        aim = draw.uniform(2, clips, 1, 1, 1, low=-0.8, high=0.8) * (1 - self.zoom.view(1, clips, 1, 1, 1))
        y, x = line.view(1, 1, -1, 1) * self.zoom.view(-1, 1, 1, 1) + aim[0], line.view(1, 1, 1, -1) * self.zoom.view(-1, 1, 1, 1) + aim[1]
        m = self.map[..., None, None]
        self.x = m[:, :, 0, 0] * x + m[:, :, 0, 1] * y + m[:, :, 0, 2]
        self.y = m[:, :, 1, 0] * x + m[:, :, 1, 1] * y + m[:, :, 1, 2]
        self.z = self.place.view(clips, times, 1, 1)
        coarse = F.interpolate(torch.stack([self.x, self.y], 2).flatten(0, 1), size=(side // 4,) * 2, mode="area")
        cx, cy = coarse.view(clips, times, 2, side // 4, side // 4).unbind(2)
        # What is seen by a camera changes its shape as it moves, more quickly than organs do from slice to slice.
        bend = self.z * (0.8 + self.video.view(-1, 1, 1, 1) * draw.log(clips, 1, 1, 1, low=0.5, high=8.0))
        warp = field(draw, clips, 2, bend, cy * 0.7, cx * 0.7, 6, 6) * draw.log(clips, 1, 1, 1, 1, low=0.02, high=0.16)
        warp = warp + field(draw, clips, 2, bend, cy * 0.7, cx * 0.7, 16, 16) * draw.log(clips, 1, 1, 1, 1, low=0.008, high=0.05)
        warp = F.interpolate(warp.transpose(1, 2).flatten(0, 1), size=(side, side), mode="bilinear").view(clips, times, 2, side, side)
        self.wy, self.wx = self.y + warp[:, :, 0], self.x + warp[:, :, 1]

    def slices(self):
        """Frame numbers and depths.  Some clips have a gap after the prompted slice, as if that had been long ago."""
        draw, clips, times = self.draw, self.clips, self.times
        gap = (draw.log(1, low=1.0, high=20.0)).long() if draw.one() < 0.2 else torch.ones(1, dtype=torch.long, device=draw.device)
        index = torch.arange(times, device=draw.device)
        index[1:] += gap - 1
        self.index = index.tolist()
        # After a gap slices lie closer, so that the object is still the same one.
        step = torch.minimum(self.step, 0.2 / gap.float())
        step = torch.where(self.pair[:, None] > 0, draw.uniform(clips, 1, low=0.0, high=0.06), step)
        step = torch.where(self.video[:, None] > 0, draw.uniform(clips, 1, low=0.0, high=0.03), step)
        # Now and then the walk leaves quickly, to where most objects have ended.
        far = torch.where(draw.chance(clips, 1, p=0.3), draw.log(clips, 1, low=1.0, high=10.0), torch.ones(clips, 1, device=draw.device))
        away = (torch.arange(times, device=draw.device) - times // 2).clamp(min=0) * (far - 1)
        self.step, self.place = step, (index + away) * step + draw.uniform(clips, 1, low=-0.4, high=0.4)

    def body(self):
        """Distance from the outline, positive inside, about in half widths of the picture; many views show no outside."""
        draw, n = self.draw, (self.clips, 1, 1, 1)
        size = torch.where(draw.chance(*n, p=0.55), draw.uniform(*n, low=0.65, high=1.0), draw.uniform(*n, low=1.3, high=4.0))
        by, bx = size * draw.uniform(*n, low=0.7, high=1.05), size * draw.uniform(*n, low=0.85, high=1.15)
        y, x = self.wy - draw.uniform(*n, low=-0.1, high=0.1), self.wx - draw.uniform(*n, low=-0.1, high=0.1)
        return (1 - ((y / by) ** 2 + (x / bx) ** 2).sqrt()) * size

    def place_of(self, number, tube, twin, video):
        """Where an organ's middle is at each pixel's depth: distances from it (dy, dx), and where it is its own mirror twin."""
        draw, n = self.draw, (self.clips, 1, 1, 1)
        middle = draw.uniform(*n, low=-0.15, high=0.15)
        left = self.wx < middle
        wx = torch.where(twin & left, 2 * middle - self.wx, self.wx)
        lean = draw.uniform(2, *n, low=-1, high=1) * torch.where(tube, 0.8, 0.35)
        lean = lean + video * draw.uniform(2, *n, low=-1, high=1) * 6
        z = self.z - self.z.mean(1, keepdim=True)
        wave = torch.where(tube, draw.uniform(*n, low=0, high=0.06) * torch.sin(z * draw.uniform(*n, low=2, high=9)), torch.zeros_like(z))
        dy = self.wy - draw.uniform(*n, low=-0.85, high=0.85) - lean[0] * z - wave
        dx = wx - middle - draw.uniform(*n, low=-0.85, high=0.85) - lean[1] * z
        dx = torch.where(twin, wx - middle - draw.uniform(*n, low=0.02, high=0.7) - 0.3 * lean[1] * z, dx)
        return dy, dx, torch.where(twin & left, 2 + number + self.organs, 2 + number)

    def organ(self, number, before):
        """An organ or, now and then, a part of the one `before`, of another grey and moving on its own.  Out: its cover and its numbers
        [clips, times, side, side], places on it that stay the same as it moves (a texture's), its size, and whether it lies hidden: in
        the one before and as grey as that, as a vein in a liver."""
        draw, n, video = self.draw, (self.clips, 1, 1, 1), self.video.view(-1, 1, 1, 1)
        twin, tube = draw.chance(*n, p=0.25), draw.chance(*n, p=0.18)
        small, large = draw.log(*n, low=0.03, high=0.45), draw.log(*n, low=1.0, high=3.0)
        sheet = draw.chance(*n, p=0.08)
        small, large = torch.where(sheet, draw.uniform(*n, low=0.025, high=0.06), small), torch.where(sheet, large * 5, large)
        ends = torch.where(draw.chance(*n, p=0.8), draw.log(*n, low=1.5, high=max(9.0, self.times)) * self.step.view(n), draw.log(*n, low=0.15, high=1.5))
        ends = torch.where(tube, torch.full_like(ends, 50.0), ends)
        ends = torch.where(video > 0, draw.uniform(*n, low=0.3, high=3.0), ends)
        depth = draw.uniform(*n, low=-1.0, high=1.0) * torch.minimum(ends, torch.ones_like(ends)) + self.z.mean(1, keepdim=True)
        dy, dx, numbers = self.place_of(number, tube, twin, video)
        hidden = torch.zeros_like(twin)
        if before:
            _, its_numbers, its_place, its_size, _ = before
            part = draw.uniform(*n) < 0.1 + 0.3 * video
            hidden = draw.chance(*n, p=0.15) & ~part
            within = part | hidden
            beside = draw.uniform(2, *n, low=-1.2, high=1.2) * its_size
            dy, dx = torch.where(within, its_place[0] - beside[0], dy), torch.where(within, its_place[1] - beside[1], dx)
            small, numbers = torch.where(within, torch.minimum(small, its_size), small), torch.where(part, its_numbers, numbers)
        angle = draw.uniform(*n, low=0, high=math.pi) + (self.z - depth) * draw.normal(*n) * (0.2 + 5 * video)
        cos, sin = angle.cos(), angle.sin()
        along = cos * dy + sin * dx, cos * dx - sin * dy
        a, b, far = along[0] / small, along[1] / (small * large).clamp(max=0.7), (self.z - depth) / ends
        reach = (a * a + b * b + far * far).sqrt()
        if number % 2:  # a lobe added to or cut out of it
            la, lb = a - draw.uniform(*n, low=-1.2, high=1.2), b - draw.uniform(*n, low=-1.2, high=1.2)
            lobe = ((la * la + lb * lb) / draw.uniform(*n, low=0.1, high=0.9) + far * far).sqrt()
            reach = torch.where(draw.chance(*n, p=0.5), torch.minimum(reach, lobe), torch.maximum(reach, 2 - lobe))
        shell = draw.chance(*n, p=0.1)
        edge = torch.where(shell, (reach - 1).abs() - draw.uniform(*n, low=0.12, high=0.4), reach - 1)
        soft = draw.log(*n, low=1.0, high=4.0) * self.zoom.view(n) * (2 / self.side)
        return (0.5 - edge * small / soft).clamp(0, 1), numbers, along, small, hidden

    def paint(self, organ_means, organ_textures):
        """Paints organs one over the other: means and textures [clips, 2 + organs] -> (image, texture strength, labels)."""
        inside = self.body()
        body = (inside * self.side / 3 + 0.5).clamp(0, 1)
        at = lambda values, k: values[:, k].view(-1, 1, 1, 1)
        image = at(organ_means, 0) + (at(organ_means, 1) - at(organ_means, 0)) * body
        texture = at(organ_textures, 0) + (at(organ_textures, 1) - at(organ_textures, 0)) * body
        labels = (body > 0.5).long()
        rim = self.draw.uniform(self.clips, 1, 1, 1, low=-0.02, high=0.12)
        room = ((inside - rim) * self.side / 3 + 0.5).clamp(0, 1)
        self.grain_y, self.grain_x, before = self.wy, self.wx, None
        for k in range(self.organs):
            before = self.organ(k, before)
            cover, numbers, (y, x), _, hidden = before
            cover = cover * room
            own = at(organ_means, 2 + k), at(organ_textures, 2 + k)
            mean, strength = (torch.where(hidden, there, here) for there, here in zip((mean, strength), own)) if k else own
            image = torch.lerp(image, mean.expand_as(image), cover)
            texture = torch.lerp(texture, strength.expand_as(texture), cover)
            seen = cover > 0.5
            labels = torch.where(seen, numbers, labels)
            coarse, aside = self.draw.log(self.clips, 1, 1, 1, low=0.3, high=1.4), self.draw.uniform(2, self.clips, 1, 1, 1, low=-1, high=1)
            self.grain_y = torch.where(seen, y * coarse + aside[0], self.grain_y)
            self.grain_x = torch.where(seen, x * coarse + aside[1], self.grain_x)
        return image, texture, labels
