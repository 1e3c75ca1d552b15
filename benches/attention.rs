//! Attention on the graphics card at SAM 2.1 tiny's shapes: ours against Burn's own, on the adapter there is.
//!
//! `cargo bench --bench attention`: medians of 5 runs, GMAC/s (two products counted), GB/s (q, k, v and the result once), the
//! share of what the adapter can do at most (`common/limits.rs`), and the ratio.

use std::time::Instant;

use burn::tensor::{Device, Distribution, Tensor};
use oneslice::kernels::{gpu, stock};

use limits::Limits;

#[path = "common/limits.rs"]
mod limits;

/// Name, batch, heads, channels of a head, queries, keys.
const SHAPES: &[(&str, usize, usize, usize, usize, usize)] = &[
    ("windows of 8 x 8, stage 1, 256 px", 64, 1, 96, 64, 64),
    ("windows of 4 x 4, stage 2, 256 px", 64, 2, 96, 16, 16),
    ("whole image, stage 3, 256 px", 1, 4, 96, 256, 256),
    ("memory, 1 + 1 pointer, 256 px", 1, 1, 256, 256, 260),
    ("memory, 7 + 16 pointers, 256 px", 1, 1, 256, 256, 1856),
    ("decoder, tokens to image, 256 px", 1, 8, 16, 8, 256),
    ("decoder, image to tokens, 256 px", 1, 8, 16, 256, 8),
];
const RUNS: usize = 5;

fn main() {
    if std::env::var("CLASS").is_ok() {
        gpu::assume_class(Some(gpu::AdapterClass::Hardware));
    }
    let device = Device::wgpu_options().init().expect("a graphics device");
    let limits = Limits::of(&device);
    println!("attention | ours ms | stock ms | GMAC/s | GB/s | share of the limit | ratio");
    for &(name, b, heads, d, n_q, n_k) in SHAPES {
        let random =
            |n| Tensor::<3>::random([b, n, heads * d], Distribution::Normal(0.0, 1.0), &device);
        let (q, k, v) = (random(n_q), random(n_k), random(n_k));
        let ours = median(|| gpu::attention(&q, &k, &v, heads).expect("these shapes fit"));
        let theirs = median(|| stock::attention(q.clone(), k.clone(), v.clone(), heads));
        let macs = (2 * b * heads * n_q * n_k * d) as f64;
        let bytes = (4 * b * heads * d * 2 * (n_q + n_k)) as f64;
        let (gmacs, gbytes) = (macs / ours * 1e-6, bytes / ours * 1e-6);
        println!(
            "| {name} | {ours:.2} | {theirs:.2} | {gmacs:.1} | {gbytes:.2} | {} | {:.1} |",
            limits.share(gmacs, gbytes),
            theirs / ours
        );
    }
}

/// Milliseconds until the result is here.
fn median(run: impl Fn() -> Tensor<3>) -> f64 {
    let finish = |t: Tensor<3>| drop(t.into_data());
    finish(run()); // the first run compiles
    let mut times: Vec<f64> = (0..RUNS)
        .map(|_| {
            let started = Instant::now();
            finish(run());
            started.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[RUNS / 2]
}
