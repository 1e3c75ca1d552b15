//! The three resizings that stand around the model, on the host, as PIL and torch do them.
//!
//! In and out: row-major planes. Each is separable: first along rows, then along columns.

/// A row-major plane's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
}

impl Size {
    /// A square.
    pub fn square(side: usize) -> Self {
        Self {
            rows: side,
            cols: side,
        }
    }

    /// Number of pixels.
    pub fn area(self) -> usize {
        self.rows * self.cols
    }
}

/// Source samples and weights of one output sample.
struct Taps<T> {
    first: usize,
    weights: Vec<T>,
}

/// PIL's bicubic filter, a = -0.5.
fn cubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    match x {
        _ if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
        _ if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
        _ => 0.0,
    }
}

/// Fixed-point bits of PIL's 8-bit resampling.
const PRECISION_BITS: u32 = 32 - 8 - 2;

/// PIL's coefficients (`Resample.c`): the filter widens when reducing; 8-bit images use them
/// rounded to fixed point.
fn pil_taps(from: usize, to: usize) -> Vec<Taps<i32>> {
    let scale = from as f64 / to as f64;
    let filter_scale = scale.max(1.0);
    let support = 2.0 * filter_scale;
    let tap = |i: usize| {
        let centre = (i as f64 + 0.5) * scale;
        let first = (centre - support + 0.5).max(0.0) as usize;
        let end = ((centre + support + 0.5) as usize).min(from);
        let weight = |j: usize| cubic((j as f64 - centre + 0.5) * (1.0 / filter_scale));
        let total: f64 = (first..end).map(weight).sum();
        let fixed = |w: f64| {
            let w = w / total * f64::from(1 << PRECISION_BITS);
            (if w < 0.0 { w - 0.5 } else { w + 0.5 }) as i32
        };
        Taps {
            first,
            weights: (first..end).map(weight).map(fixed).collect(),
        }
    };
    (0..to).map(tap).collect()
}

/// PIL `Image.resize` of an 8-bit plane with its default filter (bicubic, antialiased, rounded
/// to 8 bits after each direction), bit for bit.
pub fn pil_resize(plane: &[u8], from: Size, to: Size) -> Vec<u8> {
    let wide = match from.cols == to.cols {
        true => plane.to_vec(),
        false => {
            let taps = pil_taps(from.cols, to.cols);
            let mut out = Vec::with_capacity(from.rows * to.cols);
            for row in plane.chunks_exact(from.cols) {
                out.extend(taps.iter().map(|tap| {
                    let values = row[tap.first..].iter();
                    fixed_sum(values.copied(), &tap.weights)
                }));
            }
            out
        }
    };
    if from.rows == to.rows {
        return wide;
    }
    let mut out = Vec::with_capacity(to.area());
    for tap in pil_taps(from.rows, to.rows) {
        let rows = &wide[tap.first * to.cols..];
        for col in 0..to.cols {
            let values = rows[col..].iter().step_by(to.cols);
            out.push(fixed_sum(values.copied(), &tap.weights));
        }
    }
    out
}

fn fixed_sum(values: impl Iterator<Item = u8>, weights: &[i32]) -> u8 {
    let half = 1 << (PRECISION_BITS - 1);
    let sum = values
        .zip(weights)
        .fold(half, |sum, (v, w)| sum + i32::from(v) * w);
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}

/// torch's coefficients for an antialiased bilinear (triangle) filter, in f32.
fn triangle_taps(from: usize, to: usize) -> Vec<Taps<f32>> {
    let scale = from as f32 / to as f32;
    let support = scale.max(1.0);
    let inverse = if scale >= 1.0 { 1.0 / scale } else { 1.0 };
    let tap = |i: usize| {
        let centre = scale * (i as f32 + 0.5);
        let first = (centre - support + 0.5).max(0.0) as usize;
        let end = ((centre + support + 0.5) as usize).min(from);
        let weight = |j: usize| (1.0 - ((j as f32 - centre + 0.5) * inverse).abs()).max(0.0);
        let weights: Vec<f32> = (first..end).map(weight).collect();
        let total: f32 = weights.iter().sum();
        Taps {
            first,
            weights: weights.into_iter().map(|w| w / total).collect(),
        }
    };
    (0..to).map(tap).collect()
}

/// torch's two taps for a plain bilinear resize with `align_corners=False`.
fn bilinear_taps(from: usize, to: usize) -> Vec<Taps<f32>> {
    let scale = from as f32 / to as f32;
    let tap = |i: usize| {
        let source = (scale * (i as f32 + 0.5) - 0.5).max(0.0);
        let first = (source as usize).min(from - 1);
        let t = source - first as f32;
        let weights = if first + 1 < from {
            vec![1.0 - t, t]
        } else {
            vec![1.0]
        };
        Taps { first, weights }
    };
    (0..to).map(tap).collect()
}

/// `F.interpolate(.., mode="bilinear", antialias=True)`.
pub fn bilinear_antialias(plane: &[f32], from: Size, to: Size) -> Vec<f32> {
    separable(plane, from, to, triangle_taps)
}

/// `F.interpolate(.., mode="bilinear", align_corners=False)`.
pub fn bilinear(plane: &[f32], from: Size, to: Size) -> Vec<f32> {
    separable(plane, from, to, bilinear_taps)
}

fn separable(
    plane: &[f32],
    from: Size,
    to: Size,
    taps: fn(usize, usize) -> Vec<Taps<f32>>,
) -> Vec<f32> {
    let across = taps(from.cols, to.cols);
    let mut wide = Vec::with_capacity(from.rows * to.cols);
    for row in plane.chunks_exact(from.cols) {
        wide.extend(
            across
                .iter()
                .map(|tap| weighted(row[tap.first..].iter(), &tap.weights)),
        );
    }
    let mut out = Vec::with_capacity(to.area());
    for tap in taps(from.rows, to.rows) {
        let rows = &wide[tap.first * to.cols..];
        for col in 0..to.cols {
            out.push(weighted(rows[col..].iter().step_by(to.cols), &tap.weights));
        }
    }
    out
}

fn weighted<'a>(values: impl Iterator<Item = &'a f32>, weights: &[f32]) -> f32 {
    values.zip(weights).fold(0.0, |sum, (v, w)| sum + v * w)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_plane_stays_constant() {
        let (from, to) = (Size { rows: 7, cols: 13 }, Size { rows: 16, cols: 5 });
        assert!(pil_resize(&[77; 91], from, to).iter().all(|&v| v == 77));
        for resized in [
            bilinear(&[0.5; 91], from, to),
            bilinear_antialias(&[0.5; 91], from, to),
        ] {
            assert_eq!(resized.len(), to.area());
            assert!(resized.iter().all(|v| (v - 0.5).abs() < 1e-6));
        }
    }

    #[test]
    fn the_same_size_changes_nothing() {
        let size = Size { rows: 3, cols: 4 };
        let plane: Vec<f32> = (0..12).map(|v| v as f32).collect();
        assert_eq!(bilinear(&plane, size, size), plane);
        assert_eq!(bilinear_antialias(&plane, size, size), plane);
    }

    #[test]
    fn a_single_row_is_enough() {
        let (from, to) = (Size { rows: 1, cols: 2 }, Size { rows: 2, cols: 4 });
        let resized = bilinear(&[0.0, 1.0], from, to);
        assert_eq!(resized, [0.0, 0.25, 0.75, 1.0, 0.0, 0.25, 0.75, 1.0]);
    }
}
