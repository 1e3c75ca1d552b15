//! Max pooling, channels last: Burn's would turn the map over twice and remember where each maximum was.

use super::{flex, for_each_row, from_values};
use burn::tensor::Tensor;

/// As [`max_pool2x2`](super::super::max_pool2x2).
pub fn max_pool2x2(x: &Tensor<4>) -> Option<Tensor<4>> {
    let [b, h, w, c] = x.dims();
    let (out_h, out_w) = (h / 2, w / 2);
    let x = flex(x)?.to_contiguous();
    let x = x.storage::<f32>();
    let mut y = vec![0.0; b * out_h * out_w * c];
    let line = w * c;
    for_each_row(&mut y, (out_w * c).max(1), |i, row| {
        let above = (i / out_h * h + i % out_h * 2) * line;
        let (above, below) = (&x[above..][..line], &x[above + line..][..line]);
        let pairs = above.chunks_exact(2 * c).zip(below.chunks_exact(2 * c));
        for (pixel, (above, below)) in row.chunks_exact_mut(c).zip(pairs) {
            let four = above
                .iter()
                .zip(&above[c..])
                .zip(below.iter().zip(&below[c..]));
            for (y, ((a, b), (d, e))) in pixel.iter_mut().zip(four) {
                *y = larger(larger(*a, *b), larger(*d, *e));
            }
        }
    });
    Some(from_values(y, [b, out_h, out_w, c]))
}

/// NaN where one of them is.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b || a.is_nan() { a } else { b }
}
