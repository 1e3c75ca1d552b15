//! Layers that SAM 2 and LPIPS share and Burn lacks, and the one door to those it has.
//!
//! In: tensors; out: tensors. Knows no scan, no file, no browser and never reads back from the
//! device. Models import their layers from here only, so that a layer can be replaced (by packed
//! weights, by a fused kernel) without a second copy of any model.

mod conv2d;
mod embedding;
mod layer_norm;
mod linear;
mod mlp;
mod resize;
mod rope;

pub use crate::kernels::{Activation, attention, max_pool2x2, product};
pub use burn::nn::Relu;
pub use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
pub use burn::tensor::activation::{relu, sigmoid, softmax};
pub use conv2d::{
    Conv2d, ConvTranspose2d, PackableConv2d, conv, conv1x1, depthwise, packable_conv,
};
pub use embedding::Embedding;
pub use layer_norm::{LayerNorm, LayerNorm2d};
pub use linear::{Linear, LinearConfig};
pub use mlp::{Mlp, MlpConfig};
pub use resize::{interpolate_bilinear, upsample_nearest_2x};
pub use rope::AxialRope;

use burn::module::{Param, ParamId};
use burn::tensor::{Device, Shape, Tensor};

/// A bare parameter of the given shape, zero until a checkpoint fills it, and in no memory until then. (Burn's `Initializer`
/// would link its random numbers and its QR decomposition.)
pub fn parameter<const D: usize>(shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    let zeros = move |device: &Device, _| Tensor::zeros(shape, device);
    Param::uninitialized(
        ParamId::new(),
        zeros,
        device.clone(),
        false,
        Shape::from(shape),
    )
}
