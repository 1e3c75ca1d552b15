//! Views of `[b, n, c]` tensors that a kernel can walk through by strides.

use burn::tensor::DType;
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

/// What differs from slice to slice: the sizes, then each tensor's stride of a row and of the batch, in vectors of four.
pub(super) fn info(like: &CubeTensor, tensors: &[&CubeTensor], sizes: [usize; 2]) -> CubeTensor {
    let mut values = sizes.to_vec();
    for t in tensors {
        let strides = t.meta.strides();
        values.extend([strides[1] / 4, strides[0] / 4]);
    }
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|&v| (v as u32).to_le_bytes())
        .collect();
    let handle = like.client.create_from_slice(&bytes);
    let (client, device) = (like.client.clone(), like.device.clone());
    CubeTensor::new_contiguous(client, device, [values.len()].into(), handle, DType::U32)
}
