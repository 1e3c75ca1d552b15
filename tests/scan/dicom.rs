//! Series of made-up DICOM files: what is read, what is said of them, and what they are refused for.

use oneslice::scan::{
    self, Format, InputFile, OpenOptions, Scan, ScanError, ScanErrorKind, WarningKind,
};

use crate::made::{
    BIG_ENDIAN, DEFLATED, Dicom, EXPLICIT, Elements, IMPLICIT, Pixels, RLE, Value, short, slice,
    text,
};

pub fn input(files: &[Dicom]) -> Vec<InputFile> {
    let file = |(number, file): (usize, &Dicom)| InputFile {
        name: format!("folder/{number}.dcm"),
        bytes: file.bytes(),
    };
    files.iter().enumerate().map(file).collect()
}

pub fn open(files: &[Dicom]) -> Result<Scan, ScanError> {
    scan::open(&input(files), &OpenOptions::default())
}

pub fn kinds(scan: &Scan) -> Vec<WarningKind> {
    scan.warnings.iter().map(|w| w.kind).collect()
}

/// The stored values of a single slice.
fn values(file: Dicom) -> Vec<f32> {
    let file = file.set((0x0028, 0x1052), text("DS", "0"));
    let file = file.set((0x0028, 0x1053), text("DS", "1"));
    open(&[file]).expect("a slice").volume.voxels
}

#[test]
fn a_series_in_every_uncompressed_encoding() {
    for syntax in [EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED] {
        let files = [5.0, 2.0, -1.0].map(|z| {
            let mut file = slice(z, (10.0 + z) as u32);
            file.syntax = syntax;
            file
        });
        let scan = open(&files).expect("a series");
        assert_eq!(scan.format, Format::Dicom);
        assert_eq!(scan.modality, "CT");
        assert_eq!(scan.warnings, []);
        let grid = &scan.volume.grid;
        assert_eq!(grid.dims, [3, 2, 3]);
        let expected = [
            [-1.25, 0.0, 0.0, 20.5],
            [0.0, -1.5, 0.0, -7.0],
            [0.0, 0.0, 3.0, -1.0],
            [0.0, 0.0, 0.0, 1.0],
        ];
        assert_eq!(grid.affine.0, expected, "{syntax}");
        let first: Vec<f32> = scan.volume.voxels.chunks(6).map(|s| s[0]).collect();
        assert_eq!(first, [-30.0, 30.0, 90.0], "{syntax}");
        assert_eq!(
            scan.volume.voxels[..6],
            [-30.0, -28.0, -26.0, -24.0, -22.0, -20.0]
        );
    }
}

#[test]
fn a_source_says_what_a_result_must_refer_to() {
    let scan = open(&[slice(5.0, 2), slice(2.0, 1)]).expect("a series");
    let source = scan.source.expect("of DICOM");
    assert_eq!(source.study_instance_uid, "1.2.3");
    assert_eq!(source.series_instance_uid, "1.2.3.4");
    assert_eq!(source.frame_of_reference_uid, "1.2.3.5");
    assert_eq!(source.attributes["PatientName"], "Made^Up");
    assert_eq!((source.rows, source.columns), (2, 3));
    assert_eq!(source.pixel_spacing, [1.5, 1.25]);
    assert_eq!(source.slice_thickness, 3.0);
    let slices = source.slices.iter();
    let slices: Vec<_> = slices
        .map(|s| {
            (
                s.slice,
                s.sop_instance_uid.as_str(),
                s.frame,
                s.position,
                s.file.as_str(),
            )
        })
        .collect();
    assert_eq!(
        slices,
        [
            (0, "1.2.3.1", None, [-20.5, 7.0, 2.0], "folder/1.dcm"),
            (1, "1.2.3.2", None, [-20.5, 7.0, 5.0], "folder/0.dcm"),
        ]
    );
}

#[test]
fn bits_are_cut_out_and_signs_extended() {
    let with = |bits: [u16; 4], pixels: Pixels| {
        let [allocated, stored, high, signed] = bits;
        let mut file = slice(0.0, 1)
            .set((0x0028, 0x0100), short(allocated))
            .set((0x0028, 0x0101), short(stored))
            .set((0x0028, 0x0102), short(high))
            .set((0x0028, 0x0103), short(signed));
        file.pixels = pixels;
        values(file)
    };
    let words = Pixels::Words(vec![0x0000, 0xffff, 0x7ff8, 0x800f, 0x0123, 0xf234]);
    assert_eq!(
        with([16, 16, 15, 0], words.clone()),
        [0.0, 65535.0, 32760.0, 32783.0, 291.0, 62004.0]
    );
    assert_eq!(
        with([16, 16, 15, 1], words.clone()),
        [0.0, -1.0, 32760.0, -32753.0, 291.0, -3532.0]
    );
    // What is above the stored bits is not the pixel's (old files kept overlays there).
    assert_eq!(
        with([16, 12, 11, 0], words.clone()),
        [0.0, 4095.0, 4088.0, 15.0, 291.0, 564.0]
    );
    assert_eq!(
        with([16, 12, 11, 1], words.clone()),
        [0.0, -1.0, -8.0, 15.0, 291.0, 564.0]
    );
    assert_eq!(with([16, 12, 15, 0], words)[..3], [0.0, 4095.0, 2047.0]);
    let bytes = Pixels::Bytes(vec![0, 255, 128, 1, 2, 3]);
    assert_eq!(
        with([8, 8, 7, 0], bytes.clone()),
        [0.0, 255.0, 128.0, 1.0, 2.0, 3.0]
    );
    assert_eq!(with([8, 8, 7, 1], bytes)[..3], [0.0, -1.0, -128.0]);
}

#[test]
fn white_zeros_are_turned_over() {
    let file = slice(0.0, 1)
        .set((0x0028, 0x0004), text("CS", "MONOCHROME1"))
        .set((0x0028, 0x0103), short(0))
        .set((0x0028, 0x0101), short(12))
        .set((0x0028, 0x0102), short(11));
    let scan = open(&[file]).expect("a slice");
    assert_eq!(kinds(&scan), [WarningKind::Inverted]);
    assert_eq!(scan.volume.voxels[..2], [8180.0, 8178.0]);
}

#[test]
fn colours_become_grey() {
    for planar in [0, 1] {
        let pixels: Vec<u8> = match planar {
            0 => (0..6).flat_map(|n| [n * 10, n * 20, n * 30]).collect(),
            _ => [10, 20, 30]
                .iter()
                .flat_map(|step| (0..6).map(move |n| n * step))
                .collect(),
        };
        let mut file = slice(0.0, 1)
            .set((0x0028, 0x0002), short(3))
            .set((0x0028, 0x0004), text("CS", "RGB"))
            .set((0x0028, 0x0006), short(planar))
            .set((0x0028, 0x0100), short(8))
            .set((0x0028, 0x0101), short(8))
            .set((0x0028, 0x0102), short(7))
            .set((0x0028, 0x0103), short(0));
        file.pixels = Pixels::Bytes(pixels);
        let scan = open(&[file.clone()]).expect("a slice");
        assert_eq!(kinds(&scan), [WarningKind::Colour]);
        for (n, value) in values(file).into_iter().enumerate() {
            assert!((value - 18.15 * n as f32).abs() < 1e-4, "{n}: {value}");
        }
    }
}

#[test]
fn a_modality_table_stands_for_slope_and_intercept() {
    let mut table = Elements::new();
    table.insert((0x0028, 0x3002), Value::Shorts(vec![4, 1, 16]));
    table.insert((0x0028, 0x3006), Value::Shorts(vec![100, 200, 400, 800]));
    let file = slice(0.0, 1).set((0x0028, 0x3000), Value::Items(vec![table]));
    let scan = open(&[file]).expect("a slice");
    assert_eq!(
        scan.volume.voxels,
        [100.0, 100.0, 200.0, 400.0, 800.0, 800.0]
    );
}

/// Packs bytes in runs of at most three, literally where they differ.
fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    for run in bytes.chunk_by(|a, b| a == b) {
        for part in run.chunks(3) {
            match part.len() {
                1 => packed.extend([0, part[0]]),
                len => packed.extend([(1 - len as i8).cast_unsigned(), part[0]]),
            }
        }
    }
    packed
}

/// A frame of 16-bit numbers: its high bytes, then its low ones.
fn run_lengths(words: &[u16]) -> Vec<u8> {
    let planes = [8, 0].map(|shift| {
        let bytes: Vec<u8> = words.iter().map(|w| (w >> shift) as u8).collect();
        pack(&bytes)
    });
    let mut frame = vec![0; 64];
    frame[0] = 2;
    frame[4] = 64;
    frame[8] = 64 + planes[0].len() as u8;
    frame.extend(planes.concat());
    frame
}

#[test]
fn run_lengths_are_unpacked() {
    let words = [5, 5, 5, 5, 0xfffe, 300];
    let mut file = slice(0.0, 1);
    file.syntax = RLE;
    file.pixels = Pixels::Fragments(vec![run_lengths(&words)]);
    assert_eq!(values(file), [5.0, 5.0, 5.0, 5.0, -2.0, 300.0]);
}

#[test]
fn what_is_not_read_is_named() {
    let with = |syntax: &'static str| {
        let mut file = slice(0.0, 1);
        file.syntax = syntax;
        file.pixels = Pixels::Fragments(vec![vec![0; 20]]);
        open(&[file]).expect_err("not read")
    };
    for (syntax, words) in [
        ("1.2.840.10008.1.2.4.80", "JPEG-LS"),
        ("1.2.840.10008.1.2.4.110", "JPEG XL"),
        ("1.2.840.10008.1.2.4.102", "MPEG-4"),
        ("1.2.3.4.5.6", "1.2.3.4.5.6"),
    ] {
        let error = with(syntax);
        assert_eq!(error.kind(), ScanErrorKind::TransferSyntax);
        let text = error.to_string();
        assert!(text.contains(words) && text.contains(syntax), "{text}");
        assert!(text.contains("gdcmconv --raw"), "{text}");
    }
}

#[test]
fn values_that_cannot_be_are_named_by_their_kind() {
    for (tag, value, kind) in [
        (
            (0x0028, 0x0004),
            text("CS", "PALETTE COLOR"),
            ScanErrorKind::UnsupportedType,
        ),
        ((0x0028, 0x0100), short(12), ScanErrorKind::UnsupportedType),
        ((0x0028, 0x0101), short(17), ScanErrorKind::BadDicom),
        ((0x0028, 0x0010), short(0), ScanErrorKind::BadDicom),
        ((0x0028, 0x0010), short(3), ScanErrorKind::Truncated),
        (
            (0x0028, 0x0008),
            text("IS", "2147483647"),
            ScanErrorKind::Truncated,
        ),
        ((0x0028, 0x0008), text("IS", "two"), ScanErrorKind::BadDicom),
        (
            (0x0028, 0x0030),
            text("DS", "0\\1"),
            ScanErrorKind::BadDicom,
        ),
        (
            (0x0020, 0x0032),
            text("DS", "1\\2"),
            ScanErrorKind::BadDicom,
        ),
        (
            (0x0020, 0x0032),
            text("DS", "1\\2\\nan"),
            ScanErrorKind::BadDicom,
        ),
        (
            (0x0020, 0x0037),
            text("DS", "1\\0\\0\\1\\0\\0"),
            ScanErrorKind::BadDicom,
        ),
    ] {
        let error = open(&[slice(0.0, 1).set(tag, value)]).expect_err("refused");
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.file(), "folder/0.dcm");
    }
    let far = |z: f64| slice(z, z as u32);
    let error = open(&[far(0.0), far(1.0), far(400.0)]).expect_err("no volume");
    assert_eq!(error.kind(), ScanErrorKind::NoVolume, "{error}");
}

#[test]
fn a_bare_data_set_is_read() {
    let mut file = slice(0.0, 1);
    for syntax in [IMPLICIT, EXPLICIT] {
        file.syntax = syntax;
        let bytes = file.bytes();
        // The preamble and the transfer syntax, which has an even number of letters or is padded.
        let start = 132 + 8 + syntax.len().next_multiple_of(2);
        let files = [InputFile {
            name: "bare".to_owned(),
            bytes: bytes[start..].to_vec(),
        }];
        let scan = scan::open(&files, &OpenOptions::default()).expect("a slice");
        assert_eq!(scan.volume.voxels[..2], [-10.0, -8.0]);
    }
}
