//! Attention: two products, and between them a softmax in vector instructions. Queries are taken so many at a time
//! that their scores stay in the cache.

use burn::tensor::{Shape, Tensor};
use burn_flex::{FlexTensor, Layout};

use super::elementwise::softmax;
use super::{flex, for_each_row, matmul, tensor};

/// Scores that exist at a time, over all heads: 2 MiB.
const SCORES: usize = 1 << 19;
/// Fewer queries than this make the product slow, which prepares the keys anew for each part.
const FEWEST_QUERIES: usize = 64;

/// As [`attention`](super::super::attention).
pub fn attention(q: &Tensor<3>, k: &Tensor<3>, v: &Tensor<3>, heads: usize) -> Option<Tensor<3>> {
    let [b, n_q, c] = q.dims();
    let [_, n_k, c_v] = v.dims();
    let (q, k, v) = (split(q, heads)?, split(k, heads)?, split(v, heads)?);
    let k = k.transpose(2, 3); // [b, heads, d, n_k]
    let scale = ((c / heads) as f32).sqrt().recip();
    let part = (SCORES / (b * heads * n_k).max(1)).clamp(FEWEST_QUERIES, n_q.max(FEWEST_QUERIES));
    let mut parts = Vec::with_capacity(n_q.div_ceil(part));
    for first in (0..n_q).step_by(part) {
        let queries = q.narrow(2, first, part.min(n_q - first));
        let mut scores = matmul(queries, k.clone());
        for_each_row(scores.storage_mut::<f32>(), n_k, |_, row| {
            softmax(row, scale);
        });
        parts.push(tensor::<4>(matmul(scores, v.clone()))); // [b, heads, count, d]
    }
    let y = match parts.len() {
        1 => parts.remove(0),
        _ => Tensor::cat(parts, 2),
    };
    Some(y.swap_dims(1, 2).reshape([b, n_q, c_v]))
}

/// `[b, n, heads * d]` as `[b, heads, n, d]`, and no copy is made: queries, keys and values lie side by side in what one layer
/// wrote, and the product reads them there.
fn split(x: &Tensor<3>, heads: usize) -> Option<FlexTensor> {
    let [b, n, c] = x.dims();
    let x = flex(x)?;
    let layout = x.layout();
    let (start, &[batch, token, channel]) = (layout.start_offset(), layout.strides()) else {
        return None;
    };
    let d = c / heads;
    let strides = vec![batch, channel * d as isize, token, channel];
    let split = Layout::new(Shape::from([b, heads, n, d]), strides, start);
    Some(x.with_layout(split))
}
