//! Which object each voxel belongs to. In: label values, whole or slice by slice. Out: the masks of single
//! labels, and which labels and slices hold anything.

use super::error::VolumeError;
use super::grid::Grid;
use super::mask::Mask;
use super::orient::VoxelAxis;
use super::slices::{check_length, places};

/// One label per voxel; 0 is background.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelMap {
    /// The label of voxel (i, j, k) is at `i + dims[0] * (j + dims[1] * k)`.
    pub labels: Vec<u16>,
    /// Where the voxels are.
    pub grid: Grid,
}

impl LabelMap {
    /// A label map from labels in storage order.
    ///
    /// # Errors
    /// `WrongLength` unless there is one label per voxel of `grid`.
    pub fn new(labels: Vec<u16>, grid: Grid) -> Result<Self, VolumeError> {
        check_length("labels", labels.len(), &grid)?;
        Ok(Self { labels, grid })
    }

    /// A label map with nothing but background.
    pub fn empty(grid: Grid) -> Self {
        Self {
            labels: vec![0; grid.voxel_count()],
            grid,
        }
    }

    /// The labels of slice `index` across `axis`, row-major.
    ///
    /// # Errors
    /// `SliceOutOfRange`.
    pub fn slice(&self, axis: VoxelAxis, index: usize) -> Result<Vec<u16>, VolumeError> {
        Ok(places(&self.grid, axis, index)?
            .map(|at| self.labels[at])
            .collect())
    }

    /// The pixels of slice `index` across `axis` that carry `label`.
    ///
    /// # Errors
    /// `SliceOutOfRange`.
    pub fn slice_mask(
        &self,
        axis: VoxelAxis,
        index: usize,
        label: u16,
    ) -> Result<Mask, VolumeError> {
        let pixels = places(&self.grid, axis, index)?
            .map(|at| self.labels[at] == label)
            .collect();
        Mask::new(self.grid.slice_shape(axis), pixels)
    }

    /// Replaces slice `index` across `axis` by row-major `labels`.
    ///
    /// # Errors
    /// `SliceOutOfRange`, or `WrongLength` unless there are rows x cols labels.
    pub fn set_slice(
        &mut self,
        axis: VoxelAxis,
        index: usize,
        labels: &[u16],
    ) -> Result<(), VolumeError> {
        let area = self.grid.slice_shape(axis).area();
        if labels.len() != area {
            return Err(VolumeError::wrong_length("slice", area, labels.len()));
        }
        for (at, label) in places(&self.grid, axis, index)?.zip(labels) {
            self.labels[at] = *label;
        }
        Ok(())
    }

    /// The labels that at least one voxel carries, ascending, without background.
    pub fn labels_present(&self) -> Vec<u16> {
        let mut present = vec![false; usize::from(u16::MAX) + 1];
        for label in &self.labels {
            present[usize::from(*label)] = true;
        }
        (1..=u16::MAX)
            .filter(|label| present[usize::from(*label)])
            .collect()
    }

    /// The slice across `axis` on which `label` covers most pixels, the first one when several do;
    /// `None` when no voxel carries the label.
    pub fn largest_slice(&self, axis: VoxelAxis, label: u16) -> Option<usize> {
        let mut areas = vec![0usize; self.grid.slice_count(axis)];
        for (at, found) in self.labels.iter().enumerate() {
            if *found == label {
                areas[self.grid.voxel_at(at)[axis.index()]] += 1;
            }
        }
        let largest = areas.iter().copied().max().filter(|area| *area > 0)?;
        areas.iter().position(|area| *area == largest)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Affine, Millimetre};
    use super::*;

    fn empty(dims: [usize; 3]) -> LabelMap {
        let affine = Affine::diagonal([Millimetre(1.0); 3]);
        LabelMap::empty(Grid::new(dims, affine).expect("a valid grid"))
    }

    #[test]
    fn largest_slice_is_the_first_of_the_largest() {
        let mut map = empty([3, 3, 5]);
        assert_eq!(map.largest_slice(VoxelAxis::K, 2), None);
        for (k, area) in [(1, 2), (2, 4), (3, 4)] {
            let slice: Vec<u16> = (0..9).map(|p| if p < area { 2 } else { 0 }).collect();
            map.set_slice(VoxelAxis::K, k, &slice).expect("in range");
        }
        assert_eq!(map.largest_slice(VoxelAxis::K, 2), Some(2));
        assert_eq!(map.labels_present(), [2]);
        let mask = map.slice_mask(VoxelAxis::K, 3, 2).expect("in range");
        assert_eq!(mask.area(), 4);
    }

    #[test]
    fn a_slice_of_the_wrong_size_changes_nothing() {
        let mut map = empty([3, 4, 5]);
        assert!(map.set_slice(VoxelAxis::K, 0, &[1; 9]).is_err());
        assert!(map.set_slice(VoxelAxis::K, 5, &[1; 12]).is_err());
        assert!(map.labels_present().is_empty());
    }
}
