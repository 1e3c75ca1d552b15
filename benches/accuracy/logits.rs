//! How far a packed model's mask logits are from the float model's. In: two models and a scan. Out: a relative error.

use oneslice::propagate::{FrameModel, Recall, Sam2Frames};
use oneslice::sam2::Sam2;

use super::cases::Scan;

/// Mask logits of the scan's first label on the prompted slice and three more.
pub fn logits(model: &Sam2, scan: &Scan) -> Vec<f32> {
    let frames = Sam2Frames::new(model.clone(), scan.options().image_size);
    let (axis, label) = (scan.options().axis, scan.labels[0]);
    let (first, mask) = scan.prompt(label);
    // Towards the scan's middle, where there are slices.
    let forwards = first < scan.volume.grid.slice_count(axis) / 2;
    let shape = mask.shape;
    let encode = |step: usize| {
        let slice = if forwards { first + step } else { first - step };
        let grey = scan
            .volume
            .slice_u8(axis, slice, &scan.options().window)
            .expect("a slice");
        frames.encode(&grey, shape)
    };
    let features = encode(0);
    let output = frames.prompt_mask(&features, &mask);
    let (memory, pointer) = frames.remember(&features, &output, true);
    let (mut memories, mut pointers) = (vec![memory], vec![pointer]);
    let read = |output| {
        pollster::block_on(frames.read(output, shape))
            .expect("the CPU")
            .logits
    };
    let mut all = read(output);
    for step in 1..=3 {
        let features = encode(step);
        // The prompted slice stays number 0; of the others, the nearest is number 1.
        let place = |i: usize| if i == 0 { 0 } else { step - i };
        let memories_now = memories.iter().enumerate();
        let pointers_now = pointers.iter().enumerate();
        let recall = Recall {
            memories: memories_now
                .map(|(i, m)| (Clone::clone(m), Some(place(i))))
                .collect(),
            pointers: pointers_now
                .map(|(i, p)| (Clone::clone(p), step - i))
                .collect(),
            max_obj_ptrs: 16,
        };
        let output = frames.track(&features, recall);
        let (memory, pointer) = frames.remember(&features, &output, false);
        memories.push(memory);
        pointers.push(pointer);
        all.extend(read(output));
    }
    all
}

/// Root mean square of the difference, over that of what was expected.
pub fn relative_error(found: &[f32], expected: &[f32]) -> f64 {
    let square =
        |values: &mut dyn Iterator<Item = f32>| values.map(|v| f64::from(v * v)).sum::<f64>();
    let pairs = found.iter().zip(expected);
    let off = square(&mut pairs.map(|(a, b)| a - b));
    (off / square(&mut expected.iter().copied())).sqrt()
}
