//! Label maps, scans and DICOM series to write. In: a grid. Out: labels with every shape that is hard to write, and the
//! series that a scan on such a grid would come from.

use std::collections::BTreeMap;

use oneslice::export::Segment;
use oneslice::scan::dicom::{DicomSource, SourceSlice};
use oneslice::volume::{Affine, Grid, LabelMap, VoxelPoint};

pub const DIMS: [usize; 3] = [22, 19, 11];

/// A grid whose voxel axes run along `axes` (unit vectors, RAS), each `spacing` apart.
pub fn grid(axes: [[f64; 3]; 3], spacing: [f64; 3]) -> Grid {
    let origin = [-31.25, 44.5, -766.5];
    let mut rows = [[0.0; 4]; 4];
    for row in 0..3 {
        for column in 0..3 {
            rows[row][column] = axes[column][row] * spacing[column];
        }
        rows[row][3] = origin[row];
    }
    rows[3][3] = 1.0;
    Grid::new(DIMS, Affine(rows)).expect("a valid grid")
}

/// Two directions at right angles, and their cross product or its opposite.
fn frame(yaw: f64, pitch: f64, left_handed: bool) -> [[f64; 3]; 3] {
    let (cy, sy, cp, sp) = (yaw.cos(), yaw.sin(), pitch.cos(), pitch.sin());
    let (u, v) = ([cy, sy, 0.0], [-sy * cp, cy * cp, sp]);
    let normal = [
        u[1] * v[2] - u[2] * v[1],
        u[2] * v[0] - u[0] * v[2],
        u[0] * v[1] - u[1] * v[0],
    ];
    let sign = if left_handed { -1.0 } else { 1.0 };
    [u, v, normal.map(|n| sign * n)]
}

/// Straight, as scanners store, flipped, oblique, left-handed, and with slices that are not stacked at right angles.
pub fn grids() -> Vec<(&'static str, Grid)> {
    let spacing = [0.7, 0.9, 2.5];
    let straight = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let scanner = [[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0]];
    let flipped = [[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]];
    let coronal = [[-1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, -1.0, 0.0]];
    let [u, v, _] = scanner;
    let tilted = [u, v, [0.0, 0.3, 0.91f64.sqrt()]];
    vec![
        ("straight", grid(straight, spacing)),
        ("scanner", grid(scanner, spacing)),
        ("flipped", grid(flipped, spacing)),
        ("coronal", grid(coronal, spacing)),
        ("oblique", grid(frame(0.4, -0.7, false), spacing)),
        ("left-handed", grid(frame(2.5, 0.3, true), spacing)),
        ("tilted", grid(tilted, spacing)),
    ]
}

/// Label 2: an ellipsoid with a tunnel through it, and in the tunnel a thread (an island on every slice). Label 7: single
/// voxels that touch at edges and corners, and one at the grid's end. Label 5: the ends of a row.
pub fn labels(grid: &Grid) -> LabelMap {
    let mut map = LabelMap::empty(grid.clone());
    for at in 0..map.labels.len() {
        let [i, j, k] = grid.voxel_at(at).map(|v| v as f64);
        let [x, y, z] = [(i - 9.0) / 8.5, (j - 9.0) / 8.0, (k - 5.0) / 4.2];
        let from_axis = (i - 8.0).hypot(j - 8.0);
        if x * x + y * y + z * z <= 1.0 && !(1.2..=3.2).contains(&from_axis) {
            map.labels[at] = 2;
        }
    }
    let place = |[i, j, k]: [usize; 3]| i + DIMS[0] * (j + DIMS[1] * k);
    for voxel in [
        [20, 2, 3],
        [21, 3, 3],
        [20, 3, 4],
        [19, 1, 2],
        [20, 16, 5],
        [21, 18, 10],
    ] {
        map.labels[place(voxel)] = 7;
    }
    for voxel in [[0, 0, 0], [21, 0, 0]] {
        map.labels[place(voxel)] = 5;
    }
    map
}

pub fn segments() -> Vec<Segment> {
    let segment = |label, name: &str, colour| Segment {
        label,
        name: name.to_owned(),
        colour,
    };
    vec![
        segment(2, "Left kidney", [220, 80, 60]),
        segment(7, "Läsionen, \"kleine\"", [0, 128, 255]),
    ]
}

/// The series that a scan on `grid` would come from: an object for each slice but one, which is missing in it.
pub fn source(grid: &Grid, missing: Option<usize>) -> DicomSource {
    let lps = |[x, y, z]: [f64; 3]| [-x, -y, z];
    let unit = |axis: usize| lps(grid.affine.column(axis)).map(|v| v / grid.spacing[axis].0);
    let slices = (0..grid.dims[2]).filter(|k| Some(*k) != missing);
    let slice = |k: usize| SourceSlice {
        slice: k,
        sop_class_uid: "1.2.840.10008.5.1.4.1.1.4".to_owned(),
        sop_instance_uid: format!("1.2.3.4.{}", k + 1),
        frame: None,
        position: lps(grid
            .affine
            .apply(VoxelPoint([0.0, 0.0, k as f64]))
            .0
            .map(|mm| mm.0)),
        file: format!("{k}.dcm"),
    };
    let ([a, b, c], [d, e, f]) = (unit(0), unit(1));
    let attributes = [
        ("PatientName", "Müller^Jürgen"),
        ("PatientID", "4711"),
        ("PatientSex", "O"),
        ("StudyDate", "20260102"),
        ("StudyDescription", "knee"),
    ];
    let owned = |(k, v): (&str, &str)| (k.to_owned(), v.to_owned());
    DicomSource {
        modality: "MR".to_owned(),
        study_instance_uid: "1.2.3.1".to_owned(),
        series_instance_uid: "1.2.3.2".to_owned(),
        frame_of_reference_uid: "1.2.3.3".to_owned(),
        attributes: attributes
            .into_iter()
            .map(owned)
            .collect::<BTreeMap<_, _>>(),
        rows: grid.dims[1],
        columns: grid.dims[0],
        orientation: [a, b, c, d, e, f],
        pixel_spacing: [grid.spacing[1].0, grid.spacing[0].0],
        slice_thickness: 2.0,
        slices: slices.map(slice).collect(),
    }
}
