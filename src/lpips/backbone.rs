//! A network's layers, numbered as torchvision numbers them, and the heads of its maps.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use super::image::scaled;
use crate::nn::{MaxPool2d, PackableConv2d, Relu, packable_conv, parameter, relu};

/// Backbone and heads.
#[derive(Module, Debug)]
pub struct Backbone {
    /// All layers up to the last that is compared; a layer's place is its number in its key.
    pub features: Vec<Feature>,
    /// A head for each map.
    pub lins: Vec<Head>,
    pub(super) taps: Vec<usize>,
}

/// One layer.
#[derive(Module, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "a dozen or two of them in a network"
)]
pub enum Feature {
    /// Convolution.
    Conv(PackableConv2d),
    /// SqueezeNet's block.
    Fire(Fire),
    /// Rectifier.
    Relu(Relu),
    /// Maxima.
    Pool(MaxPool2d),
}

/// SqueezeNet's block: few channels, then many by a 1x1 and a 3x3 convolution side by side.
#[derive(Module, Debug)]
pub struct Fire {
    /// 1x1, to few channels.
    pub squeeze: PackableConv2d,
    /// The first half of the result.
    pub expand1x1: PackableConv2d,
    /// The second half.
    pub expand3x3: PackableConv2d,
}

/// What the channels of a map weigh: a 1x1 convolution to one channel, without bias.
#[derive(Module, Debug)]
pub struct Head {
    /// `[1, channels, 1, 1]`, not negative.
    pub weight: Param<Tensor<4>>,
}

impl Head {
    pub(super) fn new(channels: usize, device: &Device) -> Self {
        Self {
            weight: parameter([1, channels, 1, 1], device),
        }
    }
}

impl Fire {
    pub(super) fn new(c_in: usize, squeezed: usize, expanded: usize, device: &Device) -> Self {
        Self {
            squeeze: packable_conv([c_in, squeezed], 1, 1, 0, device),
            expand1x1: packable_conv([squeezed, expanded], 1, 1, 0, device),
            expand3x3: packable_conv([squeezed, expanded], 3, 1, 1, device),
        }
    }

    /// # Shapes
    /// - `[b, c_in, h, w]` to `[b, 2 * expanded, h, w]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let x = relu(self.squeeze.forward(x));
        let halves = [&self.expand1x1, &self.expand3x3].map(|conv| relu(conv.forward(x.clone())));
        Tensor::cat(halves.to_vec(), 1)
    }
}

impl Feature {
    /// # Shapes
    /// - `[b, c, h, w]` to a map of the layer's own shape
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Feature::Conv(conv) => conv.forward(x),
            Feature::Fire(fire) => fire.forward(x),
            Feature::Relu(relu) => relu.forward(x),
            Feature::Pool(pool) => pool.forward(x),
        }
    }
}

impl Backbone {
    /// The maps that are compared, before their normalisation.
    ///
    /// # Shapes
    /// - images `[b, 3, h, w]` in -1..1; map `l` is `[b, c_l, h_l, w_l]`
    pub fn forward(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let mut maps = Vec::with_capacity(self.taps.len());
        let mut x = scaled(images);
        for (number, feature) in self.features.iter().enumerate() {
            x = feature.forward(x);
            if self.taps.contains(&number) {
                maps.push(x.clone());
            }
        }
        maps
    }
}
