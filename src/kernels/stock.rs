//! The operations by Burn's own: the fallback where no kernel of ours runs, and what ours are compared with.
//!
//! Those that multiply matrices need the feature `stock`. A build without it runs on processors and WebGPU devices, where
//! ours do all that the models are made of: `tests/wgpu.rs` counts how often they fall back, which is never.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::{Tensor, module, ops::MaxPoolOptions};

use super::Norm;
#[cfg(not(feature = "stock"))]
pub(super) use products::{attention, conv_transpose2x2, conv2d, linear};
#[cfg(feature = "stock")]
pub use products::{attention, conv_transpose2x2, conv2d, linear};

static ALONE: AtomicBool = AtomicBool::new(false);

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

/// How often this thread has multiplied matrices by Burn's own operations.
pub fn calls() -> usize {
    CALLS.get()
}

/// Whether every operation is to be Burn's own, on all devices: to measure what our kernels gain.
pub fn use_stock(alone: bool) {
    ALONE.store(alone, Ordering::Relaxed);
}

/// What [`use_stock`] was last told.
pub(super) fn is_alone() -> bool {
    ALONE.load(Ordering::Relaxed)
}

/// As [`rope`](super::rope).
pub fn rope(x: Tensor<3>, table: &Tensor<2>, turned: usize) -> Tensor<3> {
    let [b, tokens, c] = x.dims();
    let n = table.dims()[0];
    let rest = (turned < tokens).then(|| x.clone().narrow(1, turned, tokens - turned));
    let pairs = x.narrow(1, 0, turned).reshape([b, turned / n, n, c / 2, 2]);
    let table = table.clone().reshape([1, 1, n, c / 2, 2]);
    let (cos, sin) = (table.clone().narrow(4, 0, 1), table.narrow(4, 1, 1));
    let (even, odd) = (pairs.clone().narrow(4, 0, 1), pairs.narrow(4, 1, 1));
    let rotated = Tensor::cat(
        vec![
            even.clone() * cos.clone() - odd.clone() * sin.clone(),
            even * sin + odd * cos,
        ],
        4,
    );
    let rotated = rotated.reshape([b, turned, c]);
    match rest {
        Some(rest) => Tensor::cat(vec![rotated, rest], 1),
        None => rotated,
    }
}

/// As [`layer_norm`](super::layer_norm).
pub fn layer_norm(x: Tensor<2>, norm: Norm) -> Tensor<2> {
    let y = module::layer_norm(x, norm.weight, Some(norm.bias), norm.epsilon);
    match norm.activation {
        Some(activation) => activation.apply(y),
        None => y,
    }
}

/// As [`max_pool2x2`](super::max_pool2x2).
pub fn max_pool2x2(x: Tensor<4>) -> Tensor<4> {
    let x = x.permute([0, 3, 1, 2]); // [b, c, h, w]
    module::max_pool2d(x, MaxPoolOptions::new([2, 2])).permute([0, 2, 3, 1])
}

#[cfg(feature = "stock")]
mod products {
    use burn::tensor::ops::{AttentionModuleOptions, ConvOptions, ConvTransposeOptions};
    use burn::tensor::{Tensor, module};

    use super::super::{Epilogue, Filter, Weight};

    fn count() {
        super::CALLS.set(super::CALLS.get() + 1);
    }

    /// As [`linear`](super::super::linear). A packed weight is unpacked for the duration of the call.
    pub fn linear(x: Tensor<2>, weight: &Weight, epilogue: Epilogue) -> Tensor<2> {
        count();
        let weight = match weight {
            Weight::Dense(weight) => weight.clone(),
            Weight::Packed(packed) => packed.unpack(),
        };
        let mut y = x.matmul(weight);
        if let Some(bias) = epilogue.bias {
            y = y + bias.unsqueeze();
        }
        if let Some(activation) = epilogue.activation {
            y = activation.apply(y);
        }
        match epilogue.residual {
            Some(residual) => y + residual,
            None => y,
        }
    }

    /// As [`attention`](super::super::attention).
    pub fn attention(q: Tensor<3>, k: Tensor<3>, v: Tensor<3>, heads: usize) -> Tensor<3> {
        count();
        let [b, n_q, _] = q.dims();
        let c_v = v.dims()[2];
        let split = |x: Tensor<3>| {
            let [b, n, c] = x.dims();
            x.reshape([b, n, heads, c / heads]).swap_dims(1, 2) // [b, heads, n, d]
        };
        let options = AttentionModuleOptions {
            scale: None,
            softcap: None,
            is_causal: false,
        };
        module::attention(split(q), split(k), split(v), None, None, options)
            .swap_dims(1, 2)
            .reshape([b, n_q, c_v])
    }

    /// As [`conv2d`](super::super::conv2d).
    pub fn conv2d(x: Tensor<4>, filter: Filter) -> Tensor<4> {
        count();
        let groups = x.dims()[1] / filter.weight.dims()[1];
        let (stride, padding) = ([filter.stride; 2], [filter.padding; 2]);
        let options = ConvOptions::new(stride, padding, [1, 1], groups);
        let y = module::conv2d(x, filter.weight, Some(filter.bias), options);
        match filter.activation {
            Some(activation) => activation.apply(y),
            None => y,
        }
    }

    /// As [`conv_transpose2x2`](super::super::conv_transpose2x2).
    pub fn conv_transpose2x2(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>) -> Tensor<4> {
        count();
        let options = ConvTransposeOptions::new([2, 2], [0, 0], [0, 0], [1, 1], 1);
        module::conv_transpose2d(x, weight, Some(bias), options)
    }
}

#[cfg(not(feature = "stock"))]
mod products {
    use burn::tensor::Tensor;

    use super::super::{Epilogue, Filter, Weight};

    pub fn linear(x: Tensor<2>, _: &Weight, _: Epilogue) -> Tensor<2> {
        missing("a linear layer", &x.dims())
    }

    pub fn attention(q: Tensor<3>, _: Tensor<3>, _: Tensor<3>, _: usize) -> Tensor<3> {
        missing("attention", &q.dims())
    }

    pub fn conv2d(x: Tensor<4>, _: Filter) -> Tensor<4> {
        missing("a convolution", &x.dims())
    }

    pub fn conv_transpose2x2(x: Tensor<4>, _: Tensor<4>, _: Tensor<1>) -> Tensor<4> {
        missing("a transposed convolution", &x.dims())
    }

    /// No input of a user leads here, only a model that has what no kernel of ours does.
    fn missing(what: &str, shape: &[usize]) -> ! {
        panic!("{what} of {shape:?}: no kernel of ours, and this build is without Burn's")
    }
}
