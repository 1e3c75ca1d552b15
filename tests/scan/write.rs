//! What the writer makes: files that lie exactly on the scan they were made from.

use oneslice::export::{self, ExportErrorKind};
use oneslice::scan::{self, ReadOptions};
use oneslice::volume::{LabelMap, Volume, phantom, same_grid};
use proptest::prelude::*;

use crate::build::{I16, KINDS, Nifti, gunzip};

/// Places of the fields that a result must share with its scan, bit for bit.
const KEPT: [(&str, std::ops::Range<usize>); 5] = [
    ("dim", 40..56),
    ("pixdim", 76..108),
    ("xyzt_units", 123..124),
    ("descrip", 148..228),
    ("qform to srow_z", 252..328),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn labels_come_back_on_the_same_grid(
        kind in prop::sample::select(KINDS.to_vec()), big_endian: bool, wide: bool, units: u8,
        floats in prop::array::uniform12(-100f32..100.0), dims in prop::array::uniform3(1i16..5),
        labels in prop::collection::vec(0u16..256, 64),
    ) {
        let mut file = Nifti::counting(kind, &dims);
        file.big_endian = big_endian;
        file.xyzt_units = units;
        file.qform_code = 2;
        file.quatern.copy_from_slice(&floats[..6]);
        for (i, value) in floats[..9].iter().enumerate() {
            file.srow[i + i / 3] += value * 1e-3;
        }
        let scan = scan::read("t", &file.bytes(), &ReadOptions::default()).expect("a good file");

        let labels = labels[..scan.volume.grid.voxel_count()].iter().map(|l| l * if wide { 257 } else { 1 });
        let map = LabelMap::new(labels.collect(), scan.volume.grid.clone()).expect("one per voxel");
        let written = export::nifti::write(&map, &scan.header).expect("writes");
        let back = scan::read_label_map("out", &written).expect("reads");
        prop_assert_eq!(&back.labels, &map);
        prop_assert_eq!(back.labels.grid.affine, scan.volume.grid.affine);
        prop_assert_eq!(back.header.type_name(), if map.labels.iter().any(|l| *l > 255) { "u16" } else { "u8" });

        file.big_endian = false;
        let (header, written) = (file.header(), gunzip(&written));
        for (name, range) in KEPT {
            prop_assert_eq!(&written[range.clone()], &header[range], "{}", name);
        }
    }
}

#[test]
fn values_are_described_anew() {
    let mut file = Nifti::counting(I16, &[2, 3, 4]);
    file.slope = 2.0;
    file.inter = -1024.0;
    file.vox_offset = 400.0;
    let scan = scan::read("t", &file.bytes(), &ReadOptions::default()).expect("a good file");
    let map = LabelMap::empty(scan.volume.grid.clone());
    let written = gunzip(&export::nifti::write(&map, &scan.header).expect("writes"));
    let float = |place: usize| {
        let bytes: [u8; 4] = written[place..place + 4].try_into().expect("four bytes");
        f32::from_le_bytes(bytes)
    };
    assert_eq!((float(108), float(112), float(116)), (352.0, 1.0, 0.0));
    assert_eq!((float(124), float(128)), (0.0, 0.0));
    assert_eq!(written[68..74], [0, 0, 2, 0, 8, 0]);
    assert_eq!(&written[344..352], b"n+1\0\0\0\0\0");
    assert_eq!(written.len(), 352 + 24);
}

#[test]
fn a_result_of_a_time_series_is_one_volume() {
    let bytes = Nifti::counting(I16, &[2, 3, 4, 5]).bytes();
    let options = ReadOptions { volume: Some(2) };
    let scan = scan::read("t", &bytes, &options).expect("a good file");
    let map = LabelMap::empty(scan.volume.grid.clone());
    let written = export::nifti::write(&map, &scan.header).expect("writes");
    let back = scan::read_label_map("out", &written).expect("a single volume");
    assert_eq!(back.labels, map);
    assert_eq!(gunzip(&written)[40..50], [3, 0, 2, 0, 3, 0, 4, 0, 1, 0]);
}

#[test]
fn a_trailing_dimension_of_one_is_kept() {
    let bytes = Nifti::counting(I16, &[2, 3, 4, 1]).bytes();
    let scan = scan::read("t", &bytes, &ReadOptions::default()).expect("a good file");
    let map = LabelMap::empty(scan.volume.grid.clone());
    let written = export::nifti::write(&map, &scan.header).expect("writes");
    assert_eq!(gunzip(&written)[40..56], bytes[40..56]);
}

#[test]
fn the_phantom_as_files() {
    let (volume, labels) = phantom::phantom([24, 20, 12]);
    let like = export::nifti::template(&volume.grid).expect("a small grid");
    let file = export::nifti::write_volume(&volume, &like).expect("writes");
    let scan = scan::read("sample", &file, &ReadOptions::default()).expect("reads");
    assert_eq!(scan.header.type_name(), "i16");
    assert_eq!(scan.volume.voxels, volume.voxels);
    // The header holds single precision.
    same_grid(&scan.volume.grid, &volume.grid).expect("the same grid");
    let file = export::nifti::write(&labels, &scan.header).expect("writes");
    let back = scan::read_label_map("labels", &file).expect("reads");
    assert_eq!(back.labels.labels, labels.labels);
    assert_eq!(back.labels.grid, scan.volume.grid);
}

#[test]
fn fractions_are_written_as_floats() {
    let (mut volume, _) = phantom::phantom([4, 5, 6]);
    volume.voxels[7] = 0.1;
    let like = export::nifti::template(&volume.grid).expect("a small grid");
    let file = export::nifti::write_volume(&volume, &like).expect("writes");
    let scan = scan::read("t", &file, &ReadOptions::default()).expect("reads");
    assert_eq!(scan.header.type_name(), "f32");
    assert_eq!(scan.volume.voxels, volume.voxels);
}

#[test]
fn another_grid_is_refused() {
    let (volume, labels) = phantom::phantom([4, 5, 6]);
    let (other, _) = phantom::phantom([4, 5, 7]);
    let like = export::nifti::template(&other.grid).expect("a small grid");
    let error = export::nifti::write(&labels, &like).expect_err("another grid");
    assert_eq!(error.kind(), ExportErrorKind::OtherGrid);
    assert!(export::nifti::write_volume(&volume, &like).is_err());

    let short = Volume {
        voxels: vec![0.0; 3],
        grid: other.grid.clone(),
    };
    assert!(export::nifti::write_volume(&short, &like).is_err());
    let mut long = other.grid;
    long.dims[1] = 40_000;
    let error = export::nifti::template(&long).expect_err("too long for NIfTI-1");
    assert_eq!(error.kind(), ExportErrorKind::TooLarge);
}
