//! Files that other programs wrote, against what other programs read from them: `files/make.py` made both. And the real scans,
//! when `ONESLICE_SHARED_DATA` names their folder.

use std::io::Write;
use std::path::{Path, PathBuf};

use oneslice::scan::{self, Format, InputFile, OpenOptions, Scan};
use serde_json::Value;

/// Largest difference of affines' entries, in millimetres: what the data sets' own decimals and single precision leave.
const MILLIMETRE: f64 = 1e-3;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scan/files")
}

fn file(path: &Path) -> InputFile {
    InputFile {
        name: path.display().to_string(),
        bytes: std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display())),
    }
}

fn expected(name: &str) -> Value {
    let text = std::fs::read(folder().join(name)).expect("the reference is there");
    serde_json::from_slice(&text).expect("JSON")
}

fn numbers(value: &Value) -> Vec<f64> {
    let numbers = value.as_array().expect("a list").iter();
    numbers.map(|n| n.as_f64().expect("a number")).collect()
}

/// Compares a scan with what another program read; values may differ by `tolerance` (0 for what is lossless).
fn check(name: &str, scan: &Scan, expected: &Value, tolerance: f64, columns: std::ops::Range<usize>) {
    let grid = &scan.volume.grid;
    let dims = grid.dims.map(|d| d as f64);
    assert_eq!(dims.to_vec(), numbers(&expected["dims"]), "{name}");
    for (row, theirs) in expected["affine"].as_array().expect("rows").iter().enumerate() {
        let theirs = numbers(theirs);
        for column in columns.clone().chain([3]) {
            let (ours, theirs) = (grid.affine.0[row][column], theirs[column]);
            let close = (ours - theirs).abs() <= MILLIMETRE;
            assert!(close, "{name}: affine {row}, {column}: {ours} against {theirs}");
        }
    }
    let values: Vec<f64> = scan.volume.voxels.iter().map(|v| f64::from(*v)).collect();
    let close = |ours: f64, theirs: &Value, tolerance: f64, what: &str| {
        let theirs = theirs.as_f64().expect("a number");
        assert!((ours - theirs).abs() <= tolerance, "{name}: {what} {ours} against {theirs}");
    };
    for (ours, theirs) in values.iter().zip(expected["first"].as_array().expect("a list")) {
        close(*ours, theirs, tolerance, "first values");
    }
    let count = values.len() as f64;
    close(values.iter().sum(), &expected["sum"], tolerance * count, "sum");
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    close(least, &expected["min"], tolerance, "least");
    close(most, &expected["max"], tolerance, "most");
}

fn open(files: &[InputFile]) -> Scan {
    let scan = scan::open(files, &OpenOptions::default());
    scan.unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn every_transfer_syntax_has_its_pixels() {
    let reference = expected("expected.json");
    // A decoder of a lossy format may round one stored value, which is two after rescaling.
    for (name, tolerance) in [
        ("explicit", 0.0),
        ("implicit", 0.0),
        ("big-endian", 0.0),
        ("deflated", 0.0),
        ("rle", 0.0),
        ("jpeg-lossless-sv1", 0.0),
        ("jpeg-lossless-6", 0.0),
        ("jpeg-baseline", 2.0),
        ("jpeg-2000-signed", 0.0),
        ("jpeg-2000-unsigned", 0.0),
        ("jpeg-2000-lossy", 2.0),
    ] {
        let name = format!("{name}.dcm");
        let scan = open(&[file(&folder().join(&name))]);
        // Of a single slice only its own axes and its place are the file's.
        check(&name, &scan, &reference[&name], tolerance, 0..2);
    }
    let ls = [file(&folder().join("jpeg-ls.dcm"))];
    let error = scan::open(&ls, &OpenOptions::default()).expect_err("not read");
    assert!(error.to_string().contains("JPEG-LS"), "{error}");
}

#[test]
fn oblique_lattices_lie_where_others_have_them() {
    let reference = expected("expected.json");
    for (names, format) in [
        (&["oblique.mha"][..], Format::MetaImage),
        (&["raw.mhd", "raw.raw"], Format::MetaImage),
        (&["oblique.nrrd"], Format::Nrrd),
        (&["raw.nhdr", "raw.raw"], Format::Nrrd),
        (&["oblique-2.nii"], Format::Nifti2),
        (&["oblique-2.nii.gz"], Format::Nifti2),
        (&["pair.hdr", "pair.img"], Format::NiftiPair),
    ] {
        let mut files: Vec<InputFile> = names.iter().map(|n| file(&folder().join(n))).collect();
        for _ in 0..2 {
            let scan = open(&files);
            assert_eq!(scan.format, format, "{names:?}");
            assert_eq!(scan.warnings, [], "{names:?}");
            check(names[0], &scan, &reference[names[0]], 0.0, 0..3);
            // In the other order.
            files.reverse();
        }
    }
}

#[test]
fn half_of_a_pair_names_the_other_half() {
    for (name, other) in [("raw.mhd", "raw.raw"), ("raw.nhdr", "raw.raw"), ("pair.hdr", ".img")] {
        let files = [file(&folder().join(name))];
        let error = scan::open(&files, &OpenOptions::default()).expect_err("half");
        assert_eq!(error.kind(), scan::ScanErrorKind::MissingPart);
        assert!(error.to_string().contains(other), "{error}");
        let others = scan::companions(name, &files[0].bytes);
        assert!(others.iter().any(|o| o.ends_with(other)), "{others:?}");
    }
}

#[test]
fn real_scans_lie_where_others_have_them() {
    let Some(data) = std::env::var_os("ONESLICE_SHARED_DATA") else {
        // Past the test harness, which hides what a passing test prints.
        let what = "SKIPPED real_scans_lie_where_others_have_them: ONESLICE_SHARED_DATA is not set";
        writeln!(std::io::stderr(), "{what}").expect("stderr is open");
        return;
    };
    let reference = expected("real.json");
    for (name, expected) in reference.as_object().expect("scans") {
        let path = Path::new(&data).join(name);
        let mut files = Vec::new();
        match path.is_dir() {
            true => {
                for entry in std::fs::read_dir(&path).expect("a folder") {
                    files.push(file(&entry.expect("an entry").path()));
                }
            }
            false => files.push(file(&path)),
        }
        check(name, &open(&files), expected, 0.0, 0..3);
    }
}
