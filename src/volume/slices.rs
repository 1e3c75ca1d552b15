//! Taking slices out of an array in storage order. In: a [`Volume`] and a slice's axis and number. Out:
//! 8-bit grey pixels, row-major.

use super::error::VolumeError;
use super::grid::Grid;
use super::mask::SliceShape;
use super::orient::VoxelAxis;
use super::window::Window;

/// A scan: one value per voxel, rescaled to its unit (Hounsfield units for CT).
#[derive(Debug, Clone, PartialEq)]
pub struct Volume {
    /// The value of voxel (i, j, k) is at `i + dims[0] * (j + dims[1] * k)`.
    pub voxels: Vec<f32>,
    /// Where the voxels are.
    pub grid: Grid,
}

impl Volume {
    /// A volume from values in storage order.
    ///
    /// # Errors
    /// `WrongLength` unless there is one value per voxel of `grid`.
    pub fn new(voxels: Vec<f32>, grid: Grid) -> Result<Self, VolumeError> {
        check_length("voxels", voxels.len(), &grid)?;
        Ok(Self { voxels, grid })
    }

    /// Rows and columns of the slices across `axis`.
    pub fn slice_shape(&self, axis: VoxelAxis) -> SliceShape {
        self.grid.slice_shape(axis)
    }

    /// Number of slices across `axis`.
    pub fn slice_count(&self, axis: VoxelAxis) -> usize {
        self.grid.slice_count(axis)
    }

    /// Slice `index` across `axis` as 8-bit grey, row-major.
    ///
    /// # Errors
    /// `SliceOutOfRange`.
    pub fn slice_u8(
        &self,
        axis: VoxelAxis,
        index: usize,
        window: &Window,
    ) -> Result<Vec<u8>, VolumeError> {
        let places = places(&self.grid, axis, index)?;
        Ok(places.map(|at| window.to_u8(self.voxels[at])).collect())
    }
}

/// Checks that an array has one value per voxel.
pub(super) fn check_length(what: &str, len: usize, grid: &Grid) -> Result<(), VolumeError> {
    match grid.voxel_count() {
        count if count == len => Ok(()),
        count => Err(VolumeError::wrong_length(what, count, len)),
    }
}

/// The places in memory of a slice's pixels, row by row.
pub(super) fn places(
    grid: &Grid,
    axis: VoxelAxis,
    index: usize,
) -> Result<impl Iterator<Item = usize> + use<>, VolumeError> {
    grid.check_slice(axis, index)?;
    let SliceShape { rows, cols } = grid.slice_shape(axis);
    let (row_axis, col_axis) = axis.rows_cols();
    let (row_step, col_step) = (grid.stride(row_axis), grid.stride(col_axis));
    let first = index * grid.stride(axis.index());
    Ok((0..rows).flat_map(move |r| (0..cols).map(move |c| first + r * row_step + c * col_step)))
}

#[cfg(test)]
mod tests {
    use super::super::{Affine, Millimetre, VolumeErrorKind};
    use super::*;

    fn counting(dims: [usize; 3]) -> Volume {
        let grid = Grid::new(dims, Affine::diagonal([Millimetre(1.0); 3])).expect("a valid grid");
        let voxels = (0..grid.voxel_count()).map(|v| v as f32).collect();
        Volume::new(voxels, grid).expect("as many values as voxels")
    }

    #[test]
    fn slices_are_in_storage_order() {
        let volume = counting([2, 3, 4]);
        let window = Window::new(0.0, 255.0).expect("a valid window");
        let slice = |axis, index| volume.slice_u8(axis, index, &window).expect("in range");
        assert_eq!(slice(VoxelAxis::K, 1), [6, 7, 8, 9, 10, 11]);
        assert_eq!(slice(VoxelAxis::J, 2), [4, 5, 10, 11, 16, 17, 22, 23]);
        assert_eq!(
            slice(VoxelAxis::I, 1),
            [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23]
        );
    }

    #[test]
    fn a_slice_too_far_is_an_error() {
        let volume = counting([2, 3, 4]);
        let window = Window::auto(&volume);
        let error = volume
            .slice_u8(VoxelAxis::J, 3, &window)
            .expect_err("only three slices");
        assert_eq!(error.kind(), VolumeErrorKind::SliceOutOfRange);
        assert_eq!(
            error.to_string(),
            "slice 3 does not exist: voxel axis j has slices 0 to 2"
        );
    }

    #[test]
    fn the_number_of_values_is_checked() {
        let grid = counting([2, 3, 4]).grid;
        assert!(Volume::new(vec![0.0; 23], grid).is_err());
    }
}
