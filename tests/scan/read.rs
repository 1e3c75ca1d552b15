//! What the reader finds in good files: values of every type and byte order, scaling, volumes, places.

use oneslice::scan::{self, Format, ReadOptions, ScanErrorKind};
use oneslice::volume::orientation_letters;
use proptest::prelude::*;

use crate::build::{F32, F64, I16, KINDS, Kind, Nifti, U8, gzip};

fn voxels(bytes: &[u8]) -> Vec<f32> {
    let scan = scan::read("t.nii", bytes, &ReadOptions::default()).expect("a good file");
    scan.volume.voxels
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![-300f64..300.0, -1e6f64..1e6, -1e19f64..2e19, Just(0.0)]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(KINDS.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn every_type_in_both_byte_orders(
        kind in kind(), big_endian: bool, packed: bool,
        dims in prop::array::uniform3(1i16..5), numbers in prop::collection::vec(number(), 64),
    ) {
        let count = dims.iter().map(|d| *d as usize).product();
        let mut file = Nifti::new(kind, &dims, numbers[..count].to_vec());
        file.big_endian = big_endian;
        let bytes = if packed { gzip(&file.bytes()) } else { file.bytes() };
        let scan = scan::read("t", &bytes, &ReadOptions::default()).expect("a good file");
        let expected: Vec<f32> = file.values.iter().map(|v| kind.stored(*v) as f32).collect();
        prop_assert_eq!(scan.volume.voxels, expected);
        prop_assert_eq!(scan.volume.grid.dims, dims.map(|d| d as usize));
        prop_assert_eq!(scan.format, if packed { Format::NiftiGz } else { Format::Nifti });
        prop_assert_eq!(scan.header.type_name(), kind.2);
    }

    #[test]
    fn slope_and_intercept(kind in kind(), slope in 0.001f32..5.0, inter in -2000f32..2000.0, minus: bool) {
        let mut file = Nifti::counting(kind, &[3, 2, 2]);
        file.slope = if minus { -slope } else { slope };
        file.inter = inter;
        let scaled = |v: &f64| (v * f64::from(file.slope) + f64::from(inter)) as f32;
        let expected: Vec<f32> = file.values.iter().map(scaled).collect();
        prop_assert_eq!(voxels(&file.bytes()), expected);
    }

    #[test]
    fn label_maps_of_every_type(kind in kind(), big_endian: bool, labels in prop::collection::vec(0u16..=127, 12)) {
        let values = labels.iter().map(|l| f64::from(*l)).collect();
        let mut file = Nifti::new(kind, &[3, 2, 2], values);
        file.big_endian = big_endian;
        let read = scan::read_label_map("t", &file.bytes()).expect("a label map");
        prop_assert_eq!(read.labels.labels, labels);
    }
}

#[test]
fn a_slope_of_zero_or_nan_changes_nothing() {
    let mut file = Nifti::counting(I16, &[2, 2, 2]);
    let plain = voxels(&file.bytes());
    for slope in [0.0, f32::NAN] {
        file.slope = slope;
        file.inter = 9.0;
        assert_eq!(voxels(&file.bytes()), plain);
    }
}

#[test]
fn one_volume_of_several() {
    let file = Nifti::new(I16, &[2, 2, 1, 3], (0..12).map(f64::from).collect());
    for bytes in [file.bytes(), gzip(&file.bytes())] {
        for volume in 0..3 {
            let options = ReadOptions {
                volume: Some(volume),
            };
            let scan = scan::read("t", &bytes, &options).expect("a good file");
            let first = 4.0 * volume as f32;
            assert_eq!(
                scan.volume.voxels,
                [first, first + 1.0, first + 2.0, first + 3.0]
            );
            assert_eq!(scan.volume.grid.dims, [2, 2, 1]);
            assert_eq!(scan.header.volumes(), 3);
        }
        let error = scan::read("t", &bytes, &ReadOptions::default()).expect_err("no choice");
        assert_eq!(error.kind(), ScanErrorKind::VolumeChoice);
        assert_eq!(
            error.to_string(),
            "t: the file has 3 volumes; choose one, 0 to 2"
        );
        let options = ReadOptions { volume: Some(3) };
        let error = scan::read("t", &bytes, &options).expect_err("only three");
        assert_eq!(error.kind(), ScanErrorKind::VolumeChoice);
        let error = scan::read_label_map("t", &bytes).expect_err("several volumes");
        assert_eq!(error.kind(), ScanErrorKind::VolumeChoice);
    }
}

#[test]
fn other_numbers_of_dimensions() {
    let shapes: [(&[i16], [usize; 3]); 5] = [
        (&[5], [5, 1, 1]),
        (&[5, 4], [5, 4, 1]),
        (&[5, 4, 1], [5, 4, 1]),
        (&[5, 4, 3, 1], [5, 4, 3]),
        (&[5, 4, 3, 1, 1, 1, 1], [5, 4, 3]),
    ];
    for (dim, expected) in shapes {
        let bytes = Nifti::counting(U8, dim).bytes();
        let scan = scan::read("t", &bytes, &ReadOptions::default()).expect("a good file");
        assert_eq!(scan.volume.grid.dims, expected);
        let first = ReadOptions { volume: Some(0) };
        assert!(scan::read("t", &bytes, &first).is_ok());
    }
    // A vector per voxel: the fifth dimension counts volumes too.
    let bytes = Nifti::counting(U8, &[2, 2, 2, 1, 3]).bytes();
    let error = scan::read("t", &bytes, &ReadOptions::default()).expect_err("three volumes");
    assert!(error.to_string().contains("3 volumes"));
}

#[test]
fn voxels_start_where_the_header_says() {
    let mut file = Nifti::counting(F64, &[3, 2, 2]);
    let plain = voxels(&file.bytes());
    file.vox_offset = 1000.0;
    assert_eq!(voxels(&file.bytes()), plain);
    file.vox_offset = 0.0;
    assert_eq!(voxels(&file.bytes()), plain);
    let mut longer = file.bytes();
    longer.extend([1; 99]);
    assert_eq!(voxels(&longer), plain);
}

#[test]
fn gzip_in_several_members() {
    let file = Nifti::counting(I16, &[4, 4, 4]).bytes();
    let mut packed = gzip(&file[..400]);
    packed.extend(gzip(&file[400..]));
    assert_eq!(voxels(&packed), voxels(&file));
}

#[test]
fn a_file_larger_than_the_decoder_s_piece() {
    let mut file = Nifti::counting(F64, &[40, 30, 20]);
    file.values = (0..24_000).map(f64::from).collect();
    let expected: Vec<f32> = (0..24_000).map(|v| v as f32).collect();
    assert_eq!(voxels(&file.bytes()), expected);
    assert_eq!(voxels(&gzip(&file.bytes())), expected);
}

#[test]
fn sform_then_qform_then_pixdim() {
    let mut file = Nifti::counting(F32, &[2, 2, 2]);
    file.qform_code = 1;
    file.pixdim[0] = -1.0;
    // A half turn about z and a flipped third axis.
    file.quatern = [0.0, 0.0, 1.0, 10.0, 20.0, 30.0];
    let place = |file: &Nifti| {
        let scan = scan::read("t", &file.bytes(), &ReadOptions::default()).expect("a good file");
        let affine = scan.volume.grid.affine;
        let origin = [0, 1, 2].map(|r| affine.0[r][3]);
        (orientation_letters(&affine), origin)
    };
    assert_eq!(place(&file), ("LPS".to_owned(), [91.5, 72.25, -310.125]));
    file.sform_code = 0;
    assert_eq!(place(&file), ("LPI".to_owned(), [10.0, 20.0, 30.0]));
    file.qform_code = 0;
    assert_eq!(place(&file), ("RAS".to_owned(), [0.0; 3]));
    let scan = scan::read("t", &file.bytes(), &ReadOptions::default()).expect("a good file");
    let spacing = scan.volume.grid.spacing.map(|mm| mm.0 as f32);
    assert_eq!(spacing, [0.75, 0.8, 2.5]);
}
