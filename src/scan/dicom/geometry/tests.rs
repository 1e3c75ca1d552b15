//! Orders of made-up frames.

use super::*;
use crate::scan::dicom::frame::{ModalityTransform, Order as Number};

/// A frame whose normal is z, at height `z`, acquired as number `number`.
fn frame(z: f64, number: f64) -> Frame {
    Frame {
        position: Some([10.0, 20.0, z]),
        orientation: Some([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
        spacing: Some([1.5, 1.25]),
        thickness: Some(4.0),
        gap: None,
        modality: ModalityTransform::Linear {
            slope: 1.0,
            intercept: 0.0,
        },
        order: Number([0.0, 0.0, 0.0, 0.0, number, 0.0]),
    }
}

fn ordered(heights: &[f64]) -> Result<Order, ScanError> {
    let frames: Vec<Frame> = heights.iter().map(|z| frame(*z, 0.0)).collect();
    order(&frames.iter().collect::<Vec<_>>())
}

fn kinds(order: &Order) -> Vec<WarningKind> {
    order.warnings.iter().map(|w| w.kind).collect()
}

#[test]
fn slices_are_sorted_by_place() {
    let order = ordered(&[8.0, 2.0, 5.0]).expect("a volume");
    assert_eq!(order.places, [[1], [2], [0]]);
    assert_eq!(
        order.affine.0,
        [
            [-1.25, 0.0, 0.0, -10.0],
            [0.0, -1.5, 0.0, -20.0],
            [0.0, 0.0, 3.0, 2.0],
            [0.0, 0.0, 0.0, 1.0]
        ]
    );
    assert_eq!(kinds(&order), []);
}

#[test]
fn a_single_slice_is_as_thick_as_it_says() {
    let order = ordered(&[8.0]).expect("a volume");
    assert_eq!((order.places.len(), order.step), (1, 4.0));
}

#[test]
fn missing_slices_are_blank_places() {
    let order = ordered(&[2.0, 5.0, 14.0, 17.0, 20.0, 26.0]).expect("a volume");
    assert_eq!(order.places.len(), 9);
    assert_eq!(order.places[2..4], [vec![], vec![]] as [Vec<usize>; 2]);
    assert_eq!(order.affine.0[2][2], 3.0);
    assert_eq!(kinds(&order), [WarningKind::MissingSlices]);
    assert_eq!(
        order.warnings[0].message,
        "3 slices are missing: slices 2 to 3, 7 are blank"
    );
}

#[test]
fn every_second_slice_is_no_gap() {
    let order = ordered(&[0.0, 6.0, 12.0, 18.0]).expect("a volume");
    assert_eq!(order.places.len(), 4);
    assert_eq!(kinds(&order), []);
}

#[test]
fn uneven_slices_are_said_or_refused() {
    let order = ordered(&[0.0, 3.0, 6.5, 9.5]).expect("a volume");
    assert_eq!(kinds(&order), [WarningKind::UnevenSlices]);
    assert_eq!(order.places.len(), 4);
    let error = ordered(&[0.0, 3.0, 6.5, 400.0]).expect_err("no volume");
    let text = error.message();
    assert!(text.contains("mm from its place"), "{text}");
}

#[test]
fn positions_of_a_few_digits_are_even() {
    let heights: Vec<f64> = (0..300)
        .map(|n| (f64::from(n) * 0.7 / 3.0 * 1000.0).round() / 1000.0)
        .collect();
    let order = ordered(&heights).expect("a volume");
    assert_eq!(kinds(&order), []);
    assert!((order.step - 0.7 / 3.0).abs() < 1e-5, "{}", order.step);
}

#[test]
fn a_slice_that_is_there_twice_is_taken_once() {
    let frames = [frame(0.0, 1.0), frame(3.0, 3.0), frame(3.0, 2.0), frame(6.0, 4.0)];
    let order = order(&frames.iter().collect::<Vec<_>>()).expect("a volume");
    assert_eq!(order.places, [[0], [2], [3]]);
    assert_eq!(kinds(&order), [WarningKind::DuplicateSlices]);
}

#[test]
fn a_place_with_several_frames_everywhere_is_a_time_series() {
    let numbers = [(0.0, 1.0), (3.0, 2.0), (0.0, 3.0), (3.0, 4.0), (0.0, 0.5), (3.0, 9.0)];
    let frames = numbers.map(|(z, number)| frame(z, number));
    let order = order(&frames.iter().collect::<Vec<_>>()).expect("a volume");
    assert_eq!(order.places, [[4, 0, 2], [1, 3, 5]]);
    assert_eq!(kinds(&order), []);
}

#[test]
fn a_tilted_gantry_makes_an_oblique_axis() {
    let mut frames = [0.0, 1.0, 2.0].map(|n| frame(3.0 * n, n));
    for (number, frame) in frames.iter_mut().enumerate() {
        frame.position = Some([10.0, 20.0 + number as f64, 3.0 * number as f64]);
    }
    let order = order(&frames.iter().collect::<Vec<_>>()).expect("a volume");
    assert_eq!(order.affine.column(2), [0.0, -1.0, 3.0]);
    assert_eq!(kinds(&order), [WarningKind::GantryTilt]);
    assert!(order.warnings[0].message.contains("18.4 degrees"));
}

#[test]
fn slices_may_be_cut_in_any_direction() {
    // Sagittal: rows run to the back, columns to the feet; the stack runs to the left.
    let mut frames = [30.0, -10.0, 10.0].map(|n| frame(n, n));
    for frame in &mut frames {
        let [_, _, x] = frame.position.expect("placed");
        frame.position = Some([x, 5.0, 6.0]);
        frame.orientation = Some([0.0, 1.0, 0.0, 0.0, 0.0, -1.0]);
    }
    let order = order(&frames.iter().collect::<Vec<_>>()).expect("a volume");
    // The normal is -x.
    assert_eq!(order.places, [[0], [2], [1]]);
    let column = |n| order.affine.column(n);
    assert_eq!(column(0), [0.0, -1.25, 0.0]);
    assert_eq!(column(1), [0.0, 0.0, -1.5]);
    assert_eq!(column(2), [20.0, 0.0, 0.0]);
}

#[test]
fn frames_without_a_place_are_stacked_by_number() {
    let mut frames = [frame(0.0, 7.0), frame(0.0, 5.0), frame(0.0, 6.0)];
    frames[1].position = None;
    let order = order(&frames.iter().collect::<Vec<_>>()).expect("a volume");
    assert_eq!(order.places, [[1], [2], [0]]);
    assert_eq!(kinds(&order), [WarningKind::NoGeometry]);
    assert_eq!(order.step, 4.0);
}

#[test]
fn directions_must_be_some() {
    let mut bad = frame(0.0, 0.0);
    for orientation in [
        [0.0; 6],
        [1.0, 0.0, 0.0, 1.0, 0.0, 0.0],
        [2.0, 0.0, 0.0, 0.0, 1.0, 0.0],
    ] {
        bad.orientation = Some(orientation);
        let error = order(&[&bad]).expect_err("no direction");
        assert!(error.message().contains("perpendicular"));
    }
}
