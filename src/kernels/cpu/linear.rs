//! The linear layer: a product, then bias, activation and residual in one walk over the result.

use burn::tensor::Tensor;

use super::super::{Activation, Epilogue, Weight};
use super::elementwise::{gelu, relu};
use super::unpack::unpack;
use super::{flex, for_each_row, matmul, tensor};

/// As [`linear`](super::super::linear). A packed weight has a float copy for the duration of the call.
pub fn linear(x: &Tensor<2>, weight: &Weight, epilogue: &Epilogue) -> Option<Tensor<2>> {
    let x = flex(x)?;
    let weight = match weight {
        Weight::Dense(weight) => weight.clone(),
        Weight::Packed(packed) => unpack(packed)?,
    };
    let [_, columns] = weight.dims();
    let mut y = matmul(x, flex(&weight)?);
    let contiguous = |t| Some(flex::<1>(t)?.to_contiguous());
    let bias = match &epilogue.bias {
        Some(bias) => Some(contiguous(bias)?),
        None => None,
    };
    let residual = match &epilogue.residual {
        Some(residual) => Some(flex(residual)?.to_contiguous()),
        None => None,
    };
    let bias = bias.as_ref().map(|bias| bias.storage::<f32>());
    let residual = residual.as_ref().map(|residual| residual.storage::<f32>());
    for_each_row(y.storage_mut::<f32>(), columns, |i, row| {
        let residual = residual.map(|r| &r[i * columns..][..columns]);
        finish(row, bias, epilogue.activation, residual);
    });
    Some(tensor(y))
}

fn finish(row: &mut [f32], bias: Option<&[f32]>, then: Option<Activation>, add: Option<&[f32]>) {
    if let Some(bias) = bias {
        match then {
            None => row.iter_mut().zip(bias).for_each(|(y, b)| *y += b),
            Some(Activation::Relu) => row
                .iter_mut()
                .zip(bias)
                .for_each(|(y, b)| *y = relu(*y + b)),
            Some(Activation::Gelu) => row
                .iter_mut()
                .zip(bias)
                .for_each(|(y, b)| *y = gelu(*y + b)),
        }
    } else {
        match then {
            None => {}
            Some(Activation::Relu) => row.iter_mut().for_each(|y| *y = relu(*y)),
            Some(Activation::Gelu) => row.iter_mut().for_each(|y| *y = gelu(*y)),
        }
    }
    if let Some(add) = add {
        row.iter_mut().zip(add).for_each(|(y, a)| *y += a);
    }
}
