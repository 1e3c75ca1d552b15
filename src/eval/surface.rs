//! Normalised surface distance (NSD, "surface Dice"): the share of two borders that lies close to the other one. In: two label
//! maps on one grid, a tolerance in millimetres, and a slice to leave out. Out: voxel counts and the share. Also the mean
//! distance of two borders.
//!
//! Definition: Nikolov et al., "Deep learning to achieve clinically applicable segmentation of head and neck anatomy"
//! (arXiv 1809.04430), section on surface Dice, in the discrete form of Metrics Reloaded and of MONAI's `compute_surface_dice`:
//!
//! - The border of an object is its voxels that have a face neighbour outside it; outside the volume counts as outside.
//! - Distances are between voxel centres, in millimetres, with the grid's own spacing along each voxel axis.
//! - NSD = (border voxels of A within the tolerance of B's border + those of B within it of A's) / (all of both borders).
//!
//! Nikolov's own code weights each place by an area of surface instead of counting voxels; on anisotropic grids the two differ.

use crate::volume::{Grid, LabelMap, Millimetre, VolumeError, VoxelAxis, same_grid};

/// Border voxels of one label in two maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelSurface {
    /// The label.
    pub label: u16,
    /// Border voxels of either map that have the other border within the tolerance.
    pub near: usize,
    /// Border voxels of both maps together.
    pub all: usize,
}

impl LabelSurface {
    fn count(&mut self, near: bool) {
        self.all += 1;
        self.near += usize::from(near);
    }

    /// From 0 (no border near the other) to 1; `None` when neither map has a border voxel that counts.
    pub fn share(&self) -> Option<f64> {
        match self.all {
            0 => None,
            all => Some(self.near as f64 / all as f64),
        }
    }
}

/// The normalised surface distance of two maps on `label`. Border voxels of the slice `exclude` (axis and number) are not
/// counted, but others may lie near them.
///
/// # Errors
/// `GridMismatch` when the maps are on different grids, `SliceOutOfRange` when the slice does not exist.
pub fn surface(
    a: &LabelMap,
    b: &LabelMap,
    label: u16,
    tolerance: Millimetre,
    exclude: Option<(VoxelAxis, usize)>,
) -> Result<LabelSurface, VolumeError> {
    same_grid(&a.grid, &b.grid)?;
    if let Some((axis, slice)) = exclude {
        a.grid.check_slice(axis, slice)?;
    }
    let mut counted = nothing(label);
    border_voxels([a, b], label, tolerance, |voxel, near| {
        if exclude.is_none_or(|(axis, slice)| voxel[axis.index()] != slice) {
            counted.count(near);
        }
    });
    Ok(counted)
}

/// The same for each slice across `axis`: of the border voxels on it, those that have the other border near them, on whatever
/// slice that is.
///
/// # Errors
/// `GridMismatch` when the maps are on different grids.
pub fn surface_slices(
    a: &LabelMap,
    b: &LabelMap,
    label: u16,
    tolerance: Millimetre,
    axis: VoxelAxis,
) -> Result<Vec<LabelSurface>, VolumeError> {
    same_grid(&a.grid, &b.grid)?;
    let mut slices = vec![nothing(label); a.grid.dims[axis.index()]];
    border_voxels([a, b], label, tolerance, |voxel, near| {
        slices[voxel[axis.index()]].count(near);
    });
    Ok(slices)
}

fn nothing(label: u16) -> LabelSurface {
    LabelSurface {
        label,
        near: 0,
        all: 0,
    }
}

/// Hears every border voxel of both maps, and whether the other border is near.
fn border_voxels(
    maps: [&LabelMap; 2],
    label: u16,
    tolerance: Millimetre,
    mut hear: impl FnMut([usize; 3], bool),
) {
    let Some(region) = Region::around(maps, label) else {
        return;
    };
    let borders = maps.map(|map| region.border(map, label));
    let limit = tolerance.0 * (1.0 + 1e-9); // the sum of squares below is rounded
    for (own, other) in [(0, 1), (1, 0)] {
        let squares = region.squared_distances(&borders[other], &maps[0].grid);
        for (at, _) in borders[own].iter().enumerate().filter(|&(_, &on)| on) {
            hear(region.voxel(at), squares[at].sqrt() <= limit);
        }
    }
}

/// The mean distance of two maps' borders on `label`: of every border voxel of either to the nearest of the other (the average
/// symmetric surface distance of Metrics Reloaded). `None` when one of them has no border.
///
/// # Errors
/// `GridMismatch` when the maps are on different grids.
pub fn mean_surface_distance(
    a: &LabelMap,
    b: &LabelMap,
    label: u16,
) -> Result<Option<Millimetre>, VolumeError> {
    same_grid(&a.grid, &b.grid)?;
    let Some(region) = Region::around([a, b], label) else {
        return Ok(None);
    };
    let borders = [a, b].map(|map| region.border(map, label));
    if borders.iter().any(|border| !border.contains(&true)) {
        return Ok(None);
    }
    let (mut sum, mut count) = (0.0, 0);
    for (own, other) in [(0, 1), (1, 0)] {
        let squares = region.squared_distances(&borders[other], &a.grid);
        for (square, _) in squares.iter().zip(&borders[own]).filter(|(_, on)| **on) {
            sum += square.sqrt();
            count += 1;
        }
    }
    Ok(Some(Millimetre(sum / f64::from(count))))
}

/// The smallest box of voxels around an object in two maps; borders and distances are needed nowhere else.
struct Region {
    first: [usize; 3],
    dims: [usize; 3],
}

impl Region {
    fn around(maps: [&LabelMap; 2], label: u16) -> Option<Self> {
        let (mut first, mut last) = ([usize::MAX; 3], [0; 3]);
        for map in maps {
            let labelled = map.labels.iter().enumerate().filter(|(_, l)| **l == label);
            for (at, _) in labelled {
                let voxel = map.grid.voxel_at(at);
                for axis in 0..3 {
                    first[axis] = first[axis].min(voxel[axis]);
                    last[axis] = last[axis].max(voxel[axis]);
                }
            }
        }
        let found = first[0] != usize::MAX;
        found.then(|| Self {
            first,
            dims: [0, 1, 2].map(|axis| last[axis] + 1 - first[axis]),
        })
    }

    /// The voxel of the whole volume at a place of the region.
    fn voxel(&self, at: usize) -> [usize; 3] {
        let plane = at / self.dims[0];
        let [i, j, k] = self.first;
        [
            i + at % self.dims[0],
            j + plane % self.dims[1],
            k + plane / self.dims[1],
        ]
    }

    fn border(&self, map: &LabelMap, label: u16) -> Vec<bool> {
        let dims = map.grid.dims;
        let inside = |[i, j, k]: [usize; 3]| {
            // `wrapping_sub` below turns a step before the first voxel into a number past the last.
            let exists = i < dims[0] && j < dims[1] && k < dims[2];
            exists && map.labels[i + dims[0] * (j + dims[1] * k)] == label
        };
        let on_border = |at: usize| {
            let voxel = self.voxel(at);
            let moved = |axis: usize, to: usize| {
                let mut voxel = voxel;
                voxel[axis] = to;
                voxel
            };
            let enclosed = || {
                (0..3).all(|axis| {
                    let place = voxel[axis];
                    inside(moved(axis, place.wrapping_sub(1))) && inside(moved(axis, place + 1))
                })
            };
            inside(voxel) && !enclosed()
        };
        (0..self.dims.iter().product()).map(on_border).collect()
    }

    /// Squared millimetres from each place of the region to the nearest one of `border`; infinite without any. Exact: one
    /// pass of [`nearest_along`] for each axis.
    fn squared_distances(&self, border: &[bool], grid: &Grid) -> Vec<f64> {
        let start = |&on: &bool| if on { 0.0 } else { f64::INFINITY };
        let mut squares: Vec<f64> = border.iter().map(start).collect();
        let mut stride = 1;
        for axis in 0..3 {
            let length = self.dims[axis];
            let mut line = vec![0.0; length];
            for begin in (0..squares.len()).filter(|at| (at / stride).is_multiple_of(length)) {
                for (n, value) in line.iter_mut().enumerate() {
                    *value = squares[begin + n * stride];
                }
                let nearest = nearest_along(&line, grid.spacing[axis].0);
                for (n, value) in nearest.into_iter().enumerate() {
                    squares[begin + n * stride] = value;
                }
            }
            stride *= length;
        }
        squares
    }
}

/// For each place p of a line the least of (p - q)^2 + line[q] over all q, places `step` apart: the lower envelope of
/// parabolas of Felzenszwalb and Huttenlocher, "Distance Transforms of Sampled Functions" (2012).
fn nearest_along(line: &[f64], step: f64) -> Vec<f64> {
    // Parabolas of the envelope: their vertex, and where each begins to be the lowest.
    let mut envelope: Vec<(usize, f64)> = Vec::new();
    let place = |q: usize| q as f64 * step;
    for q in (0..line.len()).filter(|&q| line[q].is_finite()) {
        let height = |q: usize| line[q] + place(q) * place(q);
        let crossing =
            |other: usize| (height(q) - height(other)) / (2.0 * (place(q) - place(other)));
        while envelope
            .last()
            .is_some_and(|&(other, from)| crossing(other) <= from)
        {
            envelope.pop();
        }
        let from = envelope
            .last()
            .map_or(f64::NEG_INFINITY, |last| crossing(last.0));
        envelope.push((q, from));
    }
    let mut current = 0;
    let lowest = |p: usize| {
        while envelope
            .get(current + 1)
            .is_some_and(|next| next.1 < place(p))
        {
            current += 1;
        }
        let vertex = envelope.get(current)?.0;
        Some((place(p) - place(vertex)).powi(2) + line[vertex])
    };
    let mut lowest = lowest;
    (0..line.len())
        .map(|p| lowest(p).unwrap_or(f64::INFINITY))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::volume::{Affine, VolumeErrorKind};

    use super::*;

    /// Label 1 from `first` to `last`, both included.
    fn boxed(dims: [usize; 3], spacing: [f64; 3], first: [usize; 3], last: [usize; 3]) -> LabelMap {
        let grid = Grid::new(dims, Affine::diagonal(spacing.map(Millimetre))).expect("a grid");
        let inside = |at: usize| {
            let voxel = grid.voxel_at(at);
            (0..3).all(|a| (first[a]..=last[a]).contains(&voxel[a]))
        };
        let labels = (0..grid.voxel_count()).map(|at| u16::from(inside(at)));
        LabelMap::new(labels.collect(), grid).expect("one label a voxel")
    }

    fn counts(a: &LabelMap, b: &LabelMap, mm: f64) -> (usize, usize) {
        let found = surface(a, b, 1, Millimetre(mm), None).expect("one grid");
        (found.near, found.all)
    }

    /// A cube of 4 x 4 x 4 voxels has 64 - 8 on its border.
    #[test]
    fn equal_objects_agree_and_absent_ones_have_no_figure() {
        let cube = boxed([8, 8, 8], [1.0; 3], [2; 3], [5; 3]);
        assert_eq!(counts(&cube, &cube, 0.0), (112, 112));
        let none = LabelMap::empty(cube.grid.clone());
        assert_eq!(counts(&cube, &none, 100.0), (0, 56));
        let nothing = surface(&none, &none, 1, Millimetre(1.0), None).expect("one grid");
        assert_eq!(nothing.share(), None);
    }

    /// Two single voxels three steps apart along one axis: near if and only if the tolerance reaches 3 x its spacing.
    #[test]
    fn distances_are_millimetres_along_each_axis() {
        let spacing = [0.5, 1.25, 4.0];
        for axis in 0..3 {
            let mut far = [1; 3];
            far[axis] = 4;
            let a = boxed([6; 3], spacing, [1; 3], [1; 3]);
            let b = boxed([6; 3], spacing, far, far);
            let distance = 3.0 * spacing[axis];
            assert_eq!(counts(&a, &b, distance), (2, 2), "axis {axis}");
            assert_eq!(counts(&a, &b, distance - 0.01), (0, 2), "axis {axis}");
        }
        // Across: (3 x 0.5, 0, 4.0) is the square root of 18.25 away.
        let a = boxed([6; 3], spacing, [1; 3], [1; 3]);
        let b = boxed([6; 3], spacing, [4, 1, 2], [4, 1, 2]);
        assert_eq!(counts(&a, &b, 4.273), (2, 2));
        assert_eq!(counts(&a, &b, 4.272), (0, 2));
    }

    /// Plates of 5 x 5 x 1 voxels in slices 2 and 4, the second one voxel wider on one side (5 more voxels, all on the border).
    /// Slices are 2 mm apart, so at 4 mm all but the added column is near; that column is sqrt(16 + 1) mm away.
    #[test]
    fn a_shifted_and_widened_plate() {
        let spacing = [1.0, 1.0, 2.0];
        let a = boxed([8, 8, 8], spacing, [1, 1, 2], [5, 5, 2]);
        let b = boxed([8, 8, 8], spacing, [1, 1, 4], [6, 5, 4]);
        assert_eq!(counts(&a, &b, 4.0), (50, 55));
        assert_eq!(counts(&a, &b, 4.13), (55, 55));
        assert_eq!(counts(&a, &b, 3.9), (0, 55));
        let share = surface(&a, &b, 1, Millimetre(4.0), None)
            .expect("one grid")
            .share();
        assert_eq!(share, Some(50.0 / 55.0));
    }

    /// The same plates: 25 voxels of the one and 25 of the other are 4 mm away, five more the square root of 17.
    #[test]
    fn the_mean_distance_of_plates() {
        let spacing = [1.0, 1.0, 2.0];
        let a = boxed([8, 8, 8], spacing, [1, 1, 2], [5, 5, 2]);
        let b = boxed([8, 8, 8], spacing, [1, 1, 4], [6, 5, 4]);
        let mean = |a, b| mean_surface_distance(a, b, 1).expect("one grid");
        let expected = (50.0 * 4.0 + 5.0 * 17f64.sqrt()) / 55.0;
        let found = mean(&a, &b).expect("two borders").0;
        assert!((found - expected).abs() < 1e-12, "{found}, {expected}");
        assert_eq!(mean(&b, &b).map(|mm| mm.0), Some(0.0));
        let empty = LabelMap::empty(a.grid.clone());
        assert!(mean(&a, &empty).is_none() && mean(&empty, &empty).is_none());
    }

    /// Two ragged bodies on an anisotropic grid. The figures are scipy 1.17's: `binary_erosion`, then
    /// `distance_transform_edt` of its complement with `sampling`, which is how MONAI computes them.
    #[test]
    fn ragged_bodies_as_scipy_measures_them() {
        let grid = Grid::new(
            [14, 15, 8],
            Affine::diagonal([0.8, 1.1, 3.0].map(Millimetre)),
        );
        let grid = grid.expect("a grid");
        let body = |inside: &dyn Fn([i64; 3]) -> bool| {
            let voxel = |at: usize| grid.voxel_at(at).map(|n| n as i64);
            let labels = (0..grid.voxel_count()).map(|at| u16::from(inside(voxel(at))));
            LabelMap::new(labels.collect(), grid.clone()).expect("one label a voxel")
        };
        let square = |n: i64| n * n;
        let a = body(&|[i, j, k]| 3 * square(i - 5) + 2 * square(j - 6) + 9 * square(k - 3) < 120);
        let b = body(&|[i, j, k]| {
            let rough = (7 * i + 5 * j + 3 * k) % 11 * 4;
            2 * square(i - 6) + 3 * square(j - 7) + 9 * square(k - 4) + rough < 120
        });
        for (mm, near) in [(0.0, 150), (0.8, 295), (1.2, 324), (3.0, 547), (3.2, 579)] {
            assert_eq!(counts(&a, &b, mm), (near, 616), "{mm} mm");
        }
    }

    /// Where the object touches the end of the volume, its voxels are border voxels.
    #[test]
    fn the_end_of_the_volume_is_outside() {
        let full = boxed([3, 3, 3], [1.0; 3], [0; 3], [2; 3]);
        assert_eq!(counts(&full, &full, 0.0), (52, 52)); // all but the middle one, twice
    }

    #[test]
    fn a_slice_is_left_out_but_can_be_near() {
        let a = boxed([4, 4, 4], [1.0; 3], [1, 1, 1], [1, 1, 2]);
        let b = boxed([4, 4, 4], [1.0; 3], [1, 1, 1], [1, 1, 1]);
        let without = |slice| {
            let found = surface(&a, &b, 1, Millimetre(1.0), Some((VoxelAxis::K, slice)));
            found.map(|s| (s.near, s.all))
        };
        assert_eq!(without(0).expect("in range"), (3, 3));
        assert_eq!(without(1).expect("in range"), (1, 1)); // of A's slice 2, near B's slice 1
        let error = without(4).expect_err("four slices");
        assert_eq!(error.kind(), VolumeErrorKind::SliceOutOfRange);
        let moved = boxed([5, 4, 4], [1.0; 3], [1; 3], [1; 3]);
        let error = surface(&a, &moved, 1, Millimetre(1.0), None).expect_err("other grids");
        assert_eq!(error.kind(), VolumeErrorKind::GridMismatch);
    }

    /// Two plates on slices 1 and 2, a third below on slice 3 of one map only: each slice has its own voxels, near or not.
    #[test]
    fn by_slice() {
        let a = boxed([4, 4, 4], [1.0; 3], [1, 1, 1], [2, 2, 1]);
        let b = boxed([4, 4, 4], [1.0; 3], [1, 1, 2], [2, 2, 3]);
        let slices = surface_slices(&a, &b, 1, Millimetre(1.0), VoxelAxis::K).expect("one grid");
        let counts: Vec<_> = slices.iter().map(|s| (s.near, s.all)).collect();
        assert_eq!(counts, [(0, 0), (4, 4), (4, 4), (0, 4)]);
        let whole = surface(&a, &b, 1, Millimetre(1.0), None).expect("one grid");
        assert_eq!((whole.near, whole.all), (8, 12));
        let moved = boxed([5, 4, 4], [1.0; 3], [1; 3], [1; 3]);
        let error = surface_slices(&a, &moved, 1, Millimetre(1.0), VoxelAxis::K);
        assert_eq!(
            error.expect_err("other grids").kind(),
            VolumeErrorKind::GridMismatch
        );
    }

    proptest! {
        /// The envelope is what trying all pairs gives.
        #[test]
        fn distances_are_those_of_all_pairs(on in prop::collection::vec(any::<bool>(), 60), x in 0.2f64..4.0, z in 0.2f64..4.0) {
            let grid = Grid::new([5, 4, 3], Affine::diagonal([x, 1.0, z].map(Millimetre))).expect("a grid");
            let region = Region { first: [0; 3], dims: grid.dims };
            let found = region.squared_distances(&on, &grid);
            for (at, found) in found.iter().enumerate() {
                let p = grid.voxel_at(at);
                let square = |q: usize| -> f64 {
                    let q = grid.voxel_at(q);
                    (0..3).map(|a| ((p[a] as f64 - q[a] as f64) * grid.spacing[a].0).powi(2)).sum()
                };
                let least = (0..60).filter(|&q| on[q]).map(square).fold(f64::INFINITY, f64::min);
                prop_assert!(*found == least || (found - least).abs() < 1e-9 * (1.0 + least));
            }
        }
    }
}
