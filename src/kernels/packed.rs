//! Weights in few bits: the layout in memory and on disk, and the reference that unpacks them.
//!
//! A weight `[d_input, d_output]` is cut into blocks of four columns and as many rows as fill four 32-bit
//! words: 2 rows at 16 bits, 4 at 8, 8 at 4. A block is one 128-bit load for a thread that computes four
//! columns. `words` is `[d_input * bits / 32, d_output]`, row `r` holding the blocks of rows `r * 32 / bits`
//! and on, block after block along the columns:
//!
//! - 8 bits: word `i` of a block is row `i`; byte `j` is column `j`, two's complement, -127 to 127.
//! - 4 bits: word `i` is rows `2i` (low nibbles) and `2i + 1` (high nibbles); byte `j` is column `j`; -7 to 7.
//! - 16 bits: words 0 and 1 are row 0, columns 0 and 1, then 2 and 3; words 2 and 3 are row 1. IEEE half.
//!
//! `scales` is `[groups, d_output]`: rows `g * d_input / groups` and on of column `c` are multiplied by
//! `scales[g][c]`. Half floats have none (one group of ones is not stored).

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use half::f16;

/// Rows of a group of scales are a multiple of this, and so is `d_input` of a packed weight.
pub const GROUP_UNIT: usize = 32;

/// Bits of one weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bits {
    /// Half float.
    F16,
    /// -127 to 127.
    Int8,
    /// -7 to 7.
    Int4,
}

impl Bits {
    /// How many.
    pub fn count(self) -> usize {
        match self {
            Bits::F16 => 16,
            Bits::Int8 => 8,
            Bits::Int4 => 4,
        }
    }

    /// From their number.
    pub fn from_count(count: usize) -> Option<Self> {
        match count {
            16 => Some(Bits::F16),
            8 => Some(Bits::Int8),
            4 => Some(Bits::Int4),
            _ => None,
        }
    }
}

/// A packed weight `[d_input, d_output]` on a device.
#[derive(Clone, Debug)]
pub struct PackedWeight {
    /// Bit patterns of the words, `[d_input * bits / 32, d_output]`, 32-bit integers.
    pub words: Tensor<2, Int>,
    /// `[groups, d_output]`, f32; one row of ones for half floats.
    pub scales: Tensor<2>,
    /// Bits of one weight.
    pub bits: Bits,
}

impl PackedWeight {
    /// Rows of the weight.
    pub fn d_input(&self) -> usize {
        self.words.dims()[0] * 32 / self.bits.count()
    }

    /// Columns of the weight.
    pub fn d_output(&self) -> usize {
        self.words.dims()[1]
    }

    /// The weight as floats, `[d_input, d_output]`, by Burn's operations: the reference.
    pub fn unpack(&self) -> Tensor<2> {
        let (rows, cols) = (self.d_input(), self.d_output());
        let per_block = rows / self.words.dims()[0];
        let blocks = [rows / per_block, cols / 4, 4];
        let words = self.words.clone().reshape(blocks);
        // Shift a field to the top, then down again with its sign.
        let field = |shift: i32, bits: i32| {
            let top = words.clone().bitwise_left_shift_scalar(32 - bits - shift);
            top.bitwise_right_shift_scalar(32 - bits).float()
        };
        let values: Tensor<5> = match self.bits {
            Bits::F16 => half_values(words.clone()),
            Bits::Int8 => {
                // [row block, column block, row, column]
                let columns = (0..4).map(|j| field(8 * j, 8).unsqueeze_dim::<4>(3));
                Tensor::cat(columns.collect(), 3).unsqueeze_dim::<5>(3)
            }
            Bits::Int4 => {
                let row = |half: i32| {
                    let columns = (0..4).map(|j| field(8 * j + 4 * half, 4).unsqueeze_dim::<4>(3));
                    Tensor::cat(columns.collect(), 3).unsqueeze_dim::<5>(3)
                };
                Tensor::cat(vec![row(0), row(1)], 3)
            }
        };
        // [row block, column block, word, half, column] to [rows, cols]
        let values = values.permute([0, 2, 3, 1, 4]).reshape([rows, cols]);
        let groups = self.scales.dims()[0];
        let scales = self.scales.clone().reshape([groups, 1, cols]);
        (values.reshape([groups, rows / groups, cols]) * scales).reshape([rows, cols])
    }
}

/// Halves by integer and float arithmetic, `[row block, column block, 1, row, column]`.
fn half_values(words: Tensor<3, Int>) -> Tensor<5> {
    let [row_blocks, col_blocks, _] = words.dims();
    let count = words.shape().num_elements();
    // From a table, because a graphics card's exponential is not exact at powers of two.
    let powers: Vec<f32> = (0..32i32)
        .map(|e| (e.max(1) as f32 - 25.0).exp2())
        .collect();
    let powers = Tensor::<1>::from_floats(powers.as_slice(), &words.device());
    let half = |shift: i32| {
        let bits = words.clone().bitwise_right_shift_scalar(shift);
        let exponent = bits.clone().bitwise_right_shift_scalar(10);
        let exponent = exponent.bitwise_and_scalar(31);
        let power = powers.clone().select(0, exponent.clone().reshape([count]));
        let mantissa = bits.clone().bitwise_and_scalar(1023).float();
        let negative = bits.bitwise_right_shift_scalar(15).bitwise_and_scalar(1);
        let whole = mantissa.clone() + 1024.0;
        let value = whole.mask_where(exponent.equal_elem(0), mantissa);
        let sign = negative.float() * -2.0 + 1.0;
        (value * power.reshape(words.dims()) * sign).unsqueeze_dim::<4>(3) // [row block, column block, word, 1]
    };
    // The two halves of a word are neighbouring columns; two words make a row.
    let values = Tensor::cat(vec![half(0), half(16)], 3);
    values.reshape([row_blocks, col_blocks, 1, 2, 4])
}

/// Words and scales of a weight, as [`PackedWeight`] has them, row after row.
#[derive(Clone, Debug, PartialEq)]
pub struct Packed {
    /// Bit patterns, `[d_input * bits / 32, d_output]`.
    pub words: Vec<i32>,
    /// `[groups, d_output]`, each of them a half float's value.
    pub scales: Vec<f32>,
}

impl Packed {
    /// Brings it to a device.
    pub fn upload(&self, bits: Bits, d_output: usize, device: &Device) -> PackedWeight {
        let shape = |len: usize| [len / d_output, d_output];
        let words = TensorData::new(self.words.clone(), shape(self.words.len()));
        let scales = TensorData::new(self.scales.clone(), shape(self.scales.len()));
        PackedWeight {
            words: Tensor::from_data(words, (device, DType::I32)),
            scales: Tensor::from_data(scales, (device, DType::F32)),
            bits,
        }
    }
}

/// Packs `values`, `[d_input, d_output]` row after row, with a scale for `group_rows` rows of a column. Half floats ignore
/// `group_rows`; they round to even, and what is too large becomes infinite.
///
/// # Panics
/// If a weight of these sizes has no packed form: `d_input` and `group_rows` are multiples of [`GROUP_UNIT`], `d_input`
/// one of `group_rows`, and `d_output` a multiple of 4.
pub fn pack(values: &[f32], d_output: usize, bits: Bits, group_rows: usize) -> Packed {
    let d_input = values.len() / d_output;
    assert!(
        d_input * d_output == values.len()
            && d_output.is_multiple_of(4)
            && d_input.is_multiple_of(GROUP_UNIT),
        "a packed weight has whole blocks"
    );
    if bits == Bits::F16 {
        return pack_half(values, d_output);
    }
    assert!(
        group_rows.is_multiple_of(GROUP_UNIT) && d_input.is_multiple_of(group_rows),
        "a packed weight has whole groups"
    );
    let per_block = 32 / bits.count();
    let mut words = vec![0; d_input / per_block * d_output];
    let mut scales = Vec::with_capacity(d_input / group_rows * d_output);
    let mut column = vec![0.0; group_rows];
    for first in (0..d_input).step_by(group_rows) {
        for c in 0..d_output {
            for (i, value) in column.iter_mut().enumerate() {
                *value = values[(first + i) * d_output + c];
            }
            let scale = match bits {
                Bits::Int4 => best_scale(&column),
                _ => full_scale(&column, 127.0),
            };
            let scale = half_scale(scale);
            let limit = if bits == Bits::Int4 { 7.0 } else { 127.0 };
            for (i, value) in column.iter().enumerate() {
                let row = first + i;
                let (word, shift) = place(row % per_block, c, bits);
                let block = row / per_block * d_output + c / 4 * 4;
                let field = quantize(*value, scale, limit) as i32 & ((1 << bits.count()) - 1);
                words[block + word] |= field << shift;
            }
            scales.push(scale);
        }
    }
    Packed { words, scales }
}

/// Word of its block and bit of this word where an integer of row `row` of the block begins.
fn place(row: usize, column: usize, bits: Bits) -> (usize, usize) {
    let byte = 8 * (column % 4);
    match bits {
        Bits::Int4 => (row / 2, byte + 4 * (row % 2)),
        _ => (row, byte),
    }
}

fn pack_half(values: &[f32], d_output: usize) -> Packed {
    let mut words = Vec::with_capacity(values.len() / 2);
    let half =
        |row: usize, c: usize| i32::from(f16::from_f32(values[row * d_output + c]).to_bits());
    for row in (0..values.len() / d_output).step_by(2) {
        for c in (0..d_output).step_by(4) {
            for (row, c) in [(row, c), (row, c + 2), (row + 1, c), (row + 1, c + 2)] {
                words.push(half(row, c) | half(row, c + 1) << 16);
            }
        }
    }
    let scales = vec![1.0; d_output];
    Packed { words, scales }
}

fn quantize(value: f32, scale: f32, limit: f32) -> f32 {
    (value / scale).round().clamp(-limit, limit)
}

/// The scale at which the largest value is just representable.
fn full_scale(column: &[f32], limit: f32) -> f32 {
    let largest = column.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    // Zeros have any scale; a subnormal one would divide to infinity.
    match largest / limit {
        scale if scale >= f32::MIN_POSITIVE => scale,
        _ => 1.0,
    }
}

/// The half float next to it, but above zero: files hold scales as halves, and integers are counted with what is stored.
fn half_scale(scale: f32) -> f32 {
    f16::from_f32(scale)
        .clamp(f16::from_bits(1), f16::MAX)
        .to_f32()
}

/// Of some scales that clip the largest values, the one with the least squared error: at 4 bits a finer step for the
/// many is worth more than the few.
fn best_scale(column: &[f32]) -> f32 {
    const LIMIT: f32 = 7.0;
    const STEPS: usize = 20;
    /// The smallest part of the full range tried; normal values in groups of 32 to 256 are best at 0.75 to 0.95.
    const SMALLEST: f32 = 0.6;
    let full = full_scale(column, LIMIT);
    let error = |scale: f32| -> f32 {
        let off = |v: &f32| v - scale * quantize(*v, scale, LIMIT);
        column.iter().map(|v| off(v) * off(v)).sum()
    };
    let candidates = (0..=STEPS).map(|i| full * (1.0 - (1.0 - SMALLEST) * i as f32 / STEPS as f32));
    let scored = candidates.map(|scale| (error(scale), scale));
    let best = scored.min_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or(full, |(_, scale)| scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLS: usize = 12;
    const ROWS: usize = 64;

    /// Of a fixed sequence, between -1 and 1, larger from column to column.
    fn values() -> Vec<f32> {
        let mut state = 1u32;
        let next = |i: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let unit = f64::from(state >> 8) / f64::from(1 << 23) - 1.0;
            unit as f32 * (i % COLS + 1) as f32 / COLS as f32
        };
        (0..ROWS * COLS).map(next).collect()
    }

    fn unpacked(packed: &Packed, bits: Bits) -> Vec<f32> {
        let weight = packed.upload(bits, COLS, &Device::flex());
        assert_eq!([weight.d_input(), weight.d_output()], [ROWS, COLS]);
        weight.unpack().into_data().try_into_vec().unwrap()
    }

    #[test]
    fn integers_come_back_exactly() {
        for (bits, limit) in [(Bits::Int8, 127), (Bits::Int4, 7)] {
            // Every integer, the extremes in every column of every group, and scales that are powers of two.
            let value = |i: usize| {
                let (row, col) = (i / COLS, i % COLS);
                let field = match row % 32 {
                    0 => limit,
                    1 => -limit,
                    _ => (i * 37 % (2 * limit as usize + 1)) as i32 - limit,
                };
                field as f32 * (-((row / 32 + col) as f32)).exp2()
            };
            let values: Vec<f32> = (0..ROWS * COLS).map(value).collect();
            let packed = pack(&values, COLS, bits, 32);
            assert_eq!(packed.scales.len(), 2 * COLS);
            assert_eq!(packed.words.len(), ROWS * COLS * bits.count() / 32);
            assert_eq!(unpacked(&packed, bits), values, "{bits:?}");
        }
    }

    #[test]
    fn halves_come_back_exactly() {
        let edge = [0.0, -0.0, 65504.0, -65504.0, 6.0e-8, -6.0e-8, 6.1e-5, 1.0];
        let mut values = values();
        values[..8].copy_from_slice(&edge);
        let packed = pack(&values, COLS, Bits::F16, ROWS);
        assert_eq!(packed.scales, [1.0; COLS]);
        let expected = values.iter().map(|v| f16::from_f32(*v).to_f32());
        assert_eq!(unpacked(&packed, Bits::F16), expected.collect::<Vec<_>>());
    }

    #[test]
    fn rounding_is_at_most_half_a_step() {
        let values = values();
        for group in [32, 64] {
            let packed = pack(&values, COLS, Bits::Int8, group);
            let found = unpacked(&packed, Bits::Int8);
            for (i, (found, value)) in found.iter().zip(&values).enumerate() {
                let scale = packed.scales[i / COLS / group * COLS + i % COLS];
                assert!(
                    (found - value).abs() <= scale * 0.501,
                    "{i}: {found} {value}"
                );
            }
        }
    }

    #[test]
    fn a_searched_scale_is_better_than_the_full_one() {
        let mut column = [0.1f32; 32];
        column[3] = 1.0;
        for (i, value) in column.iter_mut().enumerate().skip(4) {
            *value = i as f32 / 64.0;
        }
        let error = |scale: f32| -> f32 {
            let off = column.map(|v| (v - scale * quantize(v, scale, 7.0)).powi(2));
            off.iter().sum()
        };
        let (best, full) = (best_scale(&column), full_scale(&column, 7.0));
        assert!(best < full && error(best) < error(full));
    }

    #[test]
    fn zeros_stay_zeros() {
        for bits in [Bits::Int8, Bits::Int4, Bits::F16] {
            let packed = pack(&[0.0; ROWS * COLS], COLS, bits, 32);
            assert!(packed.scales.iter().all(|s| *s == 1.0));
            assert_eq!(unpacked(&packed, bits), [0.0; ROWS * COLS]);
        }
    }
}
