//! The Dice coefficient, 2 |A and B| / (|A| + |B|). In: two label maps on one grid, and a slice to leave out
//! (the prompt, which was given and not found). Out: voxel counts and the coefficient, per label.

use crate::volume::{LabelMap, VolumeError, VoxelAxis, same_grid};

/// Voxel counts of one label in two maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelDice {
    /// The label.
    pub label: u16,
    /// Voxels of the first map that carry it.
    pub first: usize,
    /// Voxels of the second map that carry it.
    pub second: usize,
    /// Voxels that carry it in both.
    pub both: usize,
}

impl LabelDice {
    /// From 0 (apart) to 1 (equal); `None` when neither map has the label.
    pub fn coefficient(&self) -> Option<f64> {
        match self.first + self.second {
            0 => None,
            sum => Some(2.0 * self.both as f64 / sum as f64),
        }
    }
}

/// The agreement of two maps on `label`, without the voxels of the slice `exclude` (axis and number).
///
/// # Errors
/// `GridMismatch` when the maps are on different grids, `SliceOutOfRange` when the slice does not exist.
pub fn dice(
    a: &LabelMap,
    b: &LabelMap,
    label: u16,
    exclude: Option<(VoxelAxis, usize)>,
) -> Result<LabelDice, VolumeError> {
    let counts = counts(a, b, exclude)?;
    Ok(counts[usize::from(label)].of(label))
}

/// The agreement of two maps on every label that either of them has, ascending, without background.
///
/// # Errors
/// As [`dice`].
pub fn dice_table(
    a: &LabelMap,
    b: &LabelMap,
    exclude: Option<(VoxelAxis, usize)>,
) -> Result<Vec<LabelDice>, VolumeError> {
    let counts = counts(a, b, exclude)?;
    Ok((1..=u16::MAX)
        .map(|label| counts[usize::from(label)].of(label))
        .filter(|row| row.first + row.second > 0)
        .collect())
}

/// The agreement of two maps on `label` for each slice across `axis`.
///
/// # Errors
/// `GridMismatch` when the maps are on different grids.
pub fn dice_slices(
    a: &LabelMap,
    b: &LabelMap,
    label: u16,
    axis: VoxelAxis,
) -> Result<Vec<LabelDice>, VolumeError> {
    same_grid(&a.grid, &b.grid)?;
    let mut slices = vec![Counts::default().of(label); a.grid.dims[axis.index()]];
    for (at, (x, y)) in a.labels.iter().zip(&b.labels).enumerate() {
        if *x != label && *y != label {
            continue;
        }
        let slice = &mut slices[a.grid.voxel_at(at)[axis.index()]];
        slice.first += usize::from(*x == label);
        slice.second += usize::from(*y == label);
        slice.both += usize::from(x == y);
    }
    Ok(slices)
}

#[derive(Clone, Copy, Default)]
struct Counts {
    first: usize,
    second: usize,
    both: usize,
}

impl Counts {
    fn of(self, label: u16) -> LabelDice {
        LabelDice {
            label,
            first: self.first,
            second: self.second,
            both: self.both,
        }
    }
}

/// One pass over both maps; the place in the list is the label.
fn counts(
    a: &LabelMap,
    b: &LabelMap,
    exclude: Option<(VoxelAxis, usize)>,
) -> Result<Vec<Counts>, VolumeError> {
    same_grid(&a.grid, &b.grid)?;
    if let Some((axis, slice)) = exclude {
        a.grid.check_slice(axis, slice)?;
    }
    let excluded =
        |at: usize| exclude.is_some_and(|(axis, slice)| a.grid.voxel_at(at)[axis.index()] == slice);
    let mut counts = vec![Counts::default(); usize::from(u16::MAX) + 1];
    for (at, (x, y)) in a.labels.iter().zip(&b.labels).enumerate() {
        if excluded(at) {
            continue;
        }
        counts[usize::from(*x)].first += 1;
        counts[usize::from(*y)].second += 1;
        if x == y {
            counts[usize::from(*x)].both += 1;
        }
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use crate::volume::{Affine, Grid, Millimetre, VolumeErrorKind};

    use super::*;

    fn map(labels: [u16; 8]) -> LabelMap {
        let affine = Affine::diagonal([Millimetre(1.0); 3]);
        let grid = Grid::new([2, 2, 2], affine).expect("a valid grid");
        LabelMap::new(labels.to_vec(), grid).expect("eight labels")
    }

    #[test]
    fn counts_overlap_per_label() {
        let a = map([1, 1, 0, 2, 1, 0, 0, 0]);
        let b = map([1, 0, 0, 2, 1, 1, 3, 0]);
        let one = dice(&a, &b, 1, None).expect("one grid");
        assert_eq!((one.first, one.second, one.both), (3, 3, 2));
        assert_eq!(one.coefficient(), Some(2.0 * 2.0 / 6.0));
        let table = dice_table(&a, &b, None).expect("one grid");
        let rows: Vec<_> = table.iter().map(|r| (r.label, r.coefficient())).collect();
        assert_eq!(rows, [(1, Some(2.0 / 3.0)), (2, Some(1.0)), (3, Some(0.0))]);
        let absent = dice(&a, &b, 9, None).expect("one grid");
        assert_eq!(absent.coefficient(), None);
    }

    #[test]
    fn leaves_out_one_slice() {
        let a = map([1, 1, 0, 2, 1, 0, 0, 0]);
        let b = map([1, 0, 0, 2, 1, 1, 3, 0]);
        let row = |axis, slice| {
            let row = dice(&a, &b, 1, Some((axis, slice))).expect("in range");
            (row.first, row.second, row.both)
        };
        assert_eq!(row(VoxelAxis::K, 0), (1, 2, 1));
        assert_eq!(row(VoxelAxis::I, 0), (1, 1, 0));
        assert_eq!(row(VoxelAxis::J, 1), (3, 3, 2));
        let error = dice(&a, &b, 1, Some((VoxelAxis::K, 2))).expect_err("two slices");
        assert_eq!(error.kind(), VolumeErrorKind::SliceOutOfRange);
    }

    #[test]
    fn counts_overlap_per_slice() {
        let a = map([1, 1, 0, 2, 1, 0, 0, 0]);
        let b = map([1, 0, 0, 2, 1, 1, 3, 0]);
        let rows = |label, axis| {
            let slices = dice_slices(&a, &b, label, axis).expect("one grid");
            slices
                .into_iter()
                .map(|s| s.coefficient())
                .collect::<Vec<_>>()
        };
        assert_eq!(rows(1, VoxelAxis::K), [Some(2.0 / 3.0), Some(2.0 / 3.0)]);
        assert_eq!(rows(1, VoxelAxis::I), [Some(1.0), Some(0.0)]);
        assert_eq!(rows(2, VoxelAxis::K), [Some(1.0), None]);
    }

    #[test]
    fn maps_on_different_grids_are_not_compared() {
        let a = map([0; 8]);
        let mut b = map([0; 8]);
        b.grid.affine.0[2][3] = 7.0;
        let error = dice_table(&a, &b, None).expect_err("moved");
        assert_eq!(error.kind(), VolumeErrorKind::GridMismatch);
        let error = dice_slices(&a, &b, 1, VoxelAxis::K).expect_err("moved");
        assert_eq!(error.kind(), VolumeErrorKind::GridMismatch);
    }
}
