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

use burn::tensor::{Int, Tensor};

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
    let half = |shift: i32| {
        let bits = words.clone().bitwise_right_shift_scalar(shift);
        let exponent = bits.clone().bitwise_right_shift_scalar(10);
        let exponent = exponent.bitwise_and_scalar(31).float();
        let mantissa = bits.clone().bitwise_and_scalar(1023).float();
        let negative = bits.bitwise_right_shift_scalar(15).bitwise_and_scalar(1);
        let subnormal = exponent.clone().equal_elem(0.0);
        let power = (exponent.clone().clamp_min(1.0) - 25.0) * std::f32::consts::LN_2;
        let whole = mantissa.clone() + 1024.0;
        let value = whole.mask_where(subnormal, mantissa) * power.exp();
        let sign = negative.float() * -2.0 + 1.0;
        (value * sign).unsqueeze_dim::<4>(3) // [row block, column block, word, 1]
    };
    // The two halves of a word are neighbouring columns; two words make a row.
    let values = Tensor::cat(vec![half(0), half(16)], 3);
    values.reshape([row_blocks, col_blocks, 1, 2, 4])
}
