#!/usr/bin/env python3
"""What `oneslice export` and `oneslice measure` write, read back by other people's programs.

In: the binary, and DICOM series: oblique, coronal and reversed ones made here, and real ones where ONESLICE_SHARED_DATA has
them. Out: one line for each check, and how many passed. Labels are drawn here and placed by pydicom and nibabel alone; what
comes back from highdicom, dcmqi, rt-utils, trimesh, SimpleITK and nibabel must be the same voxels in the same places.

    pip install pydicom highdicom nibabel SimpleITK trimesh rt-utils dcmqi dicom3tools pylibjpeg pylibjpeg-openjpeg
    check.py path/to/oneslice [--keep DIR]

Without the first five packages it says SKIPPED and is content; without one of the others it leaves that program out.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

try:
    import highdicom
    import nibabel
    import numpy as np
    import pydicom
    import SimpleITK
    import trimesh
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid
except ImportError as missing:
    print(f"SKIPPED tests/export/check.py: {missing}")
    sys.exit(0)

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
NAMES = {1: "Left kidney", 2: "thread", 300: "Tumour"}
COLOURS = {1: (220, 80, 60), 2: (0, 128, 255), 300: (20, 160, 40)}
PASSED, FAILED = [], []


def check(good, what):
    (PASSED if good else FAILED).append(what)
    print(("ok      " if good else "FAILED  ") + what, flush=True)


# ---------------------------------------------------------------------------------------------------------------- series


class Series:
    """A folder of single-frame files, sorted and placed by pydicom and numpy alone."""

    def __init__(self, name, folder):
        self.name, self.folder = name, Path(folder)
        files = [f for f in sorted(self.folder.iterdir()) if f.is_file()]
        found = [(f, pydicom.dcmread(f, force=True)) for f in files]
        rows = np.array(found[0][1].ImageOrientationPatient, float)
        normal = np.cross(rows[:3], rows[3:])
        found.sort(key=lambda f: float(normal @ np.array(f[1].ImagePositionPatient, float)))
        self.files = [d for _, d in found]
        first, last = self.files[0], self.files[-1]
        spacing = np.array(first.PixelSpacing, float)
        begin, end = (np.array(d.ImagePositionPatient, float) for d in (first, last))
        self.shape = (first.Columns, first.Rows, len(self.files))
        self.lps = np.eye(4)
        self.lps[:3, 0] = rows[:3] * spacing[1]
        self.lps[:3, 1] = rows[3:] * spacing[0]
        self.lps[:3, 2] = (end - begin) / (len(self.files) - 1)
        self.lps[:3, 3] = begin
        self.affine = LPS_TO_RAS @ self.lps
        self.whole = all(d.get(k) for d in self.files for k in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"))

    def labels(self):
        """A large part with a tunnel, a thread in the tunnel, and scattered voxels."""
        random = np.random.default_rng(5)
        i, j, k = np.meshgrid(*[np.linspace(-1, 1, n) for n in self.shape], indexing="ij")
        out = np.zeros(self.shape, np.uint16)
        ring = (i - 0.1) ** 2 / 0.02 + (j + 0.1) ** 2 / 0.03
        out[(i**2 / 0.3 + j**2 / 0.2 + k**2 / 0.8 < 1) & (ring > 1)] = 1
        out[((i - 0.1) ** 2 + (j + 0.1) ** 2 < 0.008) & (abs(k) < 0.7)] = 2
        out[(random.random(self.shape) < 0.3) & (abs(i + 0.8) < 0.1) & (abs(j) < 0.1)] = 300
        return out

    def values(self):
        frames = [d.pixel_array * float(d.get("RescaleSlope", 1)) + float(d.get("RescaleIntercept", 0)) for d in self.files]
        return np.stack(frames, axis=-1).transpose(1, 0, 2).astype(np.float32)


def make_series(folder, row, column, reverse):
    """Nine slices of 40 x 36 pixels, in any orientation."""
    folder.mkdir()
    row, column = np.array(row, float), np.array(column, float)
    normal = np.cross(row, column)
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    random = np.random.default_rng(3)
    for k in range(9):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = MRImageStorage, generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        d = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
        d.SOPClassUID, d.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
        d.SpecificCharacterSet, d.PatientName, d.PatientID = "ISO_IR 192", "Müller^Jürgen", "4711"
        d.PatientBirthDate, d.PatientSex, d.StudyDate, d.StudyTime = "19700102", "O", "20260102", "101112"
        d.StudyInstanceUID, d.SeriesInstanceUID, d.FrameOfReferenceUID = study, series, frame
        d.StudyID, d.AccessionNumber, d.ReferringPhysicianName, d.PositionReferenceIndicator = "1", "2", "", ""
        d.Modality, d.SeriesNumber, d.InstanceNumber, d.Manufacturer = "MR", "7", str(k + 1), "none"
        place = np.array([-31.25, 44.5, -76.5]) + normal * 2.5 * (9 - k if reverse else k)
        d.ImagePositionPatient = [f"{v:.10g}" for v in place]
        d.ImageOrientationPatient = [f"{v:.12g}" for v in (*row, *column)]
        d.PixelSpacing, d.SliceThickness = ["0.8", "1.1"], "2.5"
        d.Rows, d.Columns, d.SamplesPerPixel, d.PhotometricInterpretation = 36, 40, 1, "MONOCHROME2"
        d.BitsAllocated, d.BitsStored, d.HighBit, d.PixelRepresentation = 16, 12, 11, 0
        d.PixelData = random.integers(0, 4096, (36, 40), np.uint16).tobytes()
        d.save_as(folder / f"{(k * 5) % 9}.dcm", enforce_file_format=True)


def all_series(folder):
    turn = np.array([[0.8, 0.48, 0.36], [-0.6, 0.64, 0.48]])
    make_series(folder / "axial", [1, 0, 0], [0, 1, 0], False)
    make_series(folder / "reversed", [1, 0, 0], [0, -1, 0], True)
    make_series(folder / "coronal", [1, 0, 0], [0, 0, -1], False)
    make_series(folder / "sagittal", [0, 1, 0], [0, 0, -1], True)
    make_series(folder / "oblique", turn[0], turn[1], False)
    yield from (Series(name, folder / name) for name in ("axial", "reversed", "coronal", "sagittal", "oblique"))
    data = os.environ.get("ONESLICE_SHARED_DATA")
    for name in ("mr-brain-dicom", "ct-abdomen-dicom", "dcm-seg/24x38x3/image"):
        if data and (Path(data) / name).is_dir():
            yield Series(name, Path(data) / name)
        else:
            print(f"SKIPPED {name}: ONESLICE_SHARED_DATA does not have it")


# --------------------------------------------------------------------------------------------------------------- readers


def check_seg(series, labels, path):
    seg, name = highdicom.seg.segread(path), f"{series.name}: SEG, highdicom"
    present = [int(v) for v in np.unique(labels) if v]
    numbers = list(range(1, len(present) + 1))
    check([d.SegmentLabel for d in seg.SegmentSequence] == [NAMES[v] for v in present], f"{name}: names")
    for d, label in zip(seg.SegmentSequence, present):
        l, a, b = (v / 65535 for v in d.RecommendedDisplayCIELabValue)
        near = lab_to_rgb(l * 100, a * 255 - 128, b * 255 - 128)
        check(max(abs(x - y) for x, y in zip(near, COLOURS[label])) <= 2, f"{name}: colour of {NAMES[label]}")
    volume = seg.get_volume(segment_numbers=numbers, combine_segments=False)
    array = np.asarray(volume.array)
    back, outside = np.zeros(series.shape, np.uint16), 0
    to_voxel = np.linalg.inv(series.lps) @ volume.affine
    for number, label in zip(range(array.shape[-1]), present):
        at = np.argwhere(array[..., number] == 1)
        voxels = at @ to_voxel[:3, :3].T + to_voxel[:3, 3]
        whole = np.rint(voxels).astype(int)
        outside = max(outside, float(abs(voxels - whole).max()))
        back[tuple(whole.T)] = label
    check(outside < 1e-3, f"{name}: voxels lie on voxels ({outside:.1e} of one at most)")
    check((back == labels).all(), f"{name}: {int((labels > 0).sum())} voxels equal")
    if series.whole:
        uids = [d.SOPInstanceUID for d in series.files]
        frames = seg.get_pixels_by_source_instance(uids, segment_numbers=numbers, ignore_spatial_locations=False)
        same = all((frames[..., n].transpose(2, 1, 0) == (labels == v)).all() for n, v in enumerate(present))
        check(same, f"{name}: by source instance")
        check(seg.StudyInstanceUID == series.files[0].StudyInstanceUID, f"{name}: study")
        check(str(seg.PatientName) == str(series.files[0].PatientName), f"{name}: patient")
    check(str(seg.FrameOfReferenceUID) == str(series.files[0].FrameOfReferenceUID), f"{name}: frame of reference")


def lab_to_rgb(l, a, b):
    """Lab of D50 to sRGB, by the inverse of the sRGB profile's matrix."""
    y = (l + 16) / 116
    xyz = [w * (t**3 if t > 6 / 29 else 3 * (6 / 29) ** 2 * (t - 4 / 29)) for w, t in zip((0.96422, 1, 0.82521), (y + a / 500, y, y - b / 200))]
    to_rgb = np.array([[3.1338561, -1.6168667, -0.4906146], [-0.9787684, 1.9161415, 0.0334540], [0.0719453, -0.2289914, 1.4052427]])
    linear = np.clip(to_rgb @ xyz, 0, 1)
    return [round(255 * (12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055)) for v in linear]


def tool(name):
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.is_file() else shutil.which(name)


def check_validator(series, path, kind):
    validator = tool("dciodvfy")
    if not validator:
        return print("SKIPPED dciodvfy: dicom3tools is not installed")
    said = subprocess.run([validator, str(path)], capture_output=True, text=True)
    errors = [line for line in (said.stdout + said.stderr).splitlines() if line.startswith("Error")]
    check(not errors, f"{series.name}: {kind}, dciodvfy: no error" + "".join(f"\n          {e}" for e in errors[:5]))


def check_dcmqi(series, labels, path, folder):
    reader = tool("segimage2itkimage")
    if not reader:
        return print("SKIPPED dcmqi: it is not installed")
    out = folder / "dcmqi"
    out.mkdir()
    command = [reader, "--inputDICOM", str(path), "--outputDirectory", str(out), "--prefix", "s", "--outputType", "nrrd"]
    said = subprocess.run(command, capture_output=True, text=True)
    back = np.zeros(series.shape, np.uint16)
    for number, label in enumerate((int(v) for v in np.unique(labels) if v), 1):
        file = out / f"s-{number}.nrrd"
        if not file.is_file():
            return check(False, f"{series.name}: SEG, dcmqi: {said.stdout[-300:]}{said.stderr[-300:]}")
        image = SimpleITK.ReadImage(str(file))
        to_lps = np.eye(4)
        to_lps[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
        to_lps[:3, 3] = image.GetOrigin()
        at = np.argwhere(SimpleITK.GetArrayFromImage(image))[:, ::-1]
        to_voxel = np.linalg.inv(series.lps) @ to_lps
        voxels = at @ to_voxel[:3, :3].T + to_voxel[:3, 3]
        back[tuple(np.rint(voxels).astype(int).T)] = label
    check((back == labels).all(), f"{series.name}: SEG, dcmqi and SimpleITK: voxels equal")


def inside(polygon, columns, rows):
    """Which pixel centres a ray to the left crosses the polygon for an odd number of times."""
    odd = np.zeros((rows, columns), bool)
    for (x1, y1), (x2, y2) in zip(polygon, np.roll(polygon, -1, axis=0)):
        for y in range(max(0, int(np.ceil(min(y1, y2)))), min(rows - 1, int(np.floor(max(y1, y2)))) + 1):
            if (y1 > y) != (y2 > y):
                odd[y] ^= np.arange(columns) > x1 + (y - y1) / (y2 - y1) * (x2 - x1)
    return odd


def check_rtstruct(series, labels, path):
    rt, name = pydicom.dcmread(path), f"{series.name}: RTSTRUCT"
    names = {int(r.ROINumber): r.ROIName for r in rt.StructureSetROISequence}
    back, off, twice = np.zeros(series.shape, np.uint16), 0.0, False
    to_voxel = np.linalg.inv(series.lps)
    uids = {str(d.get("SOPInstanceUID")): k for k, d in enumerate(series.files)}
    lies = True
    for region in rt.ROIContourSequence:
        label = {v: k for k, v in NAMES.items()}[names[int(region.ReferencedROINumber)]]
        for contour in region.ContourSequence:
            points = np.array(contour.ContourData, float).reshape(-1, 3)
            points = points @ to_voxel[:3, :3].T + to_voxel[:3, 3]
            k = round(points[:, 2].mean())
            off = max(off, abs(points[:, 2] - k).max())
            if series.whole:
                lies &= uids[contour.ContourImageSequence[0].ReferencedSOPInstanceUID] == k
            odd = inside(points[:, :2], *series.shape[:2]).T
            twice |= bool(back[..., k][odd].any())
            back[..., k][odd] = label
    check(off < 1e-3, f"{name}: contours lie in their planes ({off:.1e} of a slice at most)")
    check((back == labels).all() and not twice, f"{name}: contours filled are the labels")
    check(lies, f"{name}: contours refer to the image they lie on")


def check_rt_utils(series, labels, path):
    try:
        from rt_utils import RTStructBuilder
    except ImportError:
        return print("SKIPPED rt-utils: it is not installed")
    rt = RTStructBuilder.create_from(dicom_series_path=str(series.folder), rt_struct_path=str(path))
    order = [str(d.SOPInstanceUID) for d in rt.series_data]
    planes = [order.index(str(d.SOPInstanceUID)) for d in series.files]
    mask = rt.get_roi_mask_by_name(NAMES[1])[..., planes].transpose(1, 0, 2)
    truth = labels == 1
    # It rounds points to whole pixels and fills the border too: one pixel more, never one less.
    grown = truth.copy()
    for axis in (0, 1):
        grown |= np.roll(grown, 1, axis) | np.roll(grown, -1, axis)
    check(bool((mask | ~truth).all() and (grown | ~mask).all()), f"{series.name}: RTSTRUCT, rt-utils: the label, within a pixel")


def check_png(series, labels, path, axis):
    with zipfile.ZipFile(path) as archive:
        about = json.loads(archive.read("labels.json"))
        across = "ijk".index(about["voxel_axis"])
        step = np.argmax(abs(series.affine[:3, :3] / np.linalg.norm(series.affine[:3, :3], axis=0)), axis=0)
        check(step[across] == {"sagittal": 0, "coronal": 1, "axial": 2}[axis], f"{series.name}: PNG, {axis}: across {about['voxel_axis']}")
        with tempfile.TemporaryDirectory() as folder:
            archive.extractall(folder)
            pictures = [SimpleITK.ReadImage(str(f)) for f in sorted(Path(folder).glob("*.png"))]
    stack = np.stack([SimpleITK.GetArrayFromImage(p) for p in pictures])
    order = ["ijk".index(about["row_axis"]), "ijk".index(about["column_axis"])]
    check((stack == labels.transpose(across, *order)).all(), f"{series.name}: PNG, {axis}: pixels equal, by SimpleITK")


def check_mesh(series, labels, path, label):
    mesh, name = trimesh.load(path, process=True), f"{series.name}: {Path(path).suffix[1:].upper()}, trimesh"
    check(mesh.is_watertight and mesh.is_winding_consistent, f"{name}: watertight")
    voxels = np.argwhere(labels == label)
    volume = len(voxels) * abs(np.linalg.det(series.lps[:3, :3]))
    check(abs(mesh.volume / volume - 1) < 0.05, f"{name}: volume {mesh.volume / volume:.4f} of the voxels'")
    place = voxels @ series.lps[:3, :3].T + series.lps[:3, 3]
    size = np.linalg.norm(series.lps[:3, :3], axis=0).max()
    off = abs(mesh.center_mass - place.mean(axis=0)).max()
    check(off < 0.1 * size, f"{name}: its centre is {off:.3f} mm from the voxels'")


def check_nifti(series, labels, path):
    image = nibabel.load(path)
    off = abs(image.affine - series.affine).max()
    check(off < 1e-3, f"{series.name}: NIfTI, nibabel: affine within {off:.1e} mm")
    check((np.asarray(image.dataobj) == labels).all(), f"{series.name}: NIfTI, nibabel: voxels equal")


def check_measure(series, labels, rows):
    values, voxel = series.values(), abs(np.linalg.det(series.affine[:3, :3])) / 1000
    good = [r["label"] for r in rows] == [int(v) for v in np.unique(labels) if v]
    for row in rows:
        inside = values[labels == row["label"]].astype(np.float64)
        wanted = (len(inside), len(inside) * voxel, inside.mean(), inside.std(), inside.min(), inside.max())
        found = (row["voxels"], row["ml"], row["mean"], row["sd"], row["min"], row["max"])
        good &= bool(np.allclose(found, wanted, rtol=1e-6, atol=1e-6)) and row["name"] == NAMES[row["label"]]
    check(good, f"{series.name}: measure: numpy's figures")


# ------------------------------------------------------------------------------------------------------------------- all


def check_series(cli, series, folder):
    folder.mkdir()
    labels = series.labels()
    # Stored in another order than the series, as other programs do.
    turned = nibabel.as_closest_canonical(nibabel.Nifti1Image(labels, series.affine))
    stored = folder / "labels.nii.gz"
    nibabel.save(turned, stored)
    said = [f"--name={v}={n}" for v, n in NAMES.items()]
    said += [f"--colour={v}=#{r:02x}{g:02x}{b:02x}" for v, (r, g, b) in COLOURS.items()]

    def run(what, *more):
        command = [cli, what, str(stored), "--scan", str(series.folder), *said, *more]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
        return done.stdout

    def written(name, *more):
        run("export", "--out", str(folder / name), *more)
        return folder / name

    seg = written("seg.dcm")
    check_seg(series, labels, seg)
    check_dcmqi(series, labels, seg, folder)
    rt = written("rt.dcm", "--format", "rtstruct")
    check_rtstruct(series, labels, rt)
    if series.whole:
        check_validator(series, seg, "SEG")
        check_validator(series, rt, "RTSTRUCT")
        check_rt_utils(series, labels, rt)
    for axis in ("axial", "coronal", "sagittal"):
        check_png(series, labels, written(f"{axis}.zip", "--axis", axis), axis)
    for name in ("one.stl", "one.obj"):
        check_mesh(series, labels, written(name, "--label", "1"), 1)
    check_nifti(series, labels, written("back.nii.gz"))
    check_measure(series, labels, json.loads(run("measure", "--json")))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("cli", help="the oneslice binary")
    arguments.add_argument("--keep", metavar="DIR", help="leave the files in this new folder")
    given = arguments.parse_args()
    folder = Path(given.keep or tempfile.mkdtemp())
    try:
        (folder / "made").mkdir(parents=True)
        for series in all_series(folder / "made"):
            check_series(given.cli, series, folder / series.name.replace("/", "-"))
    finally:
        if not given.keep:
            shutil.rmtree(folder)
    print(f"{len(PASSED)} passed, {len(FAILED)} failed")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
