//! The operations a slice's time goes to: fused, and with weights that stay packed in memory.
//!
//! In: tensors; out: tensors. Each operation has one door here, which chooses by the tensor's device: our
//! WGSL kernel on a graphics card ([`gpu`]), Burn's own operations ([`stock`]) on the CPU and wherever ours decline. Both
//! give the same result; `tests/kernels` compares them.

mod activation;
pub mod gpu;
pub mod packed;
pub mod stock;

pub use activation::Activation;
pub use packed::{Bits, Packed, PackedWeight, pack};

use burn::tensor::Tensor;

/// Weight of a linear layer.
#[allow(
    clippy::large_enum_variant,
    reason = "short-lived handles, made anew for each call"
)]
#[derive(Clone, Debug)]
pub enum Weight {
    /// `[d_input, d_output]`, f32.
    Dense(Tensor<2>),
    /// As few bits as the checkpoint has; never unpacked into memory.
    Packed(PackedWeight),
}

/// What a linear layer does besides the product: `activation(x W + bias) + residual`.
#[derive(Clone, Debug, Default)]
pub struct Epilogue {
    /// `[d_output]`.
    pub bias: Option<Tensor<1>>,
    /// Applied before the residual is added.
    pub activation: Option<Activation>,
    /// `[rows, d_output]`.
    pub residual: Option<Tensor<2>>,
}

/// `activation(x W + bias) + residual`.
///
/// # Shapes
/// - x `[rows, d_input]`, result `[rows, d_output]`
pub fn linear(x: Tensor<2>, weight: &Weight, epilogue: Epilogue) -> Tensor<2> {
    if let Some(y) = gpu::linear(&x, weight, &epilogue) {
        return y;
    }
    stock::linear(x, weight, epilogue)
}

/// softmax(q kᵀ / sqrt(d)) v for every head, without mask. Heads lie side by side in the last axis.
///
/// # Shapes
/// - q `[b, n_q, heads * d]`, k and v `[b, n_k, heads * d]`, result `[b, n_q, heads * d]`
pub fn attention(q: Tensor<3>, k: Tensor<3>, v: Tensor<3>, heads: usize) -> Tensor<3> {
    if let Some(y) = gpu::attention(&q, &k, &v, heads) {
        return y;
    }
    stock::attention(q, k, v, heads)
}

/// Turns each adjacent channel pair of the first `turned` tokens by its angle; the others pass.
/// The table is used over and over where there are more tokens than it has.
///
/// # Shapes
/// - x `[b, tokens, c]`, table `[n, c]`: cosine and sine of each pair, alternating
pub fn rope(x: Tensor<3>, table: &Tensor<2>, turned: usize) -> Tensor<3> {
    if let Some(y) = gpu::rope(&x, table, turned) {
        return y;
    }
    stock::rope(x, table, turned)
}
