//! Which slice and which labels of the mask `oneslice segment` starts from.

use oneslice::volume::LabelMap;
use oneslice::volume::phantom::LIVER;
use serde_json::Value;

use crate::desk::{AXIAL, DIMS, Desk, label_file, sample};

pub fn largest(organs: &LabelMap, label: u16) -> usize {
    organs.largest_slice(AXIAL, label).expect("an organ")
}

pub fn slices_of(summary: &Value) -> Vec<u64> {
    let labels = summary["labels"].as_array().expect("a list");
    let slice = |label: &Value| label["prompt_slice"].as_u64().expect("a number");
    labels.iter().map(slice).collect()
}

pub fn labels_of(summary: &Value) -> Vec<u64> {
    let labels = summary["labels"].as_array().expect("a list");
    let label = |label: &Value| label["label"].as_u64().expect("a number");
    labels.iter().map(label).collect()
}

#[test]
fn the_largest_slice_is_the_prompt_and_nothing_else_of_the_mask_is_read() {
    let desk = Desk::with_scan();
    let (_, organs) = sample();
    let prompt = largest(&organs, LIVER);
    let summary = desk.segment("--label 1");
    assert_eq!(slices_of(&summary), [prompt as u64]);
    let all = desk.get("seg.nii.gz");

    // The label scribbled over every other slice, smaller than on the prompted one.
    let mut scribbled = organs.clone();
    for slice in (0..DIMS[2]).filter(|slice| *slice != prompt) {
        let pixels: Vec<u16> = (0..DIMS[0] * DIMS[1])
            .map(|p| u16::from(p % 11 == slice))
            .collect();
        scribbled
            .set_slice(AXIAL, slice, &pixels)
            .expect("in range");
    }
    assert_eq!(largest(&scribbled, LIVER), prompt);
    desk.put("organs.nii.gz", &label_file(&scribbled));
    assert_eq!(slices_of(&desk.segment("--label 1")), [prompt as u64]);
    assert!(
        desk.get("seg.nii.gz") == all,
        "other slices of the mask were read"
    );

    // The same slice asked for by number, of a mask that is larger elsewhere.
    let full = vec![LIVER; DIMS[0] * DIMS[1]];
    scribbled.set_slice(AXIAL, 0, &full).expect("in range");
    desk.put("organs.nii.gz", &label_file(&scribbled));
    assert_eq!(slices_of(&desk.segment("--label 1")), [0]);
    desk.segment(&format!("--label 1 --slice {prompt}"));
    assert!(
        desk.get("seg.nii.gz") == all,
        "--slice did not choose the slice"
    );
}

#[test]
fn without_a_label_all_labels_are_propagated() {
    let desk = Desk::with_scan();
    let (_, organs) = sample();
    let summary = desk.segment("");
    let present: Vec<u64> = organs
        .labels_present()
        .iter()
        .map(|l| u64::from(*l))
        .collect();
    assert_eq!(labels_of(&summary), present);
    let expected = organs.labels_present();
    let expected: Vec<u64> = expected
        .iter()
        .map(|l| largest(&organs, *l) as u64)
        .collect();
    assert_eq!(slices_of(&summary), expected);

    // With a slice, those that are on it.
    let slice = 1;
    let mut on_slice = organs.slice(AXIAL, slice).expect("in range");
    on_slice.sort_unstable();
    on_slice.dedup();
    let on_slice: Vec<u64> = on_slice
        .into_iter()
        .filter(|l| *l > 0)
        .map(u64::from)
        .collect();
    assert!(
        on_slice.len() > 1 && on_slice.len() < present.len(),
        "{on_slice:?}"
    );
    let summary = desk.segment(&format!("--slice {slice} --direction backward"));
    assert_eq!(labels_of(&summary), on_slice);
    assert_eq!(slices_of(&summary), vec![slice as u64; on_slice.len()]);
    let found = desk.labels("seg.nii.gz").labels;
    assert!(
        found
            .labels_present()
            .iter()
            .all(|l| on_slice.contains(&u64::from(*l)))
    );
}

/// What the model says of a prompted slice has a quarter of its resolution: a voxel must be larger than that.
#[test]
fn a_mask_of_one_voxel() {
    let desk = Desk::with_scan();
    let (_, organs) = sample();
    let mut one = LabelMap::empty(organs.grid);
    one.labels[DIMS[0] * DIMS[1] * 9 + DIMS[0] * 20 + 20] = 300;
    desk.put("organs.nii.gz", &label_file(&one));
    let line =
        "segment scan.nii.gz --mask organs.nii.gz --out seg.nii.gz --direction forward --json";
    let summary = desk.run(&format!("{line} --image-size 512")).json();
    assert_eq!(
        (labels_of(&summary), slices_of(&summary)),
        (vec![300], vec![9])
    );
    // Above 255, labels are written as 16-bit numbers.
    assert!(desk.labels("seg.nii.gz").labels.labels == one.labels);

    let ran = desk.run(&format!("{line} --image-size 128"));
    let expected = "oneslice: warning: the mask of label 300 on slice 9 vanishes at the model's resolution; \
                    a larger --image-size may keep it\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), expected));
    let summary: Value = serde_json::from_str(&ran.stdout).expect("JSON alone");
    assert_eq!(summary["labels"][0]["voxels"], 0);
}
