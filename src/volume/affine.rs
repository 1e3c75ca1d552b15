//! Where a voxel lies in the patient. In: voxel indices or millimetres. Out: the other of the two,
//! through a 4 x 4 matrix. Patient space is NIfTI's: x to the right, y to the front, z upwards (RAS+).

/// A length or a coordinate in millimetres.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Millimetre(pub f64);

/// A continuous voxel index (i, j, k); whole numbers are voxel centres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VoxelPoint(pub [f64; 3]);

/// A point in patient space, in millimetres, RAS+.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PatientPoint(pub [Millimetre; 3]);

/// Voxel index to patient millimetres; rows are x, y, z and (0, 0, 0, 1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine(pub [[f64; 4]; 4]);

/// Patient millimetres to voxel index: the inverse of an [`Affine`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InverseAffine(pub [[f64; 4]; 4]);

impl Affine {
    /// The affine with three spacings on its diagonal and the first voxel at the origin.
    pub fn diagonal(spacing: [Millimetre; 3]) -> Self {
        let mut rows = [[0.0; 4]; 4];
        for (axis, step) in spacing.iter().enumerate() {
            rows[axis][axis] = step.0;
        }
        rows[3][3] = 1.0;
        Self(rows)
    }

    /// The patient position of a voxel index.
    pub fn apply(&self, point: VoxelPoint) -> PatientPoint {
        PatientPoint(transform(&self.0, point.0).map(Millimetre))
    }

    /// The step in patient space, in millimetres, from one voxel to the next along `voxel_axis` (0 to 2).
    pub fn column(&self, voxel_axis: usize) -> [f64; 3] {
        [0, 1, 2].map(|row| self.0[row][voxel_axis])
    }

    /// The distance between neighbouring voxel centres along each voxel axis.
    pub fn spacing(&self) -> [Millimetre; 3] {
        [0, 1, 2].map(|axis| Millimetre(norm(self.column(axis))))
    }

    /// The volume of a voxel in cubic millimetres; negative when the voxel axes make a left hand.
    pub fn determinant(&self) -> f64 {
        dot(self.column(0), cross(self.column(1), self.column(2)))
    }

    /// The way back from millimetres to voxels; `None` when the three steps span no space or a value is
    /// not finite.
    pub fn inverse(&self) -> Option<InverseAffine> {
        let cols = [0, 1, 2].map(|axis| self.column(axis));
        let crosses = [
            cross(cols[1], cols[2]),
            cross(cols[2], cols[0]),
            cross(cols[0], cols[1]),
        ];
        let determinant = self.determinant();
        // Judged against the box the steps could span at most, so that the unit of length does not matter.
        let scale = cols.iter().map(|c| norm(*c)).product::<f64>();
        let origin = [0, 1, 2].map(|row| self.0[row][3]);
        let usable = determinant.abs() > 1e-9 * scale && determinant.is_normal();
        if !usable || !origin.iter().all(|v| v.is_finite()) {
            return None;
        }
        let mut rows = [[0.0; 4]; 4];
        for (row, normal) in rows.iter_mut().zip(crosses) {
            for (value, n) in row.iter_mut().zip(normal) {
                *value = n / determinant;
            }
            row[3] = -dot([row[0], row[1], row[2]], origin);
        }
        rows[3][3] = 1.0;
        Some(InverseAffine(rows))
    }
}

impl InverseAffine {
    /// The voxel index at a patient position.
    pub fn apply(&self, point: PatientPoint) -> VoxelPoint {
        VoxelPoint(transform(&self.0, point.0.map(|mm| mm.0)))
    }
}

fn transform(rows: &[[f64; 4]; 4], p: [f64; 3]) -> [f64; 3] {
    [0, 1, 2].map(|r| rows[r][0] * p[0] + rows[r][1] * p[1] + rows[r][2] * p[2] + rows[r][3])
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(super) fn norm(v: [f64; 3]) -> f64 {
    dot(v, v).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applies_steps_and_origin() {
        let affine = Affine([
            [-3.0, 0.0, 0.0, 10.0],
            [0.0, -2.0, 0.0, 20.0],
            [0.0, 0.0, 5.0, -30.0],
            [0.0, 0.0, 0.0, 1.0],
        ]);
        let PatientPoint(p) = affine.apply(VoxelPoint([1.0, 2.0, 3.0]));
        assert_eq!(p.map(|mm| mm.0), [7.0, 16.0, -15.0]);
        assert_eq!(affine.spacing().map(|mm| mm.0), [3.0, 2.0, 5.0]);
    }

    #[test]
    fn flat_or_infinite_affines_have_no_inverse() {
        let flat = Affine::diagonal([Millimetre(1.0), Millimetre(0.0), Millimetre(1.0)]);
        assert!(flat.inverse().is_none());
        let mut far = Affine::diagonal([Millimetre(1.0); 3]);
        far.0[0][3] = f64::INFINITY;
        assert!(far.inverse().is_none());
        far.0[0][3] = 0.0;
        far.0[1][1] = f64::NAN;
        assert!(far.inverse().is_none());
    }
}
