//! WGSL kernels for graphics cards, launched through Burn's cubecl runtime. Each function declines, with `None`, what it
//! does not do.

mod adapter;
mod launch;
mod linear;

pub use adapter::{AdapterClass, assume_class};
pub use linear::linear;

use burn::tensor::Tensor;

/// As [`attention`](super::attention), on a graphics card.
pub fn attention(
    _q: &Tensor<3>,
    _k: &Tensor<3>,
    _v: &Tensor<3>,
    _heads: usize,
) -> Option<Tensor<3>> {
    None
}

/// As [`rope`](super::rope), on a graphics card.
pub fn rope(_x: &Tensor<3>, _table: &Tensor<2>, _turned: usize) -> Option<Tensor<3>> {
    None
}
