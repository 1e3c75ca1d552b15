"""The cases of `benches/accuracy.rs`: scans and videos with true masks, as NIfTI files and a list of them.

usage: accuracy_cases.py DATA OUT
DATA has ct-trunk-nifti/{image,labels}.nii.gz, ct-abdomen-dicom/* with ct-abdomen-labels.nii.gz,
hippocampus/{images,labels}/*.nii.gz, nrrd/brain2_{image,label}.nrrd and video/*/{frames/*.jpg,masks/*.png}.  What is no
NIfTI is written as one: DICOM (JPEG 2000) on the grid of its labels, an NRRD with its voxels as they are, a video as a stack
of grey frames (spacing 1).  Writes OUT/cases.json.  Needs numpy, nibabel and PIL with JPEG 2000.
"""
import gzip
import io
import json
import pathlib
import struct
import sys

import nibabel
import numpy as np
from PIL import Image

HIPPOCAMPUS_CASES = 8
# liver, spleen, kidneys, colon, bladder, left autochthonous muscle
TRUNK_LABELS = [5, 1, 2, 3, 20, 21, 86]
# The largest.
ABDOMEN_LABELS = 6
SOFT_TISSUE = [-160, 240]
NRRD_TYPES = {"short": "<i2", "unsigned short": "<u2", "unsigned char": "u1", "uint8": "u1", "int16": "<i2",
              "uint16": "<u2", "float": "<f4", "signed short": "<i2", "int": "<i4"}


def save(out, name, values):
    path = out / f"{name}.nii.gz"
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), path)
    return str(path)


def read_nrrd(path):
    """Voxels, first axis fastest as in the file."""
    header, _, data = path.read_bytes().partition(b"\n\n")
    fields = dict(line.split(": ", 1) for line in header.decode().splitlines() if ": " in line and line[0] != "#")
    if fields["encoding"] in ("gzip", "gz"):
        data = gzip.decompress(data)
    sizes = [int(size) for size in fields["sizes"].split()]
    values = np.frombuffer(data, NRRD_TYPES[fields["type"]]).reshape(sizes, order="F")
    return values


def dicom_elements(data):
    """Tag and value of each element of an explicit little-endian file, sequences left out; pixel data as its fragments."""
    at = 132
    while at < len(data):
        group, element, kind = struct.unpack_from("<HH2s", data, at)
        long = kind in (b"OB", b"OW", b"SQ", b"UN", b"UT", b"OF", b"UC", b"UR")
        length = struct.unpack_from("<I" if long else "<H", data, at + (8 if long else 6))[0]
        start = at + (12 if long else 8)
        if (group, element) == (0x7FE0, 0x0010):
            fragments = []
            while struct.unpack_from("<HH", data, start) == (0xFFFE, 0xE000):
                size = struct.unpack_from("<I", data, start + 4)[0]
                fragments.append(data[start + 8:start + 8 + size])
                start += 8 + size
            yield (group, element), b"".join(fragments[1:])  # the first is a table of offsets
            return
        if length == 0xFFFFFFFF:  # a sequence: on to its end
            end = data.index(b"\xfe\xff\xdd\xe0", start)
            at = end + 8
            continue
        yield (group, element), data[start:start + length]
        at = start + length


def abdomen(data, out):
    """The DICOM slices in Hounsfield units, turned onto the grid of the labels (both are axial)."""
    labels_file = data / "ct-abdomen-labels.nii.gz"
    labels = nibabel.load(labels_file)
    slices = []
    for path in (data / "ct-abdomen-dicom").iterdir():
        fields = dict(dicom_elements(path.read_bytes()))
        number = lambda group, element: [float(part) for part in fields[group, element].decode().split("\\")]
        position = number(0x0020, 0x0032)
        bits = struct.unpack("<H", fields[0x0028, 0x0101])[0]
        # PIL widens what is stored to 16 bits.
        pixels = np.asarray(Image.open(io.BytesIO(fields[0x7FE0, 0x0010]))).astype(np.int32) >> (16 - bits)
        slope, intercept = number(0x0028, 0x1053)[0], number(0x0028, 0x1052)[0]
        slices.append((position[2], position, pixels * slope + intercept))
    slices.sort(key=lambda one: one[0])
    volume = np.stack([pixels.T for _, _, pixels in slices], axis=-1)  # columns, rows, slices; left and posterior rise
    axes = [np.sign(labels.affine[0, 0]) < 0, np.sign(labels.affine[1, 1]) < 0, labels.affine[2, 2] > 0]
    for axis, same in enumerate(axes):
        volume = volume if same else np.flip(volume, axis)
    image = nibabel.Nifti1Image(volume.astype(np.int16), labels.affine)
    path = out / "abdomen.nii.gz"
    nibabel.save(image, path)
    values = np.asarray(labels.dataobj)
    assert values.shape == volume.shape
    sizes = {int(label): int((values == label).sum()) for label in np.unique(values) if label > 0}
    chosen = sorted(sorted(sizes, key=sizes.get)[-ABDOMEN_LABELS:])
    for label in chosen:
        print("abdomen, label", label, "has", sizes[label], "voxels of", round(float(volume[values == label].mean())), "HU")
    return case("ct-abdomen", "ct-abdomen", str(path), str(labels_file), values, SOFT_TISSUE, chosen)


def video(folder, out):
    frames = [np.asarray(Image.open(path).convert("L")) for path in sorted((folder / "frames").glob("*.jpg"))]
    masks = {path.stem: path for path in (folder / "masks").glob("*.png")}
    names = [path.stem for path in sorted((folder / "frames").glob("*.jpg"))]
    labels = np.stack([np.asarray(Image.open(masks[name])) for name in names])
    labels = labels[..., 0] if labels.ndim == 4 else labels
    # A mask of 0 and 255 is one object.
    labels = (labels > 0).astype(np.uint8) if set(np.unique(labels)) <= {0, 255} else labels.astype(np.uint8)
    # Columns, rows, frames: a slice's image then has the rows of the frame.
    turn = lambda stack: np.ascontiguousarray(np.transpose(stack, (2, 1, 0)))
    name = f"video-{folder.name}"
    return case("videos", name, save(out, name, turn(np.stack(frames))), save(out, f"{name}-labels", turn(labels)),
                labels, window=[0, 255])


def case(of, name, image, labels_file, labels, window=None, chosen=None):
    chosen = chosen or [int(label) for label in np.unique(labels) if label > 0]
    return {"set": of, "name": name, "image": image, "labels_file": labels_file, "labels": chosen, "window": window}


def main():
    data, out = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    out.mkdir(parents=True, exist_ok=True)
    cases = []
    trunk = data / "ct-trunk-nifti"
    cases.append(case("ct-trunk", "ct-trunk", str(trunk / "image.nii.gz"), str(trunk / "labels.nii.gz"), None, SOFT_TISSUE, TRUNK_LABELS))
    cases.append(abdomen(data, out))
    for image in sorted((data / "hippocampus/images").glob("*.nii.gz"))[:HIPPOCAMPUS_CASES]:
        labels = data / "hippocampus/labels" / image.name
        values = np.asarray(nibabel.load(labels).dataobj)
        cases.append(case("hippocampus", image.name.removesuffix(".nii.gz"), str(image), str(labels), values))
    image, labels = (read_nrrd(data / f"nrrd/brain2_{kind}.nrrd") for kind in ("image", "label"))
    cases.append(case("brain", "brain", save(out, "brain", image), save(out, "brain-labels", labels.astype(np.uint16)), labels))
    for folder in sorted((data / "video").iterdir()):
        cases.append(video(folder, out))
    (out / "cases.json").write_text(json.dumps(cases, indent=1))
    for one in cases:
        print(one["name"], one["labels"])


main()
