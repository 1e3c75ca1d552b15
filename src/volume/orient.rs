//! Which voxel axis runs along which direction of the body. In: a [`Grid`]'s affine. Out: the voxel axis
//! of each anatomical axis, and the orientation letters people know from other programs.

use std::fmt;
use std::str::FromStr;

use super::affine::{Affine, norm};
use super::error::VolumeError;
use super::grid::Grid;

/// An anatomical axis: the direction in which one steps from slice to slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Axis {
    /// Feet to head.
    Axial,
    /// Front to back.
    Coronal,
    /// Left to right.
    Sagittal,
}

impl Axis {
    /// All three, in the order of their names above.
    pub const ALL: [Self; 3] = [Self::Axial, Self::Coronal, Self::Sagittal];

    /// The voxel axis of `grid` that runs closest to this anatomical axis. The three anatomical axes
    /// always get three different voxel axes; on oblique grids the assignment with the largest sum of
    /// |cosines| wins.
    pub fn of(self, grid: &Grid) -> VoxelAxis {
        let order = voxel_axis_of_patient_axis(&grid.affine);
        VoxelAxis(order[self.patient_axis()])
    }

    /// The row of the affine (x, y, z) along which the slices of this axis are stacked.
    fn patient_axis(self) -> usize {
        match self {
            Self::Sagittal => 0,
            Self::Coronal => 1,
            Self::Axial => 2,
        }
    }
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Axial => "axial",
            Self::Coronal => "coronal",
            Self::Sagittal => "sagittal",
        })
    }
}

impl FromStr for Axis {
    type Err = VolumeError;

    fn from_str(text: &str) -> Result<Self, VolumeError> {
        Self::ALL
            .into_iter()
            .find(|axis| axis.to_string() == text)
            .ok_or_else(|| VolumeError::unknown_axis(text))
    }
}

/// One of the three axes of the voxel array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VoxelAxis(usize);

impl VoxelAxis {
    /// The axis that varies fastest in memory.
    pub const I: Self = Self(0);
    /// The middle axis.
    pub const J: Self = Self(1);
    /// The axis that varies slowest in memory.
    pub const K: Self = Self(2);

    /// 0, 1 or 2: the place of this axis in `Grid::dims`.
    pub fn index(self) -> usize {
        self.0
    }

    /// The voxel axes that become rows and columns of a slice across this one.
    pub(super) fn rows_cols(self) -> (usize, usize) {
        match self.0 {
            0 => (2, 1),
            1 => (2, 0),
            _ => (1, 0),
        }
    }
}

impl fmt::Display for VoxelAxis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(["i", "j", "k"][self.0])
    }
}

/// The direction of each voxel axis as letters: `RAS` says i runs to the right, j to the front (anterior)
/// and k upwards (superior).
pub fn orientation_letters(affine: &Affine) -> String {
    const LETTERS: [[char; 2]; 3] = [['L', 'R'], ['P', 'A'], ['I', 'S']];
    let order = voxel_axis_of_patient_axis(affine);
    let mut letters = ['?'; 3];
    for (patient, voxel) in order.into_iter().enumerate() {
        letters[voxel] = LETTERS[patient][usize::from(affine.0[patient][voxel] > 0.0)];
    }
    letters.iter().collect()
}

/// For x, y and z the voxel axis given to it.
fn voxel_axis_of_patient_axis(affine: &Affine) -> [usize; 3] {
    const ORDERS: [[usize; 3]; 6] = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    let cosine = |patient: usize, voxel: usize| {
        let step = affine.column(voxel);
        step[patient].abs() / norm(step).max(f64::MIN_POSITIVE)
    };
    let closeness = |order: &[usize; 3]| (0..3).map(|p| cosine(p, order[p])).sum::<f64>();
    let mut best = ORDERS[0];
    for order in &ORDERS[1..] {
        if closeness(order) > closeness(&best) {
            best = *order;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::super::affine::Millimetre;
    use super::*;

    #[test]
    fn names_parse_and_print() {
        for axis in Axis::ALL {
            assert_eq!(axis.to_string().parse::<Axis>(), Ok(axis));
        }
        let error = "oblique".parse::<Axis>().expect_err("no such axis");
        assert_eq!(
            error.to_string(),
            "unknown axis 'oblique': expected axial, coronal or sagittal"
        );
    }

    #[test]
    fn scanner_orientation() {
        let mut affine = Affine::diagonal([Millimetre(-1.0), Millimetre(-1.0), Millimetre(5.0)]);
        assert_eq!(orientation_letters(&affine), "LPS");
        // A tilted gantry still has its slices stacked along the body.
        affine.0[1][2] = 1.5;
        let grid = Grid::new([3, 4, 5], affine).expect("a valid grid");
        assert_eq!(Axis::Axial.of(&grid), VoxelAxis::K);
        assert_eq!(Axis::Coronal.of(&grid), VoxelAxis::J);
        assert_eq!(Axis::Sagittal.of(&grid), VoxelAxis::I);
    }

    #[test]
    fn one_voxel_axis_is_never_given_twice() {
        // j and k both lie closest to z; the closer one gets it.
        let affine = Affine([
            [1.0, 0.0, 0.0, 0.0],
            [0.0, 0.6, 0.1, 0.0],
            [0.0, 0.8, 1.0, 0.0],
            [0.0, 0.0, 0.0, 1.0],
        ]);
        let grid = Grid::new([2, 2, 2], affine).expect("a valid grid");
        assert_eq!(Axis::Axial.of(&grid), VoxelAxis::K);
        assert_eq!(Axis::Coronal.of(&grid), VoxelAxis::J);
    }
}
