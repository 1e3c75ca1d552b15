"""Writes the small files of this folder and what other programs read from them.

In: nothing, or with `--real DIR` the folder that ONESLICE_SHARED_DATA names. Out: the files here and expected.json; with --real, the
figures of real.json instead. Needs: pip install pydicom SimpleITK nibabel numpy pillow pylibjpeg pylibjpeg-openjpeg; DCMTK and GDCM's tools.

The pixels of a compressed file come from an encoder that we did not write (DCMTK, GDCM), its values from a decoder that we did not
write (SimpleITK), and so do the places of voxels.
"""
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nibabel
import numpy
import pydicom
import SimpleITK as sitk
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

HERE = Path(__file__).parent
ROWS, COLUMNS = 20, 24
SERIES = "1.2.826.0.1.3680043.8.498.1"


def pixels(signed, bits=16):
    """Smooth, so that lossy codecs stay close, and with negative values where there may be some."""
    y, x = numpy.mgrid[0:ROWS, 0:COLUMNS]
    wave = numpy.sin(x / 5.0) * numpy.cos(y / 4.0)
    if bits == 8:
        return (wave * 100 + 128).astype(numpy.uint8)
    if signed:
        return (wave * 900 - 200).astype(numpy.int16)
    return (wave * 900 + 1100).astype(numpy.uint16)


def dicom(array, position=(-20.5, 7.25, 40.0), number=1):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = pydicom.uid.CTImageStorage
    meta.MediaStorageSOPInstanceUID = f"{SERIES}.{number}"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID = meta.MediaStorageSOPClassUID
    data.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    data.StudyInstanceUID = "1.2.826.0.1.3680043.8.498.2"
    data.SeriesInstanceUID = SERIES
    data.FrameOfReferenceUID = "1.2.826.0.1.3680043.8.498.3"
    data.PatientName, data.PatientID = "Made^Up", "0"
    data.StudyDate = data.StudyTime = data.AccessionNumber = data.StudyID = ""
    data.PatientBirthDate = data.PatientSex = data.ReferringPhysicianName = ""
    data.Modality, data.SeriesDescription = "CT", "made"
    data.SeriesNumber, data.InstanceNumber = 1, number
    data.Rows, data.Columns = array.shape
    bits = array.dtype.itemsize * 8
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = bits
    data.HighBit = bits - 1
    data.PixelRepresentation = int(array.dtype.kind == "i")
    data.ImagePositionPatient = list(position)
    data.ImageOrientationPatient = [0.8, 0.6, 0, 0, 0, -1]
    data.PixelSpacing, data.SliceThickness = [0.75, 0.5], 2.5
    data.RescaleSlope, data.RescaleIntercept = 2, -10
    data.PixelData = array.tobytes()
    return data


def affine(image):
    """4 x 4, to RAS."""
    direction = numpy.array(image.GetDirection()).reshape(3, 3)
    matrix = numpy.eye(4)
    matrix[:3, :3] = direction * image.GetSpacing()
    matrix[:3, 3] = image.GetOrigin()
    return numpy.diag([-1, -1, 1, 1]) @ matrix


def read(path):
    image = sitk.ReadImage(str(path))
    if image.GetDimension() == 2:
        image = sitk.JoinSeries(image)
    return image


def summary(image):
    values = sitk.GetArrayFromImage(image).astype(numpy.float64)
    return {
        "dims": list(image.GetSize()),
        "affine": affine(image).tolist(),
        "first": values.ravel()[:8].tolist(),
        "sum": float(values.sum()),
        "min": float(values.min()),
        "max": float(values.max()),
    }


def run(*command):
    subprocess.run([str(c) for c in command], check=True, capture_output=True)


def codecs(work):
    """Each transfer syntax, by the program that writes it best."""
    for name, array in [("signed", pixels(True)), ("unsigned", pixels(False)), ("bytes", pixels(False, 8))]:
        dicom(array).save_as(work / f"{name}.dcm", enforce_file_format=True)
    signed, unsigned, byte = (work / f"{n}.dcm" for n in ("signed", "unsigned", "bytes"))
    out = lambda name: HERE / f"{name}.dcm"
    shutil.copy(signed, out("explicit"))
    run("dcmconv", "+ti", signed, out("implicit"))
    run("dcmconv", "+tb", signed, out("big-endian"))
    run("dcmconv", "+td", signed, out("deflated"))
    run("dcmcrle", signed, out("rle"))
    run("dcmcjpeg", "+e1", unsigned, out("jpeg-lossless-sv1"))
    run("dcmcjpeg", "+el", "+sv", "6", unsigned, out("jpeg-lossless-6"))
    run("dcmcjpeg", "+eb", "+q", "95", byte, out("jpeg-baseline"))
    run("dcmcjpls", "+el", unsigned, out("jpeg-ls"))
    run("gdcmconv", "--j2k", signed, out("jpeg-2000-signed"))
    run("gdcmconv", "--j2k", unsigned, out("jpeg-2000-unsigned"))
    run("gdcmconv", "--j2k", "--lossy", "-q", "90", byte, out("jpeg-2000-lossy"))
    names = [
        "explicit", "implicit", "big-endian", "deflated", "rle", "jpeg-lossless-sv1", "jpeg-lossless-6", "jpeg-baseline",
        "jpeg-2000-signed", "jpeg-2000-unsigned", "jpeg-2000-lossy",
    ]
    # SimpleITK's spacing of a single slice is not the file's thickness; the volume's is checked with the series.
    return {f"{name}.dcm": summary(read(out(name))) for name in names}


def lattices():
    """Oblique ones, written by ITK and nibabel."""
    values = numpy.arange(4 * 5 * 6, dtype=numpy.int16).reshape(4, 5, 6) - 30
    image = sitk.GetImageFromArray(values)
    turn = sitk.Euler3DTransform((0, 0, 0), 0.2, -0.3, 0.4)
    image.SetDirection(turn.GetMatrix())
    image.SetSpacing((0.75, 0.5, 2.5))
    image.SetOrigin((-20.5, 7.25, 40.0))
    found = {}
    for name, packed in [("oblique.mha", True), ("oblique.nrrd", True), ("raw.mhd", False), ("raw.nhdr", False)]:
        sitk.WriteImage(image, str(HERE / name), packed)
        found[name] = summary(read(HERE / name))
    matrix = affine(image)
    values = numpy.ascontiguousarray(values.transpose(2, 1, 0))
    nibabel.Nifti2Image(values, matrix).to_filename(HERE / "oblique-2.nii")
    nibabel.Nifti2Image(values, matrix).to_filename(HERE / "oblique-2.nii.gz")
    nibabel.Nifti1Pair(values, matrix).to_filename(HERE / "pair.hdr")
    for name in ["oblique-2.nii", "oblique-2.nii.gz", "pair.hdr"]:
        loaded = nibabel.load(HERE / name)
        data = loaded.get_fdata().ravel(order="F")
        found[name] = {
            "dims": list(loaded.shape), "affine": loaded.affine.tolist(), "first": data[:8].tolist(),
            "sum": float(data.sum()), "min": float(data.min()), "max": float(data.max()),
        }
    return found


def series(folder):
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return reader.Execute()


def real(folder):
    found = {}
    for name in ["ct-abdomen-dicom", "mr-brain-dicom", "dcm-seg/24x38x3/image"]:
        found[name] = summary(series(folder / name))
    for name in ["nrrd/brain2_image.nrrd", "nrrd/brain2_label.nrrd", "dcm-seg/24x38x3/nrrd/label.nrrd", "dcm-seg/24x38x3/multiframe/mf.dcm"]:
        found[name] = summary(read(folder / name))
    return found


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--real":
        target, found = HERE / "real.json", real(Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as work:
            target, found = HERE / "expected.json", {**codecs(Path(work)), **lattices()}
    target.write_text(json.dumps(found, indent=1) + "\n")
