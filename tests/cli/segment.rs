//! `oneslice segment` when all is well.

use oneslice::eval::dice;
use oneslice::volume::LabelMap;
use oneslice::volume::phantom::{LIVER, phantom};
use safetensors::Dtype;
use serde_json::Value;

use crate::checkpoints::Tensors;
use crate::desk::{
    AXIAL, DIMS, Desk, gunzip, label_file, read_scan, repository, sample, scan_file,
};
use crate::prompts::{largest, slices_of};

/// Places of the header's fields that a result shares with its scan, bit for bit.
const KEPT: [(&str, std::ops::Range<usize>); 4] = [
    ("dim", 40..56),
    ("pixdim", 76..108),
    ("xyzt_units", 123..124),
    ("qform_code to srow_z", 252..328),
];

#[test]
fn one_mask_on_one_slice_becomes_a_segmentation_of_the_scan() {
    let desk = Desk::with_scan();
    let line =
        "segment scan.nii.gz --mask organs.nii.gz --label 1 --out seg.nii.gz --image-size 128";
    let table = desk.run(line).done();
    assert_eq!(desk.files(), ["organs.nii.gz", "scan.nii.gz", "seg.nii.gz"]);

    let (_, organs) = sample();
    let prompt = largest(&organs, LIVER);
    let found = desk.labels("seg.nii.gz").labels;
    assert_eq!(found.labels_present(), [LIVER]);
    // The prompted slice is the prompt, but for the way to the model's pixels and back.
    let given = organs.slice_mask(AXIAL, prompt, LIVER).expect("in range");
    let back = found.slice_mask(AXIAL, prompt, LIVER).expect("in range");
    let differ = given
        .pixels
        .iter()
        .zip(&back.pixels)
        .filter(|(a, b)| a != b)
        .count();
    assert!(
        differ * 20 < given.area(),
        "{differ} of {} pixels",
        given.area()
    );
    for slice in [prompt - 1, prompt + 1] {
        let mask = found.slice_mask(AXIAL, slice, LIVER).expect("in range");
        assert!(!mask.is_empty(), "nothing on slice {slice}");
    }
    let on_grid = LabelMap::new(organs.labels, found.grid.clone()).expect("as many voxels");
    let agreement = dice(&found, &on_grid, LIVER, Some((AXIAL, prompt))).expect("one grid");
    let agreement = agreement.coefficient().expect("both have it");
    assert!(agreement > 0.5, "Dice {agreement}");

    let voxels = found.labels.iter().filter(|l| **l == LIVER).count();
    let row: Vec<&str> = table
        .lines()
        .nth(1)
        .expect("a row")
        .split_whitespace()
        .collect();
    let start = [LIVER.to_string(), prompt.to_string(), voxels.to_string()];
    assert_eq!(row[..3], start, "{table}");
    let millilitres = voxels as f64 * 6.0 * 7.2 * 14.4 / 1000.0;
    assert_eq!(row[3], format!("{millilitres:.1}"), "{table}");
    assert!(
        table.contains("10 slices visited") && table.ends_with("seg.nii.gz\n"),
        "{table}"
    );
}

#[test]
fn the_result_lies_on_the_scan_bit_for_bit() {
    let desk = Desk::with_scan();
    let mut plain = gunzip(&desk.get("scan.nii.gz"));
    // What other programs put there: a time step and a toolbox's units; a qform beside the sform.
    let mut put =
        |place: usize, bytes: &[u8]| plain[place..place + bytes.len()].copy_from_slice(bytes);
    put(76, &(-1f32).to_le_bytes());
    put(92, &2.5f32.to_le_bytes());
    put(123, &[2 | 8]);
    put(252, &[3, 0, 4, 0]);
    for (i, value) in [0.1f32, -0.2, 0.9, 11.0, -7.0, 0.3].iter().enumerate() {
        put(256 + 4 * i, &value.to_le_bytes());
    }
    desk.put("scan.nii", &plain);
    let line = "segment scan.nii --mask organs.nii.gz --label 1 --image-size 128 --out seg.nii.gz";
    desk.run(&format!("{line} --direction forward")).done();
    let written = gunzip(&desk.get("seg.nii.gz"));
    for (name, range) in KEPT {
        assert_eq!(written[range.clone()], plain[range], "{name}");
    }
    let (found, scan) = (desk.labels("seg.nii.gz").labels, read_scan(&plain));
    assert_eq!(found.grid, scan.volume.grid);
}

#[test]
fn a_bias_of_the_object_score_decides_where_the_object_is() {
    let desk = Desk::with_scan();
    let line = "segment scan.nii.gz --mask organs.nii.gz --label 1 --out seg.nii.gz --image-size 128 --range 5,8 --scores scores.json";
    let scores = |more: &str| {
        desk.run(&format!("{line} {more}")).done();
        let scores = desk.json("scores.json");
        let scores = scores.as_array().expect("a list").clone();
        scores
            .into_iter()
            .filter(|score| score["prompted"] == false)
    };
    let number = |score: &Value| score["object_score"].as_f64().expect("a number");
    let plain: Vec<Value> = scores("").collect();
    assert!(plain.len() >= 3);
    for score in scores("--object-score-bias -1000") {
        assert!(number(&score) < -900.0 && score["pixels"] == 0, "{score}");
    }
    for score in scores("--object-score-bias 1000") {
        assert!(number(&score) > 900.0 && score["pixels"] != 0, "{score}");
    }
    // The slice beside the prompt remembers the prompt alone: its score is the plain one and the bias.
    let beside = |scores: Vec<Value>| number(&scores[0]);
    let raised = beside(scores("--object-score-bias 0.5").collect());
    assert!((raised - beside(plain) - 0.5).abs() < 1e-4, "{raised}");
}

#[test]
fn directions_stay_on_their_side_and_scores_say_what_was_visited() {
    let desk = Desk::with_scan();
    for (direction, visited) in [
        ("forward", vec![6, 7, 8, 9]),
        ("backward", vec![6, 5, 4, 3, 2, 1, 0]),
        ("both", vec![6, 7, 8, 9, 5, 4, 3, 2, 1, 0]),
    ] {
        let more = format!("--label 4 --slice 6 --direction {direction} --scores scores.json");
        let summary = desk.segment(&more);
        assert_eq!(summary["steps"], visited.len(), "{direction}");
        let scores = desk.json("scores.json");
        let scores = scores.as_array().expect("a list");
        let slices: Vec<&Value> = scores.iter().map(|s| &s["slice"]).collect();
        assert_eq!(slices, visited.iter().collect::<Vec<_>>(), "{direction}");
        let found = desk.labels("seg.nii.gz").labels;
        for score in scores {
            let slice = score["slice"].as_u64().expect("a number") as usize;
            assert_eq!(score["label"], 4);
            assert_eq!(score["prompted"], slice == 6);
            let mask = found.slice_mask(AXIAL, slice, 4).expect("in range");
            assert_eq!(score["pixels"], mask.area(), "{direction}, slice {slice}");
            let iou = score["predicted_iou"].as_f64().expect("a number");
            assert!(
                (0.0..=1.0).contains(&iou) && score["object_score"].is_f64(),
                "{score}"
            );
        }
        for slice in (0..DIMS[2]).filter(|slice| !visited.contains(slice)) {
            let mask = found.slice_mask(AXIAL, slice, 4).expect("in range");
            assert!(mask.is_empty(), "{direction} reached slice {slice}");
        }
    }
}

#[test]
fn a_label_on_its_prompted_slice_only_has_no_mean_score() {
    let desk = Desk::with_scan();
    let summary = desk.segment("--label 4 --slice 9 --direction forward");
    assert_eq!(summary["steps"], 1);
    assert!(
        summary["labels"][0]["mean_predicted_iou"].is_null(),
        "{summary}"
    );
}

#[test]
fn every_axis() {
    let desk = Desk::with_scan();
    let (_, organs) = sample();
    for (name, axis) in [("axial", 2), ("coronal", 1), ("sagittal", 0)] {
        let axis_of: oneslice::volume::Axis = name.parse().expect("a name");
        let prompt = organs
            .largest_slice(axis_of.of(&organs.grid), LIVER)
            .expect("a liver");
        let summary = desk.segment(&format!("--label 1 --axis {name} --scores scores.json"));
        assert_eq!(summary["steps"], DIMS[axis], "{name}");
        assert_eq!(slices_of(&summary), [prompt as u64], "{name}");
        let mut slices: Vec<u64> = desk
            .json("scores.json")
            .as_array()
            .expect("a list")
            .iter()
            .map(|score| score["slice"].as_u64().expect("a number"))
            .collect();
        slices.sort_unstable();
        assert!(slices.into_iter().eq(0..DIMS[axis] as u64), "{name}");
    }
}

#[test]
fn the_window_is_automatic_or_as_asked() {
    let desk = Desk::with_scan();
    let info = desk.run("info scan.nii.gz --json").json();
    let summary = desk.segment("--label 1");
    assert_eq!(summary["window"], info["window"]);
    let automatic = desk.get("seg.nii.gz");

    let [lo, hi] = [0, 1].map(|i| info["window"][i].as_f64().expect("a number"));
    desk.segment(&format!("--label 1 --window {lo},{hi}"));
    assert!(
        desk.get("seg.nii.gz") == automatic,
        "the same window, another result"
    );

    // An equals sign, and a blank after the comma.
    for window in [vec!["--window", "-160,240"], vec!["--window=-160, 240"]] {
        let line = "segment scan.nii.gz --mask organs.nii.gz --out seg.nii.gz --label 1 --json --image-size 128";
        let line: Vec<&str> = line.split(' ').chain(window).collect();
        let summary = desk.run_list(&line).json();
        assert_eq!(summary["window"], serde_json::json!([-160.0, 240.0]));
        assert!(
            desk.get("seg.nii.gz") != automatic,
            "another window, the same result"
        );
    }
}

#[test]
fn one_volume_of_a_time_series() {
    let desk = Desk::with_scan();
    desk.segment("--label 1 --direction forward");
    let alone = desk.labels("seg.nii.gz");
    let (volume, _) = sample();
    let mut plain = gunzip(&scan_file(&volume));
    plain[40..50].copy_from_slice(&[
        4,
        0,
        DIMS[0] as u8,
        0,
        DIMS[1] as u8,
        0,
        DIMS[2] as u8,
        0,
        2,
        0,
    ]);
    let first = plain.len() - 352;
    plain.splice(352..352, vec![0; first]);
    desk.put("series.nii", &plain);
    let line = "segment series.nii --mask organs.nii.gz --label 1 --image-size 128 --direction forward --out";
    let message = desk.refused(1, &format!("{line} no.nii.gz"));
    assert_eq!(
        message,
        "series.nii: the file has 2 volumes; choose one, 0 to 1 (with --volume)"
    );
    let message = desk.refused(1, &format!("{line} no.nii.gz --volume 2"));
    assert!(
        message.starts_with("series.nii: volume 2 does not exist"),
        "{message}"
    );
    desk.run(&format!("{line} series-seg.nii.gz --volume 1"))
        .done();
    assert!(desk.labels("series-seg.nii.gz").labels == alone.labels);
    assert_eq!(desk.labels("series-seg.nii.gz").header.volumes(), 1);
    // The first volume is black: another picture.
    desk.run(&format!("{line} series-seg.nii.gz --volume 0"))
        .done();
    assert!(desk.labels("series-seg.nii.gz").labels != alone.labels);
}

#[test]
fn the_model_by_name_and_by_file_of_each_format() {
    let desk = Desk::with_scan();
    let more = "--label 1 --direction forward";
    let summary = desk.segment(more);
    assert_eq!(
        (&summary["model"], &summary["config"]),
        (&"nano".into(), &"nano".into())
    );
    let named = desk.get("seg.nii.gz");
    let nano = Tensors::open("weights/nano/sam2-nano.safetensors");
    desk.put("copy.safetensors", &nano.safetensors());
    desk.put("nested.pt", &nano.torch(true));
    desk.put("bare.pt", &nano.torch(false));
    desk.put("no-extension", &nano.torch(true));
    for file in ["copy.safetensors", "nested.pt", "bare.pt", "no-extension"] {
        let summary = desk.segment(&format!("{more} --model {file}"));
        assert_eq!(
            (&summary["model"], &summary["config"]),
            (&file.into(), &"nano".into())
        );
        assert!(
            desk.get("seg.nii.gz") == named,
            "{file} gives another result"
        );
    }
    let committed = repository("weights/nano/sam2-nano.safetensors");
    desk.segment(&format!("{more} --model {}", committed.display()));
    assert!(desk.get("seg.nii.gz") == named);

    // It has half floats: as floats it says the same.
    desk.put("float.safetensors", &nano.cast(Dtype::F32).safetensors());
    desk.segment(&format!("{more} --model float.safetensors"));
    assert!(desk.get("seg.nii.gz") == named);
}

#[test]
fn image_sizes_and_devices_are_taken() {
    let desk = Desk::with_scan();
    let line =
        "segment scan.nii.gz --mask organs.nii.gz --label 4 --slice 9 --direction forward --json";
    let line = format!("{line} --device cpu --out seg.nii.gz");
    let summary = desk.run(&line).json();
    assert_eq!(summary["image_size"], 256, "nano's own size");
    for size in [128, 160, 512] {
        let summary = desk.run(&format!("{line} --image-size {size}")).json();
        assert_eq!(summary["image_size"], size);
    }
}

/// A slice that would be seen larger is not where the smallest object is large.
#[test]
fn the_image_size_follows_the_smallest_object() {
    let desk = Desk::new();
    let (volume, _) = phantom([264, 40, 2]);
    desk.put("scan.nii.gz", &scan_file(&volume));
    let line = "segment scan.nii.gz --mask mask.nii.gz --out seg.nii.gz --json";
    for (smallest, size) in [(1000, 256), (200, 512)] {
        let mut mask = LabelMap::empty(volume.grid.clone());
        let pixels: Vec<u16> = (0..264 * 40)
            .map(|at| u16::from(at < smallest) + 2 * u16::from(at >= 9000))
            .collect();
        mask.set_slice(AXIAL, 0, &pixels).expect("as large");
        desk.put("mask.nii.gz", &label_file(&mask));
        assert_eq!(desk.run(line).json()["image_size"], size);
    }
}

/// Back and forth between scans that suit one size or the other.
#[test]
fn few_shot_sees_each_scan_at_the_size_that_suits_it() {
    let desk = Desk::with_scan();
    desk.put("again.nii.gz", &desk.get("scan.nii.gz"));
    let (volume, _) = phantom([264, 40, 2]);
    desk.put("large.nii.gz", &scan_file(&volume));
    let line = "few-shot --support scan.nii.gz --mask organs.nii.gz --label 1 --matcher none";
    let queries = "--query scan.nii.gz large.nii.gz again.nii.gz --out out";
    let summary = desk.run(&format!("{line} {queries} --json")).json();
    let queries = summary["queries"].as_array().expect("a list");
    let sizes: Vec<&Value> = queries.iter().map(|q| &q["image_size"]).collect();
    assert_eq!(sizes, [256, 512, 256]);
}

#[test]
fn an_earlier_result_is_replaced() {
    let desk = Desk::with_scan();
    desk.put("seg.nii.gz", b"old");
    desk.segment("--label 4 --slice 9 --direction forward");
    assert_eq!(desk.labels("seg.nii.gz").labels.labels_present(), [4]);
    assert_eq!(desk.files(), ["organs.nii.gz", "scan.nii.gz", "seg.nii.gz"]);
}
