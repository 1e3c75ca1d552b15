//! Support set construction: a labelled slice, moved and re-lit at random.
//!
//! An affine map moves picture and masks together; jitter of brightness and contrast touches the picture only. The
//! paper gives no ranges; the defaults are our own choice and every one is an option. Its jitter of saturation and hue is
//! nothing here: slices are grey, and grey has neither.

use std::collections::BTreeMap;

use super::support::{GreySlice, Support};
use crate::propagate::seeded::Seeded;
use crate::propagate::{SessionError, SessionErrorKind};
use crate::volume::{Mask, SliceShape};

/// Ranges of the random maps; each is drawn evenly from minus to plus the value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AugmentOptions {
    /// Augmented copies for each query slice (the paper's N_T). 0 leaves the support as it is. Default 2.
    pub per_query: usize,
    /// Degrees. Default 15, at most 180.
    pub rotation: f32,
    /// Size changes by up to this share. Default 0.1, at most 0.9.
    pub scale: f32,
    /// Degrees. Default 5, at most 60.
    pub shear: f32,
    /// Share of the slice's longer side. Default 0.05, at most 1.
    pub translation: f32,
    /// Share of full brightness that is added. Default 0.2, at most 1.
    pub brightness: f32,
    /// Share by which contrast changes, around middle grey. Default 0.2, at most 1.
    pub contrast: f32,
    /// Same seed, same copies. Default 0.
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
            brightness: 0.2,
            contrast: 0.2,
            seed: 0,
        }
    }
}

impl AugmentOptions {
    /// Most copies for each query slice.
    pub const MOST_PER_QUERY: usize = 64;

    /// Checks the ranges.
    ///
    /// # Errors
    /// `SupportOptions` for one that is negative, too large or no number, and for too many copies.
    pub fn check(&self) -> Result<(), SessionError> {
        let refuse = |what| Err(SessionError::new(SessionErrorKind::SupportOptions, what));
        for (name, value, most) in [
            ("rotation", self.rotation, 180.0),
            ("scale", self.scale, 0.9),
            ("shear", self.shear, 60.0),
            ("translation", self.translation, 1.0),
            ("brightness", self.brightness, 1.0),
            ("contrast", self.contrast, 1.0),
        ] {
            if !(0.0..=most).contains(&value) {
                return refuse(format!("{name} is {value}; it takes 0 to {most}"));
            }
        }
        match self.per_query {
            n if n > Self::MOST_PER_QUERY => refuse(format!(
                "{n} copies for each query slice; at most {}",
                Self::MOST_PER_QUERY
            )),
            _ => Ok(()),
        }
    }
}

/// Copy number `copy` of a support; number 0 is the support itself.
///
/// A copy follows from the seed, the support's slice number and its own number alone, so that it is the same whatever
/// else is in the set. A label that the map has moved out of the picture is not on the copy.
pub fn augmented(support: &Support, copy: usize, options: &AugmentOptions) -> Support {
    if copy == 0 {
        return support.clone();
    }
    let mut random = Seeded::of(&[options.seed, support.slice as u64, copy as u64]);
    let shape = support.image.shape;
    let map = InverseMap::draw(shape, options, &mut random);
    let brightness = random.around(options.brightness);
    let contrast = random.around(options.contrast);
    let lit = |value: f32| {
        let value = (value - 127.5) * (1.0 + contrast) + 127.5 + 255.0 * brightness;
        value.round().clamp(0.0, 255.0) as u8
    };
    let places = || (0..shape.area()).map(|i| map.source([i / shape.cols, i % shape.cols]));
    let grey = places().map(|place| lit(bilinear(&support.image.grey, shape, place)));
    let moved = |mask: &Mask| Mask {
        shape,
        pixels: places().map(|place| nearest(mask, place)).collect(),
    };
    let masks = support
        .masks
        .iter()
        .map(|(&label, mask)| (label, moved(mask)));
    let masks: BTreeMap<u16, Mask> = masks.filter(|(_, mask)| !mask.is_empty()).collect();
    Support {
        image: GreySlice {
            grey: grey.collect(),
            shape,
        },
        masks,
        ..*support
    }
}

/// Sine and cosine of degrees by their series. Only additions, multiplications and divisions, whose results IEEE 754
/// fixes: a library's `sin` differs between machines, and with it the copies in a browser from those outside.
fn sin_cos(degrees: f32) -> (f32, f32) {
    const TERMS: u32 = 15; // the rest is below 1e-20 up to half a turn
    let x = f64::from(degrees) * std::f64::consts::PI / 180.0;
    let (mut sin, mut cos, mut term) = (0.0, 0.0, 1.0);
    for n in 0..TERMS {
        let sign = if n % 2 == 0 { 1.0 } else { -1.0 };
        cos += sign * term;
        term *= x / f64::from(2 * n + 1);
        sin += sign * term;
        term *= x / f64::from(2 * n + 2);
    }
    (sin as f32, cos as f32)
}

/// From a pixel of the copy to its place in the original, in pixels: `matrix (p - centre) + origin`.
struct InverseMap {
    matrix: [[f32; 2]; 2],
    centre: [f32; 2],
    origin: [f32; 2],
}

impl InverseMap {
    fn draw(shape: SliceShape, options: &AugmentOptions, random: &mut Seeded) -> Self {
        let (sin, cos) = sin_cos(random.around(options.rotation));
        let shear = sin_cos(random.around(options.shear));
        let shear = shear.0 / shear.1;
        let scale = 1.0 + random.around(options.scale);
        let side = shape.rows.max(shape.cols) as f32;
        let shift = [
            random.around(options.translation) * side,
            random.around(options.translation) * side,
        ];
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
    use crate::volume::{Affine, Grid, Millimetre, SlicePlane, VoxelAxis};

    const SHAPE: SliceShape = SliceShape { rows: 40, cols: 30 };
    const BRIGHT: u16 = 1;
    const CORNER: u16 = 2;

    /// A bright, slightly graded rectangle on black, with its mask; and a mask of the first pixel.
    fn support() -> Support {
        let inside =
            |i: usize| (10..30).contains(&(i / SHAPE.cols)) && (8..20).contains(&(i % SHAPE.cols));
        let bright: Vec<bool> = (0..SHAPE.area()).map(inside).collect();
        let grey = |(i, &inside): (usize, &bool)| if inside { 100 + (i % 50) as u8 } else { 0 };
        let grey = bright.iter().enumerate().map(grey).collect();
        let corner = (0..SHAPE.area()).map(|i| i == 0).collect();
        let grid = Grid::new([30, 40, 1], Affine::diagonal([Millimetre(1.0); 3])).expect("a grid");
        let mask = |pixels| Mask {
            shape: SHAPE,
            pixels,
        };
        Support {
            image: GreySlice { grey, shape: SHAPE },
            masks: BTreeMap::from([(BRIGHT, mask(bright)), (CORNER, mask(corner))]),
            slice: 7,
            plane: SlicePlane::of(&grid, VoxelAxis::K),
            pixel: grid.pixel(VoxelAxis::K),
        }
    }

    fn copies(count: usize, options: &AugmentOptions) -> Vec<Support> {
        let copy = |copy| augmented(&support(), copy, options);
        (1..=count).map(copy).collect()
    }

    fn still() -> AugmentOptions {
        AugmentOptions {
            rotation: 0.0,
            scale: 0.0,
            shear: 0.0,
            translation: 0.0,
            brightness: 0.0,
            contrast: 0.0,
            ..AugmentOptions::default()
        }
    }

    #[test]
    fn copies_differ_and_can_be_repeated() {
        let options = AugmentOptions::default();
        assert_eq!(augmented(&support(), 0, &options), support());
        let set = copies(5, &options);
        for (i, copy) in set.iter().enumerate() {
            assert!(!set[..i].contains(copy), "copy {i} came before");
        }
        assert_eq!(set, copies(5, &options));
        let other = AugmentOptions { seed: 1, ..options };
        assert_ne!(set, copies(5, &other));
        let elsewhere = Support {
            slice: 8,
            ..support()
        };
        assert_ne!(augmented(&elsewhere, 1, &options).image, set[0].image);
    }

    #[test]
    fn a_label_moves_alike_whatever_the_others() {
        let options = AugmentOptions::default();
        let mut alone = support();
        alone.masks.remove(&CORNER);
        for (copy, both) in copies(8, &options).iter().enumerate() {
            let alone = augmented(&alone, copy + 1, &options);
            assert_eq!(alone.masks.get(&BRIGHT), both.masks.get(&BRIGHT));
            assert_eq!(alone.image, both.image);
        }
    }

    #[test]
    fn without_ranges_a_copy_is_the_original() {
        assert_eq!(copies(2, &still()), [support(), support()]);
    }

    #[test]
    fn jitter_never_touches_the_mask() {
        let (mut lit, mut stretched) = (still(), still());
        (lit.brightness, stretched.contrast) = (0.3, 0.3);
        for copy in [copies(4, &lit), copies(4, &stretched)].concat() {
            assert_eq!(copy.masks, support().masks);
            assert_ne!(copy.image, support().image);
        }
    }

    #[test]
    fn brightness_is_added_and_contrast_stretches_around_middle_grey() {
        let original = support().image.grey;
        let inner = |pair: &(&u8, &u8)| (1..255).contains(pair.0) && (1..255).contains(pair.1);
        let pairs = |copy: &Support| -> Vec<(f32, f32)> {
            let pairs = original.iter().zip(&copy.image.grey).filter(inner);
            pairs.map(|(&a, &b)| (f32::from(a), f32::from(b))).collect()
        };
        let (mut lit, mut stretched) = (still(), still());
        (lit.brightness, stretched.contrast) = (0.3, 0.3);
        for copy in copies(4, &lit) {
            let added: Vec<f32> = pairs(&copy).iter().map(|(a, b)| b - a).collect();
            let same = added.iter().all(|d| (d - added[0]).abs() <= 1.0);
            assert!(same && added[0].abs() <= 0.3 * 255.0, "{added:?}");
        }
        for copy in copies(4, &stretched) {
            for (a, b) in pairs(&copy) {
                let (from, to) = (a - 127.5, b - 127.5);
                let rounding = 0.5;
                assert!(from * to > 0.0 || from.abs() < 1.0, "{a} to {b}");
                assert!(
                    (to - from).abs() <= 0.3 * from.abs() + rounding,
                    "{a} to {b}"
                );
            }
        }
    }

    #[test]
    fn picture_and_mask_move_together() {
        let options = AugmentOptions {
            brightness: 0.0,
            contrast: 0.0,
            ..AugmentOptions::default()
        };
        let original = &support().masks[&BRIGHT];
        for copy in copies(8, &options) {
            // The object is the only bright thing: thresholding the picture gives the mask, but for its rim.
            let mask = &copy.masks[&BRIGHT];
            let bright = copy.image.grey.iter().map(|&g| g > 60);
            let differ = bright.zip(&mask.pixels).filter(|(b, m)| b != *m).count();
            assert!(differ <= 70, "{differ} pixels differ");
            let area = mask.area() as f32 / original.area() as f32;
            assert!((0.78..1.24).contains(&area), "the area changes by {area}");
            assert_ne!(mask, original);
        }
    }

    #[test]
    fn a_label_that_leaves_the_picture_is_not_on_the_copy() {
        let options = AugmentOptions {
            translation: 0.1,
            ..still()
        };
        let set = copies(20, &options);
        let with_corner = set.iter().filter(|s| s.masks.contains_key(&CORNER));
        assert!((1..20).contains(&with_corner.count()));
        assert!(set.iter().all(|s| s.masks.contains_key(&BRIGHT)));
        assert!(set.iter().all(|s| s.masks.values().all(|m| !m.is_empty())));
    }

    #[test]
    fn the_series_is_sine_and_cosine() {
        for degrees in [-180.0f32, -97.3, -5.0, 0.0, 15.0, 60.0, 180.0] {
            let (sin, cos) = sin_cos(degrees);
            let expected = f64::from(degrees).to_radians().sin_cos();
            assert!((f64::from(sin) - expected.0).abs() < 1e-7, "{degrees}");
            assert!((f64::from(cos) - expected.1).abs() < 1e-7, "{degrees}");
        }
    }

    #[test]
    fn impossible_ranges_are_refused() {
        assert!(AugmentOptions::default().check().is_ok());
        let bad = |change: fn(&mut AugmentOptions)| {
            let mut options = AugmentOptions::default();
            change(&mut options);
            let error = options.check().expect_err("out of range");
            assert_eq!(error.kind(), SessionErrorKind::SupportOptions);
            error.to_string()
        };
        assert!(bad(|o| o.scale = 1.0).contains("scale is 1; it takes 0 to 0.9"));
        assert!(bad(|o| o.brightness = -0.1).contains("brightness"));
        assert!(bad(|o| o.contrast = 1.5).contains("contrast is 1.5; it takes 0 to 1"));
        assert!(bad(|o| o.rotation = f32::NAN).contains("rotation"));
        assert!(bad(|o| o.per_query = 65).contains("at most 64"));
    }
}
