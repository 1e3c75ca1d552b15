//! `oneslice sample`: a newcomer's first minute.

use crate::desk::Desk;

#[test]
fn the_sample_can_be_segmented_as_it_is() {
    let desk = Desk::new();
    let written = desk.run("sample try --json").json();
    assert_eq!(written["scan"], "try/sample.nii.gz");
    let info = desk.run("info try/sample.nii.gz --json").json();
    assert_eq!(info["dims"], serde_json::json!([96, 96, 48]));
    let line = "segment try/sample.nii.gz --mask try/sample-mask.nii.gz --image-size 128";
    let summary = desk
        .run(&format!("{line} --out try/seg.nii.gz --json"))
        .json();
    assert_eq!(summary["steps"], 48);
    let dice = "dice try/seg.nii.gz try/sample-mask.nii.gz --json";
    let overlap = desk.run(dice).json()[0]["dice"].as_f64();
    // The mask is one slice of many: the segmentation holds it and is larger.
    assert!(overlap.is_some_and(|d| d > 0.0 && d < 0.5), "{overlap:?}");
}

#[test]
fn a_file_in_the_place_of_the_folder_is_an_error() {
    let desk = Desk::new();
    desk.put("taken", b"a file");
    let said = desk.refused(1, "sample taken");
    assert!(said.contains("taken"), "{said}");
}
