//! Layer norm over the last axis, and over the channels of a map (`sam2_utils.LayerNorm2d`).

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use super::parameter;
use crate::kernels::{self, Activation, Norm};

/// Normalises the last axis.
#[derive(Module, Debug)]
pub struct LayerNorm {
    /// Scale, `[channels]`.
    pub weight: Param<Tensor<1>>,
    /// Shift, `[channels]`.
    pub bias: Param<Tensor<1>>,
    epsilon: f64,
}

/// Normalises every pixel over its channels.
#[derive(Module, Debug)]
pub struct LayerNorm2d {
    /// Scale, `[channels]`.
    pub weight: Param<Tensor<1>>,
    /// Shift, `[channels]`.
    pub bias: Param<Tensor<1>>,
}

impl LayerNorm {
    /// What torch adds to the variance unless told otherwise.
    pub const EPSILON: f64 = 1e-5;

    /// The layer, waiting for a checkpoint. `epsilon` is added to the variance.
    pub fn new(channels: usize, epsilon: f64, device: &Device) -> Self {
        Self {
            weight: parameter([channels], device),
            bias: parameter([channels], device),
            epsilon,
        }
    }

    /// # Shapes
    /// - input and output `[.., channels]`
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let norm = Norm {
            weight: self.weight.val(),
            bias: self.bias.val(),
            epsilon: self.epsilon,
            activation: None,
        };
        rows(x, norm)
    }
}

impl LayerNorm2d {
    /// Added to the variance.
    const EPSILON: f64 = 1e-6;

    /// The layer, waiting for a checkpoint.
    pub fn new(channels: usize, device: &Device) -> Self {
        Self {
            weight: parameter([channels], device),
            bias: parameter([channels], device),
        }
    }

    /// # Shapes
    /// - input and output `[b, channels, h, w]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.forward_with(x, None)
    }

    /// With an activation after it.
    pub fn forward_activated(&self, x: Tensor<4>, activation: Activation) -> Tensor<4> {
        self.forward_with(x, Some(activation))
    }

    fn forward_with(&self, x: Tensor<4>, activation: Option<Activation>) -> Tensor<4> {
        let norm = Norm {
            weight: self.weight.val(),
            bias: self.bias.val(),
            epsilon: Self::EPSILON,
            activation,
        };
        let x = x.permute([0, 2, 3, 1]); // [b, h, w, c]
        rows(x, norm).permute([0, 3, 1, 2]) // [b, c, h, w]
    }
}

fn rows<const D: usize>(x: Tensor<D>, norm: Norm) -> Tensor<D> {
    let shape = x.dims();
    let rows = shape[..D - 1].iter().product();
    kernels::layer_norm(x.reshape([rows, shape[D - 1]]), norm).reshape(shape)
}
