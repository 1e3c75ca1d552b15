//! Meta's `MLP`: linear layers with an activation between them.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::{Linear, LinearConfig, gelu, relu};

/// What stands between the linear layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// max(x, 0)
    Relu,
    /// x Φ(x), by the error function (not the tanh approximation).
    Gelu,
}

impl Activation {
    /// Applies the activation element by element.
    pub fn apply<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Activation::Relu => relu(x),
            Activation::Gelu => gelu(x),
        }
    }
}

/// Creates an [`Mlp`].
#[derive(Clone, Copy, Debug)]
pub struct MlpConfig {
    /// Width of the input.
    pub d_input: usize,
    /// Width of every layer in between.
    pub d_hidden: usize,
    /// Width of the output.
    pub d_output: usize,
    /// Number of linear layers, at least one.
    pub num_layers: usize,
    /// Between the layers; there is none after the last.
    pub activation: Activation,
}

/// Linear layers with an activation between them.
#[derive(Module, Debug)]
pub struct Mlp {
    /// The linear layers, first to last.
    pub layers: Vec<Linear>,
    #[module(skip)]
    activation: Activation,
}

impl MlpConfig {
    /// The module, waiting for a checkpoint.
    pub fn init(&self, device: &Device) -> Mlp {
        let width = |i: usize| match i {
            0 => self.d_input,
            i if i == self.num_layers => self.d_output,
            _ => self.d_hidden,
        };
        let layers = (0..self.num_layers)
            .map(|i| LinearConfig::new(width(i), width(i + 1)).init(device))
            .collect();
        Mlp {
            layers,
            activation: self.activation,
        }
    }
}

impl Mlp {
    /// # Shapes
    /// - input `[.., d_input]`, output `[.., d_output]`
    pub fn forward<const D: usize>(&self, mut x: Tensor<D>) -> Tensor<D> {
        let last = self.layers.len() - 1;
        for (i, layer) in self.layers.iter().enumerate() {
            x = layer.forward(x);
            if i < last {
                x = self.activation.apply(x);
            }
        }
        x
    }
}
