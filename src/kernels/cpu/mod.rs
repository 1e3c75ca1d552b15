//! Loops for Burn's CPU device (flex). Each function declines, with `None`, what it does not do.

use burn::tensor::Tensor;

use super::{Epilogue, Weight};

/// As [`linear`](super::linear), on the CPU.
pub fn linear(_x: &Tensor<2>, _weight: &Weight, _epilogue: &Epilogue) -> Option<Tensor<2>> {
    None
}

/// As [`attention`](super::attention), on the CPU.
pub fn attention(
    _q: &Tensor<3>,
    _k: &Tensor<3>,
    _v: &Tensor<3>,
    _heads: usize,
) -> Option<Tensor<3>> {
    None
}

/// As [`rope`](super::rope), on the CPU.
pub fn rope(_x: &Tensor<3>, _table: &Tensor<2>, _turned: usize) -> Option<Tensor<3>> {
    None
}
