//! The linear layer on a graphics card: our kernel with weights of 32, 8 and 4 bits against Burn's operations.
//!
//! `cargo bench --bench kernels`: medians of 7 runs for the layers of SAM 2.1 tiny and nano, on the adapter that wgpu
//! chooses. GMAC/s are multiplications; GB/s the bytes that have to move at least once (x, weight, bias, y); then the share of
//! what the adapter can do at most of one or the other (`common/limits.rs`), and how much faster than Burn's f32.

use std::time::Instant;

use burn::tensor::{DType, Device, Tensor, TensorData};
use oneslice::kernels::{self, Activation, Bits, Epilogue, Weight, pack, stock};

use limits::Limits;

#[path = "common/limits.rs"]
mod limits;

const RUNS: usize = 7;
/// Rows, d_input, d_output.
const SHAPES: [[usize; 3]; 6] = [
    [4096, 96, 384],
    [1024, 192, 768],
    [256, 384, 1536],
    [256, 256, 2048],
    [1856, 64, 256],
    [8, 256, 2048],
];

fn main() {
    let device = Device::wgpu_options().init().expect("a graphics device");
    let limits = Limits::of(&device);
    println!(
        "rows x d_input x d_output, bias and GELU, weights | ms | GMAC/s | GB/s | share of the limit | against Burn"
    );
    for shape in SHAPES {
        let [rows, d_input, d_output] = shape;
        let x = random([rows, d_input], &device);
        let dense = values(d_input * d_output);
        let upload = TensorData::new(dense.clone(), [d_input, d_output]);
        let f32_weight = Weight::Dense(Tensor::from_data(upload, (&device, DType::F32)));
        let packed =
            |bits| Weight::Packed(pack(&dense, d_output, bits, 32).upload(bits, d_output, &device));
        let epilogue = Epilogue {
            bias: Some(random([1, d_output], &device).reshape([d_output])),
            activation: Some(Activation::Gelu),
            residual: None,
        };
        let burn = median(&device, || {
            stock::linear(x.clone(), &f32_weight, epilogue.clone())
        });
        let report = |name: &str, seconds: f64, bits: usize| {
            let macs = (rows * d_input * d_output) as f64;
            let scales = if bits < 16 { d_input * d_output / 8 } else { 0 };
            let weight = d_input * d_output * bits / 8 + scales;
            let bytes = (4 * (rows * (d_input + d_output) + d_output) + weight) as f64;
            let (gmacs, gbytes) = (macs / seconds * 1e-9, bytes / seconds * 1e-9);
            println!(
                "| {rows}x{d_input}x{d_output}, {name} | {:.2} | {gmacs:.1} | {gbytes:.2} | {} | {:.1} |",
                seconds * 1e3,
                limits.share(gmacs, gbytes),
                burn / seconds
            );
        };
        report("Burn", burn, 32);
        let ours = |weight: &Weight| {
            median(&device, || {
                kernels::linear(x.clone(), weight, epilogue.clone())
            })
        };
        report("f32", ours(&f32_weight), 32);
        for bits in [Bits::F16, Bits::Int8, Bits::Int4] {
            let name = format!("{}-bit", bits.count());
            report(&name, ours(&packed(bits)), bits.count());
        }
    }
}

/// Seconds of one run.
fn median(device: &Device, run: impl Fn() -> Tensor<2>) -> f64 {
    let timed = |times: usize| {
        let started = Instant::now();
        let results: Vec<_> = (0..times).map(|_| run()).collect();
        device.sync().expect("the device");
        drop(results);
        started.elapsed().as_secs_f64()
    };
    timed(1); // compiles
    // As many at a time as take some milliseconds: waiting for the device takes a while too.
    let times = (0.01 / timed(1)).clamp(1.0, 50.0) as usize;
    let mut seconds: Vec<f64> = (0..RUNS).map(|_| timed(times) / times as f64).collect();
    seconds.sort_by(f64::total_cmp);
    seconds[RUNS / 2]
}

fn values(count: usize) -> Vec<f32> {
    let mut state = 1u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(next).collect()
}

fn random(shape: [usize; 2], device: &Device) -> Tensor<2> {
    let data = TensorData::new(values(shape[0] * shape[1]), shape);
    Tensor::from_data(data, (device, DType::F32))
}
