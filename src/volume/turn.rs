//! Which way round a slice is stored. In: the grids and axes of two slices. Out: the quarter turn or mirroring that
//! lays the pixels of the one as the other's are, so that a patient's left is on the same side of both.

use super::affine::norm;
use super::grid::Grid;
use super::mask::SliceShape;
use super::orient::VoxelAxis;

/// The directions in the patient in which a slice's rows and columns are counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlicePlane {
    rows: [f64; 3],
    cols: [f64; 3],
}

/// A quarter turn, a mirroring, both or neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SliceTurn {
    /// Rows become columns.
    swap: bool,
    /// Then the order of rows, and that of columns, is reversed.
    flip: [bool; 2],
}

impl SlicePlane {
    /// Of the slices of `grid` across `axis`.
    pub fn of(grid: &Grid, axis: VoxelAxis) -> Self {
        let (rows, cols) = axis.rows_cols();
        let direction = |voxel_axis| {
            let step = grid.affine.column(voxel_axis);
            step.map(|v| v / norm(step))
        };
        Self {
            rows: direction(rows),
            cols: direction(cols),
        }
    }
}

impl SliceTurn {
    /// The turn that lays a slice of `from` as those of `to` are. Oblique planes get the closest one.
    pub fn between(from: SlicePlane, to: SlicePlane) -> Self {
        let cosine = |a: [f64; 3], b: [f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
        let kept = [cosine(from.rows, to.rows), cosine(from.cols, to.cols)];
        let swapped = [cosine(from.cols, to.rows), cosine(from.rows, to.cols)];
        let weight = |cosines: [f64; 2]| cosines[0].abs() + cosines[1].abs();
        let swap = weight(swapped) > weight(kept);
        let along = if swap { swapped } else { kept };
        Self {
            swap,
            flip: along.map(|cosine| cosine < 0.0),
        }
    }

    /// Rows and columns after the turn.
    pub fn shape(self, SliceShape { rows, cols }: SliceShape) -> SliceShape {
        match self.swap {
            true => SliceShape {
                rows: cols,
                cols: rows,
            },
            false => SliceShape { rows, cols },
        }
    }

    /// What belongs to rows and to columns, after the turn.
    pub fn sides<T>(self, [rows, cols]: [T; 2]) -> [T; 2] {
        match self.swap {
            true => [cols, rows],
            false => [rows, cols],
        }
    }

    /// Turns row-major pixels of a slice of `shape`.
    pub fn apply<T: Copy>(self, pixels: &[T], shape: SliceShape) -> Vec<T> {
        let turned = self.shape(shape);
        let mirrored = |flip: bool, at: usize, count: usize| if flip { count - 1 - at } else { at };
        let pixel = |i: usize| {
            let row = mirrored(self.flip[0], i / turned.cols, turned.rows);
            let col = mirrored(self.flip[1], i % turned.cols, turned.cols);
            let (row, col) = if self.swap { (col, row) } else { (row, col) };
            pixels[row * shape.cols + col]
        };
        (0..turned.area()).map(pixel).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Affine;
    use super::*;

    /// A 3 x 2 x 2 grid whose voxel axes i and j run along these patient directions.
    fn plane(i: [f64; 3], j: [f64; 3]) -> SlicePlane {
        let rows = [0, 1, 2].map(|row| [i[row], j[row], f64::from(u8::from(row == 2)), 0.0]);
        let affine = Affine([rows[0], rows[1], rows[2], [0.0, 0.0, 0.0, 1.0]]);
        SlicePlane::of(&Grid::new([3, 2, 2], affine).expect("a grid"), VoxelAxis::K)
    }

    const SHAPE: SliceShape = SliceShape { rows: 2, cols: 3 };
    const X: [f64; 3] = [2.0, 0.0, 0.0];
    const MINUS_X: [f64; 3] = [-0.7, 0.0, 0.0];
    const Y: [f64; 3] = [0.0, 3.0, 0.0];
    const MINUS_Y: [f64; 3] = [0.0, -1.0, 0.0];

    #[test]
    fn each_storage_order_becomes_the_other() {
        let from = plane(X, Y);
        for (to, turned, shape) in [
            (plane(X, Y), [1, 2, 3, 4, 5, 6], [2, 3]),
            (plane(MINUS_X, Y), [3, 2, 1, 6, 5, 4], [2, 3]),
            (plane(X, MINUS_Y), [4, 5, 6, 1, 2, 3], [2, 3]),
            (plane(Y, X), [1, 4, 2, 5, 3, 6], [3, 2]),
            (plane(MINUS_Y, X), [4, 1, 5, 2, 6, 3], [3, 2]),
            (plane(Y, MINUS_X), [3, 6, 2, 5, 1, 4], [3, 2]),
        ] {
            let turn = SliceTurn::between(from, to);
            assert_eq!(turn.apply(&[1, 2, 3, 4, 5, 6], SHAPE), turned, "{turn:?}");
            let found = turn.shape(SHAPE);
            assert_eq!([found.rows, found.cols], shape);
            assert_eq!(turn.sides([SHAPE.rows, SHAPE.cols]), shape);
        }
    }

    #[test]
    fn there_and_back_is_the_slice_itself() {
        let oblique = plane([0.1, -0.9, 0.3], [-0.8, -0.2, 0.1]);
        let pixels = [1, 2, 3, 4, 5, 6];
        let turn = SliceTurn::between(plane(X, Y), oblique);
        let back = SliceTurn::between(oblique, plane(X, Y));
        let turned = turn.apply(&pixels, SHAPE);
        assert_ne!(turned, pixels);
        assert_eq!(back.apply(&turned, turn.shape(SHAPE)), pixels);
    }
}
