//! The processor's side. Natively the products are Burn's (flex, by the `gemm` crate), in a browser our own; what surrounds
//! them is ours: elementwise loops that a compiler turns into vector instructions, where Burn calls `exp` and `erf` number by
//! number, and packed weights that are unpacked by the row instead of by tensor operations. Each function declines what it
//! does not do.

#![allow(
    clippy::result_large_err,
    reason = "what is declined goes back: a handle, moved once"
)]

mod attention;
mod convolution;
mod elementwise;
mod linear;
mod pool;
mod product;
mod rope;
mod unpack;

pub use attention::attention;
pub use convolution::{conv_transpose2x2, conv2d};
pub use elementwise::activate;
pub use linear::linear;
pub use pool::max_pool2x2;
pub use product::product;
pub use rope::rope;
pub use unpack::unpack;

use burn::tensor::{DType, Tensor, TensorData};
use burn_flex::{Flex, FlexTensor};

use super::stock;

/// The f32 tensor as the processor holds it; none for a tensor of another device.
fn flex<const D: usize>(tensor: &Tensor<D>) -> Option<FlexTensor> {
    if stock::is_alone() {
        return None;
    }
    let flex: FlexTensor = tensor.clone().try_into_primitive::<Flex>().ok()?;
    (flex.dtype() == DType::F32).then_some(flex)
}

/// As [`flex`], contiguous, to be written to; the tensor itself where it is of another device.
fn owned<const D: usize>(tensor: Tensor<D>) -> Result<FlexTensor, Tensor<D>> {
    let Some(flex) = flex(&tensor) else {
        return Err(tensor);
    };
    drop(tensor);
    // A clone of what is contiguous already: with the other one gone, nothing is copied on writing.
    let contiguous = flex.to_contiguous();
    drop(flex);
    Ok(contiguous)
}

/// Back to a tensor.
fn tensor<const D: usize>(flex: FlexTensor) -> Tensor<D> {
    Tensor::from_primitive::<Flex>(flex)
}

fn from_values<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
    tensor(flex_from_values(values, shape.to_vec()))
}

fn flex_from_values(values: Vec<f32>, shape: Vec<usize>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}

/// `[.., m, k]` by `[.., k, n]`. Asked of the backend itself: Burn's front door would link products for graphics cards too.
#[cfg(not(target_arch = "wasm32"))]
fn matmul(x: FlexTensor, y: FlexTensor) -> FlexTensor {
    use burn::backend::ops::FloatTensorOps;
    Flex::float_matmul(x, y)
}

#[cfg(target_arch = "wasm32")]
fn matmul(x: FlexTensor, y: FlexTensor) -> FlexTensor {
    product::of_flex(&x, &y)
}

/// Runs `work` on every row, on all processors where there are threads. `rows` are `columns` long.
fn for_each_row(values: &mut [f32], columns: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        /// Fewer numbers than this are done before a thread has woken up.
        const WORTH_THREADS: usize = 1 << 16;
        if values.len() >= WORTH_THREADS {
            let rows = values.par_chunks_mut(columns).enumerate();
            return rows.for_each(|(i, row)| work(i, row));
        }
    }
    for (i, row) in values.chunks_mut(columns).enumerate() {
        work(i, row);
    }
}
