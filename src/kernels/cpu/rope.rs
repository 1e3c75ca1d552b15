//! Rotary encoding in one walk.

use burn::tensor::Tensor;

use super::{flex, for_each_row, tensor};

/// As [`rope`](super::super::rope).
pub fn rope(x: &Tensor<3>, table: &Tensor<2>, turned: usize) -> Option<Tensor<3>> {
    let [_, tokens, c] = x.dims();
    let places = table.dims()[0];
    let mut x = flex(x)?.to_contiguous();
    let table = flex(table)?.to_contiguous();
    let table = table.storage::<f32>();
    for_each_row(x.storage_mut::<f32>(), c, |i, row| {
        let token = i % tokens;
        if token >= turned {
            return;
        }
        let (pairs, _) = row.as_chunks_mut::<2>();
        let (angles, _) = table[token % places * c..][..c].as_chunks::<2>();
        for ([even, odd], [cos, sin]) in pairs.iter_mut().zip(angles) {
            (*even, *odd) = (*even * cos - *odd * sin, *even * sin + *odd * cos);
        }
    });
    Some(tensor(x))
}
