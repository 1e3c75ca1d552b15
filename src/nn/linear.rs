//! The linear layer, dense or packed.

use burn::module::{Module, Param, ParamId};
use burn::tensor::{DType, Device, Int, Tensor};

use super::parameter;
use crate::kernels::{self, Activation, Bits, Epilogue, PackedWeight, Weight};

/// Creates a [`Linear`].
#[derive(Clone, Copy, Debug)]
pub struct LinearConfig {
    d_input: usize,
    d_output: usize,
}

/// `x W + b`. A checkpoint fills either `weight`, or `words` and `scales`; the others stay single elements, so that a
/// packed weight never has a float copy.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[d_input, d_output]`.
    pub weight: Param<Tensor<2>>,
    /// `[d_output]`.
    pub bias: Option<Param<Tensor<1>>>,
    /// The weight in few bits, see [`kernels::packed`].
    pub words: Param<Tensor<2, Int>>,
    /// Scales of `words`, `[groups, d_output]`.
    pub scales: Param<Tensor<2>>,
    d_input: usize,
}

impl LinearConfig {
    /// A layer with bias.
    pub fn new(d_input: usize, d_output: usize) -> Self {
        Self { d_input, d_output }
    }

    /// The layer, waiting for a checkpoint.
    pub fn init(&self, device: &Device) -> Linear {
        let (rows, cols) = (self.d_input, self.d_output);
        Linear {
            weight: parameter([rows, cols], device),
            bias: Some(parameter([cols], device)),
            words: Param::initialized(ParamId::new(), Tensor::zeros([1, 1], (device, DType::I32))),
            scales: parameter([1, 1], device),
            d_input: rows,
        }
    }
}

impl Linear {
    /// # Shapes
    /// - `[.., d_input]` to `[.., d_output]`
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        self.forward_with(x, None, None)
    }

    /// With an activation after it.
    pub fn forward_activated<const D: usize>(
        &self,
        x: Tensor<D>,
        activation: Activation,
    ) -> Tensor<D> {
        self.forward_with(x, Some(activation), None)
    }

    /// With `residual` added to it.
    ///
    /// # Shapes
    /// - x `[.., d_input]`, residual and result `[.., d_output]`
    pub fn forward_add<const D: usize>(&self, x: Tensor<D>, residual: Tensor<D>) -> Tensor<D> {
        self.forward_with(x, None, Some(residual))
    }

    fn forward_with<const D: usize>(
        &self,
        x: Tensor<D>,
        activation: Option<Activation>,
        residual: Option<Tensor<D>>,
    ) -> Tensor<D> {
        let mut shape = x.dims();
        let rows = shape[..D - 1].iter().product();
        let d_output = self.bias.as_ref().map_or(0, |b| b.lazy_shape()[0]);
        let epilogue = Epilogue {
            bias: self.bias.as_ref().map(Param::val),
            activation,
            residual: residual.map(|r| r.reshape([rows, d_output])),
        };
        let y = kernels::linear(x.reshape([rows, self.d_input]), &self.weight(), epilogue);
        shape[D - 1] = d_output;
        y.reshape(shape)
    }

    fn weight(&self) -> Weight {
        let words = self.words.val();
        let [word_rows, columns] = words.dims();
        if columns == 1 {
            return Weight::Dense(self.weight.val());
        }
        let bits = word_rows * 32 / self.d_input;
        Weight::Packed(PackedWeight {
            bits: Bits::from_count(bits).expect("checked when the checkpoint was read"),
            words,
            scales: self.scales.val(),
        })
    }
}
