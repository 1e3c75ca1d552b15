//! How long a person waits for a click: the first on a slice, which looks at it, and the next ones, which do not.
//!
//! `cargo bench --bench preview`: the nano model at 256 model pixels on the CPU, slices of 512 x 512. Prints medians.

use std::sync::Arc;
use std::time::Instant;

use burn::tensor::Device;
use oneslice::checkpoint::{self, TensorFile};
use oneslice::propagate::{Click, PointPrompt, Session, SessionOptions, SlicePoint};
use oneslice::sam2::ImageSize;
use oneslice::volume::{Axis, Window, phantom};

const WEIGHTS: &[u8] = include_bytes!("../weights/nano/sam2-nano.safetensors");
const SLICES: usize = 12;
const CLICKS: usize = 5;

fn main() {
    let file =
        TensorFile::from_safetensors("nano", WEIGHTS.to_vec()).expect("the embedded weights");
    let (_, model) = checkpoint::load(&file, &Device::flex()).expect("the embedded weights");
    let (volume, _) = phantom::phantom([512, 512, SLICES]);
    let options = SessionOptions {
        axis: Axis::Axial.of(&volume.grid),
        window: Window::new(-160.0, 240.0).expect("a window"),
        image_size: ImageSize::new(256).expect("an image size"),
    };
    let mut session = Session::new(&model, Arc::new(volume), options);
    let (mut first, mut next) = (Vec::new(), Vec::new());
    for slice in 0..SLICES {
        let mut prompt = PointPrompt::default();
        for click in 0..CLICKS {
            prompt.clicks.push(Click {
                at: SlicePoint {
                    col: 200.0 + 20.0 * click as f32,
                    row: 256.0,
                },
                include: click % 2 == 0,
            });
            let started = Instant::now();
            pollster::block_on(session.preview(slice, &prompt, None)).expect("the CPU");
            let took = started.elapsed().as_secs_f64() * 1e3;
            match click {
                0 => first.push(took),
                _ => next.push(took),
            }
        }
    }
    // The first slice allocates what the others use again.
    println!("first click on a slice: {:6.1} ms", median(&mut first[1..]));
    println!(
        "each click after it:    {:6.1} ms",
        median(&mut next[CLICKS..])
    );
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
