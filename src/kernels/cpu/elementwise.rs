//! Functions of single numbers without branches or calls, so that loops over them become vector instructions (128 bits in a
//! browser), and the rows they are applied to.

use burn::tensor::Tensor;

use super::super::Activation;
use super::{for_each_row, owned, tensor};

/// As [`Activation::apply`], in place where nobody else has the tensor; gives it back where it declines.
pub fn activate<const D: usize>(
    x: Tensor<D>,
    activation: Activation,
) -> Result<Tensor<D>, Tensor<D>> {
    let mut x = owned(x)?;
    const CHUNK: usize = 4096;
    for_each_row(x.storage_mut::<f32>(), CHUNK, |_, row| match activation {
        Activation::Relu => row.iter_mut().for_each(|x| *x = relu(*x)),
        Activation::Gelu => row.iter_mut().for_each(|x| *x = gelu(*x)),
    });
    Ok(tensor(x))
}

/// max(x, 0), NaN for NaN.
#[inline(always)]
pub(super) fn relu(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}

/// x Φ(x).
#[inline(always)]
pub(super) fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// The error function, at most 1.5e-7 off: a polynomial near zero, 1 - exp(polynomial) elsewhere. The same as in
/// `gpu/activation.wgsl`.
#[inline(always)]
fn erf(x: f32) -> f32 {
    let t = x.abs();
    let s = x * x;
    let mut far =
        (-1.728_534_7e-5 * t + 3.831_971_3e-4) * s + (-3.883_964_4e-3 * t + 2.425_462_2e-2);
    far = (far * t - 1.067_778_8e-1) * t - 6.348_468_7e-1;
    far = (far * t - 1.287_175_1e-1) * t - t;
    let far = (1.0 - exp(far)).copysign(x);
    let mut near = (-5.967_617e-4 * s + 4.991_194_2e-3) * s - 2.676_813_5e-2;
    near = (near * s + 1.128_199_25e-1) * s - 3.761_253_4e-1;
    near = (near * s + 1.283_791_7e-1) * x + x;
    if t > 0.927_734_4 { far } else { near }
}

/// eˣ, two units in the last place off at most; 0 below -87.3, NaN for NaN.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    /// Adding it leaves the nearest integer in the lowest bits.
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    const LOWEST: f32 = -87.3;
    let clamped = x.clamp(LOWEST, 88.3);
    let rounded = clamped * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = (clamped - n * LN2_HIGH) - n * LN2_LOW; // within ± ln 2 / 2
    let mut p = 1.987_569_1e-4 * r + 1.398_2e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_6e-1;
    p = p * r + 5e-1;
    p = p * r * r + r + 1.0;
    let power = rounded
        .to_bits()
        .wrapping_sub(ROUND.to_bits())
        .wrapping_add(127)
        << 23;
    if x < LOWEST {
        0.0
    } else {
        p * f32::from_bits(power)
    }
}

/// Numbers that are added up side by side.
const LANES: usize = 8;

/// softmax(scale * row), in place.
pub(super) fn softmax(row: &mut [f32], scale: f32) {
    let mut highest = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for (high, x) in highest.iter_mut().zip(chunk) {
            *high = if *x > *high { *x } else { *high };
        }
    }
    let highest = highest
        .iter()
        .chain(rest)
        .copied()
        .fold(f32::NEG_INFINITY, f32::max);
    let mut sums = [0.0; LANES];
    let (chunks, rest) = row.as_chunks_mut::<LANES>();
    for chunk in chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *x = exp((*x - highest) * scale);
            *sum += *x;
        }
    }
    let mut total: f32 = sums.iter().sum();
    for x in rest {
        *x = exp((*x - highest) * scale);
        total += *x;
    }
    let factor = 1.0 / total;
    for x in row {
        *x *= factor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative to the largest number nearby, against double precision.
    #[test]
    fn exponential_is_exact_to_two_units() {
        for i in -87_000..=88_000 {
            let x = i as f32 / 1000.0;
            let exact = f64::from(x).exp();
            let off = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(off <= 2.4e-7, "exp({x}) is {off:e} off");
        }
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-90.0), 0.0);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert!(exp(f32::NAN).is_nan());
    }

    /// Values of erf from Abramowitz and Stegun, table 7.1.
    #[test]
    fn error_function_has_published_values() {
        let table = [
            (0.0, 0.0),
            (0.1, 0.112_462_916),
            (0.5, 0.520_499_9),
            (0.9, 0.796_908_2),
            (0.95, 0.820_890_8),
            (1.5, 0.966_105_16),
            (2.0, 0.995_322_3),
            (3.0, 0.999_977_9),
            (10.0, 1.0),
        ];
        for (x, value) in table {
            assert!((erf(x) - value).abs() <= 1.5e-7, "erf({x}) = {}", erf(x));
            assert_eq!(erf(-x), -erf(x));
        }
        assert!(gelu(f32::NAN).is_nan());
        assert_eq!(gelu(-20.0), 0.0);
    }

    #[test]
    fn softmax_of_any_length_adds_up_to_one() {
        for length in [1, 7, 8, 9, 31] {
            let scores: Vec<f32> = (0..length)
                .map(|i| ((i * 37) % 11) as f32 - 500.0)
                .collect();
            let mut row = scores.clone();
            softmax(&mut row, 0.3);
            let exact: Vec<f64> = scores.iter().map(|s| (f64::from(*s) * 0.3).exp()).collect();
            let total: f64 = exact.iter().sum();
            for (found, exact) in row.iter().zip(exact) {
                assert!((f64::from(*found) - exact / total).abs() < 1e-6);
            }
        }
        let mut row = [f32::NAN, 1.0];
        softmax(&mut row, 1.0);
        assert!(row[0].is_nan());
    }
}
