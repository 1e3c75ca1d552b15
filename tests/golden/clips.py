"""Synthetic clips: a textured ellipse that moves, turns and deforms over a moving background, with a distractor.

In: number of frames, height, width, seed.  Out: RGB frames uint8 [n,h,w,3] and the object's masks bool [n,h,w].
"""
import math

import numpy as np


def _value_noise(height, width, cell, rng):
    grid = rng.random((height // cell + 3, width // cell + 3))
    y, x = np.mgrid[0:height, 0:width] / cell
    iy, ix = y.astype(int), x.astype(int)
    fy, fx = y - iy, x - ix
    fy, fx = fy * fy * (3 - 2 * fy), fx * fx * (3 - 2 * fx)
    top = grid[iy, ix] * (1 - fx) + grid[iy, ix + 1] * fx
    bottom = grid[iy + 1, ix] * (1 - fx) + grid[iy + 1, ix + 1] * fx
    return top * (1 - fy) + bottom * fy


def _texture(height, width, coarse, fine, rng):
    layers = [0.55 * _value_noise(height, width, coarse, rng) + 0.45 * _value_noise(height, width, fine, rng)
              for _ in range(3)]
    return np.stack(layers, -1)


def _ellipse(s, height, width, y, x):
    """The object at time s in 0..1: its mask and its own (turning) coordinates."""
    cx, cy = width * (0.30 + 0.35 * s), height * (0.45 + 0.15 * math.sin(2.2 * s * math.pi))
    a, b = width * (0.18 + 0.03 * math.sin(5 * s)), height * (0.26 - 0.06 * s)
    turn = 0.4 + 1.3 * s
    u = (x - cx) * math.cos(turn) + (y - cy) * math.sin(turn)
    v = -(x - cx) * math.sin(turn) + (y - cy) * math.cos(turn)
    wave = 1 + 0.12 * np.sin(3 * np.arctan2(v / b, u / a) + 4 * s)
    return np.hypot(u / a, v / b) < wave, u, v


def clip(count, height, width, seed):
    rng = np.random.Generator(np.random.PCG64(seed))
    background = _texture(2 * height, 2 * width, max(8, width // 6), max(3, width // 20), rng)
    texture = _texture(height, width, max(4, width // 12), max(2, width // 30), rng)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    frames, masks = [], []
    for t in range(count):
        s = t / max(1, count - 1)
        inside, u, v = _ellipse(s, height, width, y, x)
        other = np.hypot((x - width * (0.78 - 0.25 * s)) / (0.1 * width), (y - 0.62 * height) / (0.14 * height)) < 1
        down, right = min(t // 3, height), min(t // 2, width)
        frame = 0.1 + 0.5 * background[down:down + height, right:right + width]
        frame = np.where(other[..., None], 0.25 + 0.5 * texture * np.array([0.3, 0.5, 1.0]), frame)
        row = np.clip(v + height / 2, 0, height - 1).astype(int)
        col = np.clip(u + width / 2, 0, width - 1).astype(int)
        frame = np.where(inside[..., None], 0.3 + 0.7 * texture[row, col] * np.array([1.0, 0.7, 0.4]), frame)
        frame = frame + 0.02 * rng.standard_normal(frame.shape)
        frames.append(np.clip(frame * 255 + 0.5, 0, 255).astype(np.uint8))
        masks.append(inside)
    return np.stack(frames), np.stack(masks)


def grey(frames):
    """Three equal channels, as a scan's slices have."""
    mean = frames.astype(np.float64).mean(-1, keepdims=True)
    return np.repeat(np.round(mean).astype(np.uint8), 3, axis=-1)
