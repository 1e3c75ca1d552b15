//! `oneslice one-prompt`: a folder of pictures and scans from one prompted picture, in no order.

use std::collections::BTreeMap;

use image::{GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use oneslice::eval::dice;
use oneslice::volume::phantom::{LIVER, phantom};
use oneslice::volume::{LabelMap, Window};
use serde_json::Value;

use crate::desk::{AXIAL, Desk, Ran, label_file, scan_file};

const LINE: &str =
    "one-prompt --support support.png --mask mask.png --query set --out out --image-size 128";
const SLICES: [usize; 3] = [40, 36, 24];

fn put(desk: &Desk, name: &str, image: &GrayImage) {
    let format = ImageFormat::from_path(name).expect("a known extension");
    image
        .save_with_format(desk.path(name), format)
        .expect("written");
}

/// The prompted slice as `support.png` with `mask.png`, and a folder `set`; how a slice becomes a picture.
fn desk() -> (Desk, impl Fn(usize) -> GrayImage, LabelMap) {
    let (volume, organs) = phantom(SLICES);
    let window = Window::auto(&volume);
    let [cols, rows] = [SLICES[0] as u32, SLICES[1] as u32];
    let picture = move |slice: usize| {
        let grey = volume.slice_u8(AXIAL, slice, &window).expect("a slice");
        GrayImage::from_vec(cols, rows, grey).expect("its pixels")
    };
    let desk = Desk::new();
    std::fs::create_dir(desk.path("set")).expect("a folder");
    let prompt = organs.largest_slice(AXIAL, LIVER).expect("a liver");
    put(&desk, "support.png", &picture(prompt));
    let mask = organs.slice_mask(AXIAL, prompt, LIVER).expect("a slice");
    let inside = |x: u32, y: u32| mask.pixels[(y * cols + x) as usize];
    put(
        &desk,
        "mask.png",
        &GrayImage::from_fn(cols, rows, |x, y| Luma([u8::from(inside(x, y))])),
    );
    (desk, picture, organs)
}

fn run(desk: &Desk, more: &str) -> Ran {
    desk.run(&format!("{LINE} {more}"))
}

fn out_files(desk: &Desk) -> Vec<String> {
    let entries = std::fs::read_dir(desk.path("out")).expect("the folder");
    let name = |e: std::io::Result<std::fs::DirEntry>| e.expect("an entry").file_name();
    let mut names: Vec<String> = entries.map(|e| name(e).to_string_lossy().into()).collect();
    names.sort();
    names
}

fn rows(report: &Value) -> &Vec<Value> {
    report["images"].as_array().expect("a list")
}

/// What is said of each slice of a set, whatever the file's name, and its mask's bytes.
fn said(
    desk: &Desk,
    names: &BTreeMap<String, usize>,
    report: &Value,
) -> BTreeMap<usize, (Value, Vec<u8>)> {
    let of_row = |row: &Value| {
        let mut row = row.clone();
        let query = row["query"].as_str().expect("a name").to_owned();
        let mask = desk.get(row["out"].as_str().expect("a name"));
        row["query"] = Value::Null;
        row["out"] = Value::Null;
        (names[&query], (row, mask))
    };
    rows(report).iter().map(of_row).collect()
}

#[test]
fn the_order_of_the_folder_does_not_matter() {
    let (desk, picture, _) = desk();
    let slices = [3, 8, 10, 12, 15, 20];
    for memory in [
        "fifo",
        "self-sorting",
        "self-sorting-released",
        "self-sorting --memory-seed 3",
    ] {
        let mut results = Vec::new();
        // The same pictures under names that sort otherwise; one of them twice.
        for order in [[0, 1, 2, 3, 4, 5, 2], [5, 2, 4, 0, 2, 3, 1]] {
            for entry in std::fs::read_dir(desk.path("set")).expect("the folder") {
                std::fs::remove_file(entry.expect("an entry").path()).expect("ours");
            }
            let mut names = BTreeMap::new();
            for (place, which) in order.into_iter().enumerate() {
                let name = format!("set/{place}.png");
                put(&desk, &name, &picture(slices[which]));
                names.insert(name, slices[which]);
            }
            let report = run(
                &desk,
                &format!("--json --memory-size 3 --memory {memory}")
                    .replace("--memory-size 3 --memory fifo", "--memory fifo"),
            )
            .json();
            assert_eq!(rows(&report).len(), 7);
            results.push(said(&desk, &names, &report));
        }
        assert_eq!(results[0].len(), slices.len());
        assert!(results[0] == results[1], "{memory}");
    }
}

#[test]
fn pictures_and_scans_are_segmented_and_memories_explained() {
    let (desk, picture, organs) = desk();
    put(
        &desk,
        "set/near.png",
        &picture(organs.largest_slice(AXIAL, LIVER).expect("a liver") + 1),
    );
    let (other, truth) = phantom([44, 40, 6]);
    desk.put("set/other.nii.gz", &scan_file(&other));
    // Beside them what is no picture, or hidden.
    desk.put("set/notes.txt", b"not a picture");
    desk.put("set/.near.png", b"an attribute file");
    let table = run(&desk, "").done();
    assert!(
        table.contains("7 pictures in") && table.contains("memory self-sorting\n"),
        "{table}"
    );
    assert_eq!(
        out_files(&desk),
        ["near_seg.png", "one-prompt.json", "other_seg.nii.gz"]
    );

    let mask = image::load_from_memory(&desk.get("out/near_seg.png"))
        .expect("a PNG")
        .to_luma8();
    assert_eq!(mask.dimensions(), (40, 36));
    let inside = mask.pixels().filter(|p| p.0[0] == 255).count();
    assert!(mask.pixels().all(|p| [0, 255].contains(&p.0[0])));
    let found = desk.labels("out/other_seg.nii.gz").labels;
    let truth = LabelMap::new(truth.labels, found.grid.clone()).expect("as many voxels");
    let overlap = dice(&found, &truth, LIVER, None).expect("one grid");
    let overlap = overlap.coefficient().expect("both have it");
    assert!(overlap > 0.5, "Dice {overlap}");

    let report = desk.json("out/one-prompt.json");
    let rows = rows(&report);
    assert_eq!(rows[0]["query"], "set/near.png");
    assert_eq!(rows[0]["pixels"], inside);
    assert_eq!(
        (&rows[0]["slice"], &rows[3]["slice"]),
        (&Value::Null, &Value::from(2))
    );
    let mut steps: Vec<u64> = rows
        .iter()
        .map(|r| r["step"].as_u64().expect("a step"))
        .collect();
    steps.sort_unstable();
    assert_eq!(steps, [1, 2, 3, 4, 5, 6, 7]);
    let first = rows.iter().find(|r| r["step"] == 1).expect("a first");
    assert_eq!(first["used"][0]["step"], 0);
    assert_eq!(first["used"].as_array().map(Vec::len), Some(1));
    assert_eq!(report["memory"]["strategy"], "self-sorting");
}

#[test]
fn a_slice_of_a_scan_can_be_the_prompt() {
    let (desk, picture, organs) = desk();
    let (volume, _) = phantom(SLICES);
    desk.put("scan.nii.gz", &scan_file(&volume));
    desk.put("organs.nii.gz", &label_file(&organs));
    let prompt = organs.largest_slice(AXIAL, LIVER).expect("a liver");
    put(&desk, "set/a.png", &picture(prompt + 1));
    let by_picture = run(&desk, "--json").json();
    let line = LINE
        .replace("support.png", "scan.nii.gz")
        .replace("mask.png", "organs.nii.gz");
    let by_scan = desk.run(&format!("{line} --label 1 --json")).json();
    assert_eq!(by_scan["slice"], prompt);
    assert_eq!(by_scan["images"], by_picture["images"]);

    let message = desk.run(&line).refused(1);
    assert!(
        message.contains("organs.nii.gz") && message.contains("choose one with --label"),
        "{message}"
    );
}

#[test]
fn what_is_broken_is_named_and_the_others_are_done() {
    let (desk, picture, organs) = desk();
    put(&desk, "set/b.png", &picture(9));
    let alone = run(&desk, "--json").json();
    let whole = desk.get("set/b.png");
    desk.put("set/a.png", &whole[..60]);
    desk.put("set/c.jpg", b"not a picture");
    desk.put("set/d.nii.gz", &label_file(&organs)[..60]);
    let ran = run(&desk, "--json");
    assert_eq!(ran.code, Some(1));
    let said: Vec<&str> = ran.stderr.lines().collect();
    for (line, begins) in said.iter().zip([
        "set/a.png: ",
        "set/c.jpg: ",
        "set/d.nii.gz: ",
        "3 of 4 files failed",
    ]) {
        assert!(line.starts_with(&format!("oneslice: {begins}")), "{line}");
    }
    assert_eq!(said.len(), 4, "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(report["images"], alone["images"]);
    let failed = report["failed"].as_array().expect("a list");
    let items: Vec<&str> = failed.iter().filter_map(|f| f["item"].as_str()).collect();
    assert_eq!(items, ["set/a.png", "set/c.jpg", "set/d.nii.gz"]);
    assert_eq!(out_files(&desk), ["b_seg.png", "one-prompt.json"]);
}

#[test]
fn sixteen_bits_are_windowed_and_colours_are_grey() {
    let (desk, picture, _) = desk();
    let grey = picture(9);
    // Values of a 12-bit camera, of which a plain division by 256 would leave almost nothing.
    let deep = image::ImageBuffer::<Luma<u16>, _>::from_fn(40, 36, |x, y| {
        Luma([1000 + u16::from(grey.get_pixel(x, y).0[0])])
    });
    deep.save(desk.path("set/deep.png")).expect("written");
    RgbImage::from_fn(40, 36, |x, y| Rgb([grey.get_pixel(x, y).0[0]; 3]))
        .save(desk.path("set/colour.png"))
        .expect("written");
    let report = run(&desk, "--json --window 1000,1255").json();
    // The same picture three ways has one step and one result.
    put(&desk, "set/grey.png", &grey);
    let all = run(&desk, "--json --window 1000,1255").json();
    assert_eq!(rows(&report).len(), 2);
    assert!(rows(&all).iter().all(|row| row["step"] == 1), "{all}");
}

#[test]
fn what_cannot_work_is_refused_before_the_work() {
    let (desk, picture, _) = desk();
    std::fs::create_dir(desk.path("empty")).expect("a folder");
    put(&desk, "set/a.png", &picture(9));
    put(&desk, "wide.png", &GrayImage::from_pixel(50, 36, Luma([1])));
    put(&desk, "black.png", &GrayImage::new(40, 36));
    put(&desk, "mask.jpg", &picture(9));
    RgbImage::from_pixel(40, 36, Rgb([9, 0, 0]))
        .save(desk.path("red.png"))
        .expect("written");
    desk.put("broken.png", b"no picture");
    let cases = [
        (
            "--query set",
            "--query empty",
            "empty: no picture (.png, .jpg",
        ),
        ("--query set", "--query nowhere", "nowhere: "),
        (
            "mask.png",
            "wide.png",
            "wide.png: the mask has 36 x 50 pixels, the prompted image has 36 x 40",
        ),
        ("mask.png", "black.png", "black.png: the mask is empty"),
        ("mask.png", "mask.jpg", "mask.jpg: JPEG changes"),
        (
            "mask.png",
            "mask.png --label 7",
            "mask.png: there is no label 7; there are {1}",
        ),
        (
            "mask.png",
            "red.png --label 7",
            "red.png: --label needs a mask in grey",
        ),
        ("mask.png", "none.png", "none.png: "),
        ("support.png", "broken.png", "broken.png: "),
        (
            "support.png",
            "support.png --slice 3",
            "--slice is for scans",
        ),
        ("--out out", "--out set", "is also the folder to look at"),
        ("--out out", "--out mask.png", "mask.png: "),
        (
            "--out out",
            "--out out --memory-size 0",
            "no room for the prompt",
        ),
    ];
    for (from, to, said) in cases {
        let message = desk.run(&LINE.replace(from, to)).refused(1);
        assert!(message.contains(said), "{to}: {message}");
    }
    put(&desk, "set/a.jpg", &picture(9));
    let message = run(&desk, "").refused(1);
    assert!(
        message.contains("set/a.jpg and set/a.png would be written to the same file"),
        "{message}"
    );
}
