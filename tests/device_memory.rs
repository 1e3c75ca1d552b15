//! What a session keeps in memory: packed weights stay packed, and nothing grows with the volume.

mod common;

use std::sync::Arc;

use burn::tensor::Device;
use common::golden_dir;
use oneslice::checkpoint::{self, Quantized, Scheme, TensorFile};
use oneslice::kernels::Bits;
use oneslice::propagate::{Direction, HeldMemory, Session, SessionOptions};
use oneslice::sam2::{ImageSize, Sam2, Sam2Config};
use oneslice::volume::{Axis, Window, phantom};

fn nano(bits: Option<Bits>, device: &Device) -> Sam2 {
    let path = golden_dir().join("../../weights/nano/sam2-nano-r0.safetensors");
    let mut file = TensorFile::open(&path).unwrap();
    if let Some(bits) = bits {
        let scheme = Scheme::of_bits(bits);
        let quantized = Quantized::plan(&file, &Sam2Config::nano(), scheme, "a test").unwrap();
        let bytes = quantized.chunks().collect::<Result<Vec<_>, _>>().unwrap();
        file = TensorFile::from_safetensors("packed", bytes.concat()).unwrap();
    }
    checkpoint::load(&file, device).unwrap().1
}

/// After a whole phantom of so many slices.
fn after(slices: usize, model: &Sam2) -> HeldMemory {
    let (volume, organs) = phantom::phantom([32, 32, slices]);
    let axis = Axis::Axial.of(&volume.grid);
    let options = SessionOptions {
        axis,
        window: Window::auto(&volume),
        image_size: ImageSize::new(128).unwrap(),
    };
    let mut session = Session::new(model, Arc::new(volume), options);
    let slice = organs.largest_slice(axis, phantom::LIVER).unwrap();
    let mask = organs.slice_mask(axis, slice, phantom::LIVER).unwrap();
    session.add_mask(phantom::LIVER, slice, mask).unwrap();
    session.start(Direction::Both).unwrap();
    let mut most = session.held_memory();
    while pollster::block_on(session.next()).unwrap().is_some() {
        let held = session.held_memory();
        most.features = most.features.max(held.features);
        most.memory_bank = most.memory_bank.max(held.memory_bank);
        most.device = held.device;
    }
    most
}

#[test]
fn packed_weights_have_no_float_copy() {
    let weights = |bits| after(6, &nano(bits, &Device::flex())).weights as f64;
    let [float, int8, int4] = [None, Some(Bits::Int8), Some(Bits::Int4)].map(weights);
    // Embeddings, norms and convolutions stay floats: about a tenth of nano's numbers.
    assert!(int8 < 0.40 * float, "{int8} of {float}");
    assert!(int4 < 0.30 * float, "{int4} of {float}");
}

#[test]
fn what_is_remembered_does_not_grow_with_the_volume() {
    let model = nano(None, &Device::flex());
    let (short, long) = (after(72, &model), after(144, &model));
    assert!(short.memory_bank > 0 && short.features > 0 && short.tables > 0);
    assert_eq!(short.memory_bank, long.memory_bank);
    assert_eq!(short.features, long.features);
}

/// The allocator's own count: its peak is that of the first slices, and packed weights take less of it.
#[test]
fn a_graphics_card_reserves_no_more_for_a_longer_volume() {
    if common::switch("ONESLICE_WGPU", "a_graphics_card_reserves_no_more").is_none() {
        return;
    }
    let device = Device::wgpu_options().init().expect("a graphics device");
    let model = nano(Some(Bits::Int8), &device);
    let reserved = |slices| {
        let held = after(slices, &model).device;
        held.expect("a graphics device counts").reserved
    };
    let (short, long) = (reserved(24), reserved(72));
    println!("reserved: {short} bytes after 24 slices, {long} after 72");
    assert!(
        long <= short,
        "{short} bytes after 24 slices, {long} after 72"
    );
}
