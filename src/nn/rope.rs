//! Axial rotary position encoding (`position_encoding.compute_axial_cis`, `apply_rotary_enc`).
//!
//! Half of the channel pairs turn with the column, half with the row of the token; *adjacent*
//! channels (2j, 2j + 1) form a pair.

use burn::tensor::{Device, Tensor, TensorData};

/// Rotation table of an n x n grid of tokens.
#[derive(Clone, Debug)]
pub struct AxialRope {
    /// Cosine of each pair's angle, for both of its channels: `[1, 1, n * n, d / 2, 1]`.
    cos: Tensor<5>,
    /// Sine, negated for the first channel of a pair: `[1, 1, n * n, d / 2, 2]`.
    sin: Tensor<5>,
}

impl AxialRope {
    /// Table for an `n` x `n` grid and head dimension `dim` (a multiple of 4).
    pub fn new(dim: usize, n: usize, theta: f32, device: &Device) -> Self {
        let quarter = dim / 4;
        let (mut cos, mut sin) = (Vec::new(), Vec::new());
        for token in 0..n * n {
            for pair in 0..2 * quarter {
                let (position, k) = match pair < quarter {
                    true => (token % n, pair),            // column
                    false => (token / n, pair - quarter), // row
                };
                // f32 as in the reference, so that large angles round alike.
                let frequency = 1.0 / theta.powf((4 * k) as f32 / dim as f32);
                let angle = f64::from(position as f32 * frequency);
                cos.push(angle.cos() as f32);
                sin.extend([-angle.sin() as f32, angle.sin() as f32]);
            }
        }
        let table = |data, last| {
            Tensor::from_data(
                TensorData::new(data, [1, 1, n * n, 2 * quarter, last]),
                device,
            )
        };
        Self {
            cos: table(cos, 1),
            sin: table(sin, 2),
        }
    }

    /// Number of tokens in the grid.
    pub fn tokens(&self) -> usize {
        self.cos.dims()[2]
    }

    /// Rotates every token by its place in the grid.
    ///
    /// `x` may hold the grid several times over (memories of several slices, one after the
    /// other): the table is tiled.
    ///
    /// # Shapes
    /// - input and output `[b, heads, repeats * n * n, d]`
    pub fn rotate(&self, x: Tensor<4>) -> Tensor<4> {
        let [b, heads, tokens, d] = x.dims();
        let n = self.tokens();
        assert!(
            tokens.is_multiple_of(n),
            "{tokens} tokens are no whole number of grids of {n}"
        );
        // [b * heads, repeats, n * n, pairs, 2]
        let x = x.reshape([b * heads, tokens / n, n, d / 2, 2]);
        let swapped = x.clone().flip([4]);
        (x * self.cos.clone() + swapped * self.sin.clone()).reshape([b, heads, tokens, d])
    }
}
