//! Attention and rotary encoding.

use burn::tensor::{Device, Tensor};
use oneslice::kernels::gpu::{self, AdapterClass};
use oneslice::kernels::stock;

use crate::common::Tolerance;
use crate::harness::{Gpu, compare, tensor};

/// Results are means of values from -1 to 1; drivers compute `exp` to a few units in the last place of its argument.
/// Measured: 1e-6.
const ATTENTION: Tolerance = Tolerance {
    name: "ATTENTION",
    absolute: 1e-5,
};
/// Scores of order 1000: their rounding (6e-5 each) is a relative error of the weights.
const EXTREME: Tolerance = Tolerance {
    name: "EXTREME",
    absolute: 1e-3,
};
/// Two products and a sum of values of order 1.
const ROPE: Tolerance = Tolerance {
    name: "ROPE",
    absolute: 1e-6,
};

struct Case {
    b: usize,
    heads: usize,
    d: usize,
    n_q: usize,
    n_k: usize,
    /// Of queries and keys; large ones make all but one weight vanish.
    scale: f32,
}

/// b, heads, d, n_q, n_k, scale.
const CASES: &[(usize, usize, usize, usize, usize, f32)] = &[
    (1, 1, 4, 1, 1, 1.0),
    (1, 1, 16, 1, 70, 1.0),
    (3, 2, 24, 33, 31, 1.0),
    (2, 8, 16, 9, 257, 1.0),
    (1, 8, 16, 130, 7, 1.0),
    (5, 1, 96, 64, 64, 1.0),
    (3, 2, 56, 49, 50, 2.0),
    (1, 4, 96, 65, 40, 1.0),
    (1, 1, 256, 40, 100, 1.0),
    (1, 1, 256, 67, 131, 12.0),
    (2, 2, 64, 35, 200, 30.0),
    (1, 1, 64, 8, 33, 0.0),
];

fn cases() -> impl Iterator<Item = Case> {
    CASES.iter().map(|&(b, heads, d, n_q, n_k, scale)| Case {
        b,
        heads,
        d,
        n_q,
        n_k,
        scale,
    })
}

impl Case {
    fn inputs(&self, seed: usize, device: &Device) -> [Tensor<3>; 3] {
        let c = self.heads * self.d;
        [
            tensor([self.b, self.n_q, c], seed, self.scale, device),
            tensor([self.b, self.n_k, c], seed + 1, self.scale, device),
            tensor([self.b, self.n_k, c], seed + 2, 1.0, device),
        ]
    }

    fn name(&self) -> String {
        let Self {
            b,
            heads,
            d,
            n_q,
            n_k,
            scale,
        } = self;
        format!("{b} x {heads} heads of {d}, {n_q} queries, {n_k} keys, scale {scale}")
    }

    fn tolerance(&self) -> Tolerance {
        match self.scale > 10.0 {
            true => EXTREME,
            false => ATTENTION,
        }
    }
}

fn attention_on(test: &str, class: AdapterClass) {
    let Some(gpu) = Gpu::open(test, class) else {
        return;
    };
    for (i, case) in cases().enumerate() {
        let [q, k, v] = case.inputs(10 * i, &gpu.device);
        let found = gpu::attention(&q, &k, &v, case.heads).expect("it takes these shapes");
        let [q, k, v] = case.inputs(10 * i, &Device::flex());
        let expected = stock::attention(q, k, v, case.heads);
        compare(&case.name(), found, expected, case.tolerance());
    }
}

#[test]
fn attention_hardware_variant() {
    attention_on("attention_hardware_variant", AdapterClass::Hardware);
}

#[test]
fn attention_emulated_variant() {
    attention_on("attention_emulated_variant", AdapterClass::Emulated);
}

/// Parts of a fused projection, as the image encoder makes them: views with strides and offsets.
#[test]
fn attention_reads_views() {
    for class in [AdapterClass::Hardware, AdapterClass::Emulated] {
        let Some(gpu) = Gpu::open("attention_reads_views", class) else {
            return;
        };
        for (b, n, c, heads) in [(3, 37, 64, 2), (2, 64, 96, 1), (1, 20, 192, 4)] {
            let parts = |device: &Device| {
                let qkv = tensor([b, n, 3 * c], n, 1.0, device);
                [0, 1, 2].map(|i| qkv.clone().narrow(2, i * c, c))
            };
            let [q, k, v] = parts(&gpu.device);
            let found = gpu::attention(&q, &k, &v, heads).expect("it takes views");
            let [q, k, v] = parts(&Device::flex());
            let what = format!("{class:?}: parts of {c} channels");
            compare(&what, found, stock::attention(q, k, v, heads), ATTENTION);
        }
    }
}

/// As memory attention has them: memories are narrower than the keys that are made of them.
#[test]
fn values_of_another_width() {
    for class in [AdapterClass::Hardware, AdapterClass::Emulated] {
        let Some(gpu) = Gpu::open("values_of_another_width", class) else {
            return;
        };
        for (heads, d, d_v) in [(1, 256, 64), (2, 16, 24), (1, 8, 132)] {
            let inputs = |device: &Device| {
                let tensor = |n, c, seed| tensor([2, n, c], seed, 1.0, device);
                let (q, k) = (tensor(45, heads * d, 1), tensor(70, heads * d, 2));
                [q, k, tensor(70, heads * d_v, 3)]
            };
            let [q, k, v] = inputs(&gpu.device);
            let found = gpu::attention(&q, &k, &v, heads).expect("it takes these shapes");
            let [q, k, v] = inputs(&Device::flex());
            let what = format!("{class:?}: {heads} heads, {d} and {d_v}");
            compare(&what, found, stock::attention(q, k, v, heads), ATTENTION);
        }
    }
}

/// One tensor in all three places: a browser refuses to bind it thrice.
#[test]
fn attention_of_a_tensor_to_itself() {
    let test = "attention_of_a_tensor_to_itself";
    let Some(gpu) = Gpu::open(test, AdapterClass::Emulated) else {
        return;
    };
    let x = |device: &Device| tensor([2, 19, 32], 5, 1.0, device);
    let on_gpu = x(&gpu.device);
    let found = gpu::attention(&on_gpu, &on_gpu, &on_gpu, 2).expect("it takes these shapes");
    let expected = stock::attention(
        x(&Device::flex()),
        x(&Device::flex()),
        x(&Device::flex()),
        2,
    );
    compare(test, found, expected, ATTENTION);
}

#[test]
fn attention_declines_what_it_cannot_do() {
    let Some(gpu) = Gpu::open(
        "attention_declines_what_it_cannot_do",
        AdapterClass::Hardware,
    ) else {
        return;
    };
    let x = |c| tensor([1, 5, c], 1, 1.0, &gpu.device);
    for (c, heads) in [(6, 1), (260, 1), (12, 2)] {
        assert!(
            gpu::attention(&x(c), &x(c), &x(c), heads).is_none(),
            "{c} channels, {heads} heads"
        );
    }
    let cpu = tensor([1, 5, 16], 1, 1.0, &Device::flex());
    assert!(
        gpu::attention(&cpu, &cpu, &cpu, 1).is_none(),
        "a tensor on the CPU"
    );
}

#[test]
fn rope_turns_the_first_tokens_and_passes_the_rest() {
    let Some(gpu) = Gpu::open(
        "rope_turns_the_first_tokens_and_passes_the_rest",
        AdapterClass::Hardware,
    ) else {
        return;
    };
    for (b, n, repeats, tail, c) in [
        (1, 9, 1, 0, 4),
        (2, 16, 3, 5, 64),
        (1, 25, 7, 64, 256),
        (3, 4, 1, 1, 12),
    ] {
        let tokens = n * repeats + tail;
        let inputs = |device: &Device| {
            (
                tensor([b, tokens, c], n, 1.0, device),
                tensor([n, c], c, 1.0, device),
            )
        };
        let (x, table) = inputs(&Device::flex());
        let expected = stock::rope(x, &table, n * repeats);
        let what = format!("{repeats} x {n} tokens and {tail}, {c} channels");
        let (x, table) = inputs(&gpu.device);
        let kept = x.clone(); // somebody else has it: a new one is written
        let found = gpu::rope(x, &table, n * repeats).expect("it takes these shapes");
        compare(&what, found, expected.clone(), ROPE);
        let found = gpu::rope(kept, &table, n * repeats).expect("the same"); // nobody else: in place
        compare(&format!("{what}, in place"), found, expected, ROPE);
    }
}
