//! Layers that SAM 2 and LPIPS share and Burn lacks, and the one door to those it has.
//!
//! In: tensors; out: tensors. Knows no scan, no file, no browser and never reads back from the
//! device. Models import their layers from here only, so that a layer can be replaced (by packed
//! weights, by a fused kernel) without a second copy of any model.

mod layer_norm2d;
mod linear;
mod mlp;
mod pool;
mod rope;

pub use crate::kernels::{Activation, attention};
pub use burn::nn::Relu;
pub use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
pub use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
pub use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig};
pub use burn::tensor::activation::{gelu, relu, sigmoid};
pub use layer_norm2d::{LayerNorm2d, LayerNorm2dConfig};
pub use linear::{Linear, LinearConfig};
pub use mlp::{Mlp, MlpConfig};
pub use pool::{interpolate_bilinear, max_pool_nhwc, upsample_nearest_2x};
pub use rope::AxialRope;

use burn::module::Param;
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::{Device, Tensor};

/// A bare parameter of the given shape, zero until a checkpoint fills it.
pub fn parameter<const D: usize>(shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    Initializer::Zeros.init(shape, device)
}

/// A 1x1 convolution with bias.
pub fn conv1x1(c_in: usize, c_out: usize, device: &Device) -> Conv2d {
    Conv2dConfig::new([c_in, c_out], [1, 1]).init(device)
}

/// A convolution with a square kernel, explicit symmetric padding and bias.
pub fn conv(
    channels: [usize; 2],
    kernel: usize,
    stride: usize,
    padding: usize,
    device: &Device,
) -> Conv2d {
    Conv2dConfig::new(channels, [kernel, kernel])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(
            padding, padding, padding, padding,
        ))
        .init(device)
}
