//! Rotary encoding in one walk.

use burn::tensor::Tensor;

use super::{flex, for_each_row, owned, tensor};

/// As [`rope`](super::super::rope), in place where nobody else has the tensor; gives it back where it declines.
pub fn rope(x: Tensor<3>, table: &Tensor<2>, turned: usize) -> Result<Tensor<3>, Tensor<3>> {
    let [_, tokens, c] = x.dims();
    let places = table.dims()[0];
    let Some(table) = flex(table) else {
        return Err(x);
    };
    let mut x = owned(x)?;
    let table = table.to_contiguous();
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
    Ok(tensor(x))
}
