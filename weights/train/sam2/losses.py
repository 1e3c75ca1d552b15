"""What training minimises, and what its log shows.

In: what the decoder said (`tracking.Said`), true masks [n, times, 1, side, side].  Out: one number, and figures as plain numbers.
"""
import torch
import torch.nn.functional as F

LIMIT = 30.0  # of a logit: beyond it only spikes are to be had


def overlap(a, b):
    """Dice of binary masks [n, ...]; two empty masks agree."""
    a, b = a.flatten(1), b.flatten(1)
    return (2 * (a * b).sum(1) + 1e-3) / (a.sum(1) + b.sum(1) + 1e-3)


def mask_losses(logits, truth):
    """Focal + cross entropy + dice of each of the masks [n, m, h, w]."""
    logits, truth = logits.clamp(-LIMIT, LIMIT), truth.expand_as(logits)
    p = logits.sigmoid()
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    missed = (p - truth).abs()
    pixels = (entropy * (missed * missed * 10 + 1)).flatten(2).mean(2)
    both, total = (p * truth).flatten(2).sum(2), p.flatten(2).sum(2) + truth.flatten(2).sum(2)
    return 2 * pixels + 1 - (2 * both + 1) / (total + 1)


def of_frame(said, masks, first):
    """Loss and figures of one frame; `first` are the prompts, to see what copying them would give."""
    truth = F.interpolate(masks, size=said.masks.shape[-2:], mode="area")
    binary = (truth > 0.5).float()
    seen = (binary.flatten(1).sum(1) > 0).float()
    each = mask_losses(said.masks, truth)
    with torch.no_grad():
        drawn = (said.masks > 0).float()
        both = (drawn * binary).flatten(2).sum(2)
        iou = both / ((drawn + binary) > 0).float().flatten(2).sum(2).clamp(min=1e-6)
    quality = ((said.iou - iou).abs().mean(1) * seen).mean()
    # Real scans have more slices without an object than invented clips have.
    presence = F.binary_cross_entropy_with_logits(said.score[:, 0].clamp(-LIMIT, LIMIT), seen, weight=2 - seen)
    # The mask that would be shown is pushed a little too, not only the best of the three.
    shown = each.gather(1, said.iou.argmax(1, keepdim=True))[:, 0]
    mask = ((each.min(1).values + 0.3 * shown) * seen).sum() / (seen.sum() + 1e-6)
    stopped = (said.score[:, 0] <= 0).float() * (1 - seen)
    return mask + 2 * quality + presence, {
        "mask": mask.item(), "iou": quality.item(), "presence": presence.item(),
        "dice": (overlap((said.chosen > 0).float(), binary) * seen).sum().item(),
        "copied": (overlap(first, binary) * seen).sum().item(), "seen": seen.sum().item(),
        "stopped": stopped.sum().item(), "absent": (1 - seen).sum().item(),
    }


def of_clip(said, masks):
    """The mean over frames; figures are sums over frames or objects."""
    total, figures = 0.0, {"frames": len(said)}
    first = F.interpolate(masks[:, 0], size=said[0].masks.shape[-2:], mode="area").gt(0.5).float()
    for frame in said:
        loss, found = of_frame(frame, masks[:, frame.frame], first)
        total = total + loss
        for key, value in found.items():
            figures[key] = figures.get(key, 0.0) + value
    return total / len(said), figures
