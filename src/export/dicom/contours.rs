//! A mask as closed lines. In: a mask. Out: one ring of points around each of its parts, between the pixels inside and those
//! outside (marching squares, by the crate `contour`).
//!
//! A part with holes has one ring too: a channel without width leads from each hole to the ring on its left (a keyhole, as
//! DICOM wants holes in closed planar contours). So every ring stands for itself, whether a reader fills rings one by one
//! or all together, by the even-odd rule or by winding.

use std::collections::HashMap;

use contour::contour_rings;

use crate::volume::Mask;

/// A point in half pixels; even numbers are the centres of pixels. Column, then row.
type Point = [i32; 2];

/// The rings of `mask`, in pixels (column, row); whole numbers are the centres of pixels.
pub(super) fn outlines(mask: &Mask) -> Result<Vec<Vec<[f64; 2]>>, contour::Error> {
    let Some(frame) = Frame::of(mask) else {
        return Ok(Vec::new());
    };
    let rings = joined(frame.rings(mask)?, |column, row| {
        frame.inside(mask, column, row)
    });
    let pixels = |ring: Vec<Point>| {
        let corners = without_straight_points(&ring).into_iter();
        corners
            .map(|[x, y]| [f64::from(x) / 2.0, f64::from(y) / 2.0])
            .collect()
    };
    Ok(rings.into_iter().map(pixels).collect())
}

/// The columns and rows that have a pixel inside, so that empty parts of an image cost nothing.
struct Frame {
    first: [usize; 2],
    columns: usize,
    rows: usize,
}

impl Frame {
    fn of(mask: &Mask) -> Option<Self> {
        let width = mask.shape.cols;
        let inside = || {
            let all = mask.pixels.iter().enumerate();
            all.filter(|(_, inside)| **inside)
                .map(move |(at, _)| [at % width, at / width])
        };
        let range = |axis: usize| {
            let (lo, hi) = (
                inside().map(|p| p[axis]).min()?,
                inside().map(|p| p[axis]).max()?,
            );
            Some((lo, hi - lo + 1))
        };
        let ((column, columns), (row, rows)) = (range(0)?, range(1)?);
        Some(Self {
            first: [column, row],
            columns,
            rows,
        })
    }

    fn inside(&self, mask: &Mask, column: i32, row: i32) -> bool {
        let lies = |at: i32, count: usize| usize::try_from(at).is_ok_and(|at| at < count);
        lies(column, mask.shape.cols)
            && lies(row, mask.shape.rows)
            && mask.pixels[row as usize * mask.shape.cols + column as usize]
    }

    /// Marching squares: rings without their repeated last point.
    fn rings(&self, mask: &Mask) -> Result<Vec<Vec<Point>>, contour::Error> {
        let values: Vec<f64> = (0..self.columns * self.rows)
            .map(|at| {
                let column = self.first[0] + at % self.columns;
                let row = self.first[1] + at / self.columns;
                f64::from(u8::from(mask.pixels[row * mask.shape.cols + column]))
            })
            .collect();
        // The crate has a pixel's centre at its index and a half.
        let point = |place: f64, first: usize| (place * 2.0) as i32 - 1 + 2 * first as i32;
        let rings = contour_rings(&values, 0.5, self.columns, self.rows)?;
        let points = |ring: Vec<_>| -> Vec<Point> {
            let open = &ring[..ring.len() - 1];
            open.iter()
                .map(|p: &contour::Pt| [point(p.x, self.first[0]), point(p.y, self.first[1])])
                .collect()
        };
        Ok(rings.into_iter().map(points).collect())
    }
}

/// Joins each hole to the ring on the left of its leftmost point.
fn joined(rings: Vec<Vec<Point>>, inside: impl Fn(i32, i32) -> bool) -> Vec<Vec<Point>> {
    // The leftmost point lies between two pixels of a row: around a hole the left one is inside.
    let mut rings: Vec<(usize, Vec<Point>)> = (rings.into_iter())
        .map(|ring| {
            let left = (0..ring.len()).min_by_key(|at| ring[*at]).unwrap_or(0);
            (left, ring)
        })
        .collect();
    rings.sort_by_key(|(left, ring)| ring[*left]);
    let mut parts: Vec<Vec<Point>> = Vec::new();
    let mut part_of: HashMap<Point, usize> = HashMap::new();
    for (left, ring) in rings {
        let [x, y] = ring[left];
        let (mut column, row) = ((x - 1) / 2, y / 2);
        let part = if inside(column, row) {
            while inside(column - 1, row) {
                column -= 1;
            }
            let end = [2 * column - 1, y];
            // Rings are taken from left to right: the one that is met has its part already.
            part_of.get(&end).copied().map(|part| (part, end))
        } else {
            None
        };
        let part = match part {
            Some((part, end)) => {
                join(&mut parts[part], end, &ring, left);
                part
            }
            None => {
                parts.push(ring.clone());
                parts.len() - 1
            }
        };
        part_of.extend(ring.into_iter().map(|point| (point, part)));
    }
    parts
}

/// Goes from `end` on the part's ring to the hole, around it, and back.
fn join(part: &mut Vec<Point>, end: Point, hole: &[Point], left: usize) {
    let at = part.iter().position(|p| *p == end).unwrap_or(0);
    let around = hole[left..].iter().chain(&hole[..=left]).copied();
    let way: Vec<Point> = around.chain([end]).collect();
    part.splice(at + 1..at + 1, way);
}

/// The ring without the points between which it goes straight on.
fn without_straight_points(ring: &[Point]) -> Vec<Point> {
    let count = ring.len();
    let straight = |at: &usize| {
        let [before, here, after] = [at + count - 1, *at, at + 1].map(|i| ring[i % count]);
        let (u, v) = (
            [here[0] - before[0], here[1] - before[1]],
            [after[0] - here[0], after[1] - here[1]],
        );
        u[0] * v[1] == u[1] * v[0] && u[0] * v[0] + u[1] * v[1] > 0
    };
    let corners = (0..count).filter(|at| !straight(at));
    corners.map(|at| ring[at]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::SliceShape;
    use proptest::prelude::*;

    fn mask(rows: &[&str]) -> Mask {
        let shape = SliceShape {
            rows: rows.len(),
            cols: rows[0].len(),
        };
        let pixels = rows.iter().flat_map(|row| row.bytes()).map(|b| b == b'#');
        Mask::new(shape, pixels.collect()).expect("rows of one length")
    }

    /// How often a ray from a pixel's centre to the left crosses a ring (half-open, so that corners count once).
    fn crossings(ring: &[[f64; 2]], [x, y]: [f64; 2]) -> usize {
        let sides = (0..ring.len()).map(|at| (ring[at], ring[(at + 1) % ring.len()]));
        sides
            .filter(|(a, b)| (a[1] > y) != (b[1] > y))
            .filter(|(a, b)| a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]) < x)
            .count()
    }

    /// The pixels inside any ring, each by the even-odd rule; and that no pixel is inside two.
    fn filled(rings: &[Vec<[f64; 2]>], shape: SliceShape) -> Vec<bool> {
        let count = |at: usize| {
            let centre = [(at % shape.cols) as f64, (at / shape.cols) as f64];
            rings
                .iter()
                .filter(|ring| crossings(ring, centre) % 2 == 1)
                .count()
        };
        let counts = (0..shape.area()).map(count);
        counts
            .inspect(|count| assert!(*count <= 1))
            .map(|count| count == 1)
            .collect()
    }

    #[test]
    fn one_pixel_is_a_diamond() {
        let rings = outlines(&mask(&["...", ".#.", "..."])).expect("rings");
        assert_eq!(rings.len(), 1);
        let mut points = rings[0].clone();
        points.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
        assert_eq!(points, [[0.5, 1.0], [1.0, 0.5], [1.0, 1.5], [1.5, 1.0]]);
        assert!(
            outlines(&mask(&["...", "..."]))
                .expect("no rings")
                .is_empty()
        );
    }

    #[test]
    fn a_part_has_one_ring_whatever_is_in_it() {
        // A ring around a hole with an island that has a hole itself, and a second hole.
        let mask = mask(&[
            "###########",
            "#.........#",
            "#.#####.#.#",
            "#.#...#...#",
            "#.#.#.#...#",
            "#.#...#...#",
            "#.#####...#",
            "#.........#",
            "###########",
            "##.########",
            "###########",
        ]);
        let rings = outlines(&mask).expect("rings");
        assert_eq!(rings.len(), 4);
        assert_eq!(filled(&rings, mask.shape), mask.pixels);
    }

    proptest! {
        #[test]
        fn rings_give_the_mask_back(cols in 1usize..12, rows in 1usize..12, seed in any::<u128>(), bits in any::<[u64; 2]>()) {
            let shape = SliceShape { rows, cols };
            let bits = u128::from(bits[0]) << 64 | u128::from(bits[1]);
            // Two masks of random bits: one half full, one three quarters, with many holes.
            for bits in [bits, bits | seed] {
                let pixels: Vec<bool> = (0..shape.area()).map(|at| bits.rotate_left(at as u32 * 7) & 1 == 1).collect();
                let mask = Mask::new(shape, pixels).expect("as many");
                let rings = outlines(&mask).expect("rings");
                prop_assert_eq!(filled(&rings, shape), mask.pixels);
            }
        }
    }
}
