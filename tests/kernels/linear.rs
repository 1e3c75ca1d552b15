//! The linear layer: odd shapes, all formats of weights, all epilogues, both classes of adapter.

use std::cell::Cell;

use burn::tensor::{Device, Tensor};
use oneslice::kernels::gpu::{self, AdapterClass};
use oneslice::kernels::{Activation, Bits, Epilogue, Packed, Weight, pack, stock};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::common::{Tolerance, assert_close, max_difference, say, values};
use crate::{Assumed, CLASSES, Random, assert_nothing_logged, device, upload};

/// Sums of up to 320 products below 1, in another order than the CPU's: partial sums reach 30, where a rounding is
/// 1e-6, and some hundred of them wander to about 2e-5. Measured on lavapipe and SwiftShader: 1.9e-5.
const LINEAR: Tolerance = Tolerance {
    name: "LINEAR",
    absolute: 5e-5,
};

#[derive(Clone, Debug)]
struct Case {
    rows: usize,
    d_input: usize,
    d_output: usize,
    /// Bits and rows of a group, none for f32.
    packed: Option<(Bits, usize)>,
    bias: bool,
    activation: Option<Activation>,
    residual: bool,
    layout: Layout,
    seed: u64,
}

/// How x lies in memory.
#[derive(Clone, Copy, Debug)]
enum Layout {
    Rows,
    /// Among other columns.
    Narrowed,
    /// Column by column.
    Transposed,
}

fn cases() -> impl Strategy<Value = Case> {
    let weight = prop_oneof![
        (1usize..=70).prop_map(|quads| (4 * quads, None)),
        (1usize..=6).prop_map(|n| (32 * n, Some((Bits::F16, 32 * n)))),
        (
            1usize..=8,
            prop::sample::select(vec![Bits::Int8, Bits::Int4]),
            0usize..3
        )
            .prop_map(|(n, bits, group)| match group {
                0 => (32 * n, Some((bits, 32))),
                1 => (64 * n.min(5), Some((bits, 64))),
                _ => (32 * n, Some((bits, 32 * n))),
            }),
    ];
    let activation =
        prop::sample::select(vec![None, Some(Activation::Relu), Some(Activation::Gelu)]);
    let layouts = vec![Layout::Rows, Layout::Narrowed, Layout::Transposed];
    let layout = prop::sample::select(layouts);
    let epilogue = (any::<bool>(), activation, any::<bool>());
    (
        1usize..=70,
        weight,
        1usize..=40,
        epilogue,
        layout,
        any::<u64>(),
    )
        .prop_map(
            |(rows, (d_input, packed), quads, (bias, activation, residual), layout, seed)| Case {
                rows,
                d_input,
                d_output: 4 * quads,
                packed,
                bias,
                activation,
                residual,
                layout,
                seed,
            },
        )
}

/// The layer's operands on a device; the same seed gives the same values.
fn operands(case: &Case, device: &Device) -> (Tensor<2>, Weight, Epilogue) {
    let &Case {
        rows,
        d_input,
        d_output,
        ..
    } = case;
    let mut random = Random(case.seed);
    // 64 columns are 256 bytes, at which a narrowed tensor is not copied.
    let width = d_input + 128;
    let x = random.values(rows * width);
    let x = match case.layout {
        Layout::Rows => upload(&x[..rows * d_input], [rows, d_input], device),
        Layout::Narrowed => upload(&x, [rows, width], device).narrow(1, 64, d_input),
        Layout::Transposed => upload(&x[..rows * d_input], [d_input, rows], device).transpose(),
    };
    let weight = random.values(d_input * d_output);
    let weight = match case.packed {
        None => Weight::Dense(upload(&weight, [d_input, d_output], device)),
        Some((bits, group)) => {
            let packed: Packed = pack(&weight, d_output, bits, group);
            Weight::Packed(packed.upload(bits, d_output, device))
        }
    };
    let bias = random.values(d_output);
    let residual = random.values(rows * d_output);
    let epilogue = Epilogue {
        bias: case.bias.then(|| upload(&bias, [d_output], device)),
        activation: case.activation,
        residual: case
            .residual
            .then(|| upload(&residual, [rows, d_output], device)),
    };
    (x, weight, epilogue)
}

/// On the CPU by Burn's operations, and on the graphics card by our kernel.
fn both(case: &Case, device: &Device) -> (Vec<f32>, Vec<f32>) {
    let (x, weight, epilogue) = operands(case, &Device::flex());
    let expected = values(stock::linear(x, &weight, epilogue));
    let (x, weight, epilogue) = operands(case, device);
    let y = gpu::linear(&x, &weight, &epilogue).expect("the kernel takes this");
    (values(y), expected)
}

fn agree(class: AdapterClass, test: &str) {
    let Some(device) = device(test) else { return };
    let _assumed = Assumed::new(class);
    let largest = Cell::new(0.0f32);
    let config = Config {
        cases: 150,
        failure_persistence: None,
        ..Config::default()
    };
    let result = TestRunner::new(config).run(&cases(), |case| {
        let (found, expected) = both(&case, &device);
        let (_, off) = max_difference(&found, &expected);
        prop_assert!(off <= LINEAR.absolute, "{off:e} off");
        largest.set(largest.get().max(off));
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{class:?}: {failure}");
    }
    assert_nothing_logged();
    say(&format!(
        "linear, {class:?}: {:.1e} off at most",
        largest.get()
    ));
}

#[test]
fn linear_on_hardware() {
    agree(AdapterClass::Hardware, "linear_on_hardware");
}

#[test]
fn linear_on_an_emulator() {
    agree(AdapterClass::Emulated, "linear_on_an_emulator");
}

/// What is large takes the large tiles, and several workgroups along both axes.
#[test]
fn many_rows() {
    let Some(device) = device("many_rows") else {
        return;
    };
    for class in CLASSES {
        let _assumed = Assumed::new(class);
        for packed in [
            None,
            Some((Bits::Int8, 32)),
            Some((Bits::Int4, 96)),
            Some((Bits::F16, 96)),
        ] {
            let case = Case {
                rows: 1033,
                d_input: 96,
                d_output: 388,
                packed,
                bias: true,
                activation: Some(Activation::Gelu),
                residual: true,
                layout: Layout::Rows,
                seed: 5,
            };
            let (found, expected) = both(&case, &device);
            assert_close(&format!("{class:?} {packed:?}"), &found, &expected, LINEAR);
        }
    }
    assert_nothing_logged();
}

/// GELU's error function over all it is used on, through a weight that only passes x on.
#[test]
fn gelu_is_exact() {
    /// One rounding of the error function, of its argument and of the product, for values up to 6.
    const GELU: Tolerance = Tolerance {
        name: "GELU",
        absolute: 1e-6,
    };
    let Some(device) = device("gelu_is_exact") else {
        return;
    };
    let x: Vec<f32> = (0..4096)
        .map(|i| (i as f32 - 2048.0) * 6.0 / 2048.0)
        .collect();
    let identity: Vec<f32> = (0..16)
        .map(|i| if i % 5 == 0 { 1.0 } else { 0.0 })
        .collect();
    let apply = |device: &Device| {
        let epilogue = Epilogue {
            activation: Some(Activation::Gelu),
            ..Epilogue::default()
        };
        let weight = Weight::Dense(upload(&identity, [4, 4], device));
        (upload(&x, [1024, 4], device), weight, epilogue)
    };
    let (cpu, weight, epilogue) = apply(&Device::flex());
    let expected = values(stock::linear(cpu, &weight, epilogue));
    for class in CLASSES {
        let _assumed = Assumed::new(class);
        let (x, weight, epilogue) = apply(&device);
        let found = gpu::linear(&x, &weight, &epilogue).expect("the kernel takes this");
        assert_close(&format!("GELU, {class:?}"), &values(found), &expected, GELU);
    }
    assert_nothing_logged();
}

#[test]
fn what_the_kernel_declines() {
    let declined = |device: &Device, d_input, d_output| {
        let x = upload(&vec![0.0; 3 * d_input], [3, d_input], device);
        let weight = upload(&vec![0.0; d_input * d_output], [d_input, d_output], device);
        gpu::linear(&x, &Weight::Dense(weight), &Epilogue::default()).is_none()
    };
    assert!(declined(&Device::flex(), 4, 4), "a tensor on the CPU");
    let Some(device) = device("what_the_kernel_declines") else {
        return;
    };
    for (d_input, d_output) in [(4, 4), (6, 4), (4, 1)] {
        assert!(
            !declined(&device, d_input, d_output),
            "{d_input} to {d_output}"
        );
    }
}
