//! Volume, extent and grey values of labels.

use oneslice::export::measure::{Extent, csv, json, measure};
use oneslice::export::{ExportErrorKind, Segment};
use oneslice::volume::{Affine, Grid, LabelMap, Millimetre, Volume, phantom};
use serde_json::{Value, json as value};

use crate::made;

/// 4 x 3 x 2 voxels of 2 x 3 x 5 mm; along i labels 0, 1, 1, 4; values count up from -10.
fn scan() -> (LabelMap, Volume) {
    let steps = [2.0, 3.0, 5.0].map(Millimetre);
    let grid = Grid::new([4, 3, 2], Affine::diagonal(steps)).expect("a valid grid");
    let labels = (0..24).map(|at| [0, 1, 1, 4][at % 4]).collect();
    let values = (0..24).map(|at| at as f32 - 10.0).collect();
    (
        LabelMap::new(labels, grid.clone()).expect("24 labels"),
        Volume::new(values, grid).expect("24 values"),
    )
}

#[test]
fn figures_by_hand() {
    let (labels, volume) = scan();
    let figures = measure(&labels, &volume).expect("one grid");
    assert_eq!(figures.iter().map(|m| m.label).collect::<Vec<_>>(), [1, 4]);
    let one = figures[0];
    assert_eq!((one.voxels, one.min, one.max), (12, -9.0, 12.0));
    assert!((one.ml - 12.0 * 0.03).abs() < 1e-12);
    let extent = |first, last, slices, mm| Extent {
        first,
        last,
        slices,
        mm,
    };
    assert_eq!(one.extent.sagittal, extent(1, 2, 2, 4.0));
    assert_eq!(one.extent.coronal, extent(0, 2, 3, 9.0));
    assert_eq!(one.extent.axial, extent(0, 1, 2, 10.0));
    // The values are 4 n - 9 and 4 n - 8 for n of 0 to 5: mean 1.5, variance 16 x 35 / 12 + 1 / 4.
    assert!((one.mean - 1.5).abs() < 1e-12);
    assert!((one.sd - (16.0 * 35.0 / 12.0 + 0.25f64).sqrt()).abs() < 1e-12);
    let four = figures[1];
    assert_eq!((four.voxels, four.min, four.max), (6, -7.0, 13.0));
    assert_eq!(four.extent.sagittal, extent(3, 3, 1, 2.0));
}

#[test]
fn volume_and_extent_do_not_hang_on_the_orientation() {
    let at = |name: &str| {
        let (_, grid) = made::grids()
            .into_iter()
            .find(|g| g.0 == name)
            .expect("known");
        let labels = made::labels(&grid);
        let values = (0..grid.voxel_count()).map(|v| (v % 91) as f32).collect();
        let volume = Volume::new(values, grid).expect("as many");
        measure(&labels, &volume).expect("one grid")
    };
    let straight = at("straight");
    assert_eq!(straight.len(), 3);
    for name in ["scanner", "flipped", "oblique", "left-handed"] {
        for (a, b) in straight.iter().zip(at(name)) {
            assert!((a.ml - b.ml).abs() < 1e-9 * a.ml, "{name}");
            assert_eq!((a.voxels, a.mean, a.sd), (b.voxels, b.mean, b.sd), "{name}");
        }
    }
    // What is the third voxel axis of a straight grid is the second one of the body here.
    let coronal = at("coronal");
    assert_eq!(coronal[0].extent.coronal, straight[0].extent.axial);
    assert_eq!(coronal[0].extent.axial, straight[0].extent.coronal);
    // Slices that are not stacked at right angles: a voxel has less volume than its sides say.
    let tilted = at("tilted");
    assert!((tilted[0].ml / straight[0].ml - 0.91f64.sqrt()).abs() < 1e-9);
}

#[test]
fn tables() {
    let (labels, volume) = scan();
    let figures = measure(&labels, &volume).expect("one grid");
    let names = [Segment {
        label: 4,
        name: "a, \"b\"".to_owned(),
        colour: [0; 3],
    }];
    let text = String::from_utf8(csv(&figures, &names)).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(
        lines[0],
        "label,name,voxels,ml,axial_first,axial_last,axial_slices,axial_mm,coronal_first,coronal_last,coronal_slices,coronal_mm,\
         sagittal_first,sagittal_last,sagittal_slices,sagittal_mm,mean,sd,min,max"
    );
    assert!(lines[1].starts_with("1,label 1,12,0.36,0,1,2,10,0,2,3,9,1,2,2,4,1.5,"));
    assert!(lines[1].ends_with(",-9,12"));
    assert!(lines[2].starts_with("4,\"a, \"\"b\"\"\",6,0.18,"));

    let rows: Value = serde_json::from_slice(&json(&figures, &names).expect("JSON")).expect("JSON");
    assert_eq!(rows[0]["name"], "label 1");
    assert_eq!(rows[1]["name"], "a, \"b\"");
    assert_eq!(
        rows[1]["extent"]["sagittal"],
        value!({ "first": 3, "last": 3, "slices": 1, "mm": 2.0 })
    );
    assert_eq!(rows[1]["max"], 13.0);
}

#[test]
fn another_grid_is_refused_and_nothing_is_no_row() {
    let (labels, _) = scan();
    let (other, _) = phantom::phantom([4, 3, 3]);
    let error = measure(&labels, &other).expect_err("another grid");
    assert_eq!(error.kind(), ExportErrorKind::OtherGrid);
    let empty = LabelMap::empty(other.grid.clone());
    assert!(measure(&empty, &other).expect("one grid").is_empty());
}
