//! A slice's parts on one device, with our kernels and with Burn's own operations in turn, for `./dev bench`.
//!
//! `cargo bench --bench slice -- --model FILE --size N --device cpu|gpu [--kernels ours,stock] [--runs 5] [--parts a,b]`
//! prints a line of JSON for each part and kind of kernels, as `web/bench.mjs` does: times in milliseconds, and samples of the
//! outputs. The kinds take turns, so that other work on the machine slows them alike.

use std::path::Path;
use std::time::Instant;

use burn::tensor::{Device, Tensor};
use oneslice::checkpoint::{self, TensorFile};
use oneslice::kernels;
use oneslice::sam2::parts::{Part, PreparedPart, samples};
use oneslice::sam2::{ImageSize, Sam2, Sam2Config};
use serde_json::json;

struct Options {
    model: String,
    /// f32, int8 or int4, for the report.
    weights: String,
    device_name: String,
    size: ImageSize,
    device: Device,
    /// Burn's own operations alone?
    stock: Vec<bool>,
    runs: usize,
    parts: Vec<Part>,
}

fn main() {
    let options = options();
    let file = TensorFile::open(Path::new(&options.model)).expect("a checkpoint");
    let (config, model) = checkpoint::load(&file, &options.device).expect("a checkpoint");
    for &part in &options.parts {
        measure(&options, &config, &model, part);
    }
}

fn measure(options: &Options, config: &Sam2Config, model: &Sam2, part: Part) {
    let prepared = PreparedPart::new(model.clone(), config, options.size, part);
    let mut first = Vec::new();
    for &stock in &options.stock {
        kernels::use_stock(stock);
        let started = Instant::now();
        run(&prepared); // compiles kernels, allocates
        first.push(milliseconds(started));
    }
    let mut times = vec![Vec::new(); options.stock.len()];
    for _ in 0..options.runs {
        for (times, &stock) in times.iter_mut().zip(&options.stock) {
            kernels::use_stock(stock);
            let started = Instant::now();
            run(&prepared);
            times.push(milliseconds(started));
        }
    }
    for ((times, first), &stock) in times.iter().zip(first).zip(&options.stock) {
        kernels::use_stock(stock);
        let outputs: Vec<_> = prepared
            .run()
            .into_iter()
            .map(|x| samples(&read(x)))
            .collect();
        let line = json!({
            "where": "native",
            "device": options.device_name,
            "model": config.name,
            "size": options.size.pixels(),
            "part": part.name(),
            "engine": format!("{} {}", if stock { "stock" } else { "oneslice" }, options.weights),
            "first": first,
            "times": times,
            "macs": part.macs(config, options.size),
            // Bytes taken from the device so far, with weights and inputs: the peak of all parts up to here.
            "reserved": options.device.memory_pool_usage().map(|usage| usage.bytes_reserved),
            "inUse": options.device.memory_pool_usage().map(|usage| usage.bytes_in_use),
            "outputs": outputs,
        });
        println!("{line}");
    }
}

/// Runs a part and waits for it, by its last output's last value.
fn run(part: &PreparedPart) {
    let outputs = part.run();
    let last = outputs
        .into_iter()
        .next_back()
        .expect("every part has outputs");
    let end = last.dims()[0];
    read(last.narrow(0, end - 1, 1));
}

fn read(tensor: Tensor<1>) -> Vec<f32> {
    tensor.into_data().try_into_vec().expect("f32")
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

fn options() -> Options {
    // cargo bench adds one of its own.
    let given: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let value = |name: &str| {
        let at = given.iter().position(|a| a == name)?;
        Some(
            given
                .get(at + 1)
                .unwrap_or_else(|| panic!("{name} needs a value"))
                .as_str(),
        )
    };
    let list = |name: &str, default: &str| -> Vec<String> {
        value(name)
            .unwrap_or(default)
            .split(',')
            .map(str::to_owned)
            .collect()
    };
    let pixels = value("--size")
        .unwrap_or("256")
        .parse()
        .expect("--size: a number");
    let stock = |name: &String| match name.as_str() {
        "ours" => false,
        "stock" => true,
        other => panic!("--kernels: ours or stock, not {other}"),
    };
    let all = Part::ALL.map(Part::name).join(",");
    let part = |name: &String| Part::named(name).unwrap_or_else(|| panic!("no part {name}"));
    Options {
        model: value("--model")
            .unwrap_or("weights/nano/sam2-nano.safetensors")
            .into(),
        weights: value("--weights").unwrap_or("f32").into(),
        device_name: value("--device").unwrap_or("cpu").into(),
        size: ImageSize::new(pixels).expect(ImageSize::RULE),
        device: match value("--device") {
            None | Some("cpu") => Device::flex(),
            Some("gpu") => Device::wgpu_options().init().expect("a graphics device"),
            Some(other) => panic!("--device: cpu or gpu, not {other}"),
        },
        stock: list("--kernels", "ours").iter().map(stock).collect(),
        runs: value("--runs")
            .unwrap_or("5")
            .parse()
            .expect("--runs: a number"),
        parts: list("--parts", &all).iter().map(part).collect(),
    }
}
