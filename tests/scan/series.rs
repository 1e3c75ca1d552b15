//! Several made-up DICOM files together: enhanced objects, missing and double slices, time series, series to choose from.

use oneslice::scan::{self, OpenOptions, ScanErrorKind, WarningKind};

use crate::dicom::{input, kinds, open};
use crate::made::{BIG_ENDIAN, Dicom, EXPLICIT, Elements, IMPLICIT, Pixels, Value, slice, text};

/// An enhanced object: frames with groups of attributes, in no order.
fn enhanced(heights: &[f64], lengths: bool) -> Dicom {
    let frame = |z: &f64| {
        let mut position = Elements::new();
        position.insert((0x0020, 0x0032), text("DS", format!("-20.5\\7\\{z}")));
        let mut rescale = Elements::new();
        rescale.insert((0x0028, 0x1052), text("DS", "1000"));
        rescale.insert((0x0028, 0x1053), text("DS", "2"));
        let mut groups = Elements::new();
        groups.insert((0x0020, 0x9113), Value::Items(vec![position]));
        groups.insert((0x0028, 0x9145), Value::Items(vec![rescale]));
        groups
    };
    let mut orientation = Elements::new();
    orientation.insert((0x0020, 0x0037), text("DS", "1\\0\\0\\0\\1\\0"));
    let mut measures = Elements::new();
    measures.insert((0x0018, 0x0050), text("DS", "3"));
    measures.insert((0x0028, 0x0030), text("DS", "1.5\\1.25"));
    let mut shared = Elements::new();
    shared.insert((0x0020, 0x9116), Value::Items(vec![orientation]));
    shared.insert((0x0028, 0x9110), Value::Items(vec![measures]));
    let mut file = slice(0.0, 1);
    for tag in [
        (0x0020, 0x0032),
        (0x0020, 0x0037),
        (0x0028, 0x0030),
        (0x0028, 0x1052),
        (0x0028, 0x1053),
    ] {
        file = file.without(tag);
    }
    file.lengths = lengths;
    file.pixels = Pixels::Words(heights.iter().flat_map(|z| [*z as u16; 6]).collect());
    file.set((0x0028, 0x0008), text("IS", heights.len().to_string()))
        .set((0x5200, 0x9229), Value::Items(vec![shared]))
        .set(
            (0x5200, 0x9230),
            Value::Items(heights.iter().map(frame).collect()),
        )
}

#[test]
fn an_enhanced_object_is_a_volume() {
    for (lengths, syntax) in [
        (true, EXPLICIT),
        (false, EXPLICIT),
        (false, IMPLICIT),
        (true, BIG_ENDIAN),
    ] {
        let mut file = enhanced(&[7.0, 1.0, 4.0], lengths);
        file.syntax = syntax;
        let scan = open(&[file]).expect("a volume");
        assert_eq!(scan.warnings, []);
        assert_eq!(scan.volume.grid.dims, [3, 2, 3]);
        assert_eq!(scan.volume.grid.affine.0[2], [0.0, 0.0, 3.0, 1.0]);
        let first: Vec<f32> = scan.volume.voxels.chunks(6).map(|s| s[0]).collect();
        assert_eq!(first, [1002.0, 1008.0, 1014.0]);
        let source = scan.source.expect("of DICOM");
        let frames: Vec<_> = source.slices.iter().map(|s| s.frame).collect();
        assert_eq!(frames, [Some(2), Some(3), Some(1)]);
    }
}

#[test]
fn missing_slices_are_blank_and_have_no_source() {
    let files = [0.0, 3.0, 9.0, 12.0].map(|z| slice(z, z as u32));
    let scan = open(&files).expect("a volume");
    assert_eq!(kinds(&scan), [WarningKind::MissingSlices]);
    assert_eq!(scan.volume.grid.dims, [3, 2, 5]);
    assert_eq!(scan.volume.voxels[12..18], [-10.0; 6]);
    let source = scan.source.expect("of DICOM");
    let slices: Vec<_> = source.slices.iter().map(|s| s.slice).collect();
    assert_eq!(slices, [0, 1, 3, 4]);
}

#[test]
fn copies_of_files_are_passed_over() {
    let files = [slice(0.0, 1), slice(3.0, 2), slice(3.0, 2), slice(6.0, 3)];
    let scan = open(&files).expect("a volume");
    assert_eq!(kinds(&scan), [WarningKind::DuplicateSlices]);
    assert_eq!(scan.volume.grid.dims, [3, 2, 3]);
}

#[test]
fn a_time_series_has_volumes() {
    let files: Vec<Dicom> = (0..6u32)
        .map(|n| {
            slice(f64::from(n % 2) * 3.0, n).set((0x0020, 0x0100), text("IS", (n / 2).to_string()))
        })
        .collect();
    let files = input(&files);
    let error = scan::open(&files, &OpenOptions::default()).expect_err("three volumes");
    assert_eq!(error.kind(), ScanErrorKind::VolumeChoice);
    let options = OpenOptions {
        volume: Some(2),
        ..OpenOptions::default()
    };
    let scan = scan::open(&files, &options).expect("the third");
    let source = scan.source.expect("of DICOM");
    let uids: Vec<_> = source
        .slices
        .iter()
        .map(|s| s.sop_instance_uid.as_str())
        .collect();
    assert_eq!(uids, ["1.2.3.4", "1.2.3.5"]);
    assert_eq!(scan.header.volumes(), 3);
}

#[test]
fn several_series_and_stacks_are_chosen_from() {
    let other = |z: f64, n: u32| {
        slice(z, n)
            .set((0x0020, 0x000e), text("UI", "9.9"))
            .set((0x0008, 0x103e), text("LO", "other"))
    };
    let turned = slice(0.0, 7).set((0x0020, 0x0037), text("DS", "0\\1\\0\\0\\0\\-1"));
    let files = input(&[
        slice(0.0, 1),
        slice(3.0, 2),
        turned,
        other(0.0, 1),
        other(5.0, 2),
    ]);
    let series = scan::inspect(&files).expect("series");
    let found: Vec<_> = series
        .iter()
        .map(|s| {
            (
                s.id.as_str(),
                s.description.as_str(),
                s.dims[2],
                s.files.len(),
                s.error.is_none(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("1.2.3.4", "made", 2, 2, true),
            ("1.2.3.4#2", "made", 1, 1, true),
            ("9.9", "other", 2, 2, true),
        ]
    );
    assert_eq!(series[0].warnings[0].kind, WarningKind::MixedStacks);
    let error = scan::open(&files, &OpenOptions::default()).expect_err("several");
    assert_eq!(error.kind(), ScanErrorKind::SeriesChoice);
    assert!(
        error.to_string().contains("9.9 (other, 3 x 2 x 2)"),
        "{error}"
    );
    let choose = |id: &str| OpenOptions {
        series: Some(id.to_owned()),
        ..OpenOptions::default()
    };
    let scan = scan::open(&files, &choose("9.9")).expect("chosen");
    assert_eq!(scan.volume.grid.spacing[2].0, 5.0);
    let error = scan::open(&files, &choose("8.8")).expect_err("not there");
    assert_eq!(error.kind(), ScanErrorKind::SeriesChoice);
}

#[test]
fn objects_that_are_no_scans_are_said_and_passed_over() {
    let mut report = slice(0.0, 9)
        .set((0x0020, 0x000e), text("UI", "7.7"))
        .set((0x0008, 0x0060), text("CS", "RTSTRUCT"));
    report.pixels = Pixels::None;
    let directory = slice(0.0, 8).set((0x0008, 0x0016), text("UI", "1.2.840.10008.1.3.10"));
    let files = input(&[slice(0.0, 1), slice(3.0, 2), report.clone(), directory]);
    let scan = scan::open(&files, &OpenOptions::default()).expect("the only one");
    assert_eq!(scan.volume.grid.dims[2], 2);
    let series = scan::inspect(&files).expect("series");
    assert_eq!(series.len(), 2);
    let error = series[1].error.as_deref().expect("no scan");
    assert_eq!(error, "a structure set (RTSTRUCT), not a scan");
    let error = open(&[report]).expect_err("alone");
    assert_eq!(error.kind(), ScanErrorKind::NotAnImage);
}
