//! Convolutions and layer norms against Burn's own operations on the CPU.

use burn::tensor::{Device, Tensor};
use oneslice::kernels::{Activation, Filter, Norm, gpu, stock};

use crate::common::Tolerance;
use crate::harness::{Gpu, compare, tensor};
use crate::{CLASSES, assert_nothing_logged};

/// Sums of up to 1,000 products of numbers below 1, in another order.
const CONVOLUTION: Tolerance = Tolerance {
    name: "CONVOLUTION",
    absolute: 5e-5,
};
/// Rows of variance 1: what a mean of 1,152 numbers in another order differs by, times the largest weight.
const NORM: Tolerance = Tolerance {
    name: "NORM",
    absolute: 1e-5,
};
/// The same of numbers near 100, two digits of which are gone before either begins.
const NORM_OFF_ZERO: Tolerance = Tolerance {
    name: "NORM_OFF_ZERO",
    absolute: 1e-4,
};

/// `[b, c_in, h, w]`, `[c_out, filter, stride, padding]`.
type Case = ([usize; 4], [usize; 4]);

const CASES: [Case; 12] = [
    ([1, 3, 37, 45], [12, 7, 4, 3]), // as the patch embedding; 147 inputs are no whole quads
    ([1, 1, 32, 32], [4, 3, 2, 1]),  // as the mask's first step; 9 inputs
    ([2, 16, 9, 13], [20, 3, 2, 1]),
    ([1, 8, 7, 5], [8, 3, 1, 1]),
    ([1, 4, 8, 8], [16, 2, 2, 0]),
    ([1, 12, 5, 7], [8, 1, 1, 0]), // a linear layer as it stands
    ([3, 64, 1, 1], [4, 1, 1, 0]),
    ([1, 4, 3, 3], [4, 3, 1, 0]),      // one place
    ([1, 6, 11, 4], [4, 1, 2, 0]),     // 1x1, but of stride 2
    ([1, 4, 4, 4], [3, 3, 1, 1]),      // no whole quads of channels come out
    ([1, 1, 16, 16], [1, 4, 4, 0]),    // as the mask's way down
    ([2, 64, 150, 150], [4, 3, 1, 1]), // patches of 104 MB: in parts
];

fn filter(case: &Case, activation: Option<Activation>, device: &Device) -> (Tensor<4>, Filter) {
    let (map, [c_out, size, stride, padding]) = *case;
    let filter = Filter {
        weight: tensor([c_out, map[1], size, size], 2, 0.3, device),
        bias: tensor([c_out], 3, 1.0, device),
        stride,
        padding,
        activation,
    };
    (tensor(map, 1, 1.0, device), filter)
}

#[test]
fn convolutions() {
    for class in CLASSES {
        let Some(gpu) = Gpu::open("convolutions", class) else {
            return;
        };
        for (i, case) in CASES.iter().enumerate() {
            let activation = [None, Some(Activation::Relu), Some(Activation::Gelu)][i % 3];
            let (x, on_gpu) = filter(case, activation, &gpu.device);
            let found = gpu::conv2d(&x, &on_gpu).expect("it takes these shapes");
            let (x, on_cpu) = filter(case, activation, &Device::flex());
            compare(
                &format!("{case:?}"),
                found,
                stock::conv2d(x, on_cpu),
                CONVOLUTION,
            );
        }
        assert_nothing_logged();
    }
}

/// A result is channels-last in memory, and is what the next layer reads.
#[test]
fn convolutions_in_a_row() {
    for class in CLASSES {
        let Some(gpu) = Gpu::open("convolutions_in_a_row", class) else {
            return;
        };
        let first = ([1, 8, 10, 6], [12, 3, 2, 1]);
        let second = ([1, 12, 5, 3], [8, 3, 1, 1]);
        let (x, a) = filter(&first, None, &gpu.device);
        let (_, b) = filter(&second, None, &gpu.device);
        let y = gpu::conv2d(&x, &a).expect("it takes these shapes");
        let found = gpu::conv2d(&y, &b).expect("and its own results");
        let (x, a) = filter(&first, None, &Device::flex());
        let (_, b) = filter(&second, None, &Device::flex());
        let expected = stock::conv2d(stock::conv2d(x, a), b);
        compare("two convolutions", found, expected, CONVOLUTION);
        assert_nothing_logged();
    }
}

#[test]
fn one_filter_to_each_channel() {
    for class in CLASSES {
        let Some(gpu) = Gpu::open("one_filter_to_each_channel", class) else {
            return;
        };
        for (map, size) in [([1, 8, 9, 5], 7), ([2, 12, 3, 4], 3), ([1, 4, 1, 1], 7)] {
            let [_, c, _, _] = map;
            let make = |device: &Device| {
                let filter = Filter {
                    weight: tensor([c, 1, size, size], 5, 0.3, device),
                    bias: tensor([c], 6, 1.0, device),
                    stride: 1,
                    padding: size / 2,
                    activation: None,
                };
                (tensor(map, 4, 1.0, device), filter)
            };
            let (x, filter) = make(&gpu.device);
            let found = gpu::conv2d(&x, &filter).expect("it takes these shapes");
            let (x, filter) = make(&Device::flex());
            compare(
                &format!("{map:?}, {size}"),
                found,
                stock::conv2d(x, filter),
                CONVOLUTION,
            );
        }
        assert_nothing_logged();
    }
}

#[test]
fn one_place_becomes_four() {
    for class in CLASSES {
        let Some(gpu) = Gpu::open("one_place_becomes_four", class) else {
            return;
        };
        for (map, c_out) in [([1, 8, 5, 3], 4), ([2, 16, 1, 4], 12), ([1, 4, 2, 2], 3)] {
            let make = |device: &Device| {
                let weight = tensor([map[1], c_out, 2, 2], 8, 0.3, device);
                (
                    tensor(map, 7, 1.0, device),
                    weight,
                    tensor([c_out], 9, 1.0, device),
                )
            };
            let (x, weight, bias) = make(&gpu.device);
            let found = gpu::conv_transpose2x2(&x, &weight, &bias).expect("it takes these shapes");
            let (x, weight, bias) = make(&Device::flex());
            let expected = stock::conv_transpose2x2(x, weight, bias);
            compare(&format!("{map:?} to {c_out}"), found, expected, CONVOLUTION);
        }
        assert_nothing_logged();
    }
}

#[test]
fn layer_norms() {
    for class in CLASSES {
        let Some(gpu) = Gpu::open("layer_norms", class) else {
            return;
        };
        let cases = [[1, 4], [65, 16], [7, 36], [3, 96], [130, 100], [5, 1152]];
        for (i, [rows, channels]) in cases.into_iter().enumerate() {
            let make = |device: &Device| {
                let norm = Norm {
                    weight: tensor([channels], 11, 1.0, device),
                    bias: tensor([channels], 12, 1.0, device),
                    epsilon: [1e-5, 1e-6][i % 2],
                    activation: [None, Some(Activation::Gelu), Some(Activation::Relu)][i % 3],
                };
                // Far from zero, where the difference of two large sums would be wrong.
                (tensor([rows, channels], 10, 1.0, device) + 100.0, norm)
            };
            let (x, norm) = make(&gpu.device);
            let found = gpu::layer_norm(&x, &norm).expect("it takes these shapes");
            let (x, norm) = make(&Device::flex());
            compare(
                &format!("{rows} x {channels}"),
                found,
                stock::layer_norm(x, norm),
                NORM_OFF_ZERO,
            );
            let (x, norm) = make(&gpu.device);
            let found = gpu::layer_norm(&(x - 100.0), &norm).expect("it takes these shapes");
            let (x, norm) = make(&Device::flex());
            compare(
                &format!("{rows} x {channels}"),
                found,
                stock::layer_norm(x - 100.0, norm),
                NORM,
            );
        }
        assert_nothing_logged();
    }
}

#[test]
fn what_they_decline() {
    let Some(gpu) = Gpu::open("what_they_decline", CLASSES[0]) else {
        return;
    };
    let (x, mut grouped) = filter(&([1, 8, 4, 4], [8, 3, 1, 1]), None, &gpu.device);
    grouped.weight = tensor([8, 4, 3, 3], 2, 0.3, &gpu.device);
    assert!(gpu::conv2d(&x, &grouped).is_none());
    let (x, on_cpu) = filter(&CASES[0], None, &Device::flex());
    assert!(gpu::conv2d(&x, &on_cpu).is_none());
}
