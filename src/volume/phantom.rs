//! A scan nobody lay in. In: the number of voxels. Out: a CT-like volume (Hounsfield units) of an abdomen
//! and the labels of its organs, the same to the last bit on every machine.
//!
//! Only additions, multiplications, divisions and square roots are used: IEEE 754 fixes their results, so
//! native and wasm builds make identical voxels. `sin` and `exp` would not.

use super::affine::Affine;
use super::grid::Grid;
use super::labels::LabelMap;
use super::orient::Axis;
use super::slices::Volume;

/// Voxels along each axis of the default phantom: 3 mm in each direction.
pub const DEFAULT_DIMS: [usize; 3] = [96, 96, 48];

/// Label of the liver, the organ that [`prompt`] marks.
pub const LIVER: u16 = 1;

/// Millimetres covered from side to side, front to back, bottom to top, whatever the number of voxels.
const EXTENT: [f64; 3] = [288.0, 288.0, 144.0];

const AIR: f64 = -1000.0;

/// An ellipsoid of one tissue. Lengths in millimetres from the middle of the volume; x to the patient's
/// left, y to the back, z to the head. An infinite radius makes a column.
struct Part {
    label: u16,
    hounsfield: f64,
    centre: [f64; 3],
    radii: [f64; 3],
}

const fn part(label: u16, hounsfield: f64, centre: [f64; 3], radii: [f64; 3]) -> Part {
    Part {
        label,
        hounsfield,
        centre,
        radii,
    }
}

/// The body from outside in: a later part hides the earlier ones where they overlap.
const PARTS: [Part; 9] = [
    part(0, -100.0, [0.0, 2.0, 0.0], [132.0, 108.0, f64::INFINITY]), // skin and fat
    part(0, 30.0, [0.0, 2.0, 0.0], [116.0, 92.0, f64::INFINITY]),    // muscle and gut
    part(6, -780.0, [-58.0, -4.0, 84.0], [44.0, 66.0, 80.0]),        // right lung
    part(7, -780.0, [58.0, -4.0, 84.0], [44.0, 66.0, 80.0]),         // left lung
    part(LIVER, 250.0, [-44.0, -18.0, -14.0], [60.0, 56.0, 68.0]),
    part(2, 380.0, [-56.0, 44.0, -36.0], [21.0, 23.0, 30.0]), // right kidney
    part(3, 380.0, [58.0, 42.0, -26.0], [21.0, 23.0, 32.0]),  // left kidney
    part(4, 540.0, [0.0, 62.0, 0.0], [21.0, 18.0, f64::INFINITY]), // spine
    part(5, 450.0, [9.0, 28.0, 0.0], [11.0, 11.0, f64::INFINITY]), // aorta
];

/// The phantom with `dims` voxels (a zero counts as one), stored as scanners do: i to the patient's left,
/// j to the back, k to the head (LPS). Labels: 1 liver, 2 right kidney, 3 left kidney, 4 spine, 5 aorta,
/// 6 right lung, 7 left lung.
pub fn phantom(dims: [usize; 3]) -> (Volume, LabelMap) {
    let grid = grid(dims.map(|d| d.max(1)));
    let step = grid.spacing.map(|mm| mm.0);
    let mut voxels = Vec::with_capacity(grid.voxel_count());
    let mut labels = Vec::with_capacity(grid.voxel_count());
    for offset in 0..grid.voxel_count() {
        let voxel = grid.voxel_at(offset);
        let at = [0, 1, 2].map(|a| (voxel[a] as f64 + 0.5) * step[a] - EXTENT[a] / 2.0);
        let (hounsfield, label) = tissue(at, step[0].max(step[1]).max(step[2]));
        voxels.push((hounsfield + grain(voxel)).round() as f32);
        labels.push(label);
    }
    (
        Volume {
            voxels,
            grid: grid.clone(),
        },
        LabelMap { labels, grid },
    )
}

/// One mask to start from: the liver of `labels` on the axial slice where it is largest, nothing elsewhere.
pub fn prompt(labels: &LabelMap) -> LabelMap {
    let axis = Axis::Axial.of(&labels.grid);
    let slice = labels.largest_slice(axis, LIVER);
    let kept = labels.labels.iter().enumerate().map(|(at, label)| {
        let here = Some(labels.grid.voxel_at(at)[axis.index()]) == slice;
        if here && *label == LIVER { LIVER } else { 0 }
    });
    LabelMap {
        labels: kept.collect(),
        grid: labels.grid.clone(),
    }
}

fn grid(dims: [usize; 3]) -> Grid {
    let step = [0, 1, 2].map(|a| EXTENT[a] / dims[a] as f64);
    // An origin away from zero, as scanners have, so that a dropped translation shows.
    let affine = Affine([
        [-step[0], 0.0, 0.0, 150.0],
        [0.0, -step[1], 0.0, 171.0],
        [0.0, 0.0, step[2], -412.5],
        [0.0, 0.0, 0.0, 1.0],
    ]);
    Grid {
        dims,
        spacing: affine.spacing(),
        affine,
    }
}

/// Hounsfield units and label at a place, the boundaries softened over one voxel of size `soft`.
fn tissue(at: [f64; 3], soft: f64) -> (f64, u16) {
    // A slow bend of space turns ellipsoids into organs.
    let bent = [0, 1, 2].map(|a| at[a] + 9.0 * smooth_noise(at, 52.0, a as u32));
    let mut hounsfield = AIR;
    let mut label = 0;
    for part in &PARTS {
        let inside = (0.5 - distance(bent, part) / soft).clamp(0.0, 1.0);
        hounsfield += inside * (part.hounsfield - hounsfield);
        if inside >= 0.5 {
            label = part.label;
        }
    }
    let texture = if hounsfield > -500.0 { 12.0 } else { 3.0 };
    (hounsfield + texture * smooth_noise(at, 14.0, 3), label)
}

/// About how far a place is outside (positive) or inside (negative) of a part, in millimetres.
fn distance(at: [f64; 3], part: &Part) -> f64 {
    let length = |v: [f64; 3]| v.map(|x| x * x).iter().sum::<f64>().sqrt();
    let scaled = [0, 1, 2].map(|a| (at[a] - part.centre[a]) / part.radii[a]);
    let slope = length([0, 1, 2].map(|a| scaled[a] / part.radii[a]));
    let scaled = length(scaled);
    if slope == 0.0 {
        // The very centre, where the quotient below has no value.
        return f64::NEG_INFINITY;
    }
    scaled * (scaled - 1.0) / slope
}

/// Noise in -1..1 that changes over `cell` millimetres: lattice values, blended smoothly.
fn smooth_noise(at: [f64; 3], cell: f64, seed: u32) -> f64 {
    let place = at.map(|v| v / cell + 64.0);
    let base = place.map(f64::floor);
    let part = [0, 1, 2].map(|a| {
        let t = place[a] - base[a];
        t * t * (3.0 - 2.0 * t)
    });
    let mut sum = 0.0;
    for corner in 0..8usize {
        let bit = [0, 1, 2].map(|a| (corner >> a) & 1);
        let weight = [0, 1, 2].map(|a| if bit[a] == 1 { part[a] } else { 1.0 - part[a] });
        let node = [0, 1, 2].map(|a| base[a] as u32 + bit[a] as u32);
        sum += weight[0] * weight[1] * weight[2] * hash(node, seed);
    }
    sum
}

/// Detector noise of one voxel in Hounsfield units: bell-shaped, standard deviation about 10.
fn grain(voxel: [usize; 3]) -> f64 {
    let node = voxel.map(|v| v as u32);
    10.0 * (10..13).map(|seed| hash(node, seed)).sum::<f64>()
}

/// A value in -1..1 that looks random and depends on its arguments only.
fn hash(node: [u32; 3], seed: u32) -> f64 {
    let mut h = seed.wrapping_mul(0x9e37_79b9);
    for n in node {
        h = (h ^ n).wrapping_mul(0x85eb_ca6b);
        h ^= h >> 13;
        h = h.wrapping_mul(0xc2b2_ae35);
        h ^= h >> 16;
    }
    f64::from(h) / f64::from(u32::MAX) * 2.0 - 1.0
}

#[cfg(test)]
mod tests {
    use super::super::{VoxelAxis, orientation_letters};
    use super::*;

    #[test]
    fn every_organ_is_there_and_kidneys_come_and_go() {
        let (volume, labels) = phantom(DEFAULT_DIMS);
        assert_eq!(labels.labels_present(), [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(orientation_letters(&volume.grid.affine), "LPS");
        assert_eq!(volume.grid.spacing.map(|mm| mm.0), [3.0; 3]);
        let has = |label, k| {
            let mask = labels.slice_mask(VoxelAxis::K, k, label).expect("in range");
            !mask.is_empty()
        };
        for kidney in [2, 3] {
            let seen: Vec<bool> = (0..48).map(|k| has(kidney, k)).collect();
            let count = seen.iter().filter(|s| **s).count();
            assert!(
                (12..30).contains(&count),
                "kidney {kidney} on {count} slices"
            );
            assert!(!seen[0] && !seen[47]);
        }
    }

    #[test]
    fn the_liver_changes_little_from_slice_to_slice() {
        let (_, labels) = phantom(DEFAULT_DIMS);
        let masks: Vec<_> = (0..48)
            .map(|k| labels.slice_mask(VoxelAxis::K, k, LIVER).expect("in range"))
            .filter(|mask| mask.area() > 350)
            .collect();
        assert!(masks.len() > 20);
        for pair in masks.windows(2) {
            let both = pair[0].pixels.iter().zip(&pair[1].pixels);
            let both = both.filter(|(a, b)| **a && **b).count();
            let dice = 2.0 * both as f64 / (pair[0].area() + pair[1].area()) as f64;
            assert!(dice > 0.85, "{dice}");
        }
    }

    #[test]
    fn the_prompt_is_one_slice_of_liver() {
        let (_, labels) = phantom(DEFAULT_DIMS);
        let prompt = prompt(&labels);
        let k = labels.largest_slice(VoxelAxis::K, LIVER).expect("a liver");
        assert_eq!(prompt.labels_present(), [LIVER]);
        assert_eq!(
            prompt.slice_mask(VoxelAxis::K, k, LIVER),
            labels.slice_mask(VoxelAxis::K, k, LIVER)
        );
        let area = prompt.labels.iter().filter(|l| **l > 0).count();
        assert_eq!(
            area,
            prompt
                .slice_mask(VoxelAxis::K, k, LIVER)
                .expect("in range")
                .area()
        );
    }

    #[test]
    fn any_size_covers_the_same_body() {
        let (volume, labels) = phantom([24, 32, 0]);
        assert_eq!(volume.grid.dims, [24, 32, 1]);
        assert_eq!(labels.labels.len(), 24 * 32);
        let far = volume.grid.affine.column(0)[0] * 24.0;
        assert_eq!(far, -EXTENT[0]);
    }
}
