//! Scaled dot-product attention, in one place so that a fused kernel can take it over.

use burn::tensor::{Tensor, module, ops::AttentionModuleOptions};

/// softmax(q kᵀ / sqrt(d)) v, without mask.
///
/// # Shapes
/// - q `[b, heads, n_q, d]`, k `[b, heads, n_k, d]`, v `[b, heads, n_k, d_v]`
/// - result `[b, heads, n_q, d_v]`
pub fn attention(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>) -> Tensor<4> {
    let options = AttentionModuleOptions {
        scale: None,
        softcap: None,
        is_causal: false,
    };
    module::attention(q, k, v, None, None, options)
}
