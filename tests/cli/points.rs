//! `oneslice segment` from points and a box, and on some of the slices only.

use oneslice::volume::LabelMap;
use oneslice::volume::phantom::LIVER;

use crate::checkpoints::{Stored, Tensors};
use crate::desk::{AXIAL, DIMS, Desk, sample};
use crate::prompts::{labels_of, largest, slices_of};

const NANO: &str = "weights/nano/sam2-nano.safetensors";
const LINE: &str = "segment scan.nii.gz --out seg.nii.gz --image-size 128";

/// A box around an organ on a slice.
fn corners(organs: &LabelMap, slice: usize) -> String {
    let mask = organs.slice_mask(AXIAL, slice, LIVER).expect("in range");
    let inside = (0..mask.pixels.len()).filter(|&i| mask.pixels[i]);
    let places: Vec<(usize, usize)> = inside.map(|i| (i % DIMS[0], i / DIMS[0])).collect();
    let cols = places.iter().map(|p| p.0);
    let rows = places.iter().map(|p| p.1);
    let (left, right) = (cols.clone().min(), cols.max());
    let (top, bottom) = (rows.clone().min(), rows.max());
    let all = [left, top, right, bottom].map(|v| v.expect("an organ").to_string());
    all.join(",")
}

/// Nano with other weights where points become tokens and tokens masks. Nano itself was trained on masks, and answers points
/// with nothing.
fn nano_with(mut weight: impl FnMut() -> f32) -> Vec<u8> {
    let mut model = Tensors::open(NANO);
    for number in 0..4 {
        let head = format!("sam_mask_decoder.output_hypernetworks_mlps.{number}.layers.2");
        let point = format!("sam_prompt_encoder.point_embeddings.{number}.weight");
        for (key, shape) in [
            (format!("{head}.weight"), &[8, 64][..]),
            (format!("{head}.bias"), &[8]),
            (point, &[1, 64]),
        ] {
            let weights: Vec<f32> = (0..shape.iter().product()).map(|_| weight()).collect();
            model = model.with(&key, Stored::f32(shape, &weights));
        }
    }
    // Whatever there is, is an object.
    let presence = "sam_mask_decoder.pred_obj_score_head.layers.2.bias";
    model
        .with(presence, Stored::f32(&[1], &[100.0]))
        .safetensors()
}

/// Its masks mean nothing, but there are some, and they follow from the points.
fn noisy() -> Vec<u8> {
    let mut state = 2_u32;
    nano_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f64::from(state) / f64::from(u32::MAX) * 8.0 - 4.0) as f32
    })
}

#[test]
fn where_the_model_finds_nothing_it_says_so() {
    let desk = Desk::with_scan();
    desk.put("blind.safetensors", &nano_with(|| 0.0));
    let line = format!("{LINE} --model blind.safetensors --point 20,20 --slice 4");
    let message = desk.refused(1, &line);
    assert_eq!(message, "the model finds no object there on slice 4");
}

#[test]
fn a_box_becomes_a_mask_that_is_propagated() {
    let desk = Desk::with_scan();
    desk.put("noisy.safetensors", &noisy());
    let (_, organs) = sample();
    let slice = largest(&organs, LIVER);
    let line = format!(
        "{LINE} --model noisy.safetensors --box {} --slice {slice} --json",
        corners(&organs, slice)
    );
    let summary = desk.run(&line).json();
    assert_eq!(
        (labels_of(&summary), slices_of(&summary)),
        (vec![1], vec![slice as u64])
    );
    assert!(
        summary["labels"][0]["prompt_predicted_iou"].is_f64(),
        "{summary}"
    );
    assert_eq!(summary["steps"], DIMS[2]);
    let boxed = desk.labels("seg.nii.gz").labels;
    let mask = boxed.slice_mask(AXIAL, slice, 1).expect("in range");
    assert!(!mask.is_empty());

    // As another label.
    let by_points = format!("{line} --label 7 --direction forward");
    assert_eq!(labels_of(&desk.run(&by_points).json()), [7]);
    let found = desk.labels("seg.nii.gz").labels;
    assert_eq!(found.labels_present(), [7]);
    assert_eq!(found.slice_mask(AXIAL, slice, 7).expect("in range"), mask);
    // A click that excludes changes what is meant.
    let (col, row) = (DIMS[0] / 2, DIMS[1] / 2);
    desk.run(&format!("{line} --point {col},{row} --point 1,1,-"))
        .json();
    desk.run(&format!("{line} --point {col},{row},-")).json();
    assert!(
        desk.labels("seg.nii.gz").labels != boxed,
        "the click took no part"
    );
}

#[test]
fn wrong_points_are_refused() {
    let desk = Desk::with_scan();
    for (code, more, expected) in [
        (2, "--point 3 --slice 2", "expected X,Y or X,Y,-"),
        (2, "--point 3,a --slice 2", "expected X,Y or X,Y,-"),
        (2, "--box 1,2,3 --slice 2", "expected X0,Y0,X1,Y1"),
        (2, "--point 3,4", "--slice"),
        (
            2,
            "--mask organs.nii.gz --point 3,4 --slice 2",
            "cannot be used with",
        ),
        (
            1,
            "--point 48.5,4 --slice 2",
            "point 48.5,4 is not on a slice of 48 columns and 40 rows",
        ),
        (
            1,
            "--point NaN,4 --slice 2",
            "point NaN,4 is not on a slice",
        ),
        (
            1,
            "--box 1,1,-3,9 --slice 2",
            "point -3,9 is not on a slice",
        ),
        (1, "--point 3,4 --slice 10", "slice 10 does not exist"),
    ] {
        let message = desk.refused(code, &format!("{LINE} {more}"));
        assert!(message.contains(expected), "{more}: {message}");
    }
}

#[test]
fn only_a_range_of_slices_is_visited() {
    let desk = Desk::with_scan();
    let (_, organs) = sample();
    let slice = largest(&organs, LIVER);
    let (first, last) = (slice - 1, slice + 2);
    let summary = desk.segment("--label 1");
    assert_eq!(summary["steps"], DIMS[2]);
    let all = desk.labels("seg.nii.gz").labels;
    let range = format!("--label 1 --range {first},{last} --scores scores.json");
    assert_eq!(desk.segment(&range)["steps"], 4);
    let some = desk.labels("seg.nii.gz").labels;
    for k in 0..DIMS[2] {
        let found = some.slice(AXIAL, k).expect("in range");
        // On the way forward nothing is different; on the way back fewer slices are remembered.
        if (slice..=last).contains(&k) {
            assert_eq!(found, all.slice(AXIAL, k).expect("in range"), "slice {k}");
        } else if !(first..=last).contains(&k) {
            assert!(found.iter().all(|&label| label == 0), "slice {k}");
        }
    }
    let line = "segment scan.nii.gz --mask organs.nii.gz --out no.nii.gz --image-size 128 --range";
    for (code, range, expected) in [
        (2, "3", "expected A,B"),
        (2, "-1,3", "expected A,B"),
        (1, "5,4", "slices 5 to 4 are no range of slices 0 to 9"),
        (1, "5,10", "slices 5 to 10 are no range"),
    ] {
        let message = desk.refused(code, &format!("{line} {range}"));
        assert!(message.contains(expected), "{range}: {message}");
    }
}
