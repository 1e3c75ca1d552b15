//! Every message of the volume module, worded once. In: what went wrong, with its figures. Out: a
//! [`VolumeError`] with a kind for programs and one line for people.

use std::fmt;

use super::affine::Millimetre;
use super::orient::VoxelAxis;

/// What kind of mistake a [`VolumeError`] reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VolumeErrorKind {
    /// A slice index beyond the last slice of its axis.
    SliceOutOfRange,
    /// An array whose length is not the product of the dimensions it is given with.
    WrongLength,
    /// A grey-value window without width, or with a bound that is not a number.
    BadWindow,
    /// A name that is not one of the three anatomical axes.
    UnknownAxis,
    /// A grid without voxels, or with an affine that does not place them in space.
    BadGrid,
    /// Two grids that should be the same and are not.
    GridMismatch,
}

/// A mistake in the use of volumes, slices, masks or windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeError {
    kind: VolumeErrorKind,
    message: String,
}

impl VolumeError {
    /// The kind, for a program to act on.
    pub fn kind(&self) -> VolumeErrorKind {
        self.kind
    }

    fn new(kind: VolumeErrorKind, message: String) -> Self {
        Self { kind, message }
    }

    pub(super) fn slice_out_of_range(axis: VoxelAxis, index: usize, count: usize) -> Self {
        Self::new(
            VolumeErrorKind::SliceOutOfRange,
            format!(
                "slice {index} does not exist: voxel axis {axis} has slices 0 to {}",
                count.saturating_sub(1)
            ),
        )
    }

    pub(super) fn wrong_length(what: &str, expected: usize, found: usize) -> Self {
        Self::new(
            VolumeErrorKind::WrongLength,
            format!("{what}: expected {expected} values, found {found}"),
        )
    }

    pub(super) fn bad_window(lo: f32, hi: f32) -> Self {
        Self::new(
            VolumeErrorKind::BadWindow,
            format!("window {lo} to {hi}: both must be finite numbers, the first below the second"),
        )
    }

    pub(super) fn unknown_axis(text: &str) -> Self {
        Self::new(
            VolumeErrorKind::UnknownAxis,
            format!("unknown axis '{text}': expected axial, coronal or sagittal"),
        )
    }

    pub(super) fn bad_dims(dims: [usize; 3]) -> Self {
        Self::new(
            VolumeErrorKind::BadGrid,
            format!(
                "dimensions {} x {} x {} do not make a volume",
                dims[0], dims[1], dims[2]
            ),
        )
    }

    pub(super) fn bad_affine() -> Self {
        Self::new(
            VolumeErrorKind::BadGrid,
            "the affine does not place voxels in space (it has no inverse)".to_owned(),
        )
    }

    pub(super) fn other_dims(a: [usize; 3], b: [usize; 3]) -> Self {
        Self::new(
            VolumeErrorKind::GridMismatch,
            format!(
                "the grids differ: {} x {} x {} voxels against {} x {} x {}",
                a[0], a[1], a[2], b[0], b[1], b[2]
            ),
        )
    }

    pub(super) fn other_affine(row: usize, col: usize, a: Millimetre, b: Millimetre) -> Self {
        let what = match col {
            3 => "origin".to_owned(),
            _ => format!("step along voxel axis {col}"),
        };
        Self::new(
            VolumeErrorKind::GridMismatch,
            format!(
                "the grids differ: the {what} is {} mm against {} mm in {}",
                a.0,
                b.0,
                ["x", "y", "z"][row.min(2)]
            ),
        )
    }
}

impl fmt::Display for VolumeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for VolumeError {}
