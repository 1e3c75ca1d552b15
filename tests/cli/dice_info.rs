//! `oneslice dice` and `oneslice info`.

use oneslice::volume::{Affine, Grid, LabelMap, Millimetre};
use serde_json::{Value, json};

use crate::desk::{Desk, label_file, sample};

/// 4 x 4 x 4 voxels of 1 mm, label 1 where `i` is less than `width`, label 2 on one voxel.
fn slab(width: usize) -> LabelMap {
    let grid = Grid::new([4, 4, 4], Affine::diagonal([Millimetre(1.0); 3])).expect("a good grid");
    let label = |at: usize| match grid.voxel_at(at) {
        [3, 3, 3] => 2,
        [i, ..] => u16::from(i < width),
    };
    let labels = (0..64).map(label).collect();
    LabelMap::new(labels, grid).expect("64 labels")
}

fn desk() -> Desk {
    let desk = Desk::new();
    desk.put("a.nii.gz", &label_file(&slab(2)));
    desk.put("b.nii.gz", &label_file(&slab(3)));
    desk
}

#[test]
fn dice_of_known_boxes() {
    let desk = desk();
    let rows = desk.run("dice a.nii.gz b.nii.gz --json").json();
    let expected = json!([
        { "label": 1, "dice": 0.8, "a_voxels": 32, "b_voxels": 48 },
        { "label": 2, "dice": 1.0, "a_voxels": 1, "b_voxels": 1 },
    ]);
    assert_eq!(rows, expected);
    assert_eq!(
        desk.run("dice a.nii.gz b.nii.gz").done(),
        "label    Dice  voxels of A  voxels of B\n\
         \x20   1  0.8000           32           48\n\
         \x20   2  1.0000            1            1\n"
    );
    let one = desk.run("dice a.nii.gz b.nii.gz --json --label 2").json();
    assert_eq!(one, json!([expected[1]]));
}

#[test]
fn dice_without_the_prompted_slice() {
    let desk = desk();
    let line = "dice a.nii.gz b.nii.gz --json --label 1 --exclude-slice";
    // Of k, the axial axis: a quarter of both slabs is gone. Of i, the sagittal one: where only B has the label.
    let axial = desk.run(&format!("{line} 3")).json();
    assert_eq!(
        axial,
        json!([{ "label": 1, "dice": 0.8, "a_voxels": 24, "b_voxels": 36 }])
    );
    let sagittal = desk.run(&format!("{line} 2 --axis sagittal")).json();
    assert_eq!(
        sagittal,
        json!([{ "label": 1, "dice": 1.0, "a_voxels": 32, "b_voxels": 32 }])
    );
    let gone = desk
        .run("dice a.nii.gz b.nii.gz --json --label 2 --exclude-slice 3")
        .json();
    assert_eq!(
        gone,
        json!([{ "label": 2, "dice": null, "a_voxels": 0, "b_voxels": 0 }])
    );
    let message = desk.refused(1, &format!("{line} 4"));
    let expected = "a.nii.gz and b.nii.gz: slice 4 does not exist: voxel axis k has slices 0 to 3";
    assert_eq!(message, expected);
}

#[test]
fn dice_of_nothing() {
    let desk = desk();
    let table = desk.run("dice a.nii.gz b.nii.gz --label 9").done();
    assert_eq!(
        table.lines().nth(1),
        Some("    9       -            0            0")
    );
    desk.put("empty.nii.gz", &label_file(&LabelMap::empty(slab(1).grid)));
    let line = "dice empty.nii.gz empty.nii.gz";
    assert_eq!(desk.run(line).done(), "neither file has a label\n");
    assert_eq!(desk.run(&format!("{line} --json")).json(), json!([]));
}

#[test]
fn dice_on_different_grids_is_refused() {
    let desk = desk();
    let mut moved = slab(2);
    moved.grid.affine.0[1][3] = 5.0;
    desk.put("moved.nii.gz", &label_file(&moved));
    let message = desk.refused(1, "dice a.nii.gz moved.nii.gz");
    let expected =
        "a.nii.gz and moved.nii.gz: the grids differ: the origin is 0 mm against 5 mm in y";
    assert_eq!(message, expected);
    desk.put("other.nii.gz", &label_file(&sample().1));
    let message = desk.refused(1, "dice a.nii.gz other.nii.gz");
    assert!(
        message.contains("4 x 4 x 4 voxels against 48 x 40 x 10"),
        "{message}"
    );
}

#[test]
fn info_describes_a_scan() {
    let desk = Desk::with_scan();
    let (volume, _) = sample();
    let info = desk.run("info scan.nii.gz --json").json();
    let slices =
        |voxel_axis: usize, slices: usize| json!({ "voxel_axis": voxel_axis, "slices": slices });
    assert_eq!(info["file"], "scan.nii.gz");
    assert_eq!(
        (&info["gzip"], &info["stored_as"]),
        (&json!(true), &json!("i16"))
    );
    assert_eq!(info["dims"], json!([48, 40, 10]));
    assert_eq!((&info["volumes"], &info["volume"]), (&json!(1), &json!(0)));
    assert_eq!(info["orientation"], "LPS");
    assert_eq!(info["axial"], slices(2, 10));
    assert_eq!(info["coronal"], slices(1, 40));
    assert_eq!(info["sagittal"], slices(0, 48));
    // The header holds single precision.
    let close = |found: &Value, expected: [f64; 3]| {
        let found = found.as_array().expect("a list").iter();
        found
            .zip(expected)
            .all(|(f, e)| (f.as_f64().expect("a number") - e).abs() < 1e-5)
    };
    assert!(close(&info["spacing_mm"], [6.0, 7.2, 14.4]), "{info}");
    assert!(close(&info["affine"][2], [0.0, 0.0, 14.4]), "{info}");
    assert_eq!(info["affine"][2][3], -412.5);
    let lowest = volume.voxels.iter().copied().fold(f32::INFINITY, f32::min);
    let highest = volume
        .voxels
        .iter()
        .copied()
        .fold(f32::NEG_INFINITY, f32::max);
    assert_eq!(
        (&info["lowest"], &info["highest"]),
        (&json!(lowest), &json!(highest))
    );

    let text = desk.run("info scan.nii.gz").done();
    for part in [
        "48 x 40 x 10, 6.000 x 7.200 x 14.400 mm",
        "i16, gzip",
        "LPS",
        "10 slices across voxel axis 2",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert!(!text.contains("volumes"), "{text}");
}

#[test]
fn info_describes_a_time_series_volume_by_volume() {
    let desk = Desk::with_scan();
    let mut plain = crate::desk::gunzip(&desk.get("scan.nii.gz"));
    plain[40..50].copy_from_slice(&[4, 0, 48, 0, 40, 0, 10, 0, 3, 0]);
    let voxels = plain.len() - 352;
    plain.resize(352 + 3 * voxels, 0);
    desk.put("series.nii", &plain);
    let first = desk.run("info series.nii --json").json();
    assert_eq!(
        (&first["volumes"], &first["volume"]),
        (&json!(3), &json!(0))
    );
    assert!(first["highest"].as_f64().expect("a number") > 100.0);
    let last = desk.run("info series.nii --json --volume 2").json();
    assert_eq!(
        (&last["volume"], &last["highest"]),
        (&json!(2), &json!(0.0))
    );
    let text = desk.run("info series.nii").done();
    assert!(
        text.contains("3; this is volume 0") && text.contains("stored as    i16\n"),
        "{text}"
    );
    assert!(
        desk.refused(1, "info series.nii --volume 3")
            .contains("volume 3 does not exist")
    );
}
