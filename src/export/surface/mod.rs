//! The border of a label as triangles. In: a label map. Out: a closed surface in patient millimetres, and the bytes of STL
//! and OBJ files.
//!
//! Marching cubes on the voxel centres (`cubes`), every point half-way between a voxel inside and one outside. Written here
//! because the crates there are (surface nets, and tables of marching cubes) leave edges with four triangles wherever two
//! voxels touch along an edge, which slicers for 3-D printers and volume meshers refuse; here every edge has two.
//! Coordinates are LPS (x to the left, y to the back, z to the head), which is what 3D Slicer writes and reads.

mod cubes;
mod files;
mod smooth;

use std::collections::HashMap;

use super::error::ExportError;
use crate::volume::{Affine, LabelMap, PatientPoint, VoxelPoint};
use cubes::Border;

pub use files::{obj, stl};

/// Rounds of smoothing that take the steps of voxels away and leave shape and volume.
pub const SMOOTHING: usize = 10;

/// A closed surface: every edge has two triangles, which run along it in opposite directions.
#[derive(Debug, Clone, PartialEq)]
pub struct Mesh {
    /// In millimetres, LPS.
    pub points: Vec<[f64; 3]>,
    /// Points of each triangle, counter-clockwise seen from outside.
    pub triangles: Vec<[u32; 3]>,
}

/// The surface of `label` after `smoothing` rounds; none leaves the points half-way between voxels, and no number of them
/// moves a point by more than half a voxel along an axis.
///
/// # Errors
/// `Empty` when no voxel carries the label.
pub fn surface(labels: &LabelMap, label: u16, smoothing: usize) -> Result<Mesh, ExportError> {
    let block = Block::of(labels, label).ok_or_else(|| ExportError::empty(Some(label)))?;
    let mut mesh = block.mesh();
    smooth::smooth(&mut mesh, smoothing);
    block.place(&mut mesh, &labels.grid.affine);
    Ok(mesh)
}

/// The voxels around a label, with a layer of outside on every side.
struct Block {
    /// The voxel of the first, which may lie one before the grid.
    first: [f64; 3],
    dims: [usize; 3],
    inside: Vec<bool>,
}

impl Block {
    fn of(labels: &LabelMap, label: u16) -> Option<Self> {
        let voxels = || {
            let all = labels.labels.iter().enumerate();
            all.filter(|(_, found)| **found == label)
                .map(|(at, _)| labels.grid.voxel_at(at))
        };
        let (mut lo, mut hi) = (voxels().next()?, [0; 3]);
        for voxel in voxels() {
            for axis in 0..3 {
                lo[axis] = lo[axis].min(voxel[axis]);
                hi[axis] = hi[axis].max(voxel[axis]);
            }
        }
        let dims = [0, 1, 2].map(|axis| hi[axis] - lo[axis] + 3);
        let mut block = Self {
            first: lo.map(|v| v as f64 - 1.0),
            dims,
            inside: vec![false; dims.iter().product()],
        };
        for voxel in voxels() {
            let at = block.place_of([0, 1, 2].map(|axis| voxel[axis] - lo[axis] + 1));
            block.inside[at] = true;
        }
        Some(block)
    }

    fn place_of(&self, voxel: [usize; 3]) -> usize {
        voxel[0] + self.dims[0] * (voxel[1] + self.dims[1] * voxel[2])
    }

    /// The surface in voxels of the block.
    fn mesh(&self) -> Mesh {
        let table = cubes::table();
        let corners: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 7].map(|c| self.place_of(cubes::corner(c)));
        let mut builder = Builder::default();
        for z in 0..self.dims[2] - 1 {
            for y in 0..self.dims[1] - 1 {
                for x in 0..self.dims[0] - 1 {
                    let at = self.place_of([x, y, z]);
                    let bit = |c: usize| usize::from(self.inside[at + corners[c]]) << c;
                    let case = (0..8).map(bit).sum::<usize>();
                    for border in &table[case] {
                        builder.add(border, [x, y, z], at, &corners);
                    }
                }
            }
        }
        builder.mesh
    }

    /// From the block's voxels to millimetres.
    fn place(&self, mesh: &mut Mesh, affine: &Affine) {
        for point in &mut mesh.points {
            let voxel = [0, 1, 2].map(|axis| point[axis] + self.first[axis]);
            let PatientPoint([right, front, up]) = affine.apply(VoxelPoint(voxel));
            *point = [-right.0, -front.0, up.0];
        }
        // A left-handed grid mirrors the triangles.
        if affine.determinant() < 0.0 {
            for triangle in &mut mesh.triangles {
                triangle.swap(1, 2);
            }
        }
    }
}

struct Builder {
    mesh: Mesh,
    /// The point on each edge of the block that is crossed, by the edge's first voxel and axis.
    on_edge: HashMap<usize, u32>,
}

impl Default for Builder {
    fn default() -> Self {
        let (points, triangles) = Default::default();
        Self {
            mesh: Mesh { points, triangles },
            on_edge: HashMap::new(),
        }
    }
}

impl Builder {
    fn point(&mut self, point: [f64; 3]) -> u32 {
        self.mesh.points.push(point);
        self.mesh.points.len() as u32 - 1
    }

    /// The triangles of one border within the cube whose first voxel is `cube`, at `at`.
    fn add(&mut self, border: &Border, cube: [usize; 3], at: usize, corners: &[usize; 8]) {
        let points: Vec<u32> = (border.edges.iter())
            .map(|edge| {
                let (corner, axis) = (edge.corner(), edge.axis());
                let key = 3 * (at + corners[corner]) + axis;
                if let Some(point) = self.on_edge.get(&key) {
                    return *point;
                }
                let mut place = cubes::corner(corner);
                for (axis, step) in place.iter_mut().enumerate() {
                    *step += cube[axis];
                }
                let mut place = place.map(|v| v as f64);
                place[axis] += 0.5;
                let point = self.point(place);
                self.on_edge.insert(key, point);
                point
            })
            .collect();
        let count = points.len();
        if border.centre {
            let mut mean = [0.0; 3];
            for point in &points {
                for (sum, v) in mean.iter_mut().zip(self.mesh.points[*point as usize]) {
                    *sum += v / count as f64;
                }
            }
            let centre = self.point(mean);
            for at in 0..count {
                let triangle = [centre, points[at], points[(at + 1) % count]];
                self.mesh.triangles.push(triangle);
            }
        } else {
            for at in 1..count - 1 {
                let triangle = [points[0], points[at], points[at + 1]];
                self.mesh.triangles.push(triangle);
            }
        }
    }
}
