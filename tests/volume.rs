//! Properties of volumes, slices, affines and orientation that hold for any input. In: random grids and values.
//! Out: failures with the smallest input that breaks a property.

use oneslice::volume::{
    Affine, Axis, Grid, LabelMap, Millimetre, PatientPoint, Volume, VoxelAxis, VoxelPoint, Window,
    orientation_letters, phantom,
};
use proptest::prelude::*;

const VOXEL_AXES: [VoxelAxis; 3] = [VoxelAxis::I, VoxelAxis::J, VoxelAxis::K];

fn dims() -> impl Strategy<Value = [usize; 3]> {
    [1usize..7, 1usize..7, 1usize..7]
}

fn unit_grid(dims: [usize; 3]) -> Grid {
    Grid::new(dims, Affine::diagonal([Millimetre(1.0); 3])).expect("a valid grid")
}

fn label_map() -> impl Strategy<Value = LabelMap> {
    dims().prop_flat_map(|dims| {
        let count = dims.iter().product::<usize>();
        prop::collection::vec(0u16..4, count)
            .prop_map(move |labels| LabelMap::new(labels, unit_grid(dims)).expect("one per voxel"))
    })
}

/// Turns by three angles, stretches by three spacings, moves by an origin.
fn affine() -> impl Strategy<Value = Affine> {
    let angles = prop::array::uniform3(-3.1f64..3.1);
    let steps = prop::array::uniform3(0.1f64..9.0);
    let signs = prop::array::uniform3(prop::bool::ANY);
    let origin = prop::array::uniform3(-900.0f64..900.0);
    (angles, steps, signs, origin).prop_map(|(angles, steps, signs, origin)| {
        let turn = product(
            product(turn(0, angles[0]), turn(1, angles[1])),
            turn(2, angles[2]),
        );
        let mut rows = [[0.0; 4]; 4];
        for r in 0..3 {
            for c in 0..3 {
                rows[r][c] = turn[r][c] * if signs[c] { steps[c] } else { -steps[c] };
            }
            rows[r][3] = origin[r];
        }
        rows[3][3] = 1.0;
        Affine(rows)
    })
}

fn turn(axis: usize, angle: f64) -> [[f64; 3]; 3] {
    let (a, b) = ((axis + 1) % 3, (axis + 2) % 3);
    let mut m = [[0.0; 3]; 3];
    m[axis][axis] = 1.0;
    m[a][a] = angle.cos();
    m[b][b] = angle.cos();
    m[a][b] = -angle.sin();
    m[b][a] = angle.sin();
    m
}

fn product(x: [[f64; 3]; 3], y: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    std::array::from_fn(|r| std::array::from_fn(|c| (0..3).map(|k| x[r][k] * y[k][c]).sum()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn slices_put_together_are_the_volume(map in label_map()) {
        for axis in VOXEL_AXES {
            let mut copy = LabelMap::empty(map.grid.clone());
            for index in 0..map.grid.slice_count(axis) {
                let slice = map.slice(axis, index).expect("in range");
                copy.set_slice(axis, index, &slice).expect("in range");
            }
            prop_assert_eq!(&copy, &map);
        }
    }

    #[test]
    fn a_pixel_is_the_voxel_the_definition_says(map in label_map(), at in prop::array::uniform3(0usize..7)) {
        let dims = map.grid.dims;
        let at = [0, 1, 2].map(|a| at[a] % dims[a]);
        let value = map.labels[at[0] + dims[0] * (at[1] + dims[1] * at[2])];
        for (axis, row, col) in [(VoxelAxis::I, 2, 1), (VoxelAxis::J, 2, 0), (VoxelAxis::K, 1, 0)] {
            let slice = map.slice(axis, at[axis.index()]).expect("in range");
            let shape = map.grid.slice_shape(axis);
            prop_assert_eq!((shape.rows, shape.cols), (dims[row], dims[col]));
            prop_assert_eq!(slice[at[row] * shape.cols + at[col]], value);
        }
    }

    #[test]
    fn masks_of_all_labels_cover_a_slice_once(map in label_map()) {
        for axis in VOXEL_AXES {
            let masks = (0..4).map(|l| map.slice_mask(axis, 0, l).expect("in range").area());
            prop_assert_eq!(masks.sum::<usize>(), map.grid.slice_shape(axis).area());
        }
    }

    #[test]
    fn the_largest_slice_is_the_first_largest(map in label_map()) {
        for axis in VOXEL_AXES {
            let area = |index| map.slice_mask(axis, index, 1).expect("in range").area();
            let areas: Vec<usize> = (0..map.grid.slice_count(axis)).map(area).collect();
            match map.largest_slice(axis, 1) {
                None => prop_assert!(areas.iter().all(|a| *a == 0)),
                Some(k) => {
                    prop_assert!(areas[k] > 0);
                    prop_assert!(areas[..k].iter().all(|a| *a < areas[k]));
                    prop_assert!(areas[k..].iter().all(|a| *a <= areas[k]));
                }
            }
        }
    }

    #[test]
    fn grey_slices_are_the_windowed_voxels(dims in dims(), lo in -2000f32..0.0, width in 1f32..3000.0) {
        let grid = unit_grid(dims);
        let voxels: Vec<f32> = (0..grid.voxel_count()).map(|v| v as f32 * 17.0 - 900.0).collect();
        let volume = Volume::new(voxels, grid).expect("one value per voxel");
        let window = Window::new(lo, lo + width).expect("a valid window");
        for axis in VOXEL_AXES {
            let mut grey: Vec<u8> = Vec::new();
            for index in 0..volume.slice_count(axis) {
                grey.extend(volume.slice_u8(axis, index, &window).expect("in range"));
            }
            let mut all: Vec<u8> = volume.voxels.iter().map(|v| window.to_u8(*v)).collect();
            grey.sort_unstable();
            all.sort_unstable();
            prop_assert_eq!(grey, all);
        }
    }

    #[test]
    fn grey_never_falls_as_values_rise(mut values in prop::collection::vec(-3000f32..3000.0, 2..40)) {
        let window = Window::new(-160.0, 240.0).expect("a valid window");
        values.sort_unstable_by(f32::total_cmp);
        prop_assert!(values.windows(2).all(|v| window.to_u8(v[0]) <= window.to_u8(v[1])));
        prop_assert_eq!((window.to_u8(-160.0), window.to_u8(240.0)), (0, 255));
    }

    #[test]
    fn to_the_patient_and_back(affine in affine(), voxel in prop::array::uniform3(-600f64..600.0)) {
        let inverse = affine.inverse().expect("turns and stretches have an inverse");
        let back = inverse.apply(affine.apply(VoxelPoint(voxel)));
        for axis in 0..3 {
            prop_assert!((back.0[axis] - voxel[axis]).abs() < 1e-7, "{:?} {:?}", back, voxel);
        }
        let PatientPoint(there) = affine.apply(inverse.apply(PatientPoint(voxel.map(Millimetre))));
        for axis in 0..3 {
            prop_assert!((there[axis].0 - voxel[axis]).abs() < 1e-7);
        }
    }

    #[test]
    fn three_axes_get_three_voxel_axes(affine in affine()) {
        let grid = Grid::new([2, 3, 4], affine).expect("a valid grid");
        let mut given = Axis::ALL.map(|axis| axis.of(&grid).index());
        given.sort_unstable();
        prop_assert_eq!(given, [0, 1, 2]);
    }

    #[test]
    fn a_small_tilt_changes_no_axis(order in 0usize..6, flips in prop::array::uniform3(prop::bool::ANY),
                                    angles in prop::array::uniform3(-0.35f64..0.35)) {
        let straight = oriented(PERMUTATIONS[order], flips);
        let tilt = product(product(turn(0, angles[0]), turn(1, angles[1])), turn(2, angles[2]));
        let mut tilted = straight;
        for c in 0..3 {
            let column = straight.column(c);
            for (row, tilt) in tilted.0.iter_mut().zip(tilt) {
                row[c] = (0..3).map(|k| tilt[k] * column[k]).sum();
            }
        }
        let grid = |affine| Grid::new([2, 3, 4], affine).expect("a valid grid");
        for axis in Axis::ALL {
            prop_assert_eq!(axis.of(&grid(tilted)), axis.of(&grid(straight)));
        }
        prop_assert_eq!(orientation_letters(&tilted), orientation_letters(&straight));
    }
}

const PERMUTATIONS: [[usize; 3]; 6] = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
];

/// Voxel axis `v` runs along patient axis `patient[v]`, backwards where flipped; uneven spacing.
fn oriented(patient: [usize; 3], flips: [bool; 3]) -> Affine {
    let mut rows = [[0.0; 4]; 4];
    for voxel in 0..3 {
        let step = [0.7, 1.3, 5.0][voxel];
        rows[patient[voxel]][voxel] = if flips[voxel] { -step } else { step };
    }
    rows[3][3] = 1.0;
    Affine(rows)
}

#[test]
fn all_48_orientations_are_recognised() {
    const BACK_AND_FORTH: [[char; 2]; 3] = [['L', 'R'], ['P', 'A'], ['I', 'S']];
    let mut seen = std::collections::HashSet::new();
    for patient in PERMUTATIONS {
        for bits in 0..8 {
            let flips = [0, 1, 2].map(|v| bits >> v & 1 == 1);
            let affine = oriented(patient, flips);
            let grid = Grid::new([2, 3, 4], affine).expect("a valid grid");
            for (axis, along) in [(Axis::Sagittal, 0), (Axis::Coronal, 1), (Axis::Axial, 2)] {
                assert_eq!(patient[axis.of(&grid).index()], along, "{affine:?}");
            }
            let letters: String = (0..3)
                .map(|v| BACK_AND_FORTH[patient[v]][usize::from(!flips[v])])
                .collect();
            assert_eq!(orientation_letters(&affine), letters);
            seen.insert(letters);
        }
    }
    assert_eq!(seen.len(), 48);
}

#[test]
fn the_phantom_never_changes() {
    let (volume, labels) = phantom::phantom([24, 24, 12]);
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let values = volume.voxels.iter().map(|v| *v as i32 as u64);
    for value in values.chain(labels.labels.iter().map(|l| u64::from(*l))) {
        hash = (hash ^ value).wrapping_mul(0x0000_0100_0000_01b3);
    }
    assert_eq!(
        hash, 11_364_866_466_085_382_936,
        "the sample is no longer the same"
    );
}
