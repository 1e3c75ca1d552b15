//! Our loops on the processor against Burn's own operations there. These need no graphics card.

use burn::tensor::{Device, Tensor};
use oneslice::kernels::{Activation, Bits, Epilogue, Filter, Weight, cpu, pack, stock};

use crate::common::Tolerance;
use crate::harness::{compare, tensor};

/// The same sums; `erf` and `exp` are at most two units in the last place apart.
const PROCESSOR: Tolerance = Tolerance {
    name: "PROCESSOR",
    absolute: 2e-6,
};

fn device() -> Device {
    Device::flex()
}

#[test]
fn linear_with_every_ending() {
    let (rows, d_input, d_output) = (37, 64, 28);
    let weight: Tensor<2> = tensor([d_input, d_output], 1, 0.3, &device());
    let values: Vec<f32> = weight.clone().into_data().try_into_vec().expect("f32");
    let packed = |bits, group| {
        Weight::Packed(pack(&values, d_output, bits, group).upload(bits, d_output, &device()))
    };
    let weights = [
        Weight::Dense(weight),
        packed(Bits::F16, d_input),
        packed(Bits::Int8, d_input),
        packed(Bits::Int4, 32),
    ];
    let activations = [None, Some(Activation::Relu), Some(Activation::Gelu)];
    for weight in &weights {
        for (i, activation) in activations.into_iter().cycle().take(12).enumerate() {
            let epilogue = Epilogue {
                bias: (i % 2 == 0).then(|| tensor([d_output], 2, 1.0, &device())),
                activation,
                residual: (i >= 6).then(|| tensor([rows, d_output], 3, 1.0, &device())),
            };
            let x: Tensor<2> = tensor([rows, d_input], 4, 1.0, &device());
            let found = cpu::linear(&x, weight, &epilogue).expect("on the processor");
            let expected = stock::linear(x, weight, epilogue);
            compare(&format!("{activation:?}, {i}"), found, expected, PROCESSOR);
        }
    }
}

/// One, some and many parts of the queries; views as inputs.
#[test]
fn attention_of_any_length() {
    for (b, heads, d, n_q, n_k) in [
        (1, 1, 32, 1, 1),
        (3, 2, 16, 37, 65),
        (2, 4, 24, 130, 7),
        (1, 2, 8, 300, 4099), // more scores than exist at a time
    ] {
        let c = heads * d;
        let q: Tensor<3> = tensor([b, n_q, 3 * c], 1, 2.0, &device());
        let q = q.narrow(2, c, c);
        let k: Tensor<3> = tensor([b, n_k, c], 2, 2.0, &device());
        let v: Tensor<3> = tensor([b, n_k, heads * 12], 3, 1.0, &device());
        let found = cpu::attention(&q, &k, &v, heads).expect("on the processor");
        let expected = stock::attention(q, k, v, heads);
        compare(&format!("{n_q} to {n_k}"), found, expected, PROCESSOR);
    }
}

#[test]
fn rope_leaves_the_last_tokens() {
    for (tokens, turned) in [(12, 12), (15, 12), (9, 6)] {
        let x: Tensor<3> = tensor([2, tokens, 8], 1, 1.0, &device());
        let table: Tensor<2> = tensor([6, 8], 2, 1.0, &device());
        let found = cpu::rope(&x, &table, turned).expect("on the processor");
        compare(
            &format!("{turned} of {tokens}"),
            found,
            stock::rope(x, &table, turned),
            PROCESSOR,
        );
    }
}

#[test]
fn pointwise_convolutions_and_activations() {
    let filter = Filter {
        weight: tensor([5, 6, 1, 1], 1, 0.5, &device()),
        bias: tensor([5], 2, 1.0, &device()),
        stride: 1,
        padding: 0,
        activation: Some(Activation::Gelu),
    };
    let x: Tensor<4> = tensor([2, 6, 3, 7], 3, 3.0, &device());
    let found = cpu::conv1x1(&x, &filter).expect("a filter of one pixel");
    compare(
        "1x1",
        found,
        stock::conv2d(x.clone(), filter.clone()),
        PROCESSOR,
    );
    let strided = Filter {
        stride: 2,
        ..filter
    };
    assert!(cpu::conv1x1(&x, &strided).is_none());

    let found =
        cpu::activate(&x.clone().swap_dims(1, 3), Activation::Gelu).expect("on the processor");
    let expected = burn::tensor::activation::gelu(x.swap_dims(1, 3));
    compare("GELU", found, expected, PROCESSOR);
}
