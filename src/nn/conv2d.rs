//! Convolutions, with torch's shapes of weights.

use burn::module::{Module, Param, ParamId};
use burn::tensor::{DType, Device, Int, Tensor};

use super::parameter;
use crate::kernels::{self, Activation, Bits, Filter, PackedWeight};

/// A convolution with bias, and without dilation.
#[derive(Module, Debug)]
pub struct Conv2d {
    /// `[c_out, c_in, kernel, kernel]`, or `[c, 1, kernel, kernel]`.
    pub weight: Param<Tensor<4>>,
    /// `[c_out]`.
    pub bias: Param<Tensor<1>>,
    stride: usize,
    padding: usize,
}

/// A convolution that may be packed. A checkpoint fills either `weight`, or `words` and `scales`; the others stay single
/// elements. A packed filter is unpacked for the moment it is used.
#[derive(Module, Debug)]
pub struct PackableConv2d {
    /// `[c_out, c_in, kernel, kernel]`.
    pub weight: Param<Tensor<4>>,
    /// `[c_out]`.
    pub bias: Param<Tensor<1>>,
    /// The filter in few bits as the matrix `[kernel * kernel * c_in, c_out]`, see [`kernels::packed`].
    pub words: Param<Tensor<2, Int>>,
    /// Scales of `words`, `[groups, c_out]`.
    pub scales: Param<Tensor<2>>,
    c_in: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
}

/// A transposed convolution with 2x2 filters, stride 2 and bias.
#[derive(Module, Debug)]
pub struct ConvTranspose2d {
    /// `[c_in, c_out, 2, 2]`.
    pub weight: Param<Tensor<4>>,
    /// `[c_out]`.
    pub bias: Param<Tensor<1>>,
}

/// A 1x1 convolution.
pub fn conv1x1(c_in: usize, c_out: usize, device: &Device) -> Conv2d {
    conv([c_in, c_out], 1, 1, 0, device)
}

/// A convolution with a square kernel and the same padding on all sides.
pub fn conv(
    [c_in, c_out]: [usize; 2],
    kernel: usize,
    stride: usize,
    padding: usize,
    device: &Device,
) -> Conv2d {
    Conv2d {
        weight: parameter([c_out, c_in, kernel, kernel], device),
        bias: parameter([c_out], device),
        stride,
        padding,
    }
}

/// A convolution that may be packed, with a square kernel and the same padding on all sides.
pub fn packable_conv(
    [c_in, c_out]: [usize; 2],
    kernel: usize,
    stride: usize,
    padding: usize,
    device: &Device,
) -> PackableConv2d {
    PackableConv2d {
        weight: parameter([c_out, c_in, kernel, kernel], device),
        bias: parameter([c_out], device),
        words: Param::initialized(ParamId::new(), Tensor::zeros([1, 1], (device, DType::I32))),
        scales: parameter([1, 1], device),
        c_in,
        kernel,
        stride,
        padding,
    }
}

/// A convolution with one filter to each channel, of stride 1; the map keeps its size.
pub fn depthwise(channels: usize, kernel: usize, device: &Device) -> Conv2d {
    Conv2d {
        weight: parameter([channels, 1, kernel, kernel], device),
        bias: parameter([channels], device),
        stride: 1,
        padding: kernel / 2,
    }
}

impl Conv2d {
    /// # Shapes
    /// - `[b, c_in, h, w]` to `[b, c_out, h', w']`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.forward_with(x, None)
    }

    /// With an activation after it.
    pub fn forward_activated(&self, x: Tensor<4>, activation: Activation) -> Tensor<4> {
        self.forward_with(x, Some(activation))
    }

    fn forward_with(&self, x: Tensor<4>, activation: Option<Activation>) -> Tensor<4> {
        let filter = Filter {
            weight: self.weight.val(),
            bias: self.bias.val(),
            stride: self.stride,
            padding: self.padding,
            activation,
        };
        kernels::conv2d(x, filter)
    }
}

impl PackableConv2d {
    /// # Shapes
    /// - `[b, c_in, h, w]` to `[b, c_out, h', w']`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let filter = Filter {
            weight: self.weight(),
            bias: self.bias.val(),
            stride: self.stride,
            padding: self.padding,
            activation: None,
        };
        kernels::conv2d(x, filter)
    }

    fn weight(&self) -> Tensor<4> {
        let words = self.words.val();
        let [word_rows, c_out] = words.dims();
        if c_out == 1 {
            return self.weight.val();
        }
        let (size, c_in) = (self.kernel, self.c_in);
        let bits = word_rows * 32 / (size * size * c_in);
        let packed = PackedWeight {
            bits: Bits::from_count(bits).expect("checked when the checkpoint was read"),
            words,
            scales: self.scales.val(),
        };
        let matrix = kernels::unpack(&packed);
        matrix
            .reshape([size, size, c_in, c_out])
            .permute([3, 2, 0, 1])
    }
}

impl ConvTranspose2d {
    /// The layer, waiting for a checkpoint.
    pub fn new(c_in: usize, c_out: usize, device: &Device) -> Self {
        Self {
            weight: parameter([c_in, c_out, 2, 2], device),
            bias: parameter([c_out], device),
        }
    }

    /// # Shapes
    /// - `[b, c_in, h, w]` to `[b, c_out, 2h, 2w]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        kernels::conv_transpose2x2(x, self.weight.val(), self.bias.val())
    }
}
