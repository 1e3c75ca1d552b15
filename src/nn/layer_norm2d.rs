//! Layer norm over the channels of an NCHW map (`sam2_utils.LayerNorm2d`).

use burn::config::Config;
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, module};

use super::parameter;

/// Creates a [`LayerNorm2d`].
#[derive(Config, Debug)]
pub struct LayerNorm2dConfig {
    /// Channels of the map.
    pub channels: usize,
    /// Added to the variance. Default: 1e-6.
    #[config(default = 1e-6)]
    pub epsilon: f64,
}

/// Normalises every pixel over its channels.
#[derive(Module, Debug)]
pub struct LayerNorm2d {
    /// Scale, `[channels]`.
    pub weight: Param<Tensor<1>>,
    /// Shift, `[channels]`.
    pub bias: Param<Tensor<1>>,
    epsilon: f64,
}

impl LayerNorm2dConfig {
    /// The layer, waiting for a checkpoint.
    pub fn init(&self, device: &Device) -> LayerNorm2d {
        LayerNorm2d {
            weight: parameter([self.channels], device),
            bias: parameter([self.channels], device),
            epsilon: self.epsilon,
        }
    }
}

impl LayerNorm2d {
    /// # Shapes
    /// - input and output `[b, channels, h, w]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let x = x.permute([0, 2, 3, 1]); // [b, h, w, c]
        let x = module::layer_norm(x, self.weight.val(), Some(self.bias.val()), self.epsilon);
        x.permute([0, 3, 1, 2]) // [b, c, h, w]
    }
}
