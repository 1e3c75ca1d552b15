//! Position encodings (`position_encoding.py`, `sam2_utils.get_1d_sine_pe`).
//!
//! The sine encodings are constants, computed on the host; the random one has a stored matrix.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};

use super::config::TEMPERATURE;
use crate::nn::{parameter, product};

/// DETR's sine encoding of an `n` x `n` map (`PositionEmbeddingSine`, normalised): the first
/// half of the channels encodes the row, the second the column; sine and cosine alternate.
///
/// # Shapes
/// - `[1, n * n, dim]`
pub fn position_embedding_sine(dim: usize, n: usize, device: &Device) -> Tensor<3> {
    let half = dim / 2;
    let encode = |position: usize, channel: usize| {
        let scaled = (position + 1) as f32 / (n as f32 + 1e-6) * std::f32::consts::TAU;
        let angle = scaled / frequency_divisor(channel, half);
        if channel.is_multiple_of(2) {
            angle.sin()
        } else {
            angle.cos()
        }
    };
    let mut values = Vec::with_capacity(n * n * dim);
    for token in 0..n * n {
        values.extend((0..half).map(|c| encode(token / n, c)));
        values.extend((0..half).map(|c| encode(token % n, c)));
    }
    Tensor::from_data(TensorData::new(values, [1, n * n, dim]), device)
}

/// Sine encoding of scalar positions, sines first, then cosines (`get_1d_sine_pe`).
///
/// # Shapes
/// - `[positions, dim]`
pub fn get_1d_sine_pe(positions: &[f32], dim: usize, device: &Device) -> Tensor<2> {
    let half = dim / 2;
    let mut values = Vec::with_capacity(positions.len() * dim);
    for &position in positions {
        let angle = |c| position / frequency_divisor(c, half);
        values.extend((0..half).map(|c| angle(c).sin()));
        values.extend((0..half).map(|c| angle(c).cos()));
    }
    Tensor::from_data(TensorData::new(values, [positions.len(), dim]), device)
}

fn frequency_divisor(channel: usize, channels: usize) -> f32 {
    TEMPERATURE.powf((2 * (channel / 2)) as f32 / channels as f32)
}

/// Random Fourier features of points in the unit square (`PositionEmbeddingRandom`).
#[derive(Module, Debug)]
pub struct PositionEmbeddingRandom {
    positional_encoding_gaussian_matrix: Param<Tensor<2>>,
}

impl PositionEmbeddingRandom {
    /// Encoding of `dim` channels, waiting for a checkpoint.
    pub fn new(dim: usize, device: &Device) -> Self {
        Self {
            positional_encoding_gaussian_matrix: parameter([2, dim / 2], device),
        }
    }

    /// Encodes points given as (x, y) in 0 to 1.
    ///
    /// # Shapes
    /// - `[b, points, 2]` to `[b, points, dim]`
    pub fn encode(&self, points: Tensor<3>) -> Tensor<3> {
        let matrix = self.positional_encoding_gaussian_matrix.val();
        let [b, count, _] = points.dims();
        let points = (points * 2.0 - 1.0).reshape([1, b * count, 2]);
        let angles = product(points, matrix.unsqueeze()) * std::f32::consts::TAU;
        let angles = angles.reshape([b as i32, count as i32, -1]); // [b, points, dim / 2]
        Tensor::cat(vec![angles.clone().sin(), angles.cos()], 2)
    }

    /// Encoding of the centres of an `n` x `n` grid.
    ///
    /// # Shapes
    /// - `[1, dim, n, n]`
    pub fn dense(&self, n: usize) -> Tensor<4> {
        let device = self.positional_encoding_gaussian_matrix.val().device();
        let centre = |i: usize| (i as f32 + 0.5) / n as f32;
        let points: Vec<f32> = (0..n * n)
            .flat_map(|token| [centre(token % n), centre(token / n)])
            .collect();
        let points = Tensor::from_data(TensorData::new(points, [1, n * n, 2]), &device);
        let encoded = self.encode(points); // [1, n * n, dim]
        let dim = encoded.dims()[2];
        encoded.swap_dims(1, 2).reshape([1, dim, n, n])
    }
}
