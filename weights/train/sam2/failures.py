"""Pictures of what a model got most wrong, for evaluate.py.  Needs numpy and Pillow."""
import numpy as np
from PIL import Image, ImageDraw

SIDE = 240  # pixels of the longer side of a picture
TRUE, FOUND = (70, 220, 90), (255, 70, 70)


def border(mask):
    """Pixels of a mask of which a neighbour is outside."""
    padded = np.pad(mask, 1)
    inner = padded[2:, 1:-1] & padded[:-2, 1:-1] & padded[1:-1, 2:] & padded[1:-1, :-2]
    return mask & ~inner


def view(grey, masks, affine):
    """A slice [x, y] as it is looked at, what is in front above and the patient's right on the left; borders in their colours."""
    across, down = (n * mm for n, mm in zip(grey.shape, np.linalg.norm(affine[:3, :2], axis=0)))
    size = tuple(max(1, round(SIDE * side / max(across, down))) for side in (across, down))
    x, y = (-1 if affine[axis, axis] > 0 else 1 for axis in (0, 1))
    turned = lambda values: Image.fromarray(np.ascontiguousarray(values.T[::y, ::x]))
    picture = np.array(turned(grey).resize(size, Image.Resampling.BILINEAR).convert("RGB"))
    for mask, colour in masks:
        picture[border(np.array(turned(mask.astype(np.uint8) * 255).resize(size, Image.Resampling.NEAREST)) > 0)] = colour
    return Image.fromarray(picture)


def around(mask):
    """A part of a slice: what is in the mask, and as much again around it, a quarter of the slice at least."""
    parts = []
    for axis, size in enumerate(mask.shape):
        inside = np.where(mask.any(1 - axis))[0]
        side = min(size, max(2 * (inside[-1] - inside[0] + 1), size // 4))
        first = min(max(0, (inside[0] + inside[-1] - side) // 2), size - side)
        parts.append(slice(first, first + side))
    return tuple(parts)


def panel(scan, affine, window, truth, found, prompt, title):
    """The prompt, and beside it the slice with most wrong pixels: what is true in green, what was found in red."""
    wrong = (truth ^ found).sum((0, 1))
    wrong[prompt] = -1
    worst = int(wrong.argmax())
    lo, hi = window or np.percentile(scan, (0.5, 99.5))
    part = around((truth | found)[:, :, [prompt, worst]].any(2))
    scan, truth, found = (values[part] for values in (scan, truth, found))
    grey = lambda k: np.clip((scan[:, :, k] - lo) / max(hi - lo, 1e-6) * 255, 0, 255).astype(np.uint8)
    out = Image.new("RGB", (2 * SIDE, SIDE + 14), "white")
    out.paste(view(grey(prompt), [(truth[:, :, prompt], TRUE)], affine), (0, 14))
    out.paste(view(grey(worst), [(truth[:, :, worst], TRUE), (found[:, :, worst], FOUND)], affine), (SIDE, 14))
    ImageDraw.Draw(out).text((2, 1), f"{title}, slice {prompt} to {worst}", fill="black")
    return out


def write(panels, most, path):
    """The `most` worst of each set, a set in a row; `panels` are (set, Dice, picture)."""
    rows = []
    for name in dict.fromkeys(name for name, *_ in panels):
        rows.append([picture for _, _, picture in sorted((p for p in panels if p[0] == name), key=lambda p: p[1])[:most]])
    sheet = Image.new("RGB", (2 * SIDE * max(map(len, rows)), (SIDE + 14) * len(rows)), "white")
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            sheet.paste(picture, (2 * SIDE * x, (SIDE + 14) * y))
    sheet.save(path)
