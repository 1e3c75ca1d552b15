//! The graphics card against the CPU: `ONESLICE_WGPU=1`. Skipped without it, because a machine may have no
//! Vulkan, Metal or DirectX 12 at all. Mesa's lavapipe, a Vulkan on the CPU, is enough.

mod common;

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use burn::tensor::Device;
use common::picture_prompts::{CASES, Predictor};
use common::video::Clip;
use common::video_checks::run_mask_video;
use common::{
    Golden, Tolerance, assert_close, assert_overlap, golden_dir, micro, say, switch, values,
};
use oneslice::checkpoint::{self, Quantized, Scheme, TensorFile};
use oneslice::eval::dice_table;
use oneslice::kernels::{Bits, stock};
use oneslice::propagate::Pass::{Forward, Reverse};
use oneslice::propagate::{Direction, LabelResult, Session, SessionOptions};
use oneslice::sam2::parts::{Part, PreparedPart};
use oneslice::sam2::{FrameOutput, ImageSize, Sam2Config};
use oneslice::volume::{Axis, LabelMap, Window, phantom};

/// Mask logits: graphics drivers compute `exp`, `sin` and `erf` less exactly than the CPU.
/// Measured on lavapipe: 1.2e-4.
const GPU_LOGITS: Tolerance = Tolerance {
    name: "GPU_LOGITS",
    absolute: 5e-3,
};
/// Image features, pointers, predicted IoU and object scores. Measured on lavapipe: 1e-5.
const GPU_VALUES: Tolerance = Tolerance {
    name: "GPU_VALUES",
    absolute: 1e-3,
};
/// Overlap of masks, as IoU and as Dice.
const GPU_OVERLAP: f64 = 0.999;
const SIZE: usize = 128;
/// The phantom's label of the spine.
const SPINE: u16 = 4;

/// CPU and graphics card, or none if these tests are not asked for.
fn devices(test: &str) -> Option<[Device; 2]> {
    static GPU: OnceLock<Device> = OnceLock::new();
    switch("ONESLICE_WGPU", test)?;
    let open = || Device::wgpu_options().init().expect("a graphics device");
    Some([Device::flex(), GPU.get_or_init(open).clone()])
}

/// The browser's build is without Burn's own matrix products: nothing that a model does may fall back on them. (The goldens' model
/// does, whose heads have two channels.)
fn without_stock<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let before = stock::calls();
    let result = run();
    assert_eq!(stock::calls(), before, "{what}: Burn's own operations ran");
    result
}

/// The same on both devices, with the times it took.
fn on_both<T>(test: &str, run: impl Fn(&Device) -> T) -> Option<[T; 2]> {
    let results = devices(test)?.map(|device| {
        let start = Instant::now();
        let result = run(&device);
        (result, start.elapsed().as_secs_f32())
    });
    let [(cpu, cpu_s), (gpu, gpu_s)] = results;
    say(&format!("{test}: CPU {cpu_s:.1} s, GPU {gpu_s:.1} s"));
    Some([cpu, gpu])
}

#[test]
fn image_encoder() {
    let golden = Golden::open("blocks.safetensors");
    let features = |device: &Device| {
        let model = micro(device);
        let tables = model.tables(ImageSize::new(SIZE).unwrap());
        let features = model.forward_image(golden.tensor("input", device), &tables);
        let [s0, s1] = features.high_res;
        [s0, s1, features.embedding].map(values)
    };
    let Some([cpu, gpu]) = on_both("image encoder", features) else {
        return;
    };
    for (i, name) in ["s0", "s1", "embedding"].into_iter().enumerate() {
        assert_close(name, &gpu[i], &cpu[i], GPU_VALUES);
    }
}

#[test]
fn prompts() {
    let golden = Golden::open("image.safetensors");
    let predict = |device: &Device| {
        let model = micro(device);
        let predictor = Predictor::new(&golden, &model, ImageSize::new(SIZE).unwrap());
        CASES.map(|case| {
            let found = predictor.predict(&golden, case);
            (values(found.masks), values(found.ious))
        })
    };
    let Some([cpu, gpu]) = on_both("prompts", predict) else {
        return;
    };
    for (case, (cpu, gpu)) in CASES.iter().zip(cpu.into_iter().zip(gpu)) {
        assert_close(&format!("{case} masks"), &gpu.0, &cpu.0, GPU_LOGITS);
        assert_close(&format!("{case} ious"), &gpu.1, &cpu.1, GPU_VALUES);
    }
}

#[test]
fn a_video_forward_then_reverse() {
    let golden = Golden::open("video8.safetensors");
    let run = |device: &Device| {
        let (model, clip) = (micro(device), Clip::open("rgb8"));
        let (video, outputs) = run_mask_video(&golden, clip, SIZE, &model, &[Forward, Reverse]);
        let gather = |value: &dyn Fn(&FrameOutput) -> Vec<f32>| -> Vec<f32> {
            outputs.values().flat_map(value).collect()
        };
        [
            gather(&|o| video.on_picture(o)),
            gather(&|o| values(o.obj_ptr.clone())),
            gather(&|o| values(o.object_score_logits.clone())),
        ]
    };
    let Some([cpu, gpu]) = on_both("video8", run) else {
        return;
    };
    assert_overlap("masks", &gpu[0], &cpu[0], GPU_OVERLAP);
    assert_close("mask logits", &gpu[0], &cpu[0], GPU_LOGITS);
    assert_close("pointers", &gpu[1], &cpu[1], GPU_VALUES);
    assert_close("object scores", &gpu[2], &cpu[2], GPU_VALUES);
}

/// Whatever a configuration's widths: no part of a slice is left to Burn's own operations.
#[test]
fn every_model_runs_on_our_kernels() {
    let Some(devices) = devices("every_model_runs_on_our_kernels") else {
        return;
    };
    for device in devices {
        for config in Sam2Config::all() {
            let size = ImageSize::new(SIZE).unwrap();
            let outputs = without_stock(&config.name, || {
                PreparedPart::new(config.init(&device), &config, size, Part::Slice).run()
            });
            assert!(!outputs.is_empty());
        }
    }
}

/// The nano checkpoint, packed when bits are given.
fn nano(bits: Option<Bits>) -> TensorFile {
    let path = golden_dir().join("../../weights/nano/sam2-nano.safetensors");
    let file = TensorFile::open(&path).unwrap();
    let Some(bits) = bits else { return file };
    let (config, scheme) = (Sam2Config::nano(), Scheme::of_bits(bits));
    let quantized = Quantized::plan(&file, &config, scheme, "a test").unwrap();
    let bytes = quantized.chunks().collect::<Result<Vec<_>, _>>().unwrap();
    TensorFile::from_safetensors("packed", bytes.concat()).unwrap()
}

/// Two organs of the phantom with the nano model, as the command line and the page do it.
fn segment(device: &Device, bits: Option<Bits>) -> (LabelMap, Vec<LabelResult>) {
    let (volume, organs) = phantom::phantom([48, 48, 10]);
    let (_, model) = checkpoint::load(&nano(bits), device).unwrap();
    let axis = Axis::Axial.of(&volume.grid);
    let options = SessionOptions {
        axis,
        window: Window::auto(&volume),
        image_size: ImageSize::new(SIZE).unwrap(),
    };
    let mut session = Session::new(&model, Arc::new(volume), options);
    for label in [phantom::LIVER, SPINE] {
        let slice = organs.largest_slice(axis, label).unwrap();
        let mask = organs.slice_mask(axis, slice, label).unwrap();
        session.add_mask(label, slice, mask).unwrap();
    }
    session.start(Direction::Both).unwrap();
    let mut results = Vec::new();
    while let Some(slice) = pollster::block_on(session.next()).unwrap() {
        results.extend(slice.labels);
    }
    (session.label_map().clone(), results)
}

#[test]
fn a_phantom_with_the_nano_model() {
    compare_phantoms("phantom", None);
}

#[test]
fn a_phantom_with_packed_weights() {
    compare_phantoms("phantom, 8 bits", Some(Bits::Int8));
    compare_phantoms("phantom, 4 bits", Some(Bits::Int4));
}

fn compare_phantoms(what: &str, bits: Option<Bits>) {
    let run = |device: &Device| without_stock(what, || segment(device, bits));
    let Some([cpu, gpu]) = on_both(what, run) else {
        return;
    };
    let table = dice_table(&cpu.0, &gpu.0, None).unwrap();
    assert_eq!(table.len(), 2, "both organs are found");
    for row in table {
        let (label, dice) = (row.label, row.coefficient().unwrap());
        say(&format!(
            "label {label}: Dice {dice:.6} of {} voxels",
            row.first
        ));
        assert!(dice >= GPU_OVERLAP, "label {label}: Dice {dice}");
    }
    let scores = |results: &[LabelResult]| -> Vec<f32> {
        let both = |r: &LabelResult| [r.predicted_iou, r.object_score];
        results.iter().flat_map(both).collect()
    };
    assert_close("scores", &scores(&gpu.1), &scores(&cpu.1), GPU_VALUES);
}
