//! Where a slice's time goes: the model's parts, at the nano model's own size, on the CPU.
//!
//! `cargo bench --bench blocks [SIZE]`: medians of 15 runs in milliseconds, and each part's share of a tracked slice.

use std::time::Instant;

use burn::tensor::Device;
use oneslice::checkpoint::{self, TensorFile};
use oneslice::sam2::resample::Size;
use oneslice::sam2::transform::grey_tensor;
use oneslice::sam2::{
    Conditioning, ImageFeatures, ImageSize, MemorySlot, PointerSlot, Sam2, Tables,
};

const WEIGHTS: &[u8] = include_bytes!("../weights/nano/sam2-nano.safetensors");
const RUNS: usize = 15;

fn main() {
    let size = std::env::args()
        .filter_map(|a| a.parse().ok())
        .next()
        .unwrap_or(256);
    let image_size = ImageSize::new(size).expect(ImageSize::RULE);
    let device = Device::flex();
    let file =
        TensorFile::from_safetensors("nano", WEIGHTS.to_vec()).expect("the embedded weights");
    let (_, model) = checkpoint::load(&file, &device).expect("the embedded weights");
    let tables = model.tables(image_size);
    let side = 200;
    let grey: Vec<u8> = (0..side * side)
        .map(|i| ((i / 7) ^ (i % 251)) as u8)
        .collect();
    let image = grey_tensor(&grey, Size::square(side), image_size, &device);
    let features = model.forward_image(image.clone(), &tables);
    let one = conditioning(&model, &features, &tables, 1, 1);
    let full = conditioning(&model, &features, &tables, 7, 16);
    let output = model.track(&features, &full, &tables);

    let parts = [
        (
            "preprocessing",
            median(|| drop(grey_tensor(&grey, Size::square(side), image_size, &device))),
        ),
        (
            "image encoder",
            median(|| drop(model.forward_image(image.clone(), &tables))),
        ),
        (
            "memory attention, 7 memories, 16 pointers",
            median(|| drop(model.condition(&features, &full, &tables))),
        ),
        (
            "memory attention, decoder",
            median(|| drop(model.track(&features, &full, &tables))),
        ),
        (
            "memory encoder",
            median(|| drop(model.encode_new_memory(&features, &output, false, &tables))),
        ),
    ];
    let slice = parts[0].1 + parts[1].1 + parts[3].1 + parts[4].1;
    println!("nano at {size} pixels, CPU: one tracked slice {slice:.1} ms");
    for (name, milliseconds) in parts {
        println!(
            "{milliseconds:8.2} ms  {:5.1} %  {name}",
            100.0 * milliseconds / slice
        );
    }
    let short = median(|| drop(model.condition(&features, &one, &tables)));
    println!("{short:8.2} ms           memory attention, 1 memory, 1 pointer");
}

/// A slice's own memory and pointer, several times over.
fn conditioning(
    model: &Sam2,
    features: &ImageFeatures,
    tables: &Tables,
    memories: usize,
    pointers: usize,
) -> Conditioning {
    let output = model.prompt_points(features, &[], None, None, tables);
    let memory = model.encode_new_memory(features, &output, true, tables);
    let slot = |t_pos| MemorySlot {
        features: memory.clone(),
        t_pos: Some(t_pos),
    };
    let pointer = |t_diff| PointerSlot {
        obj_ptr: output.obj_ptr.clone(),
        t_diff,
    };
    Conditioning {
        memories: (0..memories).map(slot).collect(),
        pointers: (1..=pointers).map(pointer).collect(),
        max_obj_ptrs: 16,
    }
}

fn median(mut run: impl FnMut()) -> f64 {
    run(); // the first run allocates
    let mut times: Vec<f64> = (0..RUNS)
        .map(|_| {
            let started = Instant::now();
            run();
            started.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[RUNS / 2]
}
