//! `--memory` and `--explain` of `oneslice segment`.

use std::collections::BTreeSet;

use oneslice::volume::phantom::phantom;
use serde_json::{Value, json};

use crate::desk::{AXIAL, DIMS, Desk, label_file, scan_file};

fn explained(desk: &Desk, more: &str) -> Value {
    desk.segment(&format!("--label 1 {more} --explain why.json"));
    desk.json("why.json")
}

fn rows(explanation: &Value) -> &Vec<Value> {
    explanation["slices"].as_array().expect("a list")
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

#[test]
fn fifo_is_the_default_and_the_neighbours_are_used() {
    let desk = Desk::with_scan();
    let explanation = explained(&desk, "");
    let default = desk.get("seg.nii.gz");
    assert_eq!(explained(&desk, "--memory fifo"), explanation);
    assert!(desk.get("seg.nii.gz") == default, "the default is fifo");
    let fifo = json!({ "strategy": "fifo", "size": null, "threshold": null, "seed": null });
    assert_eq!(explanation["memory"], fifo);

    let rows = rows(&explanation);
    assert_eq!(rows.len(), DIMS[2]);
    assert_eq!(rows[0]["used"], json!([]));
    assert_eq!(rows[0]["decision"]["why"], "prompted slices always stay");
    let prompt = number(&rows[0]["slice"]);
    let used = json!([
        { "slice": prompt, "prompted": true, "similarity": null, "position": 0 },
        { "slice": prompt + 1, "prompted": false, "similarity": null, "position": 6 },
    ]);
    assert_eq!(rows[2]["used"], used);
    assert_eq!(rows[2]["label"], 1);
    assert_eq!(rows[2]["decision"]["action"], "kept");
}

/// What the explanation says is a history: nothing is used that was not kept, or after it left.
#[test]
fn sorted_memories_are_used_while_they_are_kept_and_no_longer() {
    let desk = Desk::with_scan();
    for (strategy, size) in [("self-sorting", 3), ("self-sorting-released", 4)] {
        let options = format!("--memory {strategy} --memory-size {size}");
        let explanation = explained(&desk, &options);
        assert_eq!(explanation["memory"]["size"], size);
        let mut bank = BTreeSet::new();
        let mut full = false;
        for row in rows(&explanation) {
            let (slice, decision) = (number(&row["slice"]), &row["decision"]);
            let used = row["used"].as_array().expect("a list");
            let used: BTreeSet<u64> = used.iter().map(|u| number(&u["slice"])).collect();
            if decision["why"] != "prompted slices always stay" {
                assert_eq!(used, bank, "{strategy}, slice {slice}");
            }
            match decision["action"].as_str() {
                Some("kept") => assert!(bank.insert(slice)),
                Some("replaced") => {
                    assert!(bank.remove(&number(&decision["replaced"])));
                    bank.insert(slice);
                }
                other => assert_eq!(other, Some("refused")),
            }
            assert!(bank.len() <= size && bank.contains(&number(&rows(&explanation)[0]["slice"])));
            full |= bank.len() == size;
        }
        assert!(full, "{strategy}: a bank that is never full proves little");
    }
}

#[test]
fn runs_can_be_repeated_and_seeds_make_others() {
    let desk = Desk::new();
    let (volume, organs) = phantom([40, 32, 24]);
    desk.put("scan.nii.gz", &scan_file(&volume));
    desk.put("organs.nii.gz", &label_file(&organs));
    assert!(organs.largest_slice(AXIAL, 1).is_some());
    let options = "--memory self-sorting-released";
    let sorted = explained(&desk, options);
    assert_eq!(explained(&desk, options), sorted);
    let drawn = explained(&desk, &format!("{options} --memory-seed 1"));
    assert_eq!(drawn["memory"]["seed"], 1);
    assert_eq!(
        explained(&desk, &format!("{options} --memory-seed 1")),
        drawn
    );
    let other = explained(&desk, &format!("{options} --memory-seed 2"));
    assert_ne!(other["slices"], drawn["slices"]);
    assert_ne!(sorted["slices"], drawn["slices"]);
}

#[test]
fn numbers_without_effect_are_refused() {
    let desk = Desk::with_scan();
    let line = "segment scan.nii.gz --mask organs.nii.gz --out seg.nii.gz";
    let cases = [
        (1, "--memory-size 4", "memory strategy fifo has no size"),
        (1, "--memory-seed 4", "memory strategy fifo has no seed"),
        (
            1,
            "--memory self-sorting --memory-size 0",
            "no room for the prompt",
        ),
        (
            1,
            "--memory self-sorting-released --memory-threshold 0.4",
            "has no threshold",
        ),
        (
            1,
            "--memory self-sorting --memory-threshold 2",
            "2 is not from 0 to 1",
        ),
        (1, "--explain seg.nii.gz", "would be overwritten"),
        (2, "--memory lifo", "`lifo` is none of fifo, self-sorting"),
        (2, "--memory-size -1", "--memory-size"),
    ];
    for (code, more, said) in cases {
        let message = desk.refused(code, &format!("{line} {more}"));
        assert!(message.contains(said), "{more}: {message}");
    }
}
