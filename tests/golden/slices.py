"""A NIfTI scan as 8-bit slices, and back, by this project's definition of a slice.

A slice across voxel axis a has the higher of the two remaining voxel axes as rows and the lower one as columns, in
storage order.  In: file names, an anatomical axis, a window.  Out: numpy arrays; label maps with the scan's header.
"""
import nibabel
import numpy as np

ANATOMICAL = {"sagittal": 0, "coronal": 1, "axial": 2}  # columns of RAS+: left-right, back-front, feet-head


def voxel_axis(affine, name):
    """The voxel axis whose direction is closest to the anatomical one; different names give different axes."""
    nearest = nibabel.orientations.io_orientation(affine)[:, 0]
    return int(np.flatnonzero(nearest == ANATOMICAL[name])[0])


def stack(array, axis):
    """[i,j,k] -> [slice, row, column]."""
    lower, higher = [a for a in range(3) if a != axis]
    return np.ascontiguousarray(np.transpose(array, (axis, higher, lower)))


def unstack(slices, axis):
    """The inverse of `stack`."""
    lower, higher = [a for a in range(3) if a != axis]
    return np.ascontiguousarray(np.transpose(slices, np.argsort((axis, higher, lower))))


def read_scan(path):
    image = nibabel.load(path)
    return image, image.get_fdata(dtype=np.float32)


def read_labels(path):
    return np.asanyarray(nibabel.load(path).dataobj).astype(np.int64)


def window(voxels, given=None):
    """(lo, hi) as given, or the 0.5 and 99.5 percentiles of all voxels."""
    low, high = given or np.percentile(voxels.astype(np.float64), (0.5, 99.5))
    return float(np.float32(low)), float(np.float32(high))


def to_u8(voxels, low, high):
    scaled = 255 * (voxels.astype(np.float64) - low) / (high - low)
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)  # rint: ties to even


def write_labels(path, labels, like):
    header = like.header.copy()
    header.set_data_dtype(np.uint8)
    header["scl_slope"], header["scl_inter"] = np.nan, np.nan
    nibabel.save(nibabel.Nifti1Image(labels.astype(np.uint8), like.affine, header), path)


def dice(a, b):
    total = int(a.sum()) + int(b.sum())
    return 2 * int((a & b).sum()) / total if total else 1.0
