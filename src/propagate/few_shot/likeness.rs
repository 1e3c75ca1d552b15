//! The two likenesses of pixels that LPIPS is compared with. In: grey values of two squares. Out: a number, larger for
//! more alike.

/// Side of the squares, in pixels.
pub(super) const SIDE: usize = 128;
/// Window of SSIM, in pixels: the 7 x 7 mean of scikit-image's default.
const WINDOW: usize = 7;

/// A square, and what SSIM needs of it alone, once for all comparisons.
#[derive(Debug)]
pub struct Square {
    grey: Vec<f32>,
    /// Mean and sample variance of each window; none when they are not asked for.
    windows: Vec<[f64; 2]>,
}

impl Square {
    /// For [`psnr`]. No pixels at all are a square that is not compared.
    pub(super) fn plain(grey: Vec<f32>) -> Self {
        Self {
            grey,
            windows: Vec::new(),
        }
    }

    /// For [`ssim`].
    pub(super) fn with_windows(grey: Vec<f32>) -> Self {
        let value = |i: usize| f64::from(grey[i]);
        let sums = window_sums(value);
        let squares = window_sums(|i| value(i) * value(i));
        let windows = sums.iter().zip(squares).map(|(sum, squares)| {
            let mean = sum / COUNT;
            [mean, sample(squares, mean * mean)]
        });
        let windows = windows.collect();
        Self { grey, windows }
    }
}

/// Pixels of a window.
const COUNT: f64 = (WINDOW * WINDOW) as f64;

/// Sample variance or covariance of a sum of products.
fn sample(products: f64, product_of_means: f64) -> f64 {
    (products - COUNT * product_of_means) / (COUNT - 1.0)
}

/// Peak signal-to-noise ratio in decibels. Equal pictures get a large finite number, so that they can be compared.
pub(super) fn psnr(a: &Square, b: &Square) -> f32 {
    let pairs = a.grey.iter().zip(&b.grey);
    let squares: f64 = pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum();
    let mean = (squares / a.grey.len() as f64).max(1e-6);
    (10.0 * (255.0 * 255.0 / mean).log10()) as f32
}

/// Mean structural similarity (Wang et al. 2004; 7 x 7 uniform window, K1 0.01, K2 0.03, sample covariance, borders left
/// out, as scikit-image's default), at most 1.
pub(super) fn ssim(a: &Square, b: &Square) -> f32 {
    const C1: f64 = (0.01 * 255.0) * (0.01 * 255.0);
    const C2: f64 = (0.03 * 255.0) * (0.03 * 255.0);
    let products = window_sums(|i| f64::from(a.grey[i]) * f64::from(b.grey[i]));
    let mut total = 0.0;
    for ((products, [ma, va]), [mb, vb]) in products.iter().zip(&a.windows).zip(&b.windows) {
        let cov = sample(*products, ma * mb);
        total +=
            (2.0 * ma * mb + C1) * (2.0 * cov + C2) / ((ma * ma + mb * mb + C1) * (va + vb + C2));
    }
    (total / products.len() as f64) as f32
}

/// Sums over all whole windows of the square, by an integral picture.
fn window_sums(value: impl Fn(usize) -> f64) -> Vec<f64> {
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

    /// The picture that the expected numbers below were computed of, by scikit-image 0.26.
    fn picture(k: usize) -> Vec<f32> {
        let grey = |i: usize| {
            let (r, c) = (i / SIDE, i % SIDE);
            ((r * r / 7 + c * (3 + k) + (r * c) / (11 + k)) % 256) as f32
        };
        (0..SIDE * SIDE).map(grey).collect()
    }

    /// The first picture with brightness added row by row.
    fn lit() -> Vec<f32> {
        let added = |(i, v): (usize, f32)| (v + (i / SIDE * 7 % 23) as f32).min(255.0);
        picture(0).into_iter().enumerate().map(added).collect()
    }

    fn ssim_of(a: &[f32], b: &[f32]) -> f32 {
        let [a, b] = [a, b].map(|grey| Square::with_windows(grey.to_vec()));
        ssim(&a, &b)
    }

    fn psnr_of(a: &[f32], b: &[f32]) -> f32 {
        let [a, b] = [a, b].map(|grey| Square::plain(grey.to_vec()));
        psnr(&a, &b)
    }

    #[test]
    fn both_are_scikit_images() {
        let a = picture(0);
        for (b, similarity, decibels) in [
            (picture(1), 0.471_859_9, 10.011_318),
            (picture(5), 0.083_844_17, 7.809_277),
            (lit(), 0.982_225_3, 26.199_364),
        ] {
            let found = ssim_of(&a, &b);
            assert!(
                (found - similarity).abs() < 1e-5,
                "SSIM {found}, expected {similarity}"
            );
            let found = psnr_of(&a, &b);
            assert!(
                (found - decibels).abs() < 1e-4,
                "PSNR {found}, expected {decibels}"
            );
        }
    }

    #[test]
    fn equal_pictures_are_most_alike() {
        let (a, b) = (picture(0), picture(1));
        assert!((ssim_of(&a, &a) - 1.0).abs() < 1e-6);
        assert!(psnr_of(&a, &a) > psnr_of(&a, &b) && psnr_of(&a, &a).is_finite());
    }
}
