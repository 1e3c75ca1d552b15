//! Pictures and archives: stacks in the order people number them, TIFF with several pages, and files within files.

use std::io::{Cursor, Write};

use image::{DynamicImage, GrayImage, ImageBuffer, ImageFormat, Luma, Rgb, RgbImage};
use oneslice::scan::{self, Format, InputFile, OpenOptions, ScanErrorKind, WarningKind};
use tiff::encoder::{TiffEncoder, colortype};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::build::{I16, Nifti, gzip};
use crate::made::slice;

fn input(name: &str, bytes: Vec<u8>) -> InputFile {
    InputFile {
        name: name.to_owned(),
        bytes,
    }
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).expect("in memory");
    bytes.into_inner()
}

/// Four columns and three rows, all of one grey but the first pixel.
fn grey(value: u8) -> GrayImage {
    GrayImage::from_fn(4, 3, |x, y| Luma([if (x, y) == (0, 0) { 255 } else { value }]))
}

#[test]
fn a_stack_is_ordered_as_people_number() {
    let png = |value| encoded(grey(value), ImageFormat::Png);
    let files = [
        input("stack/slice10.png", png(10)),
        input("stack/slice9.png", png(9)),
        input("stack/slice1.png", png(1)),
    ];
    let scan = scan::open(&files, &OpenOptions::default()).expect("a stack");
    assert_eq!(scan.format, Format::Pictures);
    assert_eq!(scan.volume.grid.dims, [4, 3, 3]);
    let second: Vec<f32> = scan.volume.voxels.chunks(12).map(|s| s[1]).collect();
    assert_eq!(second, [1.0, 9.0, 10.0]);
    assert_eq!(scan.volume.voxels[0], 255.0);
    assert_eq!(scan.warnings[0].kind, WarningKind::NoGeometry);
    let options = OpenOptions {
        spacing: Some([0.5, 0.25, 2.0]),
        ..OpenOptions::default()
    };
    let scan = scan::open(&files, &options).expect("a stack");
    assert_eq!(scan.volume.grid.spacing.map(|mm| mm.0), [0.5, 0.25, 2.0]);
    for spacing in [[0.0, 1.0, 1.0], [1.0, f64::NAN, 1.0]] {
        let options = OpenOptions {
            spacing: Some(spacing),
            ..OpenOptions::default()
        };
        let error = scan::open(&files, &options).expect_err("no spacing");
        assert_eq!(error.kind(), ScanErrorKind::BadPicture);
    }
}

#[test]
fn pictures_of_several_sizes_are_several_series() {
    let other = GrayImage::from_pixel(5, 3, Luma([7]));
    let files = [
        input("a.png", encoded(grey(1), ImageFormat::Png)),
        input("b.png", encoded(other, ImageFormat::Png)),
        input("c.png", encoded(grey(3), ImageFormat::Png)),
    ];
    let series = scan::inspect(&files).expect("series");
    let found: Vec<_> = series.iter().map(|s| (s.id.as_str(), s.dims)).collect();
    assert_eq!(found, [("a.png", [4, 3, 2]), ("b.png", [5, 3, 1])]);
}

#[test]
fn depths_and_colours() {
    let wide = ImageBuffer::from_fn(4, 3, |x, _| Luma([1000 * x as u16]));
    let scan = |bytes: Vec<u8>| {
        let files = [input("a", bytes)];
        scan::open(&files, &OpenOptions::default()).expect("a picture")
    };
    let read = scan(encoded(wide, ImageFormat::Png));
    assert_eq!(read.volume.voxels[..4], [0.0, 1000.0, 2000.0, 3000.0]);
    let red = RgbImage::from_pixel(4, 3, Rgb([255, 0, 0]));
    let read = scan(encoded(red, ImageFormat::Png));
    assert_eq!(read.warnings[1].kind, WarningKind::Colour);
    // The crate's weights are those of ITU-R BT.709.
    assert_eq!(read.volume.voxels[0], 54.0);
    let read = scan(encoded(GrayImage::from_pixel(16, 16, Luma([77])), ImageFormat::Jpeg));
    assert!((read.volume.voxels[100] - 77.0).abs() <= 1.0);
}

fn tiff(pages: u16) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).expect("in memory");
    for page in 0..pages {
        let pixels: Vec<u16> = (0..12).map(|n| 100 * page + n).collect();
        let written = encoder.write_image::<colortype::Gray16>(4, 3, &pixels);
        written.expect("in memory");
    }
    bytes.into_inner()
}

#[test]
fn a_tiff_file_with_pages_is_a_volume() {
    let files = [input("pages.tif", tiff(5))];
    let scan = scan::open(&files, &OpenOptions::default()).expect("a volume");
    assert_eq!(scan.volume.grid.dims, [4, 3, 5]);
    let first: Vec<f32> = scan.volume.voxels.chunks(12).map(|s| s[0]).collect();
    assert_eq!(first, [0.0, 100.0, 200.0, 300.0, 400.0]);
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).expect("in memory");
    let floats: Vec<f32> = (0..12u8).map(|n| f32::from(n) - 0.5).collect();
    let written = encoder.write_image::<colortype::Gray32Float>(4, 3, &floats);
    written.expect("in memory");
    let files = [input("float.tif", bytes.into_inner())];
    let scan = scan::open(&files, &OpenOptions::default()).expect("a slice");
    assert_eq!(scan.volume.voxels, floats);
}

#[test]
fn damaged_pictures_are_refused() {
    let good = [encoded(grey(1), ImageFormat::Png), encoded(grey(1), ImageFormat::Jpeg), tiff(2)];
    for whole in good {
        for len in 4..whole.len().min(400) {
            let files = [input("cut", whole[..len].to_vec())];
            if let Err(error) = scan::open(&files, &OpenOptions::default()) {
                let expected = [ScanErrorKind::BadPicture, ScanErrorKind::UnknownFormat];
                assert!(expected.contains(&error.kind()), "{error}");
            }
        }
    }
}

fn zip(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, SimpleFileOptions::default()).expect("in memory");
        writer.write_all(bytes).expect("in memory");
    }
    writer.finish().expect("in memory").into_inner()
}

#[test]
fn archives_are_folders() {
    let dicom = [slice(0.0, 1), slice(3.0, 2)].map(|s| s.bytes());
    let [a, b] = dicom.clone();
    let inner = zip(&[("deep/b", b)]);
    let whole = zip(&[
        ("__MACOSX/._a", b"litter".to_vec()),
        ("a", gzip(&a)),
        ("more.zip", inner),
        ("read me.txt", b"hello".to_vec()),
    ]);
    let files = [input("all.zip", whole.clone())];
    let scan = scan::open(&files, &OpenOptions::default()).expect("a series");
    assert_eq!(scan.volume.grid.dims, [3, 2, 2]);
    assert_eq!(scan.warnings.len(), 1);
    assert_eq!(scan.warnings[0].kind, WarningKind::OtherFiles);
    assert!(scan.warnings[0].message.contains("all.zip/read me.txt (plain text)"));
    let source = scan.source.expect("of DICOM");
    assert_eq!(source.slices[1].file, "all.zip/more.zip/deep/b");
    let nifti = Nifti::counting(I16, &[2, 3, 4]).bytes();
    let files = [input("scan.zip", zip(&[("scan.nii", nifti)]))];
    let scan = scan::open(&files, &OpenOptions::default()).expect("a scan");
    assert_eq!(scan.format, Format::Nifti);
    let none = [input("empty.zip", zip(&[]))];
    let error = scan::open(&none, &OpenOptions::default()).expect_err("nothing");
    assert_eq!(error.kind(), ScanErrorKind::NoScan);
    let error = scan::open(&[], &OpenOptions::default()).expect_err("nothing");
    assert_eq!(error.kind(), ScanErrorKind::NoScan);
    for len in [4, 10, 40, whole.len() - 30] {
        let files = [input("cut.zip", whole[..len].to_vec())];
        let error = scan::open(&files, &OpenOptions::default()).expect_err("cut");
        assert_eq!(error.kind(), ScanErrorKind::BadArchive, "{error}");
    }
}

#[test]
fn archives_in_archives_end() {
    let mut bytes = zip(&[("x", b"x".to_vec())]);
    for _ in 0..8 {
        bytes = zip(&[("next.zip", bytes)]);
    }
    let error = scan::open(&[input("a.zip", bytes)], &OpenOptions::default()).expect_err("deep");
    assert_eq!(error.kind(), ScanErrorKind::BadArchive);
}
