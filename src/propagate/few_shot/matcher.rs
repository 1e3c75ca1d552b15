//! Which support a query slice is most like.

use std::cell::Cell;

use crate::propagate::SessionError;
use crate::sam2::resample::{Size, pil_resize};
use crate::volume::SliceShape;

/// A distance between slices. What is costly is done once for each slice, in `features`.
#[expect(
    async_fn_in_trait,
    reason = "never used as a trait object nor across threads"
)]
pub trait Matcher {
    /// What is kept of a slice.
    type Features: Clone;

    /// Prepares a slice of 8-bit grey values.
    fn features(&self, grey: &[u8], shape: SliceShape) -> Self::Features;

    /// Distance of one slice to each of others; smaller is more alike.
    ///
    /// # Errors
    /// When the device fails.
    async fn distances(
        &self,
        query: &Self::Features,
        supports: &[Self::Features],
    ) -> Result<Vec<f32>, SessionError>;
}

/// The baselines compare slices at this side, in pixels.
const SIDE: usize = 128;
/// Window of SSIM, in pixels: the 7 x 7 mean of scikit-image's default.
const WINDOW: usize = 7;

fn square(grey: &[u8], shape: SliceShape) -> Vec<f32> {
    let from = Size {
        rows: shape.rows,
        cols: shape.cols,
    };
    let resized = pil_resize(grey, from, Size::square(SIDE));
    resized.into_iter().map(f32::from).collect()
}

/// Baseline: minus the peak signal-to-noise ratio, in decibels.
#[derive(Debug, Default)]
pub struct Psnr {
    runs: Cell<usize>,
}

/// Baseline: one minus the mean structural similarity (Wang et al. 2004; 7 x 7 uniform window, K1 0.01, K2 0.03,
/// sample covariance, borders left out, as scikit-image's default).
#[derive(Debug, Default)]
pub struct Ssim {
    runs: Cell<usize>,
}

impl Psnr {
    /// How many slices were prepared.
    pub fn runs(&self) -> usize {
        self.runs.get()
    }
}

impl Ssim {
    /// How many slices were prepared.
    pub fn runs(&self) -> usize {
        self.runs.get()
    }
}

impl Matcher for Psnr {
    type Features = Vec<f32>;

    fn features(&self, grey: &[u8], shape: SliceShape) -> Vec<f32> {
        self.runs.set(self.runs.get() + 1);
        square(grey, shape)
    }

    async fn distances(
        &self,
        query: &Vec<f32>,
        supports: &[Vec<f32>],
    ) -> Result<Vec<f32>, SessionError> {
        Ok(supports.iter().map(|s| -psnr(query, s)).collect())
    }
}

impl Matcher for Ssim {
    type Features = Vec<f32>;

    fn features(&self, grey: &[u8], shape: SliceShape) -> Vec<f32> {
        self.runs.set(self.runs.get() + 1);
        square(grey, shape)
    }

    async fn distances(
        &self,
        query: &Vec<f32>,
        supports: &[Vec<f32>],
    ) -> Result<Vec<f32>, SessionError> {
        Ok(supports.iter().map(|s| 1.0 - ssim(query, s)).collect())
    }
}

/// Equal pictures get a large finite number, so that they can be compared.
fn psnr(a: &[f32], b: &[f32]) -> f32 {
    let squares: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    let mean = (squares / a.len() as f64).max(1e-6);
    (10.0 * (255.0 * 255.0 / mean).log10()) as f32
}

fn ssim(a: &[f32], b: &[f32]) -> f32 {
    const C1: f64 = (0.01 * 255.0) * (0.01 * 255.0);
    const C2: f64 = (0.03 * 255.0) * (0.03 * 255.0);
    let count = (WINDOW * WINDOW) as f64;
    let sums = |f: &dyn Fn(usize) -> f64| window_sums(f);
    let (a, b) = (|i: usize| f64::from(a[i]), |i: usize| f64::from(b[i]));
    let (sa, sb) = (sums(&a), sums(&b));
    let (saa, sbb, sab) = (
        sums(&|i| a(i) * a(i)),
        sums(&|i| b(i) * b(i)),
        sums(&|i| a(i) * b(i)),
    );
    let mut total = 0.0;
    for i in 0..sa.len() {
        let (ma, mb) = (sa[i] / count, sb[i] / count);
        let sample = |sum: f64, mean: f64| (sum - count * mean) / (count - 1.0);
        let (va, vb, cov) = (
            sample(saa[i], ma * ma),
            sample(sbb[i], mb * mb),
            sample(sab[i], ma * mb),
        );
        total +=
            (2.0 * ma * mb + C1) * (2.0 * cov + C2) / ((ma * ma + mb * mb + C1) * (va + vb + C2));
    }
    (total / sa.len() as f64) as f32
}

/// Sums over all whole windows of the square, by an integral picture.
fn window_sums(value: &dyn Fn(usize) -> f64) -> Vec<f64> {
    let stride = SIDE + 1;
    let mut integral = vec![0.0; stride * stride];
    for r in 0..SIDE {
        let mut row = 0.0;
        for c in 0..SIDE {
            row += value(r * SIDE + c);
            integral[(r + 1) * stride + c + 1] = integral[r * stride + c + 1] + row;
        }
    }
    let places = SIDE - WINDOW + 1;
    let at = |r: usize, c: usize| integral[r * stride + c];
    let sum = |i: usize| {
        let (r, c) = (i / places, i % places);
        at(r + WINDOW, c + WINDOW) - at(r, c + WINDOW) - at(r + WINDOW, c) + at(r, c)
    };
    (0..places * places).map(sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: SliceShape = SliceShape {
        rows: SIDE,
        cols: SIDE,
    };

    /// The picture that the expected numbers below were computed of, by scikit-image 0.26.
    fn picture(k: usize) -> Vec<u8> {
        (0..SHAPE.area())
            .map(|i| {
                let (r, c) = (i / SIDE, i % SIDE);
                ((r * r / 7 + c * (3 + k) + (r * c) / (11 + k)) % 256) as u8
            })
            .collect()
    }

    fn distance<M: Matcher>(matcher: &M, a: &[u8], b: &[u8]) -> f32 {
        let (a, b) = (matcher.features(a, SHAPE), matcher.features(b, SHAPE));
        let b = [b];
        let distances = matcher.distances(&a, &b);
        pollster::block_on(distances).expect("no device")[0]
    }

    /// Of the first picture with brightness added row by row.
    fn lit() -> Vec<u8> {
        let added = |(i, v): (usize, u8)| v.saturating_add(((i / SIDE * 7) % 23) as u8);
        picture(0).into_iter().enumerate().map(added).collect()
    }

    #[test]
    fn baselines_are_scikit_images() {
        let a = picture(0);
        for (b, similarity, decibels) in [
            (picture(1), 0.471_859_9, 10.011_318),
            (picture(5), 0.083_844_17, 7.809_277),
            (lit(), 0.982_225_3, 26.199_364),
        ] {
            let found = 1.0 - distance(&Ssim::default(), &a, &b);
            assert!(
                (found - similarity).abs() < 1e-5,
                "SSIM {found}, expected {similarity}"
            );
            let found = -distance(&Psnr::default(), &a, &b);
            assert!(
                (found - decibels).abs() < 1e-4,
                "PSNR {found}, expected {decibels}"
            );
        }
    }

    #[test]
    fn equal_slices_are_nearest() {
        let (a, b) = (picture(0), picture(1));
        assert!(distance(&Ssim::default(), &a, &a).abs() < 1e-6);
        assert!(distance(&Psnr::default(), &a, &a) < distance(&Psnr::default(), &a, &b));
        assert!(distance(&Ssim::default(), &a, &a) < distance(&Ssim::default(), &a, &b));
    }
}
