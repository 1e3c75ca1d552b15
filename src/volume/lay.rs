//! A label map of another program on the voxels of a scan. In: a label map, and the grid of a scan whose voxels it shares but
//! stores in another order (axes swapped, or counted from the other end). Out: the labels in the scan's order.
//!
//! Nothing is resampled: both must be the same lattice to the tolerance of [`same_grid`].

use super::affine::Affine;
use super::error::VolumeError;
use super::grid::{Grid, same_grid};
use super::labels::LabelMap;

/// For each axis of the new order the old axis it is, and whether it is counted from the other end.
type Order = [(usize, bool); 3];

impl LabelMap {
    /// The labels as `grid` stores its voxels.
    ///
    /// # Errors
    /// `GridMismatch`, saying the first thing that differs, when the voxels are not those of `grid` in any order.
    pub fn laid_on(&self, grid: &Grid) -> Result<Self, VolumeError> {
        let mismatch = match same_grid(grid, &self.grid) {
            Ok(()) => return Ok(self.clone()),
            Err(mismatch) => mismatch,
        };
        let fits = |order: &Order| {
            let seen = seen_in(&self.grid, order);
            seen.is_ok_and(|seen| same_grid(grid, &seen).is_ok())
        };
        let order = orders().find(fits).ok_or(mismatch)?;
        let place = |at: usize| {
            let voxel = grid.voxel_at(at);
            let mut old = [0; 3];
            for ((axis, turned), index) in order.into_iter().zip(voxel) {
                old[axis] = match turned {
                    true => self.grid.dims[axis] - 1 - index,
                    false => index,
                };
            }
            let along = old.into_iter().enumerate();
            along
                .map(|(axis, i)| i * self.grid.stride(axis))
                .sum::<usize>()
        };
        let labels = (0..grid.voxel_count()).map(|at| self.labels[place(at)]);
        Self::new(labels.collect(), grid.clone())
    }
}

fn orders() -> impl Iterator<Item = Order> {
    const AXES: [[usize; 3]; 6] = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    let turns = |axes: [usize; 3]| {
        (0..8).map(move |turns: usize| [0, 1, 2].map(|new| (axes[new], turns >> new & 1 == 1)))
    };
    AXES.into_iter().flat_map(turns)
}

/// The grid as it is when its axes are taken in another order.
fn seen_in(grid: &Grid, order: &Order) -> Result<Grid, VolumeError> {
    let mut rows = grid.affine.0;
    for (new, (old, turned)) in order.iter().enumerate() {
        let step = grid.affine.column(*old);
        let last = (grid.dims[*old] - 1) as f64;
        for row in 0..3 {
            rows[row][new] = if *turned { -step[row] } else { step[row] };
            rows[row][3] += if *turned { last * step[row] } else { 0.0 };
        }
    }
    Grid::new(order.map(|(old, _)| grid.dims[old]), Affine(rows))
}

#[cfg(test)]
mod tests {
    use super::super::{Millimetre, VolumeErrorKind};
    use super::*;
    use proptest::prelude::*;

    /// An oblique grid, so that no two axes can be taken for one another.
    fn grid() -> Grid {
        let affine = Affine([
            [0.9, 0.1, -0.3, -20.0],
            [-0.1, 1.2, 0.2, 31.5],
            [0.2, -0.2, 2.5, -400.25],
            [0.0, 0.0, 0.0, 1.0],
        ]);
        Grid::new([3, 4, 5], affine).expect("a valid grid")
    }

    proptest! {
        #[test]
        fn every_order_is_found_and_undone(which in 0usize..48, labels in prop::collection::vec(0u16..500, 60)) {
            let scan = LabelMap::new(labels, grid()).expect("60 labels");
            let order = orders().nth(which).expect("48 orders");
            let other = seen_in(&scan.grid, &order).expect("a valid grid");
            let there = scan.laid_on(&other).expect("the same voxels");
            prop_assert_eq!(&there.grid, &other);
            // By their places in the patient.
            for at in 0..60 {
                let point = |voxel: [usize; 3]| super::super::VoxelPoint(voxel.map(|v| v as f64));
                let place = other.affine.apply(point(other.voxel_at(at)));
                let back = scan.grid.affine.inverse().expect("it has one").apply(place);
                let voxel = back.0.map(|v| v.round() as usize);
                let label = scan.labels[voxel[0] + 3 * (voxel[1] + 4 * voxel[2])];
                prop_assert_eq!(there.labels[at], label);
            }
            prop_assert_eq!(there.laid_on(&scan.grid).expect("and back").labels, scan.labels);
        }
    }

    #[test]
    fn another_lattice_is_refused() {
        let map = LabelMap::empty(grid());
        let mut moved = grid();
        moved.affine.0[2][3] += 0.5;
        let error = map.laid_on(&moved).expect_err("half a millimetre off");
        assert_eq!(error.kind(), VolumeErrorKind::GridMismatch);
        let fine = Affine::diagonal([Millimetre(1.0); 3]);
        let larger = Grid::new([3, 4, 6], fine).expect("a valid grid");
        assert!(map.laid_on(&larger).is_err());
    }
}
