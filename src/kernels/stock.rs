//! The operations by Burn's own: the fallback where no kernel of ours runs, and what ours are compared with.

use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::{Tensor, module, ops::AttentionModuleOptions};

use super::{Epilogue, Weight};

static ALONE: AtomicBool = AtomicBool::new(false);

/// Whether every operation is to be Burn's own, on all devices: to measure what our kernels gain.
pub fn use_stock(alone: bool) {
    ALONE.store(alone, Ordering::Relaxed);
}

/// What [`use_stock`] was last told.
pub(super) fn is_alone() -> bool {
    ALONE.load(Ordering::Relaxed)
}

/// As [`linear`](super::linear). A packed weight is unpacked for the duration of the call.
pub fn linear(x: Tensor<2>, weight: &Weight, epilogue: Epilogue) -> Tensor<2> {
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

/// As [`attention`](super::attention).
pub fn attention(q: Tensor<3>, k: Tensor<3>, v: Tensor<3>, heads: usize) -> Tensor<3> {
    let [b, n_q, c] = q.dims();
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
        .reshape([b, n_q, c])
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
