"""How well the small LPIPS ranks as its teacher does, on scans that training never saw.

usage: evaluate.py --teacher lpips_alex.safetensors --student lpips-tiny.safetensors SCAN...
SCAN is .nii, .nii.gz, .nrrd (gzip or raw), or a folder of uncompressed DICOM slices.  Each SCAN is a set; with two or more
NIfTI files of one folder those files form one set.  Within a set every third slice is a support, with two augmented
copies; the other slices are queries.  Mean squared error of the pixels stands beside, as what a network must beat.
"""
import argparse
import glob
import gzip
import os

import nibabel
import numpy as np
import torch
import torch.nn.functional as F

import slices
from network import ALEX, TINY, load
from train import correlation, ranks

SIDE, MOST = 256, 36


def read_nrrd(path):
    data = open(path, "rb").read()
    head, body = data.split(b"\n\n", 1)
    fields = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line and not line.startswith("#"))
    kind = {"short": "<i2", "ushort": "<u2", "float": "<f4", "uchar": "u1"}[fields["type"]]
    body = gzip.decompress(body) if fields["encoding"] in ("gzip", "gz") else body
    return np.frombuffer(body, kind).reshape([int(n) for n in fields["sizes"].split()], order="F").astype(np.float32)


def read_dicom_folder(path):
    """The pixels are the file's last element: enough for ordering by name and 16 bits."""
    frames = []
    for name in sorted(glob.glob(os.path.join(path, "*"))):
        data = open(name, "rb").read()
        rows, columns = (int.from_bytes(data[at + 8:at + 10], "little") for at in
                         (data.index(b"\x28\x00\x10\x00"), data.index(b"\x28\x00\x11\x00")))
        frames.append(np.frombuffer(data[-2 * rows * columns:], "<i2").reshape(rows, columns))
    return np.stack(frames, -1).astype(np.float32)


def read(path):
    if os.path.isdir(path):
        return read_dicom_folder(path)
    if path.endswith(".nrrd"):
        return read_nrrd(path)
    return np.asarray(nibabel.load(path).dataobj, np.float32)


def images(volume, most):
    """Slices along the last axis, windowed by percentiles as the program does, longest side SIDE."""
    low, high = np.percentile(volume, [0.5, 99.5])
    chosen = np.unique(np.linspace(0, volume.shape[2] - 1, min(most, volume.shape[2])).round().astype(int))
    x = torch.from_numpy(((volume[:, :, chosen] - low) / (high - low)).clip(0, 1)).float().permute(2, 0, 1)[:, None]
    scale = SIDE / max(x.shape[2:])
    size = [max(64, round(n * scale)) for n in x.shape[2:]]
    return F.interpolate(x, size=size, mode="bilinear", antialias=True)[:, 0]


def distances(model, batch, left, right):
    layers = [torch.cat(parts) for parts in zip(*(model(part) for part in batch.split(8)))]
    return torch.cat([model.terms(layers, a, b).sum(1) for a, b in zip(left.split(64), right.split(64))])


def compare(teacher, student, x, generator):
    n = len(x)
    supports, queries = x[::3], x[[i for i in range(n) if i % 3]]
    supports = torch.cat([supports, slices.augment(generator, supports), slices.augment(generator, supports)])
    batch = torch.cat([supports, queries])
    batch = (batch * 255).round()[:, None].repeat(1, 3, 1, 1) / 127.5 - 1
    shape = (len(queries), len(supports))
    right = torch.arange(shape[1]).repeat(shape[0])
    left = torch.arange(shape[0]).repeat_interleave(shape[1]) + shape[1]
    wanted = distances(teacher, batch, left, right)
    found = {"student": distances(student, batch, left, right),
             "pixels": torch.stack([((batch[a] - batch[b]) ** 2).mean() for a, b in zip(left, right)])}
    out = {}
    for name, d in found.items():
        rows, best = d.view(shape), wanted.view(shape).min(1).values
        choice = rows.argmin(1)
        out[name] = {
            "all pairs": correlation(ranks(d), ranks(wanted)).item(),
            "each query": correlation(ranks(rows), ranks(wanted.view(shape))).mean().item(),
            "same choice": (choice == wanted.view(shape).argmin(1)).float().mean().item(),
            "excess": (wanted.view(shape).gather(1, choice[:, None])[:, 0] / best).mean().item() - 1,
        }
    return shape, out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--teacher", required=True)
    parser.add_argument("--student", required=True)
    parser.add_argument("scans", nargs="+")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    teacher, student = load(args.teacher, ALEX), load(args.student, TINY)
    sets = {}
    for path in args.scans:
        folder, name = os.path.split(path.rstrip("/"))
        together = sum(os.path.dirname(p) == folder and p.endswith(".nii.gz") for p in args.scans) > 1
        name = os.path.basename(os.path.dirname(folder)) if together else os.path.basename(folder) + "/" + name
        sets.setdefault(name, []).append(path)
    print("| set | queries x supports | by | rank correlation, all pairs | each query | same choice | "
          "its distance above the best |")
    print("|---|---|---|---|---|---|---|")
    for name, paths in sets.items():
        x = [images(read(path), MOST // len(paths) if len(paths) > 1 else MOST) for path in paths]
        size = x[0].shape[1:]
        x = torch.cat([F.interpolate(part[:, None], size=size, mode="bilinear")[:, 0] for part in x])
        shape, figures = compare(teacher, student, x, torch.Generator().manual_seed(0))
        for by, f in figures.items():
            print(f"| {name} | {shape[0]} x {shape[1]} | {by} | {f['all pairs']:.3f} | {f['each query']:.3f} | "
                  f"{f['same choice']:.0%} | {f['excess']:.1%} |", flush=True)


if __name__ == "__main__":
    main()
