//! Support set construction: one labelled slice, moved and re-lit at random.
//!
//! An affine map moves picture and mask together; jitter of brightness and contrast touches the picture only. The
//! paper gives no ranges; the defaults are our own choice and every one is an option.

use std::f32::consts::PI;

use super::super::seeded::Seeded;
use crate::volume::{Mask, SliceShape};

/// A labelled slice: 8-bit grey values, row-major, and the object's mask.
#[derive(Clone, Debug, PartialEq)]
pub struct Support {
    /// Grey values, `mask.shape.rows * mask.shape.cols` of them.
    pub grey: Vec<u8>,
    /// The object.
    pub mask: Mask,
}

/// Ranges of the random maps; each is drawn evenly from minus to plus the value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AugmentOptions {
    /// Augmented copies for each query slice (the paper's N_T). 0 leaves the support as it is. Default 2.
    pub per_query: usize,
    /// Degrees. Default 15.
    pub rotation: f32,
    /// Size changes by up to this share. Default 0.1.
    pub scale: f32,
    /// Degrees. Default 5.
    pub shear: f32,
    /// Share of the slice's longer side. Default 0.05.
    pub translation: f32,
    /// Share of full brightness that is added, and by which contrast changes. Default 0.2.
    pub jitter: f32,
    /// Same seed, same supports. Default 0.
    pub seed: u64,
}

impl Default for AugmentOptions {
    fn default() -> Self {
        Self {
            per_query: 2,
            rotation: 15.0,
            scale: 0.1,
            shear: 5.0,
            translation: 0.05,
            jitter: 0.2,
            seed: 0,
        }
    }
}

/// The support and `per_query * queries` augmented copies of it, the original first.
///
/// A copy whose object has left the picture is drawn again, up to ten times, and else is not in the set.
pub fn support_set(support: &Support, queries: usize, options: &AugmentOptions) -> Vec<Support> {
    const TRIES: usize = 10;
    let mut random = Seeded::new(options.seed);
    let mut set = vec![support.clone()];
    for _ in 0..options.per_query * queries {
        let copy = (0..TRIES)
            .map(|_| augmented(support, options, &mut random))
            .find(|copy| !copy.mask.is_empty());
        set.extend(copy);
    }
    set
}

fn augmented(support: &Support, options: &AugmentOptions, random: &mut Seeded) -> Support {
    let shape = support.mask.shape;
    let map = InverseMap::draw(shape, options, random);
    let (brightness, contrast) = (random.around(options.jitter), random.around(options.jitter));
    let lit = |value: f32| {
        let value = (value - 127.5) * (1.0 + contrast) + 127.5 + 255.0 * brightness;
        value.round().clamp(0.0, 255.0) as u8
    };
    let places = || (0..shape.area()).map(|i| map.source([i / shape.cols, i % shape.cols]));
    let grey = places().map(|place| lit(bilinear(&support.grey, shape, place)));
    let inside = places().map(|place| nearest(&support.mask, place));
    Support {
        grey: grey.collect(),
        mask: Mask {
            shape,
            pixels: inside.collect(),
        },
    }
}

/// From a pixel of the copy to its place in the original, in pixels: `matrix (p - centre) + origin`.
struct InverseMap {
    matrix: [[f32; 2]; 2],
    centre: [f32; 2],
    origin: [f32; 2],
}

impl InverseMap {
    fn draw(shape: SliceShape, options: &AugmentOptions, random: &mut Seeded) -> Self {
        let angle = random.around(options.rotation) * PI / 180.0;
        let shear = (random.around(options.shear) * PI / 180.0).tan();
        let scale = 1.0 + random.around(options.scale);
        let side = shape.rows.max(shape.cols) as f32;
        let shift = [
            random.around(options.translation) * side,
            random.around(options.translation) * side,
        ];
        let (sin, cos) = angle.sin_cos();
        // Forward: rotation times shear times scale, on (row, column); this is its inverse.
        let forward = [
            [cos * scale, (cos * shear - sin) * scale],
            [sin * scale, (sin * shear + cos) * scale],
        ];
        let determinant = forward[0][0] * forward[1][1] - forward[0][1] * forward[1][0];
        let matrix = [
            [forward[1][1] / determinant, -forward[0][1] / determinant],
            [-forward[1][0] / determinant, forward[0][0] / determinant],
        ];
        let origin = [(shape.rows - 1) as f32 / 2.0, (shape.cols - 1) as f32 / 2.0];
        let centre = [origin[0] + shift[0], origin[1] + shift[1]];
        Self {
            matrix,
            centre,
            origin,
        }
    }

    fn source(&self, [row, col]: [usize; 2]) -> [f32; 2] {
        let p = [row as f32 - self.centre[0], col as f32 - self.centre[1]];
        let [a, b] = self.matrix;
        [
            a[0] * p[0] + a[1] * p[1] + self.origin[0],
            b[0] * p[0] + b[1] * p[1] + self.origin[1],
        ]
    }
}

/// Grey value between four pixels; black outside.
fn bilinear(grey: &[u8], shape: SliceShape, [row, col]: [f32; 2]) -> f32 {
    let (top, left) = (row.floor(), col.floor());
    let (down, right) = (row - top, col - left);
    let pixel = |r: f32, c: f32| {
        let inside = r >= 0.0 && c >= 0.0 && r < shape.rows as f32 && c < shape.cols as f32;
        match inside {
            true => f32::from(grey[r as usize * shape.cols + c as usize]),
            false => 0.0,
        }
    };
    let upper = pixel(top, left) * (1.0 - right) + pixel(top, left + 1.0) * right;
    let lower = pixel(top + 1.0, left) * (1.0 - right) + pixel(top + 1.0, left + 1.0) * right;
    upper * (1.0 - down) + lower * down
}

/// Whether the nearest pixel is inside the object; nothing is outside the picture.
fn nearest(mask: &Mask, [row, col]: [f32; 2]) -> bool {
    let (r, c) = (row.round(), col.round());
    let shape = mask.shape;
    let inside = r >= 0.0 && c >= 0.0 && r < shape.rows as f32 && c < shape.cols as f32;
    inside && mask.pixels[r as usize * shape.cols + c as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: SliceShape = SliceShape { rows: 40, cols: 30 };

    /// A bright, slightly graded rectangle on black, with its mask.
    fn support() -> Support {
        let inside =
            |i: usize| (10..30).contains(&(i / SHAPE.cols)) && (8..20).contains(&(i % SHAPE.cols));
        let pixels: Vec<bool> = (0..SHAPE.area()).map(inside).collect();
        let grey = pixels
            .iter()
            .enumerate()
            .map(|(i, &p)| if p { 100 + (i % 50) as u8 } else { 0 });
        Support {
            grey: grey.collect(),
            mask: Mask {
                shape: SHAPE,
                pixels,
            },
        }
    }

    fn still() -> AugmentOptions {
        AugmentOptions {
            rotation: 0.0,
            scale: 0.0,
            shear: 0.0,
            translation: 0.0,
            jitter: 0.0,
            ..AugmentOptions::default()
        }
    }

    #[test]
    fn the_set_is_the_original_and_per_query_copies_and_can_be_repeated() {
        let options = AugmentOptions::default();
        let set = support_set(&support(), 5, &options);
        assert_eq!(set.len(), 11);
        assert_eq!(set[0], support());
        assert_eq!(set, support_set(&support(), 5, &options));
        let other = AugmentOptions { seed: 1, ..options };
        assert_ne!(set, support_set(&support(), 5, &other));
        let none = AugmentOptions {
            per_query: 0,
            ..options
        };
        assert_eq!(support_set(&support(), 5, &none), [support()]);
    }

    #[test]
    fn without_ranges_a_copy_is_the_original() {
        let set = support_set(&support(), 1, &still());
        assert_eq!(set, vec![support(); 3]);
    }

    #[test]
    fn jitter_never_touches_the_mask() {
        let options = AugmentOptions {
            jitter: 0.3,
            ..still()
        };
        for copy in &support_set(&support(), 4, &options)[1..] {
            assert_eq!(copy.mask, support().mask);
            assert_ne!(copy.grey, support().grey);
        }
    }

    #[test]
    fn picture_and_mask_move_together() {
        let options = AugmentOptions {
            jitter: 0.0,
            ..AugmentOptions::default()
        };
        for copy in &support_set(&support(), 8, &options)[1..] {
            // The object is the only bright thing: thresholding the picture gives the mask, but for its rim.
            let bright = copy.grey.iter().map(|&g| g > 60);
            let differ = bright
                .zip(&copy.mask.pixels)
                .filter(|(b, m)| b != *m)
                .count();
            assert!(differ <= 70, "{differ} pixels differ");
            let area = copy.mask.area() as f32 / support().mask.area() as f32;
            assert!((0.78..1.24).contains(&area), "the area changes by {area}");
            assert_ne!(copy.mask, support().mask);
        }
    }

    #[test]
    fn an_object_that_leaves_the_picture_is_no_support() {
        let mut corner = support();
        corner.mask.pixels = (0..SHAPE.area()).map(|i| i == 0).collect();
        let options = AugmentOptions {
            translation: 0.5,
            ..still()
        };
        let set = support_set(&corner, 20, &options);
        assert!(set.iter().all(|s| !s.mask.is_empty()));
    }
}
