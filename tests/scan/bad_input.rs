//! What the reader says of bad files: an error of its own kind, one line, with the file's name; never a panic.

use oneslice::scan::{self, ReadOptions, ScanError, ScanErrorKind};
use proptest::prelude::*;

use crate::build::{F32, F64, I16, Kind, Nifti, U8, gzip};

fn read(bytes: &[u8]) -> Result<(), ScanError> {
    scan::read("some scan.nii", bytes, &ReadOptions::default()).map(|_| ())
}

/// Reads bytes that must fail; checks what all errors have in common.
fn error(bytes: &[u8]) -> (ScanErrorKind, String) {
    let error = read(bytes).expect_err("a bad file");
    let text = error.to_string();
    assert_eq!(error.file(), "some scan.nii");
    let message = text
        .strip_prefix("some scan.nii: ")
        .expect("the file first");
    assert!(!message.contains('\n'), "{message}");
    (error.kind(), message.to_owned())
}

#[test]
fn a_file_cut_anywhere_is_truncated() {
    let bytes = Nifti::counting(I16, &[3, 4, 5]).bytes();
    for len in 4..bytes.len() {
        let (kind, message) = error(&bytes[..len]);
        assert_eq!(kind, ScanErrorKind::Truncated, "{len}");
        let expected = if len < 348 { 348 } else { bytes.len() };
        assert_eq!(
            message,
            format!("truncated: {expected} bytes expected, {len} found")
        );
    }
    for len in 0..4 {
        assert_eq!(error(&bytes[..len]).0, ScanErrorKind::UnknownFormat);
    }
}

#[test]
fn a_gzip_stream_cut_anywhere_is_truncated() {
    let packed = gzip(&Nifti::counting(I16, &[3, 4, 5]).bytes());
    for len in 2..packed.len() {
        let (kind, _) = error(&packed[..len]);
        assert_eq!(kind, ScanErrorKind::Truncated, "{len} of {}", packed.len());
    }
    let whole_stream_of_half_a_file = gzip(&Nifti::counting(I16, &[3, 4, 5]).bytes()[..400]);
    let (kind, message) = error(&whole_stream_of_half_a_file);
    assert_eq!(kind, ScanErrorKind::Truncated);
    assert_eq!(message, "truncated: 472 bytes expected, 400 found");
}

#[test]
fn a_damaged_gzip_stream() {
    let mut packed = gzip(&Nifti::counting(I16, &[3, 4, 5]).bytes());
    let checksum = packed.len() - 8;
    packed[checksum] ^= 1;
    let (kind, message) = error(&packed);
    assert_eq!(kind, ScanErrorKind::CorruptGzip, "{message}");
}

#[test]
fn a_small_file_that_declares_a_huge_one() {
    let mut file = Nifti::new(F64, &[32767, 32767, 4000], Vec::new());
    let (kind, message) = error(&file.bytes());
    assert_eq!(kind, ScanErrorKind::Truncated, "{message}");
    let (kind, message) = error(&gzip(&file.bytes()));
    assert_eq!(kind, ScanErrorKind::Truncated);
    assert!(message.ends_with("bytes of gzip cannot hold"), "{message}");
    file.dim = vec![32767; 7];
    let (kind, message) = error(&file.bytes());
    assert_eq!(kind, ScanErrorKind::TooLarge, "{message}");
}

#[test]
fn voxels_that_are_no_numbers() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for kind in [F32, F64] {
            let mut file = Nifti::counting(kind, &[3, 4, 5]);
            file.values[3 * 4 * 2 + 3 + 1] = value;
            file.values[50] = value;
            let (kind, message) = error(&file.bytes());
            assert_eq!(kind, ScanErrorKind::NotFinite);
            assert_eq!(
                message,
                "2 voxels are NaN or infinite, the first at (1, 1, 2)"
            );
        }
    }
    let mut beyond_f32 = Nifti::counting(F64, &[3, 4, 5]);
    beyond_f32.values[0] = 1e300;
    assert_eq!(error(&beyond_f32.bytes()).0, ScanErrorKind::NotFinite);
}

#[test]
fn other_formats_are_named() {
    for (bytes, words) in [
        (&b"GIF89a"[..], "a GIF picture"),
        (b"%PDF-1.7", "a PDF document"),
        (b"\x89HDF\r\n", "an HDF5 file (MINC?)"),
        (b"\0\0\0\x18ftypmp42", "a video or HEIF picture"),
        (b"", "an empty file"),
    ] {
        let (kind, message) = error(bytes);
        assert_eq!(kind, ScanErrorKind::UnknownFormat);
        let expected = format!("not a scan that can be read; it looks like {words}. DICOM, NIfTI, ");
        assert!(message.starts_with(&expected), "{message}");
    }
    let (_, message) = error(&gzip(b"GIF89a and so on"));
    assert!(message.contains("looks like gzip of a GIF picture"), "{message}");
}

#[test]
fn relatives_of_the_format() {
    let with_magic = |magic: &[u8; 4]| {
        let mut bytes = Nifti::counting(U8, &[2, 2, 2]).bytes();
        bytes[344..348].copy_from_slice(magic);
        error(&bytes)
    };
    assert_eq!(with_magic(b"ni1\0").0, ScanErrorKind::MissingPart);
    assert_eq!(with_magic(b"\0\0\0\0").0, ScanErrorKind::BadMagic);
    let (_, message) = with_magic(b"\n\x01+n");
    assert!(message.contains("\\n\\x01+n"), "{message}");
    for size in [540i32.to_le_bytes(), 540i32.to_be_bytes()] {
        let mut bytes = vec![0; 540];
        bytes[..4].copy_from_slice(&size);
        assert_eq!(error(&bytes).0, ScanErrorKind::BadMagic);
        assert_eq!(error(&gzip(&bytes)).0, ScanErrorKind::BadMagic);
    }
}

#[test]
fn impossible_dimensions() {
    for big_endian in [false, true] {
        let with_dim = |dim: &[i16], rank: Option<i16>| {
            let mut file = Nifti::counting(U8, dim);
            file.big_endian = big_endian;
            let mut bytes = file.bytes();
            if let Some(rank) = rank {
                let rank = if big_endian {
                    rank.to_be_bytes()
                } else {
                    rank.to_le_bytes()
                };
                bytes[40..42].copy_from_slice(&rank);
            }
            error(&bytes)
        };
        let (kind, message) = with_dim(&[2, 0, 2], None);
        assert_eq!(kind, ScanErrorKind::ZeroDimension);
        assert_eq!(message, "header field dim[2] is zero (0)");
        let (kind, message) = with_dim(&[2, 2, -7], None);
        assert_eq!(kind, ScanErrorKind::NegativeDimension);
        assert_eq!(message, "header field dim[3] is negative (-7)");
        assert_eq!(
            with_dim(&[2, 2, 2, 0], None).0,
            ScanErrorKind::ZeroDimension
        );
        for rank in [0, -1, 8, 256, 1024, i16::MIN] {
            let (kind, message) = with_dim(&[2, 2, 2], Some(rank));
            assert_eq!(kind, ScanErrorKind::BadRank);
            assert!(message.contains(&format!("is {rank};")), "{message}");
        }
    }
}

#[test]
fn types_that_are_not_read() {
    for (code, name) in [
        (0, "unknown"),
        (1, "single bits"),
        (32, "complex numbers"),
        (128, "RGB colour"),
        (1536, "128-bit float"),
        (1792, "complex numbers"),
        (2304, "RGB colour"),
        (-5, "unknown"),
    ] {
        let file = Nifti::counting(Kind(code, 8, "f64"), &[2, 2, 2]);
        let (kind, message) = error(&file.bytes());
        assert_eq!(kind, ScanErrorKind::UnsupportedType);
        let expected = format!("voxel type {name} (datatype {code}) is not supported");
        assert!(message.starts_with(&expected), "{message}");
    }
}

#[test]
fn header_numbers_that_make_no_sense() {
    let good = Nifti::counting(I16, &[2, 2, 2]);
    for vox_offset in [-1.0, 100.0, 351.0, 352.5, f32::NAN, f32::INFINITY, 1e30] {
        let bytes = good.bytes();
        let mut bytes = [&bytes[..108], &vox_offset.to_le_bytes(), &bytes[112..]].concat();
        assert_eq!(error(&bytes).0, ScanErrorKind::BadOffset, "{vox_offset}");
        bytes.truncate(352);
        assert_eq!(error(&bytes).0, ScanErrorKind::BadOffset, "{vox_offset}");
    }
    for (slope, inter) in [
        (f32::INFINITY, 0.0),
        (1.0, f32::NAN),
        (1.0, f32::NEG_INFINITY),
    ] {
        let file = Nifti {
            slope,
            inter,
            ..good.clone()
        };
        assert_eq!(error(&file.bytes()).0, ScanErrorKind::BadScaling);
    }
    let mut flat = good.clone();
    flat.srow[10] = 0.0;
    let (kind, message) = error(&flat.bytes());
    assert_eq!(kind, ScanErrorKind::BadAffine);
    assert!(message.starts_with("sform: "), "{message}");
    let mut turned = good;
    turned.sform_code = 0;
    turned.qform_code = 1;
    turned.quatern[0] = f32::NAN;
    assert_eq!(error(&turned.bytes()).0, ScanErrorKind::BadAffine);
}

#[test]
fn values_that_are_no_labels() {
    for (value, text) in [
        (1.5, "1.5"),
        (-1.0, "-1"),
        (65536.0, "65536"),
        (1e30, "1e30"),
    ] {
        let mut file = Nifti::counting(F64, &[2, 2, 2]);
        file.values[5] = value;
        let error = scan::read_label_map("m", &file.bytes()).expect_err("no label");
        assert_eq!(error.kind(), ScanErrorKind::NotALabel, "{text}");
        assert!(error.to_string().contains("voxel (1, 0, 1) is "), "{error}");
    }
    let mut file = Nifti::counting(F32, &[2, 2, 2]);
    file.values[5] = f64::NAN;
    let error = scan::read_label_map("m", &file.bytes()).expect_err("no number");
    assert_eq!(error.kind(), ScanErrorKind::NotFinite);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn damage_never_panics(packed: bool, hits in prop::collection::vec((0usize..600, any::<u8>()), 1..6)) {
        let mut bytes = Nifti::counting(I16, &[3, 4, 5]).bytes();
        if packed {
            bytes = gzip(&bytes);
        }
        for (place, value) in hits {
            let place = place % bytes.len();
            bytes[place] = value;
        }
        if let Err(error) = read(&bytes) {
            prop_assert!(!error.to_string().contains('\n'));
        }
        let _ = scan::read_label_map("m", &bytes);
    }

    #[test]
    fn any_header_never_panics(header in prop::collection::vec(any::<u8>(), 344), big_endian: bool, packed: bool) {
        let size = if big_endian { 348i32.to_be_bytes() } else { 348i32.to_le_bytes() };
        let mut bytes = header;
        bytes[..4].copy_from_slice(&size);
        bytes.extend(b"n+1\0 and a few voxels");
        if packed {
            bytes = gzip(&bytes);
        }
        if let Err(error) = read(&bytes) {
            prop_assert!(!error.to_string().contains('\n'));
        }
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert!(read(&bytes).is_err());
    }
}
