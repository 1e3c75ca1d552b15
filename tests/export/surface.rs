//! Surfaces: closed, facing outwards, of the right size and in the right place.

use std::collections::HashMap;

use oneslice::export::ExportErrorKind;
use oneslice::export::surface::{Mesh, SMOOTHING, obj, stl, surface};
use oneslice::volume::{Affine, Grid, LabelMap, Millimetre, VoxelPoint};
use proptest::prelude::*;

use crate::made;

type Corner = [u32; 3];

/// The triangles of a binary STL, each corner by the bits of its coordinates, and each normal.
fn read_stl(bytes: &[u8]) -> Vec<([f32; 3], [[f32; 3]; 3])> {
    assert!(!bytes.starts_with(b"solid"));
    let count = u32::from_le_bytes(bytes[80..84].try_into().expect("four bytes")) as usize;
    assert_eq!(bytes.len(), 84 + 50 * count);
    let triangles = bytes[84..].chunks_exact(50);
    let read = |triangle: &[u8]| {
        let value = |at: usize| {
            f32::from_le_bytes(triangle[4 * at..4 * at + 4].try_into().expect("four bytes"))
        };
        let vector = |at: usize| [value(3 * at), value(3 * at + 1), value(3 * at + 2)];
        (vector(0), [vector(1), vector(2), vector(3)])
    };
    triangles.map(read).collect()
}

fn minus(a: [f32; 3], b: [f32; 3]) -> [f64; 3] {
    [0, 1, 2].map(|i| f64::from(a[i]) - f64::from(b[i]))
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Every edge has two triangles, which run along it in opposite directions.
fn check_closed<T: Copy + Eq + std::hash::Hash>(
    triangles: impl Iterator<Item = [T; 3]>,
    what: &str,
) {
    let mut edges: HashMap<[T; 2], usize> = HashMap::new();
    for [a, b, c] in triangles {
        assert!(
            a != b && b != c && c != a,
            "{what}: a triangle without area"
        );
        for edge in [[a, b], [b, c], [c, a]] {
            *edges.entry(edge).or_default() += 1;
        }
    }
    for ([a, b], count) in &edges {
        assert_eq!((*count, edges.get(&[*b, *a])), (1, Some(&1)), "{what}");
    }
}

/// The volume inside, and the centre of it.
fn volume(triangles: &[[[f32; 3]; 3]]) -> (f64, [f64; 3]) {
    let origin = triangles[0][0];
    let (mut sum, mut moment) = (0.0, [0.0; 3]);
    for corners in triangles {
        let [a, b, c] = corners.map(|corner| minus(corner, origin));
        let part = dot(a, cross(b, c)) / 6.0;
        sum += part;
        for axis in 0..3 {
            moment[axis] += part * (a[axis] + b[axis] + c[axis]) / 4.0;
        }
    }
    let centre = [0, 1, 2].map(|axis| moment[axis] / sum + f64::from(origin[axis]));
    (sum, centre)
}

#[test]
fn an_organ_on_every_grid() {
    for (name, grid) in made::grids() {
        let labels = made::labels(&grid);
        // The ellipsoid without its tunnel, which is a large share of so small a one.
        let mut whole = labels.clone();
        for (at, label) in whole.labels.iter_mut().enumerate() {
            let [i, j, k] = grid.voxel_at(at).map(|v| v as f64);
            let [x, y, z] = [(i - 9.0) / 8.5, (j - 9.0) / 8.0, (k - 5.0) / 4.2];
            *label = u16::from(x * x + y * y + z * z <= 1.0);
        }
        let inside = || (0..whole.labels.len()).filter(|at| whole.labels[*at] == 1);
        let count = inside().count() as f64;
        let mut centre = [0.0; 3];
        for at in inside() {
            let [x, y, z] = grid
                .affine
                .apply(VoxelPoint(grid.voxel_at(at).map(|v| v as f64)))
                .0;
            for (sum, v) in centre.iter_mut().zip([-x.0, -y.0, z.0]) {
                *sum += v / count;
            }
        }
        let expected = count * grid.affine.determinant().abs();
        for smoothing in [0, SMOOTHING, 50] {
            let mesh = surface(&whole, 1, smoothing).expect("a surface");
            check_closed(mesh.triangles.iter().copied(), name);
            let triangles = read_stl(&stl(&mesh));
            let corners: Vec<[[f32; 3]; 3]> = triangles.iter().map(|t| t.1).collect();
            let bits = |corner: [f32; 3]| corner.map(f32::to_bits);
            check_closed::<Corner>(corners.iter().map(|t| t.map(bits)), name);
            let (found, found_centre) = volume(&corners);
            // Half-way points cut the corners of voxels: 1.2 % here; smoothing takes a little more.
            assert!(
                (found / expected - 1.0).abs() < 0.03,
                "{name}: {found} of {expected}"
            );
            for axis in 0..3 {
                let off = (found_centre[axis] - centre[axis]).abs();
                assert!(off < 0.05, "{name}: the centre is {off} mm off");
            }
            for (normal, [a, b, c]) in &triangles {
                let across = cross(minus(*b, *a), minus(*c, *a));
                let along = dot(across, minus(*normal, [0.0; 3]));
                assert!(along >= 0.0 && along.is_finite(), "{name}");
            }
        }
    }
}

#[test]
fn every_shape_is_closed() {
    for (name, grid) in made::grids() {
        let labels = made::labels(&grid);
        for label in [2, 5, 7] {
            for smoothing in [0, SMOOTHING] {
                let mesh = surface(&labels, label, smoothing).expect("a surface");
                check_closed(mesh.triangles.iter().copied(), name);
            }
        }
    }
}

proptest! {
    /// Random voxels have every case there is: holes, tunnels, edges and corners that touch.
    #[test]
    fn random_voxels_are_closed(bits in prop::collection::vec(any::<bool>(), 6 * 5 * 4)) {
        let grid = Grid::new([6, 5, 4], Affine::diagonal([Millimetre(1.0); 3])).expect("a valid grid");
        let labels: Vec<u16> = bits.iter().map(|bit| u16::from(*bit)).collect();
        let count = labels.iter().filter(|label| **label == 1).count();
        let labels = LabelMap::new(labels, grid.clone()).expect("120 labels");
        if count > 0 {
            let mesh = surface(&labels, 1, 0).expect("a surface");
            check_closed(mesh.triangles.iter().copied(), "random");
            // Every point lies half-way between two voxels, one inside and one outside, or amid a cube.
            let inside = |voxel: [f64; 3]| {
                let [i, j, k] = voxel.map(|v| v as i64);
                let within = (0..6).contains(&i) && (0..5).contains(&j) && (0..4).contains(&k);
                within && labels.labels[(i + 6 * (j + 5 * k)) as usize] == 1
            };
            for [x, y, z] in &mesh.points {
                let voxel = [-x, -y, *z];
                if let [axis] = (0..3).filter(|a| voxel[*a].fract() != 0.0).collect::<Vec<_>>()[..] {
                    let (mut a, mut b) = (voxel, voxel);
                    (a[axis], b[axis]) = (voxel[axis].floor(), voxel[axis].ceil());
                    prop_assert_ne!(inside(a), inside(b));
                }
            }
        }
    }
}

#[test]
fn an_obj_has_an_object_for_each() {
    let (_, grid) = made::grids().swap_remove(1);
    let labels = made::labels(&grid);
    let mesh = |label| surface(&labels, label, 0).expect("a surface");
    let named: Vec<(String, Mesh)> = vec![("left kidney".into(), mesh(2)), ("b".into(), mesh(5))];
    let text = String::from_utf8(obj(&named)).expect("text");
    let begin = |with: &str| text.lines().filter(|l| l.starts_with(with)).count();
    let points = named[0].1.points.len() + named[1].1.points.len();
    let triangles = named[0].1.triangles.len() + named[1].1.triangles.len();
    assert_eq!((begin("v "), begin("f ")), (points, triangles));
    let names: Vec<&str> = text.lines().filter(|l| l.starts_with("o ")).collect();
    assert_eq!(names, ["o left_kidney", "o b"]);
    let faces = text.lines().filter_map(|l| l.strip_prefix("f "));
    let faces = faces
        .map(|l| -> Vec<usize> { l.split(' ').map(|n| n.parse().expect("a number")).collect() });
    let faces: Vec<Vec<usize>> = faces.collect();
    check_closed(faces.iter().map(|f| [f[0], f[1], f[2]]), "OBJ");
    let all = faces.iter().flatten();
    assert_eq!((all.clone().min(), all.max()), (Some(&1), Some(&points)));
}

#[test]
fn a_label_without_voxels_is_refused() {
    let (_, grid) = made::grids().swap_remove(0);
    let error = surface(&made::labels(&grid), 9, 0).expect_err("no such label");
    assert_eq!(error.kind(), ExportErrorKind::Empty);
    assert_eq!(error.to_string(), "no voxel carries label 9");
}
