//! Trunk and feature pyramid (`backbones/image_encoder.py`).
//!
//! In: a normalised image; out: features of strides 4, 8 and 16.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::config::Sam2Config;
use super::hieradet::Hiera;
use crate::nn::{Conv2d, conv1x1, upsample_nearest_2x};

/// One lateral connection; a module of its own because Meta's key has a `conv` in it.
#[derive(Module, Debug)]
pub struct Lateral {
    conv: Conv2d,
}

/// Feature pyramid: 1x1 convolutions, with a top-down path into the two deepest levels only.
#[derive(Module, Debug)]
pub struct FpnNeck {
    /// Deepest stage first, as in Meta's code.
    convs: Vec<Lateral>,
}

/// Trunk and neck.
#[derive(Module, Debug)]
pub struct ImageEncoder {
    /// The trunk.
    pub trunk: Hiera,
    neck: FpnNeck,
}

impl ImageEncoder {
    /// The encoder, waiting for a checkpoint.
    pub fn new(config: &Sam2Config, device: &Device) -> Self {
        let lateral = |&c: &usize| Lateral {
            conv: conv1x1(c, config.d_model, device),
        };
        Self {
            trunk: config.trunk.init(device),
            neck: FpnNeck {
                convs: config.trunk.channels().iter().rev().map(lateral).collect(),
            },
        }
    }

    /// # Shapes
    /// - image `[b, 3, s, s]`, pos_embed from [`Hiera::pos_embed`]
    /// - `backbone_fpn`: `[b, d, s / 4, s / 4]`, `[b, d, s / 8, s / 8]`, `[b, d, s / 16, s / 16]`
    pub fn forward(&self, image: Tensor<4>, pos_embed: Tensor<4>) -> [Tensor<4>; 3] {
        self.neck.forward(self.trunk.forward(image, pos_embed))
    }
}

impl FpnNeck {
    fn forward(&self, stages: [Tensor<4>; 4]) -> [Tensor<4>; 3] {
        let [c4, c8, c16, c32] = stages;
        let lateral = |i: usize, x| self.convs[i].conv.forward(x);
        // `scalp: 1`: the deepest level serves the one above it and is then dropped.
        let top = upsample_nearest_2x(lateral(0, c32));
        [lateral(3, c4), lateral(2, c8), lateral(1, c16) + top]
    }
}
