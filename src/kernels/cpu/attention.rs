//! Attention: two products by Burn, and between them a softmax in vector instructions. Queries are taken so many at a time
//! that their scores stay in the cache.

use burn::tensor::Tensor;

use super::elementwise::softmax;
use super::{flex, for_each_row, matmul, tensor};

/// Scores that exist at a time, over all heads: 2 MiB.
const SCORES: usize = 1 << 19;
/// Fewer queries than this make the product slow, which prepares the keys anew for each part.
const FEWEST_QUERIES: usize = 64;

/// As [`attention`](super::super::attention).
pub fn attention(q: &Tensor<3>, k: &Tensor<3>, v: &Tensor<3>, heads: usize) -> Option<Tensor<3>> {
    flex(q)?;
    let [b, n_q, c] = q.dims();
    let [_, n_k, c_v] = v.dims();
    let split = |x: &Tensor<3>| {
        let [b, n, c] = x.dims();
        x.clone().reshape([b, n, heads, c / heads]).swap_dims(1, 2) // [b, heads, n, d]
    };
    let (q, k, v) = (split(q), split(k).swap_dims(2, 3), split(v));
    let scale = ((c / heads) as f32).sqrt().recip();
    let part = (SCORES / (b * heads * n_k).max(1)).clamp(FEWEST_QUERIES, n_q.max(FEWEST_QUERIES));
    let mut parts = Vec::with_capacity(n_q.div_ceil(part));
    for first in (0..n_q).step_by(part) {
        let count = part.min(n_q - first);
        let mut scores = matmul(&q.clone().narrow(2, first, count), &k)?;
        for_each_row(scores.storage_mut::<f32>(), n_k, |_, row| {
            softmax(row, scale);
        });
        parts.push(tensor::<4>(matmul(&tensor::<4>(scores), &v)?)); // [b, heads, count, d]
    }
    let y = match parts.len() {
        1 => parts.remove(0),
        _ => Tensor::cat(parts, 2),
    };
    Some(y.swap_dims(1, 2).reshape([b, n_q, c_v]))
}
