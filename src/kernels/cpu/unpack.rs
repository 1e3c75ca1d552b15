//! Packed weights to floats, row by row, in the order of their words (see [`packed`](super::super::packed)).

use burn::tensor::{DType, Int, Tensor};
use burn_flex::{Flex, FlexTensor};
use half::f16;

use super::super::{Bits, PackedWeight};
use super::{flex, for_each_row, from_values};

/// As [`PackedWeight::unpack`].
pub fn unpack(weight: &PackedWeight) -> Option<Tensor<2>> {
    let (rows, columns) = (weight.d_input(), weight.d_output());
    let words = flex_words(&weight.words)?;
    let scales = flex(&weight.scales)?.to_contiguous();
    let (words, scales) = (words.storage::<i32>(), scales.storage::<f32>());
    let group = rows * columns / scales.len();
    // Rows that share their words.
    let block = match weight.bits {
        Bits::F16 => 2,
        Bits::Int8 => 4,
        Bits::Int4 => 8,
    };
    let block_words = words.len() * block / rows;
    let mut values = vec![0.0; rows * columns];
    for_each_row(&mut values, block * columns, |i, values| {
        let words = &words[i * block_words..][..block_words];
        let scales = match weight.bits {
            Bits::F16 => &[],
            _ => &scales[i * block / group * columns..][..columns],
        };
        for (r, row) in values.chunks_mut(columns).enumerate() {
            match weight.bits {
                Bits::F16 => halves(row, words, r),
                Bits::Int8 => bytes(row, words, scales, r),
                Bits::Int4 => nibbles(row, words, scales, r),
            }
        }
    });
    Some(from_values(values, [rows, columns]))
}

fn flex_words(words: &Tensor<2, Int>) -> Option<FlexTensor> {
    let flex: FlexTensor = words.clone().try_into_primitive::<Flex>().ok()?;
    (flex.dtype() == DType::I32).then(|| flex.to_contiguous())
}

/// Row `r` of 4: a word has four columns of one row, four words have four rows.
fn bytes(row: &mut [f32], words: &[i32], scales: &[f32], r: usize) {
    let (quads, _) = row.as_chunks_mut::<4>();
    let (words, _) = words.as_chunks::<4>();
    let (scales, _) = scales.as_chunks::<4>();
    for ((quad, words), scales) in quads.iter_mut().zip(words).zip(scales) {
        let word = words[r];
        for j in 0..4 {
            quad[j] = (word << (24 - 8 * j) >> 24) as f32 * scales[j];
        }
    }
}

/// Row `r` of 8: a byte has one column of two rows, a word four columns, four words eight rows.
fn nibbles(row: &mut [f32], words: &[i32], scales: &[f32], r: usize) {
    let (quads, _) = row.as_chunks_mut::<4>();
    let (words, _) = words.as_chunks::<4>();
    let (scales, _) = scales.as_chunks::<4>();
    let up = 28 - 4 * (r as i32 % 2);
    for ((quad, words), scales) in quads.iter_mut().zip(words).zip(scales) {
        let word = words[r / 2];
        for j in 0..4 {
            quad[j] = (word << (up - 8 * j as i32) >> 28) as f32 * scales[j];
        }
    }
}

/// Row `r` of 2: a word has two columns, two words a row.
fn halves(row: &mut [f32], words: &[i32], r: usize) {
    let (quads, _) = row.as_chunks_mut::<4>();
    let (words, _) = words.as_chunks::<4>();
    for (quad, words) in quads.iter_mut().zip(words) {
        for j in 0..4 {
            let word = words[2 * r + j / 2];
            quad[j] = f16::from_bits((word >> (16 * (j % 2))) as u16).to_f32();
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::super::super::packed::pack;
    use super::*;

    #[test]
    fn every_scheme_is_as_by_tensor_operations() {
        let (rows, columns) = (64, 12);
        let values: Vec<f32> = (0..rows * columns)
            .map(|i| (i as f32 * 0.731).sin())
            .collect();
        for (bits, group) in [
            (Bits::F16, rows),
            (Bits::Int8, rows),
            (Bits::Int8, 32),
            (Bits::Int4, 32),
            (Bits::Int4, 64),
        ] {
            let packed = pack(&values, columns, bits, group).upload(bits, columns, &Device::flex());
            let found = unpack(&packed).expect("on the processor").into_data();
            assert_eq!(found, packed.unpack().into_data(), "{bits:?} by {group}");
        }
    }
}
