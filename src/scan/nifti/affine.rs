//! The transform of a NIfTI header. In: its fields. Out: voxel index to patient millimetres, and which
//! fields it came from.
//!
//! The sform counts when its code is positive, else the qform when its code is positive, else the voxel sizes
//! alone ("method 1" of the standard: no rotation, first voxel at the origin). A voxel size of zero or not a number
//! counts as 1, a negative one as positive, as the reference library has it.

use nifti::NiftiHeader;

use crate::volume::{Affine, Millimetre};

/// The fields of a header that place its voxels; pixdim[0] and the sizes of three axes.
pub(super) struct Transform {
    pub(super) sform_code: i32,
    pub(super) qform_code: i32,
    pub(super) pixdim: [f64; 4],
    pub(super) quatern: [f64; 3],
    pub(super) offset: [f64; 3],
    pub(super) srow: [[f64; 4]; 3],
}

pub(super) fn of_version1(header: &NiftiHeader) -> Transform {
    let [qfac, x, y, z, ..] = header.pixdim;
    let h = header;
    Transform {
        sform_code: header.sform_code.into(),
        qform_code: header.qform_code.into(),
        pixdim: [qfac, x, y, z].map(f64::from),
        quatern: [h.quatern_b, h.quatern_c, h.quatern_d].map(f64::from),
        offset: [h.quatern_x, h.quatern_y, h.quatern_z].map(f64::from),
        srow: [h.srow_x, h.srow_y, h.srow_z].map(|row| row.map(f64::from)),
    }
}

/// The affine and the name of the fields that gave it.
pub(super) fn of(header: &Transform) -> (Affine, &'static str) {
    if header.sform_code > 0 {
        (sform(header), "sform")
    } else if header.qform_code > 0 {
        (qform(header), "qform")
    } else {
        (Affine::diagonal(spacing(header).map(Millimetre)), "pixdim")
    }
}

fn spacing(header: &Transform) -> [f64; 3] {
    [1, 2, 3].map(|i| match header.pixdim[i].abs() {
        size if size.is_finite() && size > 0.0 => size,
        _ => 1.0,
    })
}

fn sform(header: &Transform) -> Affine {
    let [x, y, z] = header.srow;
    Affine([x, y, z, [0.0, 0.0, 0.0, 1.0]])
}

fn qform(header: &Transform) -> Affine {
    let [a, b, c, d] = unit_quaternion(header.quatern);
    let [x, y, mut z] = spacing(header);
    // pixdim[0] is qfac: a negative one flips the third axis, since a rotation cannot.
    if header.pixdim[0] < 0.0 {
        z = -z;
    }
    let rotation = [
        [
            a * a + b * b - c * c - d * d,
            2.0 * (b * c - a * d),
            2.0 * (b * d + a * c),
        ],
        [
            2.0 * (b * c + a * d),
            a * a + c * c - b * b - d * d,
            2.0 * (c * d - a * b),
        ],
        [
            2.0 * (b * d - a * c),
            2.0 * (c * d + a * b),
            a * a + d * d - b * b - c * c,
        ],
    ];
    let origin = header.offset;
    let row = |r: usize| {
        [
            rotation[r][0] * x,
            rotation[r][1] * y,
            rotation[r][2] * z,
            origin[r],
        ]
    };
    Affine([row(0), row(1), row(2), [0.0, 0.0, 0.0, 1.0]])
}

/// All four parts of a unit quaternion of which the header stores three.
fn unit_quaternion([b, c, d]: [f64; 3]) -> [f64; 4] {
    let rest = 1.0 - (b * b + c * c + d * d);
    if rest > 1e-7 {
        return [rest.sqrt(), b, c, d];
    }
    // A half turn; rounding may have made the three parts a little longer than one.
    let length = (b * b + c * c + d * d).sqrt();
    [0.0, b / length, c / length, d / length]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Transform {
        let header = NiftiHeader {
            pixdim: [1.0, 2.0, -3.0, 4.0, 0.0, 0.0, 0.0, 0.0],
            sform_code: 0,
            qform_code: 0,
            ..NiftiHeader::default()
        };
        of_version1(&header)
    }

    #[test]
    fn voxel_sizes_alone() {
        let mut header = header();
        header.pixdim[3] = 0.0;
        let (affine, source) = of(&header);
        assert_eq!(source, "pixdim");
        assert_eq!(affine, Affine::diagonal([2.0, 3.0, 1.0].map(Millimetre)));
    }

    #[test]
    fn qform_turns_and_flips() {
        let mut header = header();
        header.qform_code = 1;
        header.pixdim[0] = -1.0;
        header.quatern[2] = 1.0;
        header.offset[0] = 90.0;
        let (affine, source) = of(&header);
        assert_eq!(source, "qform");
        let expected = Affine([
            [-2.0, 0.0, 0.0, 90.0],
            [0.0, -3.0, 0.0, 0.0],
            [0.0, 0.0, -4.0, 0.0],
            [0.0, 0.0, 0.0, 1.0],
        ]);
        assert_eq!(affine, expected);
    }

    #[test]
    fn sform_comes_first() {
        let mut header = header();
        header.qform_code = 1;
        header.sform_code = 2;
        header.srow[0][3] = 5.0;
        let (affine, source) = of(&header);
        assert_eq!(source, "sform");
        assert_eq!(affine.0[0], [1.0, 0.0, 0.0, 5.0]);
    }
}
