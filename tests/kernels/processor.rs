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

/// The sums of up to 1200 products of small numbers, in another order.
const CONVOLUTION: Tolerance = Tolerance {
    name: "CONVOLUTION",
    absolute: 2e-5,
};

/// Values are compared, none is computed.
const EXACT: Tolerance = Tolerance {
    name: "EXACT",
    absolute: 0.0,
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

/// Outer dimensions, rows of the left matrix, terms, columns of the right one.
const PRODUCTS: [(usize, usize, [usize; 3]); 8] = [
    (1, 1, [1, 1, 1]),
    (1, 1, [3, 5, 7]),
    (2, 1, [4, 512, 8]),
    (1, 3, [5, 513, 9]), // one term more than are summed at a time
    (2, 2, [67, 33, 17]),
    (1, 1, [65, 1200, 31]),
    (1, 1, [64, 1, 64]),
    (1, 2, [2, 0, 3]), // nothing to sum
];

/// As they lie, as heads side by side in what one layer wrote, and transposed.
#[test]
fn products() {
    for (b, heads, [m, k, n]) in PRODUCTS {
        let x: Tensor<4> = tensor([b, heads, m, k], 1, 1.0, &device());
        let y: Tensor<4> = tensor([b, heads, k, n], 2, 0.1, &device());
        let views = |t: &Tensor<4>| {
            let side_by_side = t.clone().swap_dims(1, 2) * 1.0;
            let turned = t.clone().swap_dims(2, 3) * 1.0;
            [
                t.clone(),
                side_by_side.swap_dims(1, 2),
                turned.swap_dims(2, 3),
            ]
        };
        let expected = x.clone().matmul(y.clone());
        for (i, x) in views(&x).iter().enumerate() {
            for (j, y) in views(&y).iter().enumerate() {
                let found = cpu::product(x, y).expect("on the processor");
                let what = format!("{b} {heads} {m} {k} {n}, views {i} and {j}");
                compare(&what, found, expected.clone(), CONVOLUTION);
            }
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
        let found = cpu::rope(x.clone(), &table, turned).expect("on the processor");
        compare(
            &format!("{turned} of {tokens}"),
            found,
            stock::rope(x, &table, turned),
            PROCESSOR,
        );
    }
}

/// `[b, c, h, w]`, filters `[c_out, c_in, rows, columns]`, stride and padding.
type Convolution = ([usize; 4], [usize; 4], [usize; 2]);

const CONVOLUTIONS: [Convolution; 10] = [
    ([2, 6, 3, 7], [5, 6, 1, 1], [1, 0]),
    ([2, 6, 3, 7], [5, 6, 1, 1], [2, 0]),
    ([1, 3, 37, 45], [12, 3, 7, 7], [4, 3]), // as the patch embedding
    ([2, 4, 9, 13], [3, 4, 3, 3], [2, 1]),
    ([1, 1, 16, 16], [1, 1, 4, 4], [4, 0]),
    ([1, 2, 2, 2], [3, 2, 5, 5], [1, 2]), // a filter larger than the map
    ([1, 2, 5, 4], [3, 2, 3, 2], [1, 3]), // places that see nothing
    ([1, 64, 70, 70], [4, 64, 3, 3], [1, 1]), // in parts
    ([2, 8, 9, 11], [8, 1, 7, 7], [1, 3]), // one filter to each channel
    ([1, 5, 6, 4], [5, 1, 3, 3], [2, 1]),
];

#[test]
fn convolutions() {
    for (i, (map, shape, [stride, padding])) in CONVOLUTIONS.into_iter().enumerate() {
        let filter = Filter {
            weight: tensor(shape, 1, 0.3, &device()),
            bias: tensor([shape[0]], 2, 1.0, &device()),
            stride,
            padding,
            activation: [None, Some(Activation::Gelu), Some(Activation::Relu)][i % 3],
        };
        let x: Tensor<4> = tensor(map, 3, 1.0, &device());
        // Once as it lies, once with the channels last in memory.
        let last = x.clone().permute([0, 2, 3, 1]) * 1.0;
        let expected = stock::conv2d(x.clone(), filter.clone());
        for x in [x, last.permute([0, 3, 1, 2])] {
            let found = cpu::conv2d(&x, &filter).expect("on the processor");
            compare(
                &format!("{map:?} by {shape:?}"),
                found,
                expected.clone(),
                CONVOLUTION,
            );
        }
    }
    let grouped = Filter {
        weight: tensor([8, 4, 3, 3], 1, 0.3, &device()),
        bias: tensor([8], 2, 1.0, &device()),
        stride: 1,
        padding: 1,
        activation: None,
    };
    assert!(cpu::conv2d(&tensor([1, 8, 4, 4], 3, 1.0, &device()), &grouped).is_none());
}

#[test]
fn transposed_convolutions() {
    let x: Tensor<4> = tensor([2, 6, 3, 5], 1, 1.0, &device());
    let weight = tensor([6, 5, 2, 2], 2, 0.3, &device());
    let bias = tensor([5], 3, 1.0, &device());
    let found = cpu::conv_transpose2x2(&x, &weight, &bias).expect("on the processor");
    compare(
        "2x2",
        found,
        stock::conv_transpose2x2(x, weight, bias),
        CONVOLUTION,
    );
}

#[test]
fn activations() {
    let x: Tensor<4> = tensor([2, 6, 3, 7], 3, 3.0, &device());
    let found =
        cpu::activate(x.clone().swap_dims(1, 3), Activation::Gelu).expect("on the processor");
    let expected = burn::tensor::activation::gelu(x.swap_dims(1, 3));
    compare("GELU", found, expected, PROCESSOR);
}

/// Odd sizes, a view, and NaN as torch has it.
#[test]
fn max_pooling() {
    for shape @ [_, h, w, c] in [[1, 4, 6, 8], [2, 5, 7, 3], [3, 2, 2, 1], [1, 3, 9, 33]] {
        let x: Tensor<4> = tensor([shape[0], w, h, c], 5, 2.0, &device());
        let x = x.swap_dims(1, 2);
        let found = cpu::max_pool2x2(&x).expect("on the processor");
        let expected = stock::max_pool2x2(x);
        compare(&format!("{shape:?}"), found, expected, EXACT);
    }
    for place in 0..4 {
        let mut values = [1.0; 4];
        values[place] = f32::NAN;
        let x = Tensor::<1>::from_floats(values, &device()).reshape([1, 2, 2, 1]);
        let found = cpu::max_pool2x2(&x).expect("on the processor");
        assert!(found.into_scalar::<f32>().is_nan(), "at {place}");
    }
}
