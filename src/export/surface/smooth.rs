//! Takes the steps of voxels off a surface. In: points on a lattice. Out: the same points, moved a little.
//!
//! Taubin's filter (1995): each round moves every point towards the mean of its neighbours, and then a little further back,
//! so that unevenness goes and the volume stays. What is only a voxel or two thick is unevenness too, and gets thinner.

use super::Mesh;

/// Share of the way towards the neighbours, and then away from them (Taubin's own figures).
const FACTORS: [f64; 2] = [0.33, -0.34];
/// No point goes further than this along an axis, in voxels.
const FURTHEST: f64 = 0.5;

/// Smooths a mesh whose points are in voxels.
pub(super) fn smooth(mesh: &mut Mesh, rounds: usize) {
    let before = mesh.points.clone();
    let mut sums = vec![([0.0; 3], 0u32); mesh.points.len()];
    for factor in (0..rounds).flat_map(|_| FACTORS) {
        sums.fill(([0.0; 3], 0));
        // Each edge is met twice, once from each of its ends.
        for triangle in &mesh.triangles {
            for (from, to) in [(0, 1), (1, 2), (2, 0)] {
                let neighbour = mesh.points[triangle[to] as usize];
                let (sum, count) = &mut sums[triangle[from] as usize];
                *count += 1;
                for (sum, v) in sum.iter_mut().zip(neighbour) {
                    *sum += v;
                }
            }
        }
        for ((point, (sum, count)), before) in mesh.points.iter_mut().zip(&sums).zip(&before) {
            for axis in 0..3 {
                let mean = sum[axis] / f64::from(*count);
                let moved = point[axis] + factor * (mean - point[axis]);
                point[axis] = moved.clamp(before[axis] - FURTHEST, before[axis] + FURTHEST);
            }
        }
    }
}
