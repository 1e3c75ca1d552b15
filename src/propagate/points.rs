//! Points and a box on a slice as a person gives them. In: slice pixels; out: the model's points, or what is wrong.

use super::error::{SessionError, SessionErrorKind};
use crate::sam2::{ImageSize, ModelPoint, PointLabel};
use crate::volume::SliceShape;

/// A place on a slice, in its pixels: pixel 3 of row 5 is at column 3.0 and row 5.0, as in Meta's code.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlicePoint {
    /// From the left, 0 to the number of columns.
    pub col: f32,
    /// From the top, 0 to the number of rows.
    pub row: f32,
}

/// A click.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Click {
    /// Where.
    pub at: SlicePoint,
    /// Whether the object is there, or is not.
    pub include: bool,
}

/// Where an object is and where it is not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PointPrompt {
    /// In the order they were given.
    pub clicks: Vec<Click>,
    /// Any two opposite corners of a box around the object.
    pub corners: Option<[SlicePoint; 2]>,
}

impl SlicePoint {
    /// The place is on a slice of this shape.
    pub(super) fn check(self, shape: SliceShape) -> Result<(), SessionError> {
        // Not a number lies in no range.
        let within = |value: f32, size: usize| (0.0..=size as f32).contains(&value);
        if within(self.col, shape.cols) && within(self.row, shape.rows) {
            return Ok(());
        }
        let (Self { col, row }, SliceShape { rows, cols }) = (self, shape);
        let what = format!("point {col},{row} is not on a slice of {cols} columns and {rows} rows");
        Err(SessionError::new(SessionErrorKind::Point, what))
    }

    /// Of the squares that a slice is cut into, so many along each side and counted row by row, the one with this place.
    pub(super) fn square(self, shape: SliceShape, side: usize) -> usize {
        let along = |value: f32, size: usize| {
            let square = (value / size as f32 * side as f32) as usize;
            square.min(side - 1)
        };
        along(self.row, shape.rows) * side + along(self.col, shape.cols)
    }

    fn on_model(self, shape: SliceShape, size: ImageSize, label: PointLabel) -> ModelPoint {
        let s = size.pixels() as f32;
        ModelPoint {
            x: self.col / shape.cols as f32 * s,
            y: self.row / shape.rows as f32 * s,
            label,
        }
    }
}

impl PointPrompt {
    /// All places are on a slice of this shape, and there is one.
    pub(super) fn check(&self, shape: SliceShape) -> Result<(), SessionError> {
        if self.clicks.is_empty() && self.corners.is_none() {
            let what = "there is neither a point nor a box";
            return Err(SessionError::new(SessionErrorKind::Point, what));
        }
        let clicks = self.clicks.iter().map(|click| click.at);
        let mut places = clicks.chain(self.corners.into_iter().flatten());
        places.try_for_each(|at| at.check(shape))
    }

    /// The box's top-left and bottom-right corners, if there is one, then the clicks.
    pub fn on_model(&self, shape: SliceShape, size: ImageSize) -> Vec<ModelPoint> {
        let corners = self.corners.into_iter().flat_map(|[a, b]| {
            let corner = |pick: fn(f32, f32) -> f32, label| {
                let at = SlicePoint {
                    col: pick(a.col, b.col),
                    row: pick(a.row, b.row),
                };
                at.on_model(shape, size, label)
            };
            [
                corner(f32::min, PointLabel::BoxTopLeft),
                corner(f32::max, PointLabel::BoxBottomRight),
            ]
        });
        let clicks = self.clicks.iter().map(|click| {
            let label = match click.include {
                true => PointLabel::Include,
                false => PointLabel::Exclude,
            };
            click.at.on_model(shape, size, label)
        });
        corners.chain(clicks).collect()
    }

    /// Whether this is `earlier` and at least one click more.
    pub(super) fn continues(&self, earlier: &Self) -> bool {
        self.corners == earlier.corners
            && self.clicks.len() > earlier.clicks.len()
            && self.clicks.starts_with(&earlier.clicks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: SliceShape = SliceShape { rows: 10, cols: 20 };

    fn at(col: f32, row: f32) -> SlicePoint {
        SlicePoint { col, row }
    }

    fn clicks(at: &[SlicePoint]) -> Vec<Click> {
        let click = |&at: &SlicePoint| Click { at, include: true };
        at.iter().map(click).collect()
    }

    #[test]
    fn a_box_comes_first_whichever_corners_were_given() {
        let mut prompt = PointPrompt {
            clicks: clicks(&[at(5.0, 5.0)]),
            corners: Some([at(10.0, 2.0), at(0.0, 10.0)]),
        };
        prompt.clicks[0].include = false;
        let point = |x, y, label| ModelPoint { x, y, label };
        let expected = [
            point(0.0, 25.6, PointLabel::BoxTopLeft),
            point(64.0, 128.0, PointLabel::BoxBottomRight),
            point(32.0, 64.0, PointLabel::Exclude),
        ];
        let size = ImageSize::new(128).unwrap();
        assert_eq!(prompt.on_model(SHAPE, size), expected);
    }

    #[test]
    fn points_beyond_the_slice_are_refused() {
        let check = |at| {
            let prompt = PointPrompt {
                clicks: clicks(&[at]),
                corners: None,
            };
            prompt.check(SHAPE).map_err(|e| e.to_string())
        };
        assert_eq!(check(at(0.0, 0.0)), Ok(()));
        assert_eq!(check(at(20.0, 10.0)), Ok(()));
        for (col, row) in [
            (20.5, 3.0),
            (3.0, -0.5),
            (f32::NAN, 3.0),
            (3.0, f32::INFINITY),
        ] {
            let message = check(at(col, row)).unwrap_err();
            assert!(message.contains("20 columns and 10 rows"), "{message}");
        }
        let corner = PointPrompt {
            clicks: Vec::new(),
            corners: Some([at(1.0, 1.0), at(1.0, 11.0)]),
        };
        assert_eq!(
            corner.check(SHAPE).unwrap_err().kind(),
            SessionErrorKind::Point
        );
        let nothing = PointPrompt::default().check(SHAPE).unwrap_err();
        assert!(nothing.to_string().contains("neither a point nor a box"));
    }

    #[test]
    fn squares_are_counted_row_by_row() {
        for (place, square) in [
            (at(0.0, 0.0), 0),
            (at(5.0, 0.0), 1),
            (at(19.9, 2.5), 7),
            (at(20.0, 10.0), 15),
        ] {
            assert_eq!(place.square(SHAPE, 4), square, "{place:?}");
        }
    }

    #[test]
    fn a_prompt_is_continued_by_more_clicks_only() {
        let prompt = |at: &[SlicePoint]| PointPrompt {
            clicks: clicks(at),
            corners: None,
        };
        let [a, b, c] = [at(1.0, 1.0), at(2.0, 2.0), at(3.0, 3.0)];
        assert!(prompt(&[a, b]).continues(&prompt(&[a])));
        assert!(prompt(&[a, b, c]).continues(&prompt(&[a])));
        assert!(!prompt(&[a, b]).continues(&prompt(&[a, b])));
        assert!(!prompt(&[a, c, b]).continues(&prompt(&[a, b])));
        let mut boxed = prompt(&[a, b]);
        boxed.corners = Some([a, b]);
        assert!(!boxed.continues(&prompt(&[a])));
    }
}
