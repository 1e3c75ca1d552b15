//! NRRD and MetaImage files, written by hand: what their headers may say, and what they are refused for.

use flate2::{Compression, write::ZlibEncoder};
use oneslice::scan::{self, OpenOptions, ReadOptions, Scan, ScanError, ScanErrorKind, WarningKind};
use oneslice::volume::orientation_letters;
use proptest::prelude::*;
use std::io::Write;

use crate::build::gzip;

/// An NRRD file of 2 x 3 x 2 numbers from 0 on; lines are added to its header or take the place of those there.
fn nrrd(lines: &[&str], data: &[u8]) -> Vec<u8> {
    let usual = [
        "type: short",
        "dimension: 3",
        "sizes: 2 3 2",
        "space: left-posterior-superior",
        "space directions: (0.5,0,0) (0,0.75,0) (0,0,2.5)",
        "space origin: (1,2,3)",
        "endian: little",
        "encoding: raw",
    ];
    file("NRRD0004\n", ": ", &usual, lines, "\n", data)
}

fn meta(lines: &[&str], data: &[u8]) -> Vec<u8> {
    let usual = [
        "NDims = 3",
        "DimSize = 2 3 2",
        "ElementType = MET_SHORT",
        "ElementSpacing = 0.5 0.75 2.5",
        "Offset = 1 2 3",
    ];
    let end = "ElementDataFile = LOCAL\n";
    file("ObjectType = Image\n", " = ", &usual, lines, end, data)
}

fn file(first: &str, sign: &str, usual: &[&str], lines: &[&str], end: &str, data: &[u8]) -> Vec<u8> {
    let key = |line: &str| line.split(sign).next().unwrap_or_default().to_owned();
    let kept = usual.iter().filter(|u| lines.iter().all(|l| key(l) != key(u)));
    // A line that ends in its sign takes one away.
    let added = lines.iter().filter(|l| !l.ends_with(sign));
    let mut text = first.to_owned();
    kept.chain(added).for_each(|line| text += &format!("{line}\n"));
    text += end;
    [text.as_bytes(), data].concat()
}

fn shorts() -> Vec<u8> {
    (0..12i16).flat_map(i16::to_le_bytes).collect()
}

fn read(bytes: &[u8]) -> Result<Scan, ScanError> {
    scan::read("some file", bytes, &ReadOptions::default())
}

fn counts(scan: &Scan) {
    let expected: Vec<f32> = (0..12u8).map(f32::from).collect();
    assert_eq!(scan.volume.voxels, expected);
}

fn kind(bytes: &[u8]) -> (ScanErrorKind, String) {
    let error = read(bytes).expect_err("a bad file");
    assert_eq!(error.file(), "some file");
    let text = error.to_string();
    assert!(!text.contains('\n'), "{text}");
    (error.kind(), text)
}

#[test]
fn nrrd_in_its_encodings() {
    let big: Vec<u8> = (0..12i16).flat_map(i16::to_be_bytes).collect();
    let text = b"0 1 2,3\n4 5 6\t7\n8 9 10 11\n";
    let floats: Vec<u8> = (0..12u8).flat_map(|v| f32::from(v).to_le_bytes()).collect();
    for (lines, data) in [
        (&[][..], shorts()),
        (&["endian: big"], big),
        (&["encoding: gzip"], gzip(&shorts())),
        (&["encoding: ascii"], text.to_vec()),
        (&["type: float"], floats),
        (&["type: uint8", "endian: "], (0..12).collect()),
        (&["line skip: 1"], [b"a line\n", &shorts()[..]].concat()),
        (&["byte skip: 5"], [b"bytes", &shorts()[..]].concat()),
        (&["byte skip: -1"], [b"at the end", &shorts()[..]].concat()),
        (&["# a comment", "key:=value", "content: any"], shorts()),
    ] {
        let scan = read(&nrrd(lines, &data)).unwrap_or_else(|e| panic!("{lines:?}: {e}"));
        counts(&scan);
        assert_eq!(scan.volume.grid.dims, [2, 3, 2]);
        assert_eq!(scan.volume.grid.affine.0[0], [-0.5, 0.0, 0.0, -1.0]);
        assert_eq!(scan.volume.grid.affine.0[2], [0.0, 0.0, 2.5, 3.0]);
        assert_eq!(scan.warnings, []);
    }
    let labels = scan::read_label_map("labels", &nrrd(&[], &shorts())).expect("labels");
    assert_eq!(labels.labels.labels[11], 11);
}

#[test]
fn nrrd_in_its_spaces() {
    for (space, letters) in [
        ("left-posterior-superior", "LPS"),
        ("LPS", "LPS"),
        ("right-anterior-superior", "RAS"),
        ("left-anterior-superior", "LAS"),
    ] {
        let scan = read(&nrrd(&[&format!("space: {space}")], &shorts())).expect("a volume");
        assert_eq!(orientation_letters(&scan.volume.grid.affine), letters);
    }
    let nowhere = ["space: ", "space directions: ", "space origin: ", "spacings: 0.5 0.75 2.5"];
    let scan = read(&nrrd(&nowhere, &shorts())).expect("a volume");
    assert_eq!(scan.warnings[0].kind, WarningKind::NoGeometry);
    assert_eq!(scan.volume.grid.spacing.map(|mm| mm.0), [0.5, 0.75, 2.5]);
}

#[test]
fn a_fourth_axis_counts_volumes_wherever_it_is() {
    let place = "(0.5,0,0) (0,0.75,0) (0,0,2.5)";
    for (sizes, directions, interleaved) in [
        ("2 3 2 2", format!("{place} none"), false),
        ("2 2 3 2", format!("none {place}"), true),
        ("2 2 3 2", format!("(nan,nan,nan) {place}"), true),
    ] {
        let values = (0..24i16).map(|n| match interleaved {
            true => n / 2 + 100 * (n % 2),
            false => n % 12 + 100 * (n / 12),
        });
        let data: Vec<u8> = values.flat_map(i16::to_le_bytes).collect();
        let lines = [
            "dimension: 4".to_owned(),
            format!("sizes: {sizes}"),
            format!("space directions: {directions}"),
        ];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let bytes = nrrd(&lines, &data);
        assert_eq!(kind(&bytes).0, ScanErrorKind::VolumeChoice);
        for volume in 0..2u8 {
            let options = ReadOptions { volume: Some(volume.into()) };
            let scan = scan::read("t", &bytes, &options).expect("a volume");
            let expected: Vec<f32> = (0..12u8).map(|n| f32::from(n + 100 * volume)).collect();
            assert_eq!(scan.volume.voxels, expected, "{sizes}");
            assert_eq!(scan.header.volumes(), 2);
        }
    }
}

#[test]
fn a_flat_nrrd_is_one_slice() {
    let lines = ["dimension: 2", "sizes: 4 3", "space directions: (0,0.5,0) (0,0,0.75)"];
    let scan = read(&nrrd(&lines, &shorts())).expect("a slice");
    assert_eq!(scan.volume.grid.dims, [4, 3, 1]);
    assert_eq!(scan.volume.grid.spacing.map(|mm| mm.0), [0.5, 0.75, 1.0]);
}

#[test]
fn nrrd_headers_that_make_no_sense() {
    use ScanErrorKind::{BadAffine, BadNrrd, MissingPart, NotFinite, TooLarge, Truncated, UnsupportedType};
    for (line, expected) in [
        ("type: block", UnsupportedType),
        ("type: ", BadNrrd),
        ("dimension: 0", BadNrrd),
        ("dimension: 4", BadNrrd),
        ("dimension: x", BadNrrd),
        ("sizes: 2 0 2", BadNrrd),
        ("sizes: 2 -3 2", BadNrrd),
        ("sizes: 4000000000 4000000000 4000000000", TooLarge),
        ("sizes: 40000 40000 400", Truncated),
        ("space directions: (0.5,0,0) (0,0.75,0)", BadNrrd),
        ("space directions: (0.5,0,0) (0,0.75,0) (0,0,0)", BadAffine),
        ("space directions: (0.5,0,0 (0,0.75,0) (0,0,1)", BadNrrd),
        ("space origin: (1,nan,3)", BadNrrd),
        ("endian: middle", BadNrrd),
        ("endian: ", BadNrrd),
        ("encoding: bzip2", BadNrrd),
        ("byte skip: -7", BadNrrd),
        ("byte skip: 99", Truncated),
        ("line skip: 9", BadNrrd),
        ("kinds: RGB-color domain domain", BadNrrd),
        ("data file: other.raw", MissingPart),
        ("data file: LIST", BadNrrd),
        ("a line without", BadNrrd),
        ("encoding: ascii", NotFinite),
    ] {
        let (found, text) = kind(&nrrd(&[line], &shorts()));
        assert_eq!(found, expected, "{line}: {text}");
    }
    assert_eq!(kind(b"NRRD0004\ntype: short").0, BadNrrd);
    let nan = f32::NAN.to_le_bytes().repeat(12);
    assert_eq!(kind(&nrrd(&["type: float"], &nan)).0, NotFinite);
}

#[test]
fn meta_images_in_their_encodings() {
    let big: Vec<u8> = (0..12i16).flat_map(i16::to_be_bytes).collect();
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&shorts()).expect("in memory");
    let packed = packed.finish().expect("in memory");
    for (lines, data) in [
        (&[][..], shorts()),
        (&["BinaryDataByteOrderMSB = True"], big.clone()),
        (&["ElementByteOrderMSB = true"], big),
        (&["CompressedData = True", "CompressedDataSize = 9"], packed),
        (&["BinaryData = False"], b"0 1 2 3 4 5 6 7 8 9 10 11".to_vec()),
        (&["ElementType = MET_UCHAR"], (0..12).collect()),
        (&["HeaderSize = -1"], [b"something", &shorts()[..]].concat()),
    ] {
        let scan = read(&meta(lines, &data)).unwrap_or_else(|e| panic!("{lines:?}: {e}"));
        counts(&scan);
        assert_eq!(scan.volume.grid.affine.0[1], [0.0, -0.75, 0.0, -2.0]);
    }
    let channels = meta(&["ElementNumberOfChannels = 2", "DimSize = 2 3 1"], &shorts());
    let options = ReadOptions { volume: Some(1) };
    let scan = scan::read("t", &channels, &options).expect("the second channel");
    assert_eq!(scan.volume.voxels, [1.0, 3.0, 5.0, 7.0, 9.0, 11.0]);
}

#[test]
fn meta_image_headers_that_make_no_sense() {
    use ScanErrorKind::{BadAffine, BadMetaImage, MissingPart, TooLarge, Truncated, UnsupportedType};
    for (line, expected) in [
        ("NDims = 5", BadMetaImage),
        ("NDims = 2", BadMetaImage),
        ("DimSize = 2 3", BadMetaImage),
        ("DimSize = 2 3 0", BadMetaImage),
        ("DimSize = 4000000000 4000000000 4000000000", TooLarge),
        ("DimSize = 20 30 20", Truncated),
        ("ElementType = MET_STRING", UnsupportedType),
        ("ElementType = ", BadMetaImage),
        ("ElementSpacing = 1 1", BadMetaImage),
        ("ElementSpacing = 1 0 1", BadAffine),
        ("Offset = 1 nan 1", BadMetaImage),
        ("TransformMatrix = 1 0 0 0 1 0 0 0", BadMetaImage),
        ("ElementNumberOfChannels = 0", BadMetaImage),
        ("HeaderSize = -2", BadMetaImage),
        ("ElementDataFile = other.raw", MissingPart),
        ("no sign", BadMetaImage),
    ] {
        let (found, text) = kind(&meta(&[line], &shorts()));
        assert_eq!(found, expected, "{line}: {text}");
    }
    assert_eq!(kind(b"ObjectType = Image\n").0, BadMetaImage);
}

#[test]
fn files_cut_anywhere_are_refused() {
    for bytes in [nrrd(&[], &shorts()), meta(&[], &shorts()), nrrd(&["encoding: gzip"], &gzip(&shorts()))] {
        for len in 0..bytes.len() {
            assert!(read(&bytes[..len]).is_err(), "{len} of {}", bytes.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// What is written by hand comes back, whatever the sizes.
    #[test]
    fn numbers_come_back(dims in prop::array::uniform3(1usize..5), seed: i16) {
        let count = dims.iter().product::<usize>();
        let values: Vec<i16> = (0..count).map(|n| seed.wrapping_mul(n as i16 + 1)).collect();
        let data: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let sizes = dims.map(|d| d.to_string()).join(" ");
        let expected: Vec<f32> = values.iter().map(|v| f32::from(*v)).collect();
        for bytes in [nrrd(&[&format!("sizes: {sizes}")], &data), meta(&[&format!("DimSize = {sizes}")], &data)] {
            let scan = read(&bytes).expect("a volume");
            prop_assert_eq!(scan.volume.grid.dims, dims);
            prop_assert_eq!(&scan.volume.voxels, &expected);
        }
    }

    #[test]
    fn damage_never_panics(which in 0usize..4, hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = [
            nrrd(&[], &shorts()),
            nrrd(&["encoding: gzip"], &gzip(&shorts())),
            nrrd(&["encoding: ascii"], b"1 2 3 4 5 6 7 8 9 10 11 12"),
            meta(&[], &shorts()),
        ][which].clone();
        for (place, value) in hits {
            let len = bytes.len();
            bytes[place.index(len)] = value;
        }
        let _ = read(&bytes);
        let _ = scan::read_label_map("t", &bytes);
        let file = scan::InputFile { name: "t".to_owned(), bytes };
        let _ = scan::open(&[file], &OpenOptions::default());
    }
}
