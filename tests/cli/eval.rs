//! `oneslice eval` on generated scans: figures that can be had in another way, what fails, and what is written.

use oneslice::eval::dice;
use oneslice::volume::{LabelMap, Volume, phantom};
use serde_json::Value;

use crate::desk::{AXIAL, Desk, Ran, label_file, scan_file};

const PROTOCOL: &str = r#"
name = "made"
axis = "axial"
tolerance_mm = 6.0
[[layouts]]
scan = "images/{scan}.nii.gz"
labels = "labels/{scan}.nii.gz"
[[labels]]
name = "liver"
values = [1]
[[labels]]
name = "spine"
values = [4]
[folds]
count = 3
"#;

const NAMES: [&str; 3] = ["a", "b", "c"];

/// Three scans of the same body, of different sizes.
fn scan(name: &str) -> (Volume, LabelMap) {
    phantom::phantom(match name {
        "a" => [40, 40, 6],
        "b" => [36, 40, 6],
        _ => [40, 32, 8],
    })
}

fn desk() -> Desk {
    let desk = Desk::new();
    desk.put("protocol.toml", PROTOCOL.as_bytes());
    for name in NAMES {
        let (volume, labels) = scan(name);
        desk.put_in("images", &format!("{name}.nii.gz"), &scan_file(&volume));
        desk.put_in("labels", &format!("{name}.nii.gz"), &label_file(&labels));
    }
    desk
}

const EVAL: &str = "eval protocol.toml --data . --out out --image-size 128";

fn rows(report: &Value) -> &Vec<Value> {
    report["rows"].as_array().expect("rows")
}

#[test]
fn every_method_has_a_figure_for_every_scan_and_label() {
    let desk = desk();
    let table = desk.run(EVAL).done();
    let report = desk.json("out/results.json");
    let methods = [
        "copy",
        "fifo",
        "self-sorting",
        "self-sorting-released",
        "support-copy",
        "few-shot-plain",
        "few-shot-ssim",
        "few-shot-psnr",
        "few-shot-lpips",
        "few-shot-carry",
    ];
    assert_eq!(rows(&report).len(), methods.len() * NAMES.len() * 2);
    for method in methods {
        assert!(table.contains(method), "{table}");
        for name in NAMES {
            for label in ["liver", "spine"] {
                let same =
                    |r: &&Value| r["method"] == method && r["scan"] == name && r["label"] == label;
                let found: Vec<&Value> = rows(&report).iter().filter(same).collect();
                assert_eq!(found.len(), 1, "{method} {name} {label}");
                for figure in ["dice", "nsd"] {
                    let value = found[0][figure].as_f64().expect("a figure");
                    assert!((0.0..=1.0).contains(&value), "{method}: {figure} {value}");
                }
                // The support is never the scan itself.
                let support = found[0]["support"].as_str();
                let few_shot = found[0]["task"] == "few-shot";
                assert_eq!(support.is_some(), few_shot);
                assert_ne!(support, Some(name));
            }
        }
    }
    assert_eq!(
        report["means"].as_array().expect("means").len(),
        methods.len() * 3
    );
    assert_eq!(report["failed"], serde_json::json!([]));
    let csv = String::from_utf8(desk.get("out/results.csv")).expect("text");
    assert_eq!(csv.lines().count(), 1 + rows(&report).len());
    let svg = String::from_utf8(desk.get("out/results.svg")).expect("text");
    assert!(svg.starts_with("<svg") && svg.contains("few-shot-ssim"));
}

/// The baseline that needs no model, by hand.
#[test]
fn copying_is_scored_without_the_given_slice() {
    let desk = desk();
    let report = desk.run(&format!("{EVAL} --methods copy --json")).json();
    for row in rows(&report) {
        let name = row["scan"].as_str().expect("a name");
        let label = if row["label"] == "liver" { 1 } else { 4 };
        let (volume, truth) = scan(name);
        let given = truth.largest_slice(AXIAL, label).expect("the organ");
        let mask = truth.slice_mask(AXIAL, given, label).expect("in range");
        let copied: Vec<u16> = mask
            .pixels
            .iter()
            .map(|&p| if p { label } else { 0 })
            .collect();
        let mut found = LabelMap::empty(volume.grid.clone());
        for slice in 0..volume.slice_count(AXIAL) {
            found.set_slice(AXIAL, slice, &copied).expect("in range");
        }
        let expected = dice(&found, &truth, label, Some((AXIAL, given))).expect("one grid");
        let expected = expected.coefficient().expect("an organ");
        assert_eq!(row["prompt_slice"], given);
        let value = row["dice"].as_f64().expect("a figure");
        assert!(
            (value - expected).abs() < 1e-12,
            "{name}: {value}, {expected}"
        );
    }
    assert_eq!(rows(&report).len(), 6);
}

#[test]
fn the_same_command_gives_the_same_figures() {
    let desk = desk();
    let figures = || {
        let report = desk
            .run(&format!("{EVAL} --methods few-shot-psnr --json"))
            .json();
        let figures = rows(&report)
            .iter()
            .map(|r| (r["support"].clone(), r["dice"].clone()));
        figures.collect::<Vec<_>>()
    };
    assert_eq!(figures(), figures());
}

/// Without copies there is one picture to match, so that matching changes nothing; with copies it does.
#[test]
fn copies_are_for_the_methods_that_compare() {
    let desk = desk();
    let dice = |method: &str, copies: usize| {
        let line = format!("{EVAL} --methods {method} --copies {copies} --json");
        let report = desk.run(&line).json();
        assert_eq!(report["copies"], copies);
        let dice = rows(&report).iter().map(|r| r["dice"].clone());
        dice.collect::<Vec<_>>()
    };
    let plain = dice("few-shot-plain", 0);
    assert_eq!(dice("few-shot-psnr", 0), plain);
    assert_eq!(dice("few-shot-plain", 3), plain);
    assert_ne!(dice("few-shot-psnr", 3), plain);
    let message = desk.run(&format!("{EVAL} --copies 65")).refused(1);
    assert_eq!(message, "65 copies for each query slice; at most 64");
}

/// What a run that failed in part said; it has done the rest.
#[track_caller]
fn partly_failed(ran: Ran) -> (String, String) {
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    (ran.stdout, ran.stderr)
}

#[test]
fn broken_pairs_are_named_and_the_others_go_on() {
    let desk = desk();
    let whole = desk.get("images/a.nii.gz");
    desk.put_in("images", "a.nii.gz", &whole[..whole.len() / 2]);
    desk.put_in("images", "d.nii.gz", &whole);
    let (volume, _) = scan("b");
    desk.put_in("images", "e.nii.gz", &scan_file(&volume));
    desk.put_in("labels", "e.nii.gz", &label_file(&scan("c").1));
    let line = format!("{EVAL} --methods copy,support-copy");
    let (table, said) = partly_failed(desk.run(&line));
    assert!(said.contains("3 failed, the others are done"), "{said}");
    let report = desk.json("out/results.json");
    let scans: Vec<&Value> = rows(&report).iter().map(|r| &r["scan"]).collect();
    assert_eq!(scans, ["b", "b", "b", "b", "c", "c", "c", "c"]);
    let mut failed: Vec<(String, String)> = Vec::new();
    for one in report["failed"].as_array().expect("a list") {
        let text = |key: &str| one[key].as_str().expect("text").to_owned();
        assert!(table.contains(&text("error")), "{table}");
        failed.push((text("scan"), text("error")));
    }
    failed.sort();
    for (failed, (scan, words)) in failed.iter().zip([
        ("a", "truncated"),
        ("d", "No such file"),
        ("e", "not on the grid of"),
    ]) {
        assert_eq!(failed.0, scan);
        assert!(failed.1.contains(words), "{}", failed.1);
    }
    let csv = String::from_utf8(desk.get("out/results.csv")).expect("text");
    assert_eq!(csv.lines().count(), 1 + 8 + 3, "{csv}");
}

#[test]
fn a_label_that_only_one_scan_has_cannot_be_learned_elsewhere() {
    let desk = desk();
    for name in ["b", "c"] {
        let (_, mut labels) = scan(name);
        labels
            .labels
            .iter_mut()
            .filter(|l| **l == 4)
            .for_each(|l| *l = 0);
        desk.put_in("labels", &format!("{name}.nii.gz"), &label_file(&labels));
    }
    let (table, _) = partly_failed(desk.run(&format!("{EVAL} --methods copy,support-copy")));
    let expected = "  a, spine, few-shot: no scan of another fold has the label 'spine'\n";
    assert!(table.ends_with(expected), "{table}");
    // Scans without the label have nothing to find: neither rows nor errors.
    let report = desk.json("out/results.json");
    let spines = rows(&report).iter().filter(|r| r["label"] == "spine");
    assert_eq!(spines.count(), 1);
}

#[test]
fn what_cannot_begin_is_refused() {
    let desk = desk();
    let message = desk.refused(1, "eval protocol.toml --data nowhere --out out");
    assert_eq!(message, "nowhere: no such folder");
    let message = desk.refused(1, "eval protocol.toml --data images --out out");
    assert!(
        message.contains("nothing in it is called images/{scan}.nii.gz"),
        "{message}"
    );
    let message = desk.refused(2, &format!("{EVAL} --methods magic"));
    assert!(
        message.contains("method `magic` is none of copy"),
        "{message}"
    );
    desk.put("protocol.toml", b"name = 5");
    let message = desk.refused(1, EVAL);
    assert!(message.starts_with("protocol.toml: line 1: "), "{message}");
    desk.put(
        "protocol.toml",
        PROTOCOL.replace("images/{scan}", "images/{scan").as_bytes(),
    );
    let message = desk.refused(1, EVAL);
    assert!(message.contains("a brace without its name"), "{message}");
    let one = PROTOCOL.replace("{scan}", "a{scan}");
    desk.put("protocol.toml", one.as_bytes());
    desk.put_in("images", "ab.nii.gz", b"");
    let message = desk.refused(1, EVAL);
    assert!(message.contains("need scans of two groups"), "{message}");
}
