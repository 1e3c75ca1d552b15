//! A frame's features and its mask become a memory (`memory_encoder.py`).

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use super::config::Sam2Config;
use crate::nn::{
    Activation, Conv2d, LayerNorm2d, Linear, LinearConfig, conv, conv1x1, depthwise, parameter,
};

/// One halving of the mask, which quadruples its channels.
#[derive(Module, Debug)]
pub struct MaskDownSamplerStep {
    conv: Conv2d,
    norm: LayerNorm2d,
}

/// Mask of stride 1 to features of stride 16.
#[derive(Module, Debug)]
pub struct MaskDownSampler {
    steps: Vec<MaskDownSamplerStep>,
    out: Conv2d,
}

/// ConvNeXt block.
#[derive(Module, Debug)]
pub struct CXBlock {
    dwconv: Conv2d,
    norm: LayerNorm2d,
    pwconv1: Linear,
    pwconv2: Linear,
    gamma: Param<Tensor<1>>,
}

/// ConvNeXt blocks in a row.
#[derive(Module, Debug)]
pub struct Fuser {
    layers: Vec<CXBlock>,
}

/// The memory encoder.
#[derive(Module, Debug)]
pub struct MemoryEncoder {
    mask_downsampler: MaskDownSampler,
    pix_feat_proj: Conv2d,
    fuser: Fuser,
    out_proj: Conv2d,
}

impl MemoryEncoder {
    /// The encoder, waiting for a checkpoint.
    pub fn new(config: &Sam2Config, device: &Device) -> Self {
        let c = config.d_model;
        let step = |i: u32| MaskDownSamplerStep {
            conv: conv([4_usize.pow(i), 4_usize.pow(i + 1)], 3, 2, 1, device),
            norm: LayerNorm2d::new(4_usize.pow(i + 1), device),
        };
        Self {
            mask_downsampler: MaskDownSampler {
                steps: (0..4).map(step).collect(),
                out: conv1x1(4_usize.pow(4), c, device),
            },
            pix_feat_proj: conv1x1(c, c, device),
            fuser: Fuser {
                layers: (0..2).map(|_| CXBlock::new(c, device)).collect(),
            },
            out_proj: conv1x1(c, config.mem_dim, device),
        }
    }

    /// # Shapes
    /// - pix_feat `[b, c, n, n]`; mask `[b, 1, 16n, 16n]`, already scaled to -10 .. 10
    /// - memory `[b, mem_dim, n, n]`
    pub fn forward(&self, pix_feat: Tensor<4>, mask: Tensor<4>) -> Tensor<4> {
        let mask = self.mask_downsampler.forward(mask);
        let mut x = self.pix_feat_proj.forward(pix_feat) + mask;
        for layer in &self.fuser.layers {
            x = layer.forward(x);
        }
        self.out_proj.forward(x)
    }
}

impl MaskDownSampler {
    fn forward(&self, mut x: Tensor<4>) -> Tensor<4> {
        for step in &self.steps {
            x = step.conv.forward(x);
            x = step.norm.forward_activated(x, Activation::Gelu);
        }
        self.out.forward(x)
    }
}

impl CXBlock {
    fn new(c: usize, device: &Device) -> Self {
        Self {
            dwconv: depthwise(c, 7, device),
            norm: LayerNorm2d::new(c, device),
            pwconv1: LinearConfig::new(c, 4 * c).init(device),
            pwconv2: LinearConfig::new(4 * c, c).init(device),
            gamma: parameter([c], device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let y = self.norm.forward(self.dwconv.forward(x.clone()));
        let y = y.permute([0, 2, 3, 1]); // [b, h, w, c]
        let y = self.pwconv1.forward_activated(y, Activation::Gelu);
        let y = self.pwconv2.forward(y);
        let y = y * self.gamma.val().unsqueeze();
        x + y.permute([0, 3, 1, 2])
    }
}
