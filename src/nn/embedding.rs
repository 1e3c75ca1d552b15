//! Learnt vectors, with torch's shape and key of `nn.Embedding`.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use super::parameter;

/// A table of vectors.
#[derive(Module, Debug)]
pub struct Embedding {
    /// `[count, dim]`.
    pub weight: Param<Tensor<2>>,
}

impl Embedding {
    /// The table, waiting for a checkpoint.
    pub fn new(count: usize, dim: usize, device: &Device) -> Self {
        Self {
            weight: parameter([count, dim], device),
        }
    }
}
