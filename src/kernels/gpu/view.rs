//! `[b, n, c]` tensors that a kernel can walk through by strides.

use burn_cubecl::{kernel::into_contiguous, tensor::CubeTensor};

/// The tensor, copied unless its channels lie side by side and every row begins at a whole vector of four.
pub(super) fn rows_of_vectors(x: CubeTensor) -> CubeTensor {
    let strides = x.meta.strides();
    let whole = strides[..2].iter().all(|stride| stride.is_multiple_of(4));
    match strides[2] == 1 && whole {
        true => x,
        false => into_contiguous(x),
    }
}

/// What differs from slice to slice: the counts, then each tensor's stride of a row and of the batch, in vectors of four.
pub(super) fn sizes(counts: [usize; 2], tensors: &[&CubeTensor]) -> Vec<usize> {
    let strides = tensors.iter().flat_map(|t| {
        let strides = t.meta.strides();
        [strides[1] / 4, strides[0] / 4]
    });
    counts.into_iter().chain(strides).collect()
}
