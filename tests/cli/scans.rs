//! Scans in other formats than NIfTI, on the command line: folders, archives, series to choose from.

use oneslice::scan::{self, InputFile, OpenOptions};
use oneslice::volume::{LabelMap, VoxelAxis};
use serde_json::json;

use crate::desk::{Desk, label_file};
use crate::dicom::Made;

const SIDE: u16 = 40;

/// A bright square on slice `number` of a series, on a background that differs from slice to slice.
fn made(number: u16) -> Vec<u8> {
    let inside = |at: u16| (10..24).contains(&(at % SIDE)) && (12..30).contains(&(at / SIDE));
    let value = |at: u16| {
        if inside(at) {
            400
        } else {
            (at % 7 + number) as i16
        }
    };
    let made = Made {
        explicit: true,
        rows: SIDE,
        cols: SIDE,
        values: (0..SIDE * SIDE).map(value).collect(),
        position: [-20.0, 7.0, 3.0 * f64::from(number)],
    };
    made.bytes()
}

/// A desk with a series of five slices in a folder, and the square of the third as a mask.
fn desk() -> Desk {
    let desk = Desk::new();
    let mut files = Vec::new();
    for number in 0..5 {
        // Files come in the order of their names, slices in that of their places.
        let name = format!("IM{}", (number * 2) % 5);
        let bytes = made(number);
        desk.put_in("study/series", &name, &bytes);
        files.push(InputFile { name, bytes });
    }
    let scan = scan::open(&files, &OpenOptions::default()).expect("a series");
    let values = scan.volume.voxels.iter();
    let labels = values.map(|v| u16::from(*v > 500.0)).collect();
    let whole = LabelMap::new(labels, scan.volume.grid.clone()).expect("one each");
    let mut mask = LabelMap::empty(scan.volume.grid);
    let slice = whole.slice(VoxelAxis::K, 2).expect("five slices");
    mask.set_slice(VoxelAxis::K, 2, &slice).expect("as large");
    desk.put("mask.nii.gz", &label_file(&mask));
    desk
}

#[test]
fn a_folder_of_dicom_is_segmented_on_its_own_grid() {
    let desk = desk();
    let line = "segment study --mask mask.nii.gz --out seg.nii.gz --image-size 128 --json";
    let summary = desk.run(line).json();
    assert_eq!(summary["steps"], 5);
    let found = desk.labels("seg.nii.gz").labels;
    let mask = desk.labels("mask.nii.gz").labels;
    assert_eq!(found.grid, mask.grid);
    assert_eq!(found.grid.affine.0[2], [0.0, 0.0, 3.0, 0.0]);
    let slice = |map: &LabelMap| map.slice(VoxelAxis::K, 2).expect("five slices");
    assert_eq!(slice(&found), slice(&mask));
}

#[test]
fn info_says_format_modality_and_warnings() {
    let desk = desk();
    let info = desk.run("info study --json").json();
    assert_eq!(
        (&info["format"], &info["dims"]),
        (&json!("Dicom"), &json!([40, 40, 5]))
    );
    assert_eq!(info["warnings"], json!([]));
    desk.put_in("lost", "a", &made(0));
    desk.put_in("lost", "b", &made(1));
    desk.put_in("lost", "c", &made(3));
    let ran = desk.run("info lost --json");
    assert!(
        ran.stderr.contains("warning: lost: 1 slice is missing"),
        "{}",
        ran.stderr
    );
    let text = desk.run("info study").done();
    assert!(text.contains("format       DICOM\n"), "{text}");
}

#[test]
fn several_series_are_listed_and_chosen_from() {
    let desk = desk();
    let nrrd = "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 2 1\nspace: RAS\n\
        space directions: (1,0,0) (0,1,0) (0,0,4)\nencoding: raw\n\n";
    desk.put_in(
        "study/other",
        "scan.nrrd",
        &[nrrd.as_bytes(), &[1, 2, 3, 4]].concat(),
    );
    let list = desk.run("info study --json").json();
    let ids: Vec<&str> = list["series"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|series| series["id"].as_str().expect("an identifier"))
        .collect();
    assert_eq!(ids, ["study/other/scan.nrrd", "study/series/IM0"]);
    let text = desk.run("info study").done();
    assert!(
        text.starts_with("2 series; choose one with --series\n"),
        "{text}"
    );
    let one = desk
        .run("info study --series study/other/scan.nrrd --json")
        .json();
    assert_eq!(one["format"], "Nrrd");
    let message = desk.refused(1, "segment study --mask mask.nii.gz --out seg.nii.gz");
    assert!(message.contains("there are 2 series"), "{message}");
    assert!(message.ends_with("(with --series)"), "{message}");
}

#[test]
fn the_other_half_of_a_header_is_found_beside_it() {
    let desk = Desk::new();
    let header = "ObjectType = Image\nNDims = 3\nDimSize = 2 2 1\nElementType = MET_UCHAR\nElementDataFile = half.raw\n";
    desk.put_in("two", "half.mhd", header.as_bytes());
    let message = desk.refused(1, "info two/half.mhd");
    assert!(
        message.contains("the voxels are in another file, half.raw"),
        "{message}"
    );
    desk.put_in("two", "half.raw", &[1, 2, 3, 4]);
    let info = desk.run("info two/half.mhd --json").json();
    assert_eq!(
        (&info["format"], &info["highest"]),
        (&json!("MetaImage"), &json!(4.0))
    );
}

#[test]
fn pictures_have_the_spacing_they_are_given() {
    let desk = Desk::new();
    let grey = image::GrayImage::from_pixel(5, 4, image::Luma([9]));
    let mut png = std::io::Cursor::new(Vec::new());
    grey.write_to(&mut png, image::ImageFormat::Png)
        .expect("in memory");
    for name in ["a1.png", "a2.png", "a10.png"] {
        desk.put_in("stack", name, png.get_ref());
    }
    let info = desk.run("info stack --spacing 0.5,0.25,2 --json").json();
    assert_eq!(info["spacing_mm"], json!([0.5, 0.25, 2.0]));
    assert_eq!(info["dims"], json!([5, 4, 3]));
    let message = desk.refused(2, "info stack --spacing 1,2");
    assert!(message.contains("expected X,Y,Z"), "{message}");
}
