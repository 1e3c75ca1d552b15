//! `oneslice few-shot`: labelled slices of one scan segment others; what fails is named and the others go on.

use oneslice::eval::dice;
use oneslice::volume::phantom::{LIVER, phantom};
use oneslice::volume::{Grid, LabelMap, Volume};
use serde_json::Value;

use crate::desk::{AXIAL, DIMS, Desk, Ran, label_file, sample, scan_file};

/// Quick: the smallest image.
const QUICK: &str = "--image-size 128 --out out";

/// With another scan, of other dimensions, as `other.nii.gz`; its organs.
fn desk() -> (Desk, LabelMap) {
    let desk = Desk::with_scan();
    let (volume, organs) = phantom([40, 48, 6]);
    desk.put("other.nii.gz", &scan_file(&volume));
    (desk, organs)
}

fn few_shot(desk: &Desk, more: &str) -> Ran {
    let line = "few-shot --support scan.nii.gz --mask organs.nii.gz";
    desk.run(&format!("{line} {QUICK} {more}"))
}

fn out_files(desk: &Desk) -> Vec<String> {
    let entries = std::fs::read_dir(desk.path("out")).expect("the folder");
    let name = |e: std::io::Result<std::fs::DirEntry>| e.expect("an entry").file_name();
    let mut names: Vec<String> = entries.map(|e| name(e).to_string_lossy().into()).collect();
    names.sort();
    names
}

fn rows(details: &Value) -> &Vec<Value> {
    details["labels"].as_array().expect("a list")
}

fn agreement(found: &LabelMap, truth: &LabelMap, label: u16) -> f64 {
    // The file's affine has single precision, the phantom's has not.
    let truth = LabelMap::new(truth.labels.clone(), found.grid.clone()).expect("as many voxels");
    let row = dice(found, &truth, label, None).expect("one grid");
    row.coefficient().expect("one has it")
}

#[test]
fn a_slice_of_one_scan_segments_others() {
    let (desk, organs) = desk();
    let table = few_shot(&desk, "--label 1 --query other.nii.gz scan.nii.gz").done();
    for words in [
        "     6     128 ",
        "1 labelled slice, matched by lpips-tiny; nano",
    ] {
        assert!(table.contains(words), "{table}");
    }
    assert_eq!(
        out_files(&desk),
        [
            "other_seg.nii.gz",
            "other_slices.csv",
            "other_slices.json",
            "scan_seg.nii.gz",
            "scan_slices.csv",
            "scan_slices.json"
        ]
    );
    let found = desk.labels("out/other_seg.nii.gz").labels;
    assert_eq!(found.labels_present(), [LIVER]);
    let other = agreement(&found, &organs, LIVER);
    let (_, own) = sample();
    let same = agreement(&desk.labels("out/scan_seg.nii.gz").labels, &own, LIVER);
    assert!(other > 0.5 && same > 0.5, "Dice {other}, {same}");

    let details = desk.json("out/scan_slices.json");
    let support = own.largest_slice(AXIAL, LIVER).expect("a liver");
    assert_eq!(details["supports"][0]["slice"], support);
    assert_eq!(details["supports"][0]["labels"], serde_json::json!([1]));
    assert_eq!(details["matcher"], "lpips-tiny");
    let (rows, csv) = (rows(&details), desk.get("out/scan_slices.csv"));
    assert_eq!(rows.len(), DIMS[2]);
    let csv = String::from_utf8(csv).expect("text");
    assert_eq!(csv.lines().count(), rows.len() + 1);
    for (slice, (row, line)) in rows.iter().zip(csv.lines().skip(1)).enumerate() {
        assert_eq!((&row["slice"], &row["label"]), (&slice.into(), &1.into()));
        assert_eq!(row["support_slice"], support);
        assert!(row["distance"].as_f64().expect("a number") >= 0.0);
        let score = row["object_score"].as_f64().expect("a number");
        assert_eq!(row["accepted"], score > 0.0, "{row}");
        let start = format!("{slice},1,0,{support},{},", row["copy"]);
        assert!(line.starts_with(&start), "{line}");
    }
    assert_eq!(
        rows[support]["distance"], 0.0,
        "the support is nearest to itself"
    );
}

/// A scan stored the other way round is the same patient: its result is the other's, the other way round.
#[test]
fn storage_order_does_not_matter() {
    let (desk, _) = desk();
    let (volume, _) = phantom([40, 48, 6]);
    let turned = mirrored(&volume);
    desk.put("turned.nii.gz", &scan_file(&turned));
    few_shot(
        &desk,
        "--label 1 --copies 0 --query other.nii.gz turned.nii.gz",
    )
    .done();
    let found = desk.labels("out/other_seg.nii.gz").labels;
    let turned = desk.labels("out/turned_seg.nii.gz").labels;
    let rows = turned.labels.chunks_exact(40);
    let back: Vec<u16> = rows.flat_map(|row| row.iter().rev().copied()).collect();
    let back = LabelMap::new(back, found.grid.clone()).expect("as many voxels");
    // The model is no mirror image of itself.
    let same = agreement(&found, &back, LIVER);
    assert!(same > 0.9, "Dice {same}");
}

/// The same scan with its first voxel axis the other way round.
fn mirrored(volume: &Volume) -> Volume {
    let [columns, ..] = volume.grid.dims;
    let rows = volume.voxels.chunks_exact(columns);
    let voxels = rows.flat_map(|row| row.iter().rev().copied()).collect();
    let mut affine = volume.grid.affine;
    for row in &mut affine.0[..3] {
        row[3] += row[0] * (columns - 1) as f64;
        row[0] = -row[0];
    }
    let grid = Grid::new(volume.grid.dims, affine).expect("a grid");
    Volume::new(voxels, grid).expect("as many voxels")
}

#[test]
fn several_slices_and_labels() {
    let (desk, _) = desk();
    few_shot(&desk, "--slice 2 7 --query scan.nii.gz --copies 0").done();
    let details = desk.json("out/scan_slices.json");
    let slices = |at: usize| details["supports"][at]["slice"].as_u64();
    assert_eq!([slices(0), slices(1)], [Some(2), Some(7)]);
    let chosen = |slice: usize, label: u16| {
        let mut rows = rows(&details).iter();
        let row = rows.find(|r| r["slice"] == slice && r["label"] == label);
        row.expect("a row")["support_slice"].as_u64()
    };
    assert_eq!([chosen(2, 4), chosen(7, 4)], [Some(2), Some(7)]);
    // The left kidney is on one of the two only.
    let (_, organs) = sample();
    let on = |slice| {
        !organs
            .slice_mask(AXIAL, slice, 3)
            .expect("in range")
            .is_empty()
    };
    assert_ne!(on(2), on(7));
    let only = if on(2) { 2 } else { 7 };
    assert_eq!([chosen(2, 3), chosen(7, 3)], [Some(only), Some(only)]);
    assert!(
        desk.labels("out/scan_seg.nii.gz")
            .labels
            .labels_present()
            .len()
            > 2
    );
}

#[test]
fn options_change_what_they_say() {
    let (desk, _) = desk();
    let choices = |more: &str| {
        let line = format!("--label 1 --query other.nii.gz --json {more}");
        let summary = few_shot(&desk, &line).json();
        let details = desk.json("out/other_slices.json");
        assert_eq!(summary["matcher"], details["matcher"]);
        let rows = rows(&details).clone();
        let copies: Vec<u64> = rows
            .iter()
            .map(|r| r["copy"].as_u64().expect("a number"))
            .collect();
        (summary, copies, rows)
    };
    let near =
        "--rotation 2 --scale 0.02 --shear 0 --translation 0.02 --brightness 0.02 --contrast 0.02";
    let (_, copies, rows) = choices(near);
    assert_eq!(choices(near).2, rows, "a run can be repeated");
    assert!(copies.iter().any(|&copy| copy > 0) && copies.iter().all(|&copy| copy <= 12));
    assert_ne!(choices(&format!("{near} --seed 1")).2, rows);
    assert_eq!(choices("--copies 0").1, [0; 6]);
    for matcher in ["ssim", "psnr", "none"] {
        let (summary, copies, rows) = choices(&format!("{near} --matcher {matcher}"));
        assert_eq!(summary["matcher"], matcher);
        assert_eq!(rows[0]["distance"].is_null(), matcher == "none");
        assert_eq!(
            copies.iter().all(|&copy| copy == 0),
            matcher == "none",
            "{copies:?}"
        );
    }
    // A support and two copies of it for each of six slices, and the slices.
    let (summary, ..) = choices("");
    assert_eq!(summary["queries"][0]["compared"], 1 + 2 * 6 + 6);
    let (summary, ..) = choices("--min-object-score 1000");
    let query = &summary["queries"][0];
    assert_eq!(
        (&query["accepted"], &query["refused"]),
        (&0.into(), &6.into())
    );
    assert!(
        desk.labels("out/other_seg.nii.gz")
            .labels
            .labels_present()
            .is_empty()
    );
    assert_ne!(choices(&near.replace("ness 0.02", "ness 0.5")).2, rows);
    assert_ne!(
        choices(&near.replace("contrast 0.02", "contrast 0.5")).2,
        rows
    );
    let bad = few_shot(&desk, "--query other.nii.gz --contrast 7").refused(1);
    assert_eq!(bad, "contrast is 7; it takes 0 to 1");
}

/// Both methods together: each slice says which slices it was compared with, and whether it is carried on.
#[test]
fn accepted_slices_are_carried_along() {
    let (desk, _) = desk();
    let found = |more: &str| {
        let line = format!("--label 1 --copies 0 --query scan.nii.gz --json {more}");
        let summary = few_shot(&desk, &line).json();
        let mut details = desk.json("out/scan_slices.json");
        assert_eq!(summary["carry"], details["carry"]);
        details["seconds"].take();
        let segmentation = desk.labels("out/scan_seg.nii.gz").labels.labels;
        (details, segmentation)
    };
    let (plain, without) = found("");
    assert!(plain["carry"].is_null() && plain["labels"][0].get("memory").is_none());
    let (details, with) = found("--carry --memory-size 2");
    let carry = serde_json::json!({ "strategy": "self-sorting", "size": 2, "threshold": 0.5, "seed": null });
    assert_eq!(details["carry"], carry);
    assert_eq!(
        found("--carry --memory-size 2"),
        (details.clone(), with.clone())
    );
    assert_ne!(with, without);
    let (mut before, mut most) = (Vec::new(), 0);
    for row in rows(&details) {
        let used = row["memory"]["used"].as_array().expect("a list");
        assert!(used.iter().all(|u| before.contains(&u["slice"])), "{row}");
        most = most.max(used.len());
        let action = &row["memory"]["decision"]["action"];
        assert!(row["accepted"] == true || action == "refused", "{row}");
        if action != "refused" {
            before.push(row["slice"].clone());
        }
    }
    assert_eq!(most, 2);
    let (released, _) = found("--carry --memory self-sorting-released");
    assert_eq!(released["carry"]["size"], 16);

    let line = "--query scan.nii.gz";
    let message = few_shot(&desk, &format!("{line} --memory-size 3")).refused(1);
    assert_eq!(message, "few-shot has a memory with --carry only");
    let message = few_shot(&desk, &format!("{line} --carry --memory fifo")).refused(1);
    assert!(message.contains("fifo goes by time"), "{message}");
}

/// What a run says of one item while it does the others.
fn complaint(ran: &Ran) -> Vec<String> {
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let lines = ran.stderr.lines().map(|l| l.strip_prefix("oneslice: "));
    lines.map(|l| l.expect("our line").to_owned()).collect()
}

#[test]
fn one_bad_query_does_not_stop_the_others() {
    let (desk, _) = desk();
    desk.put("broken.nii.gz", &desk.get("scan.nii.gz")[..900]);
    let (mut magnetic, _) = phantom([40, 48, 6]);
    magnetic.voxels.iter_mut().for_each(|v| *v += 1100.0);
    desk.put("magnetic.nii.gz", &scan_file(&magnetic));
    let queries = "broken.nii.gz none.nii.gz magnetic.nii.gz other.nii.gz";
    let ran = few_shot(
        &desk,
        &format!("--label 1 --copies 0 --json --query {queries}"),
    );
    let said = complaint(&ran);
    assert_eq!(said.len(), 4, "{said:?}");
    assert!(
        said[0].starts_with("broken.nii.gz: truncated"),
        "{}",
        said[0]
    );
    assert!(said[1].starts_with("none.nii.gz: "), "{}", said[1]);
    let kind = "are of another kind than the support's";
    assert!(
        said[2].starts_with("magnetic.nii.gz: its values") && said[2].contains(kind),
        "{}",
        said[2]
    );
    assert!(said[2].contains("--support-window"), "{}", said[2]);
    assert_eq!(said[3], "3 of the inputs failed; the others are done");
    let summary: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(summary["queries"].as_array().map(Vec::len), Some(1));
    assert_eq!(summary["failed"][0]["item"], "broken.nii.gz");
    assert_eq!(out_files(&desk).len(), 3);
    assert_eq!(
        desk.labels("out/other_seg.nii.gz").labels.labels_present(),
        [LIVER]
    );

    // On purpose it can be done, and the windows make the two alike.
    let windows = "--window 100,1650 --support-window -1000,550";
    few_shot(
        &desk,
        &format!("--label 1 --copies 0 {windows} --query magnetic.nii.gz"),
    )
    .done();
    let (shifted, plain) = ("out/magnetic_seg.nii.gz", "out/other_seg.nii.gz");
    let same = agreement(
        &desk.labels(shifted).labels,
        &desk.labels(plain).labels,
        LIVER,
    );
    assert!(same > 0.9, "Dice {same}");
}

#[test]
fn one_bad_support_does_not_stop_the_others() {
    let (desk, _) = desk();
    let (_, organs) = sample();
    desk.put("empty.nii.gz", &label_file(&LabelMap::empty(organs.grid)));
    let line = "few-shot --support scan.nii.gz --mask empty.nii.gz --support scan.nii.gz --mask organs.nii.gz";
    let rest = format!("{QUICK} --copies 0 --label 2 --query other.nii.gz");
    let ran = desk.run(&format!("{line} --slice 9 2 99 {rest}"));
    let said = complaint(&ran);
    let expected = [
        "scan.nii.gz: empty.nii.gz: label 2 has no pixel on slice 9",
        "scan.nii.gz: empty.nii.gz: label 2 has no pixel on slice 2",
        "scan.nii.gz: slice 99 does not exist: voxel axis k has slices 0 to 9",
        "scan.nii.gz: organs.nii.gz: label 2 has no pixel on slice 9",
        "scan.nii.gz: slice 99 does not exist: voxel axis k has slices 0 to 9",
        "5 of the inputs failed; the others are done",
    ];
    assert_eq!(said, expected);
    assert_eq!(rows(&desk.json("out/other_slices.json"))[0]["support"], 1);

    for (mask, more, said) in [
        (
            "empty.nii.gz",
            "",
            "scan.nii.gz: empty.nii.gz: there is no label 2; there are []",
        ),
        (
            "organs.nii.gz",
            "--window 5000,9000",
            "is all black in the window 5000 to 9000",
        ),
        (
            "other.nii.gz",
            "",
            "scan.nii.gz: other.nii.gz: not a label map",
        ),
    ] {
        let line = format!("few-shot --support scan.nii.gz --mask {mask} {rest} {more}");
        let lines = complaint(&desk.run(&line));
        assert!(lines[0].contains(said), "{lines:?}");
        assert_eq!(lines[1], "there is no support to learn from");
    }
}

#[test]
fn what_cannot_be_started_is_said_before_the_work() {
    let (desk, _) = desk();
    std::fs::create_dir(desk.path("more")).expect("a folder");
    desk.put("more/scan.nii", &desk.get("scan.nii.gz"));
    for (more, said) in [
        (
            "--query scan.nii.gz more/scan.nii",
            "scan.nii.gz and more/scan.nii would be written to the same files",
        ),
        (
            "--query other.nii.gz --support other.nii.gz",
            "2 --support and 1 --mask: each needs the other",
        ),
        (
            "--query other.nii.gz --lpips nothing",
            "--lpips nothing: neither a file nor one of lpips-tiny",
        ),
        (
            "--query other.nii.gz --lpips lpips-alex",
            "`oneslice weights fetch lpips-alex`",
        ),
    ] {
        let message = few_shot(&desk, more).refused(1);
        assert!(message.contains(said), "{message}");
    }
    let message = few_shot(&desk, "").refused(2);
    assert!(message.contains("--query"), "{message}");
}
