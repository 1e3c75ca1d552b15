//! Axial rotary position encoding (`position_encoding.compute_axial_cis`, `apply_rotary_enc`).
//!
//! Half of the channel pairs turn with the column, half with the row of the token; *adjacent*
//! channels (2j, 2j + 1) form a pair.

use burn::tensor::{Device, Tensor, TensorData};

use crate::kernels;

/// Rotation table of an n x n grid of tokens.
#[derive(Clone, Debug)]
pub struct AxialRope {
    /// Cosine and sine of each pair's angle, alternating: `[n * n, d]`.
    table: Tensor<2>,
}

impl AxialRope {
    /// Table for an `n` x `n` grid and head dimension `dim` (a multiple of 4).
    pub fn new(dim: usize, n: usize, theta: f32, device: &Device) -> Self {
        let quarter = dim / 4;
        let mut table = Vec::with_capacity(n * n * dim);
        for token in 0..n * n {
            for pair in 0..2 * quarter {
                let (position, k) = match pair < quarter {
                    true => (token % n, pair),            // column
                    false => (token / n, pair - quarter), // row
                };
                // f32 as in the reference, so that large angles round alike.
                let frequency = 1.0 / theta.powf((4 * k) as f32 / dim as f32);
                let angle = f64::from(position as f32 * frequency);
                table.extend([angle.cos() as f32, angle.sin() as f32]);
            }
        }
        Self {
            table: Tensor::from_data(TensorData::new(table, [n * n, dim]), device),
        }
    }

    /// Bytes of its table.
    pub fn bytes(&self) -> u64 {
        (self.table.dims().iter().product::<usize>() * size_of::<f32>()) as u64
    }

    /// Number of tokens in the grid.
    pub fn tokens(&self) -> usize {
        self.table.dims()[0]
    }

    /// Rotates every token but the last `excluded` by its place in the grid.
    ///
    /// `x` may hold the grid several times over (memories of several slices, one after the
    /// other): the table is tiled.
    ///
    /// # Shapes
    /// - input and output `[b, repeats * n * n + excluded, d]`
    pub fn rotate(&self, x: Tensor<3>, excluded: usize) -> Tensor<3> {
        let turned = x.dims()[1] - excluded;
        let n = self.tokens();
        assert!(
            turned.is_multiple_of(n),
            "{turned} tokens are no whole number of grids of {n}"
        );
        kernels::rope(x, &self.table, turned)
    }
}
