//! Time and memory for each slice, of a short and of a long volume: neither may grow with the length.
//!
//! `cargo bench --bench session`: the nano model on phantoms of 40 and 400 slices, 256 model pixels, CPU, one label, both
//! directions. Prints medians, and their ratio, which other work on the machine does not change much.

use std::sync::Arc;
use std::time::Instant;

use burn::tensor::Device;
use oneslice::checkpoint::{self, TensorFile};
use oneslice::propagate::{Direction, Session, SessionOptions};
use oneslice::sam2::{ImageSize, Sam2};
use oneslice::volume::{Axis, Window, phantom};

const WEIGHTS: &[u8] = include_bytes!("../weights/nano/sam2-nano.safetensors");

struct Measured {
    slices: usize,
    /// Median over the slices.
    milliseconds: f64,
    /// Highest resident set while propagating, less that before and the result itself, which is two bytes for each voxel.
    grown_mib: f64,
}

fn main() {
    let file =
        TensorFile::from_safetensors("nano", WEIGHTS.to_vec()).expect("the embedded weights");
    let (_, model) = checkpoint::load(&file, &Device::flex()).expect("the embedded weights");
    propagate(&model, 12); // the first steps allocate what the later ones use again
    let (short, long) = (propagate(&model, 40), propagate(&model, 400));
    println!("slices  median ms per slice  memory grown by, beside the result (MiB)");
    for m in [&short, &long] {
        println!(
            "{:6}  {:19.1}  {:21.1}",
            m.slices, m.milliseconds, m.grown_mib
        );
    }
    println!(
        "time per slice, 400 to 40 slices: {:.3}",
        long.milliseconds / short.milliseconds
    );
}

fn propagate(model: &Sam2, slices: usize) -> Measured {
    let (volume, organs) = phantom::phantom([96, 96, slices]);
    let result_mib = (volume.grid.voxel_count() * size_of::<u16>()) as f64 / f64::from(1 << 20);
    let axis = Axis::Axial.of(&volume.grid);
    let slice = organs
        .largest_slice(axis, phantom::LIVER)
        .expect("the phantom has a liver");
    let mask = organs
        .slice_mask(axis, slice, phantom::LIVER)
        .expect("a slice of the phantom");
    let window = Window::new(-160.0, 240.0).expect("a window");
    let image_size = ImageSize::new(256).expect("an image size");
    let options = SessionOptions {
        axis,
        window,
        image_size,
    };
    let mut session = Session::new(model, Arc::new(volume), options);
    session
        .add_mask(phantom::LIVER, slice, mask)
        .expect("a mask on the volume");
    session.start(Direction::Both).expect("a prompt");

    let before = resident_mib();
    let (mut times, mut highest) = (Vec::new(), before);
    loop {
        let started = Instant::now();
        if pollster::block_on(session.next())
            .expect("the CPU")
            .is_none()
        {
            break;
        }
        times.push(started.elapsed().as_secs_f64() * 1e3);
        highest = highest.max(resident_mib());
    }
    times.sort_by(f64::total_cmp);
    Measured {
        slices,
        milliseconds: times[times.len() / 2],
        grown_mib: highest - before - result_mib,
    }
}

/// Resident set of this process; 0 where the system does not tell.
fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    let kib = line.and_then(|l| l.trim().trim_end_matches("kB").trim().parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}
