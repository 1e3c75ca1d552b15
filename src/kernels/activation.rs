//! What stands between linear layers.

use super::cpu;
use burn::tensor::{
    Tensor,
    activation::{gelu, relu},
};

/// An activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// max(x, 0)
    Relu,
    /// x Φ(x), by the error function (not the tanh approximation).
    Gelu,
}

impl Activation {
    /// Applies the activation element by element.
    pub fn apply<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match (cpu::activate(x, self), self) {
            (Ok(y), _) => y,
            (Err(x), Activation::Relu) => relu(x),
            (Err(x), Activation::Gelu) => gelu(x),
        }
    }
}
