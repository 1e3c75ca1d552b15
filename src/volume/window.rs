//! Grey values. In: rescaled voxel values (Hounsfield units for CT). Out: 8-bit grey between two bounds.

use super::error::VolumeError;
use super::slices::Volume;

/// The values shown as black and as white; in between grey is linear.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Shown as 0, with everything below.
    pub lo: f32,
    /// Shown as 255, with everything above.
    pub hi: f32,
}

impl Window {
    /// A window from `lo` to `hi`.
    ///
    /// # Errors
    /// `BadWindow` unless both are finite and `lo < hi`.
    pub fn new(lo: f32, hi: f32) -> Result<Self, VolumeError> {
        if lo.is_finite() && hi.is_finite() && lo < hi {
            Ok(Self { lo, hi })
        } else {
            Err(VolumeError::bad_window(lo, hi))
        }
    }

    /// The 0.5 and 99.5 percentiles of a volume, interpolated linearly between voxels. A volume whose
    /// percentiles coincide gets a window one unit wide above them.
    pub fn auto(volume: &Volume) -> Self {
        let mut values = volume.voxels.clone();
        let lo = percentile(&mut values, 0.005);
        let hi = percentile(&mut values, 0.995);
        // An f32 far from zero may swallow a step of one: the next larger number always differs.
        let hi = if hi > lo {
            hi
        } else {
            (lo + 1.0).max(lo.next_up())
        };
        Self { lo, hi }
    }

    /// 255 (v - lo) / (hi - lo), clipped to 0..=255 and rounded, halves to the even number.
    pub fn to_u8(&self, value: f32) -> u8 {
        let (lo, hi) = (f64::from(self.lo), f64::from(self.hi));
        let grey = 255.0 * (f64::from(value) - lo) / (hi - lo);
        grey.clamp(0.0, 255.0).round_ties_even() as u8
    }
}

/// The value below which the fraction `q` of `values` lies; 0 for no values. Reorders `values`.
fn percentile(values: &mut [f32], q: f64) -> f32 {
    let Some(last) = values.len().checked_sub(1) else {
        return 0.0;
    };
    let place = q * last as f64;
    let below = (place.floor() as usize).min(last);
    let (_, &mut low, rest) = values.select_nth_unstable_by(below, f32::total_cmp);
    let high = rest.iter().copied().min_by(f32::total_cmp).unwrap_or(low);
    let (low, high) = (f64::from(low), f64::from(high));
    (low + (high - low) * (place - below as f64)) as f32
}

#[cfg(test)]
mod tests {
    use super::super::{Affine, Grid, Millimetre};
    use super::*;

    fn volume(voxels: Vec<f32>) -> Volume {
        let affine = Affine::diagonal([Millimetre(1.0); 3]);
        let grid = Grid::new([voxels.len(), 1, 1], affine).expect("a valid grid");
        Volume::new(voxels, grid).expect("as many values as voxels")
    }

    #[test]
    fn percentiles_are_interpolated() {
        let window = Window::auto(&volume((0..=1000).rev().map(|v| v as f32).collect()));
        assert_eq!((window.lo, window.hi), (5.0, 995.0));
        let window = Window::auto(&volume(vec![0.0, 100.0]));
        assert_eq!((window.lo, window.hi), (0.5, 99.5));
    }

    #[test]
    fn a_constant_volume_still_has_a_window() {
        for value in [7.0, 3.0e9, -3.0e9] {
            let window = Window::auto(&volume(vec![value; 5]));
            assert!(window.lo == value && window.hi > value);
            assert_eq!(window.to_u8(value), 0);
        }
    }

    #[test]
    fn grey_values_round_to_even_and_clip() {
        let window = Window::new(0.0, 510.0).expect("a valid window");
        let grey: Vec<u8> = [-9.0, 0.0, 1.0, 3.0, 5.0, 509.0, 510.0, 1e9]
            .map(|v| window.to_u8(v))
            .to_vec();
        assert_eq!(grey, [0, 0, 0, 2, 2, 254, 255, 255]);
    }

    #[test]
    fn bad_windows_are_refused() {
        for (lo, hi) in [
            (1.0, 1.0),
            (2.0, 1.0),
            (f32::NAN, 1.0),
            (0.0, f32::INFINITY),
        ] {
            assert!(Window::new(lo, hi).is_err());
        }
    }
}
