//! The lattice voxels sit on. In: dimensions and affine. Out: a checked [`Grid`], and whether two grids
//! are the same place.

use super::affine::{Affine, Millimetre};
use super::error::VolumeError;
use super::mask::SliceShape;
use super::orient::VoxelAxis;

/// Largest difference, in millimetres, between two affines' entries on what still counts as one grid.
/// Headers store single precision and programs round it differently; a real shift is far larger.
pub const AFFINE_TOLERANCE: Millimetre = Millimetre(1e-3);

/// The lattice of a volume: number of voxels, distance between them, place in the patient.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// Voxels along i, j and k; i varies fastest in memory.
    pub dims: [usize; 3],
    /// Distance between neighbouring voxel centres along i, j and k (the lengths of the affine's columns).
    pub spacing: [Millimetre; 3],
    /// Voxel index to patient millimetres.
    pub affine: Affine,
}

impl Grid {
    /// A grid of `dims` voxels placed by `affine`.
    ///
    /// # Errors
    /// `BadGrid` for a dimension of zero, more voxels than memory has addresses, or an affine without
    /// inverse.
    pub fn new(dims: [usize; 3], affine: Affine) -> Result<Self, VolumeError> {
        let count = dims.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
        if count.is_none_or(|n| n == 0) {
            return Err(VolumeError::bad_dims(dims));
        }
        if affine.inverse().is_none() {
            return Err(VolumeError::bad_affine());
        }
        Ok(Self {
            dims,
            spacing: affine.spacing(),
            affine,
        })
    }

    /// Number of voxels.
    pub fn voxel_count(&self) -> usize {
        self.dims.iter().product()
    }

    /// Number of slices across `axis`.
    pub fn slice_count(&self, axis: VoxelAxis) -> usize {
        self.dims[axis.index()]
    }

    /// Rows and columns of the slices across `axis`: the higher and the lower remaining voxel axis.
    pub fn slice_shape(&self, axis: VoxelAxis) -> SliceShape {
        let (row_axis, col_axis) = axis.rows_cols();
        SliceShape {
            rows: self.dims[row_axis],
            cols: self.dims[col_axis],
        }
    }

    /// Height and width of a pixel of the slices across `axis`.
    pub fn pixel(&self, axis: VoxelAxis) -> [Millimetre; 2] {
        let (row_axis, col_axis) = axis.rows_cols();
        [self.spacing[row_axis], self.spacing[col_axis]]
    }

    /// Checks that slice `index` across `axis` exists.
    ///
    /// # Errors
    /// `SliceOutOfRange`.
    pub fn check_slice(&self, axis: VoxelAxis, index: usize) -> Result<(), VolumeError> {
        match self.slice_count(axis) {
            count if index < count => Ok(()),
            count => Err(VolumeError::slice_out_of_range(axis, index, count)),
        }
    }

    /// The voxel (i, j, k) at a place in memory.
    pub fn voxel_at(&self, offset: usize) -> [usize; 3] {
        let plane = offset / self.dims[0];
        [
            offset % self.dims[0],
            plane % self.dims[1],
            plane / self.dims[1],
        ]
    }

    /// Distance in memory between neighbours along `axis`.
    pub(super) fn stride(&self, axis: usize) -> usize {
        self.dims[..axis].iter().product()
    }
}

/// Checks that `a` and `b` are the same lattice: equal dimensions, affines within [`AFFINE_TOLERANCE`].
///
/// # Errors
/// `GridMismatch`, saying the first thing that differs.
pub fn same_grid(a: &Grid, b: &Grid) -> Result<(), VolumeError> {
    if a.dims != b.dims {
        return Err(VolumeError::other_dims(a.dims, b.dims));
    }
    for row in 0..3 {
        for col in 0..4 {
            let (x, y) = (a.affine.0[row][col], b.affine.0[row][col]);
            let close = (x - y).abs() <= AFFINE_TOLERANCE.0;
            if !close {
                return Err(VolumeError::other_affine(
                    row,
                    col,
                    Millimetre(x),
                    Millimetre(y),
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::VolumeErrorKind;
    use super::*;

    fn grid(dims: [usize; 3]) -> Grid {
        Grid::new(dims, Affine::diagonal([Millimetre(2.0); 3])).expect("a valid grid")
    }

    #[test]
    fn refuses_impossible_grids() {
        let affine = Affine::diagonal([Millimetre(1.0); 3]);
        for dims in [[0, 1, 1], [usize::MAX, 2, 2]] {
            let error = Grid::new(dims, affine).expect_err("not a volume");
            assert_eq!(error.kind(), VolumeErrorKind::BadGrid);
        }
        let flat = Affine::diagonal([Millimetre(0.0); 3]);
        assert!(Grid::new([1, 1, 1], flat).is_err());
    }

    #[test]
    fn slices_take_higher_axis_as_rows() {
        let g = grid([4, 5, 6]);
        let shape = |axis| (g.slice_shape(axis).rows, g.slice_shape(axis).cols);
        assert_eq!(shape(VoxelAxis::I), (6, 5));
        assert_eq!(shape(VoxelAxis::J), (6, 4));
        assert_eq!(shape(VoxelAxis::K), (5, 4));
        assert_eq!(g.voxel_at(4 * 5 * 2 + 4 * 3 + 1), [1, 3, 2]);
    }

    #[test]
    fn same_grid_says_what_differs() {
        let a = grid([4, 5, 6]);
        assert!(same_grid(&a, &a).is_ok());
        let other = same_grid(&a, &grid([4, 5, 7])).expect_err("other dims");
        assert_eq!(
            other.to_string(),
            "the grids differ: 4 x 5 x 6 voxels against 4 x 5 x 7"
        );
        let mut b = a.clone();
        b.affine.0[1][3] = 0.0009;
        assert!(same_grid(&a, &b).is_ok());
        b.affine.0[1][3] = 1.5;
        let moved = same_grid(&a, &b).expect_err("moved");
        assert_eq!(moved.kind(), VolumeErrorKind::GridMismatch);
        assert_eq!(
            moved.to_string(),
            "the grids differ: the origin is 0 mm against 1.5 mm in y"
        );
        b.affine.0[1][3] = f64::NAN;
        assert!(same_grid(&a, &b).is_err());
    }
}
