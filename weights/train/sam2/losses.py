"""What training minimises, and what its log shows.

In: what the decoder said (`tracking.Said`), true masks [n, times, 1, side, side].  Out: one number, and figures as plain numbers.
"""
import torch
import torch.nn.functional as F

LIMIT = 15.0  # of a logit: beyond it only spikes are to be had


def overlap(a, b):
    """Dice of binary masks [n, ...]; two empty masks agree."""
    a, b = a.flatten(1), b.flatten(1)
    return (2 * (a * b).sum(1) + 1e-3) / (a.sum(1) + b.sum(1) + 1e-3)


def mask_losses(logits, truth, first):
    """Cross entropy + dice of each of the masks [n, m, h, w].  The entropy is in proportion to the object's size, and pixels that copying
    the prompt `first` gets wrong count more: they are what is to be learnt."""
    logits, truth, first = logits.clamp(-LIMIT, LIMIT), truth.expand_as(logits), first.expand_as(logits)
    p = logits.sigmoid()
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    missed = (p - truth).abs()
    area = truth.flatten(2).sum(2) + first.flatten(2).sum(2) + 16
    pixels = (entropy * (1 + 3 * missed * missed + 3 * (truth - first).abs())).flatten(2).sum(2) / area
    both, total = (p * truth).flatten(2).sum(2), p.flatten(2).sum(2) + truth.flatten(2).sum(2)
    return 0.5 * pixels + 1 - (2 * both + 1) / (total + 1)


def of_frame(said, masks, first):
    """Loss and figures of one frame; `first` are the prompts, to see what copying them would give."""
    truth = F.interpolate(masks, size=said.masks.shape[-2:], mode="area")
    binary = (truth > 0.5).float()
    # What is too thin for the decoder's masks is neither there nor gone; a clip may show nothing to be prompted.
    known = (first.flatten(1).amax(1) > 0).float()
    seen, absent = (binary.flatten(1).amax(1) > 0).float() * known, (masks.flatten(1).amax(1) == 0).float() * known
    each = mask_losses(said.masks, truth, first)
    with torch.no_grad():
        drawn = (said.masks > 0).float()
        both = (drawn * binary).flatten(2).sum(2)
        iou = both / ((drawn + binary) > 0).float().flatten(2).sum(2).clamp(min=1e-6)
    quality = ((said.iou - iou).abs().mean(1) * seen).mean()
    # Real scans have more slices without an object than invented clips have.
    presence = F.binary_cross_entropy_with_logits(said.score[:, 0].clamp(-LIMIT, LIMIT), seen, weight=seen + 2.5 * absent)
    # A tracked mask is hardly ever ambiguous: all three learn, the one that is shown and the best a little more.
    shown = each.gather(1, said.iou.argmax(1, keepdim=True))[:, 0]
    mask = ((0.5 * each.mean(1) + 0.3 * each.amin(1) + 0.4 * shown) * seen).sum() / (seen.sum() + 1e-6)
    stopped = (said.score[:, 0] <= 0).float() * absent
    return mask + quality + 2.5 * presence, {
        "mask": mask.item(), "iou": quality.item(), "presence": presence.item(),
        "dice": (overlap((said.chosen > 0).float(), binary) * seen).sum().item(),
        "copied": (overlap(first, binary) * seen).sum().item(), "seen": seen.sum().item(),
        "stopped": stopped.sum().item(), "absent": absent.sum().item(),
    }


def of_clip(said, masks):
    """The mean over tracked frames, and a little of the others; figures are sums over tracked frames or objects."""
    total, figures, tracked = 0.0, {}, [frame for frame in said if not frame.aside]
    first = F.interpolate(masks[:, 0], size=said[0].masks.shape[-2:], mode="area").gt(0.5).float()
    for frame in said:
        loss, found = of_frame(frame, masks[:, frame.frame], first)
        total = total + loss * (0.3 if frame.aside else 1 / len(tracked))
        for key, value in found.items() if not frame.aside else ():
            figures[key] = figures.get(key, 0.0) + value
    return total, figures | {"frames": len(tracked)}
