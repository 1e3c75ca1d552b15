//! A yes/no picture of one slice. In: pixels in row-major order. Out: the same, with its shape checked.

use super::error::VolumeError;

/// Rows and columns of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SliceShape {
    /// Number of rows: the size of the higher remaining voxel axis.
    pub rows: usize,
    /// Number of columns: the size of the lower remaining voxel axis.
    pub cols: usize,
}

impl SliceShape {
    /// Number of pixels.
    pub fn area(self) -> usize {
        self.rows * self.cols
    }

    /// Pixels of the longer side.
    pub fn longest(self) -> usize {
        self.rows.max(self.cols)
    }
}

/// The pixels of one slice that belong to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    /// Rows and columns.
    pub shape: SliceShape,
    /// Row-major; `true` is inside.
    pub pixels: Vec<bool>,
}

impl Mask {
    /// A mask from row-major pixels.
    ///
    /// # Errors
    /// `WrongLength` unless there are rows x cols pixels.
    pub fn new(shape: SliceShape, pixels: Vec<bool>) -> Result<Self, VolumeError> {
        if pixels.len() != shape.area() {
            return Err(VolumeError::wrong_length(
                "mask",
                shape.area(),
                pixels.len(),
            ));
        }
        Ok(Self { shape, pixels })
    }

    /// Number of pixels inside.
    pub fn area(&self) -> usize {
        self.pixels.iter().filter(|inside| **inside).count()
    }

    /// The share of the slice's pixels that is inside, 0 to 1.
    pub fn share(&self) -> f64 {
        self.area() as f64 / self.shape.area().max(1) as f64
    }

    /// Whether no pixel is inside.
    pub fn is_empty(&self) -> bool {
        !self.pixels.contains(&true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_pixels_and_checks_length() {
        let shape = SliceShape { rows: 2, cols: 3 };
        let mut mask = Mask::new(shape, vec![false; 6]).expect("six pixels");
        assert!(mask.is_empty());
        mask.pixels[4] = true;
        assert_eq!((mask.area(), mask.is_empty()), (1, false));
        assert_eq!(mask.share(), 1.0 / 6.0);
        let error = Mask::new(shape, vec![true; 5]).expect_err("one pixel short");
        assert_eq!(error.to_string(), "mask: expected 6 values, found 5");
    }
}
