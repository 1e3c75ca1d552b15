//! Meta's `MLP`: linear layers with an activation between them.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::{Activation, Linear, LinearConfig};

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
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        self.layers[self.layers.len() - 1].forward(self.hidden(x))
    }

    /// With `residual` added to the result.
    ///
    /// # Shapes
    /// - input `[.., d_input]`, residual and output `[.., d_output]`
    pub fn forward_add<const D: usize>(&self, x: Tensor<D>, residual: Tensor<D>) -> Tensor<D> {
        self.layers[self.layers.len() - 1].forward_add(self.hidden(x), residual)
    }

    /// All layers but the last.
    fn hidden<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let hidden = &self.layers[..self.layers.len() - 1];
        hidden
            .iter()
            .fold(x, |x, layer| layer.forward_activated(x, self.activation))
    }
}
