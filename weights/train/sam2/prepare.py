"""Lays out real scans for `evaluate.py`: NIfTI files and a list of them.  Needs SimpleITK, nibabel and Pillow.

usage: prepare.py OUT NAME=SCAN,LABELS[,LOW,HIGH[,LABEL+LABEL+...]] ...
SCAN: a folder of DICOM slices, of video frames or of NIfTI files, or a file that ITK reads.  LABELS likewise (a folder of masks, or of
label maps with the scans' names).  LOW,HIGH is the window; without labels, the 14 largest are taken; of a folder of NIfTI files, all.
"""
import json
import os
import sys

import numpy as np
import SimpleITK as sitk
from PIL import Image

MOST = 14


def frames(folder, mask):
    pictures = [np.asarray(Image.open(os.path.join(folder, name)).convert("L")) for name in sorted(os.listdir(folder))]
    return sitk.GetImageFromArray(np.stack([(p > 127).astype(np.uint8) if mask else p for p in pictures]))


def read(path, mask=False):
    if not os.path.isdir(path):
        return sitk.ReadImage(path)
    if any(name.lower().endswith((".jpg", ".png")) for name in os.listdir(path)):
        return frames(path, mask)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(path))
    return reader.Execute()


def put(out, name, scan, labels, window, wanted):
    """Writes one pair on one grid, with the wanted labels only."""
    image, truth = read(scan), read(labels, mask=True)
    if image.GetSize() != truth.GetSize():
        sys.exit(f"{scan} and {labels} differ in size")
    if image.GetOrigin() != truth.GetOrigin() and image.GetDirection() != truth.GetDirection():
        # The same voxels, stored the other way round.
        image = sitk.Resample(image, truth, sitk.Transform(), sitk.sitkNearestNeighbor)
    voxels = np.rint(sitk.GetArrayFromImage(truth)).astype(np.uint8)
    numbers, counts = np.unique(voxels[voxels > 0], return_counts=True)
    kept = wanted or [int(n) for n in numbers[np.argsort(-counts)][:MOST]]
    shown = sitk.GetImageFromArray(np.where(np.isin(voxels, kept), voxels, 0).astype(np.uint8))
    shown.CopyInformation(image)
    files = os.path.join(out, f"{name}.nii.gz"), os.path.join(out, f"{name}-labels.nii.gz")
    sitk.WriteImage(sitk.Cast(image, sitk.sitkFloat32), files[0])
    sitk.WriteImage(shown, files[1])
    return {"name": name, "scan": os.path.basename(files[0]), "labels": os.path.basename(files[1]), "window": window}


def parse(line):
    name, rest = line.split("=", 1)
    scan, labels, *more = rest.split(",")
    window = ",".join(more[:2]) or None
    return name, scan, labels, window, [int(n) for n in more[2].split("+")] if len(more) > 2 else None


def main(out, *lines):
    os.makedirs(out, exist_ok=True)
    sets = []
    for name, scan, labels, window, wanted in map(parse, lines):
        pairs = [(scan, labels)]
        if os.path.isdir(scan) and any(n.endswith(".nii.gz") for n in os.listdir(scan)):
            pairs = [(os.path.join(scan, n), os.path.join(labels, n)) for n in sorted(os.listdir(scan)) if n.endswith(".nii.gz")]
        for number, (image, truth) in enumerate(pairs):
            case = put(out, f"{name}-{number}" if len(pairs) > 1 else name, image, truth, window, wanted)
            sets.append(case | {"set": name})
    json.dump(sets, open(os.path.join(out, "sets.json"), "w"), indent=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
