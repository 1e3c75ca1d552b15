//! What a session keeps in memory: packed weights stay packed, and nothing grows with the volume.

mod common;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use burn::tensor::Device;
use common::golden_dir;
use oneslice::checkpoint::{self, Quantized, Scheme, TensorFile};
use oneslice::kernels::Bits;
use oneslice::propagate::{Direction, HeldMemory, Session, SessionOptions};
use oneslice::sam2::parts::{Part, PreparedPart};
use oneslice::sam2::{ImageSize, Sam2, Sam2Config};
use oneslice::volume::{Axis, Window, phantom};

fn nano(bits: Option<Bits>, device: &Device) -> Sam2 {
    let path = golden_dir().join("../../weights/nano/sam2-nano.safetensors");
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

/// The graphics device, for one test at a time: its allocator counts for all that use it.
struct Gpu {
    device: Device,
    _alone: MutexGuard<'static, ()>,
}

impl Gpu {
    /// None, with a word about it, where graphics tests are not asked for.
    fn open(test: &str) -> Option<Self> {
        static GPU: OnceLock<Device> = OnceLock::new();
        static ALONE: Mutex<()> = Mutex::new(());
        common::switch("ONESLICE_WGPU", test)?;
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let open = || Device::wgpu_options().init().expect("a graphics device");
        let device = GPU.get_or_init(open).clone();
        device.memory_cleanup();
        Some(Self {
            device,
            _alone: alone,
        })
    }
}

/// The allocator's own count: its peak is that of the first slices.
#[test]
fn a_graphics_card_reserves_no_more_for_a_longer_volume() {
    let Some(gpu) = Gpu::open("a_graphics_card_reserves_no_more") else {
        return;
    };
    let model = nano(Some(Bits::Int8), &gpu.device);
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

/// Nor is one made when the weight is used: after some slices, what lives on the device beyond what a session accounts for
/// is less than half of what packing saves.
#[test]
fn packed_weights_have_no_float_copy_on_a_graphics_card() {
    let Some(gpu) = Gpu::open("packed_weights_have_no_float_copy_on_a_graphics_card") else {
        return;
    };
    let float = after(6, &nano(None, &Device::flex())).weights;
    for bits in [Bits::Int8, Bits::Int4] {
        let before = in_use(&gpu.device);
        let held = after(6, &nano(Some(bits), &gpu.device));
        let counted = held.weights + held.tables + held.features + held.memory_bank;
        let living = held.device.expect("a graphics device counts").in_use - before;
        let (saved, unknown) = (float - held.weights, living.saturating_sub(counted));
        println!("{bits:?}: {saved} bytes saved, {unknown} of {living} not accounted for");
        assert!(unknown < saved / 2, "{bits:?}: {unknown} of {saved} bytes");
    }
}

/// Seven memories and sixteen pointers at 1024 pixels are 28,736 keys for 4,096 queries; their scores alone would take 471 MB. One layer
/// of Meta's width: the others run in the same memory.
#[test]
fn memory_attention_at_1024_pixels_takes_64_megabytes() {
    let Some(gpu) = Gpu::open("memory_attention_at_1024_pixels_takes_64_megabytes") else {
        return;
    };
    let config = Sam2Config {
        memory_attention_layers: 1,
        ..Sam2Config::tiny()
    };
    let model = config.init(&gpu.device);
    let size = ImageSize::new(1024).unwrap();
    let part = PreparedPart::new(model, &config, size, Part::MemoryAttention7);
    gpu.device.memory_cleanup();
    let outputs = part.run();
    assert_eq!(outputs[0].dims(), [4096 * 256]);
    drop(outputs);
    let usage = gpu.device.memory_pool_usage().expect("a count");
    // What lives now are the part's inputs and weights.
    let temporaries = usage.bytes_reserved - usage.bytes_in_use;
    println!("memory attention at 1024: {temporaries} bytes of temporaries");
    assert!(temporaries <= 64 << 20, "{temporaries} bytes");
}

fn in_use(device: &Device) -> u64 {
    device.memory_pool_usage().expect("a count").bytes_in_use
}
