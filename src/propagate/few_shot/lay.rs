//! Supports of other scans, laid onto a query's slices. In: a support, and how the query's slices lie. Out: the support as
//! if it had been cut from the query: as it is stored, with its pixels' size in millimetres and its field of view.
//!
//! Only then is an organ as large on the one as on the other, which a model that copies masks needs. Centres lie on one
//! another, because a place in one patient says nothing of a place in another; what the support does not show is black.

use super::support::{GreySlice, Support};
use crate::sam2::resample::{Size, pil_resize};
use crate::volume::{Mask, Millimetre, SlicePlane, SliceShape, SliceTurn, Volume, VoxelAxis};

/// A support is enlarged to at most so many times the query's sides: a header that is wrong must not fill the memory.
const LARGEST: usize = 8;

/// How the slices of a scan lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Frame {
    pub plane: SlicePlane,
    /// Height and width of a pixel.
    pub pixel: [Millimetre; 2],
    pub shape: SliceShape,
}

impl Frame {
    pub fn of(volume: &Volume, axis: VoxelAxis) -> Self {
        Self {
            plane: SlicePlane::of(&volume.grid, axis),
            pixel: volume.grid.pixel(axis),
            shape: volume.slice_shape(axis),
        }
    }
}

impl Support {
    /// The support laid onto such slices. One of whose labels a part would be out of view keeps its own pixels: the model
    /// stretches them to its square.
    pub(super) fn laid(&self, frame: &Frame) -> Self {
        let turned = self.turned(frame.plane);
        match turned.pixel == frame.pixel && turned.image.shape == frame.shape {
            true => turned,
            false => turned.resampled(frame).unwrap_or(turned),
        }
    }

    fn turned(&self, plane: SlicePlane) -> Self {
        let turn = SliceTurn::between(self.plane, plane);
        let from = self.image.shape;
        let shape = turn.shape(from);
        let mask = |mask: &Mask| Mask {
            shape,
            pixels: turn.apply(&mask.pixels, from),
        };
        Self {
            image: GreySlice {
                grey: turn.apply(&self.image.grey, from),
                shape,
            },
            masks: self.masks.iter().map(|(&l, m)| (l, mask(m))).collect(),
            slice: self.slice,
            plane,
            pixel: turn.sides(self.pixel),
        }
    }

    /// None when a label would not be all in view.
    fn resampled(&self, frame: &Frame) -> Option<Self> {
        let from = self.image.shape;
        let side = |count: usize, at: usize, most: usize| {
            let side = count as f64 * self.pixel[at].0 / frame.pixel[at].0;
            let side = side.round().max(1.0) as usize; // saturates
            (side <= most.saturating_mul(LARGEST)).then_some(side)
        };
        let resized = SliceShape {
            rows: side(from.rows, 0, frame.shape.rows)?,
            cols: side(from.cols, 1, frame.shape.cols)?,
        };
        let size = |shape: SliceShape| Size {
            rows: shape.rows,
            cols: shape.cols,
        };
        let grey = pil_resize(&self.image.grey, size(from), size(resized));
        let mask = |mask: &Mask| {
            let pixels = nearest(&mask.pixels, from, resized);
            let inside = |pixels: &[bool]| pixels.iter().filter(|&&p| p).count();
            let seen = centred(&pixels, resized, frame.shape, false);
            let whole = inside(&seen) == inside(&pixels) && inside(&seen) > 0;
            whole.then_some(Mask {
                shape: frame.shape,
                pixels: seen,
            })
        };
        let masks = self.masks.iter().map(|(&l, m)| Some((l, mask(m)?)));
        Some(Self {
            masks: masks.collect::<Option<_>>()?,
            image: GreySlice {
                grey: centred(&grey, resized, frame.shape, 0),
                shape: frame.shape,
            },
            slice: self.slice,
            plane: self.plane,
            pixel: frame.pixel,
        })
    }
}

/// A slice on other pixels, nearest neighbours.
fn nearest<T: Copy>(values: &[T], from: SliceShape, to: SliceShape) -> Vec<T> {
    let source = |at: usize, of: usize, into: usize| (2 * at + 1) * of / (2 * into);
    let value = |at: usize| {
        let row = source(at / to.cols, from.rows, to.rows);
        let col = source(at % to.cols, from.cols, to.cols);
        values[row * from.cols + col]
    };
    (0..to.area()).map(value).collect()
}

/// A slice cut, or framed by `outside`, to another shape around the same centre.
fn centred<T: Copy>(values: &[T], from: SliceShape, to: SliceShape, outside: T) -> Vec<T> {
    let source = |at: usize, of: usize, into: usize| {
        let (at, spare) = (at as isize, of as isize - into as isize);
        usize::try_from(at + spare.div_euclid(2))
            .ok()
            .filter(|&at| at < of)
    };
    let value = |at: usize| {
        let row = source(at / to.cols, from.rows, to.rows);
        let col = source(at % to.cols, from.cols, to.cols);
        row.zip(col)
            .map_or(outside, |(row, col)| values[row * from.cols + col])
    };
    (0..to.area()).map(value).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::volume::{Affine, Grid};

    const SHAPE: SliceShape = SliceShape { rows: 12, cols: 8 };
    const LABEL: u16 = 3;

    fn plane(first: f64) -> SlicePlane {
        let mut affine = Affine::diagonal([Millimetre(1.0); 3]);
        affine.0[0][0] = first;
        let grid = Grid::new([8, 12, 1], affine).expect("a grid");
        SlicePlane::of(&grid, VoxelAxis::K)
    }

    fn frame(rows: usize, cols: usize, pixel: [f64; 2]) -> Frame {
        Frame {
            plane: plane(1.0),
            pixel: pixel.map(Millimetre),
            shape: SliceShape { rows, cols },
        }
    }

    /// A bright rectangle of 4 x 2 pixels of 2 x 3 mm, in the middle but for one row and column.
    fn support() -> Support {
        let inside =
            |i: usize| (5..9).contains(&(i / SHAPE.cols)) && (4..6).contains(&(i % SHAPE.cols));
        let pixels: Vec<bool> = (0..SHAPE.area()).map(inside).collect();
        let grey = pixels.iter().map(|&p| if p { 240 } else { 40 }).collect();
        let mask = Mask {
            shape: SHAPE,
            pixels,
        };
        Support {
            image: GreySlice { grey, shape: SHAPE },
            masks: BTreeMap::from([(LABEL, mask)]),
            slice: 5,
            plane: plane(1.0),
            pixel: [2.0, 3.0].map(Millimetre),
        }
    }

    /// Area in square millimetres, and rows and columns of the first and last pixel.
    fn extent(support: &Support) -> (f64, [usize; 2], [usize; 2]) {
        let mask = &support.masks[&LABEL];
        let place = |i: usize| [i / mask.shape.cols, i % mask.shape.cols];
        let first = mask.pixels.iter().position(|&p| p).expect("a pixel");
        let last = mask.pixels.iter().rposition(|&p| p).expect("a pixel");
        let pixel = support.pixel[0].0 * support.pixel[1].0;
        (mask.area() as f64 * pixel, place(first), place(last))
    }

    #[test]
    fn on_slices_like_its_own_a_support_stays_as_it_is() {
        let same = frame(12, 8, [2.0, 3.0]);
        assert_eq!(support().laid(&same), support());
    }

    #[test]
    fn an_object_keeps_its_size_in_millimetres() {
        assert_eq!(extent(&support()), (48.0, [5, 4], [8, 5]));
        // Half the pixels' size, and room around: 24 x 24 pixels of the support in the middle of 30 x 28.
        let laid = support().laid(&frame(30, 28, [1.0, 1.0]));
        assert_eq!(extent(&laid), (48.0, [3 + 10, 2 + 12], [3 + 17, 2 + 17]));
        assert_eq!((laid.image.shape.rows, laid.image.shape.cols), (30, 28));
        let grey = |row: usize, col: usize| laid.image.grey[row * 28 + col];
        assert_eq!(
            (grey(0, 0), grey(29, 27), grey(2, 14)),
            (0, 0, 0),
            "out of view is black"
        );
        assert_eq!((grey(3, 2), grey(26, 25)), (40, 40));
        assert!(grey(16, 16) > 200, "{}", grey(16, 16));
    }

    #[test]
    fn a_smaller_field_cuts_what_is_around() {
        let laid = support().laid(&frame(8, 4, [2.0, 3.0]));
        assert_eq!(extent(&laid), (48.0, [3, 2], [6, 3]));
        assert!(laid.image.grey.iter().all(|&g| g == 40 || g == 240));
    }

    #[test]
    fn what_would_not_be_all_in_view_is_left_to_be_stretched() {
        let small = frame(4, 4, [2.0, 3.0]);
        assert_eq!(support().laid(&small), support());
        // So is what would vanish between coarse pixels, and what a wrong header would make huge.
        let mut corner = support();
        let pixels = (0..SHAPE.area()).map(|i| i == 0).collect();
        let mask = Mask {
            shape: SHAPE,
            pixels,
        };
        corner.masks.insert(LABEL, mask);
        assert_eq!(corner.laid(&frame(12, 8, [4.0, 6.0])), corner);
        assert_eq!(support().laid(&frame(10, 10, [1e-6, 1e-6])), support());
    }

    #[test]
    fn a_mirrored_query_gets_a_mirrored_support() {
        let mut mirrored = frame(12, 8, [2.0, 3.0]);
        mirrored.plane = plane(-1.0);
        let laid = support().laid(&mirrored);
        assert_eq!(extent(&laid), (48.0, [5, 2], [8, 3]));
        let back = laid.laid(&frame(12, 8, [2.0, 3.0]));
        assert_eq!(back, support());
    }
}
