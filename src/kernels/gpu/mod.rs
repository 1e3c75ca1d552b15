//! WGSL kernels for graphics cards, launched through Burn's cubecl runtime. Each function declines, with `None`, what it
//! does not do.

mod adapter;
mod attention;
mod launch;
mod rope;
mod view;

pub use adapter::{AdapterClass, assume_class};
pub use attention::attention;
pub use rope::rope;

use burn::tensor::Tensor;

use super::{Epilogue, Weight};

/// As [`linear`](super::linear), on a graphics card.
pub fn linear(_x: &Tensor<2>, _weight: &Weight, _epilogue: &Epilogue) -> Option<Tensor<2>> {
    None
}
