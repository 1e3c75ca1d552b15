//! Goldens and how results are compared with them.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod encoder;
pub mod lpips;
pub mod picture;
pub mod picture_prompts;
pub mod video;
pub mod video_checks;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::{Device, Tensor, TensorData};
use oneslice::checkpoint::{self, TensorFile};
use oneslice::sam2::{HieraConfig, Sam2, Sam2Config};
use safetensors::{Dtype, SafeTensors};

/// The largest difference allowed, with its name; see `tests/README.md` for the reasons.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    pub name: &'static str,
    pub absolute: f32,
}

/// Mask logits, of order 10.
pub const MASK_LOGITS: Tolerance = Tolerance {
    name: "MASK_LOGITS",
    absolute: 2e-3,
};
/// Object pointers.
pub const POINTERS: Tolerance = Tolerance {
    name: "POINTERS",
    absolute: 1e-4,
};
/// Memories.
pub const MEMORY: Tolerance = Tolerance {
    name: "MEMORY",
    absolute: 1e-3,
};
/// Predicted IoU and object scores.
pub const SCORES: Tolerance = Tolerance {
    name: "SCORES",
    absolute: 1e-3,
};
/// One block with given inputs, values of order 1 to 10.
pub const BLOCK: Tolerance = Tolerance {
    name: "BLOCK",
    absolute: 1e-4,
};
/// The model's input, values of order 2: the same formula in the same order, so rounding at most.
pub const INPUT: Tolerance = Tolerance {
    name: "INPUT",
    absolute: 1e-6,
};
/// The same after torchvision's float resize, whose sums have another order.
pub const IMAGE_INPUT: Tolerance = Tolerance {
    name: "IMAGE_INPUT",
    absolute: 1e-5,
};
/// A ratio of two areas: one pixel of a few hundred would show.
pub const STABILITY: Tolerance = Tolerance {
    name: "STABILITY",
    absolute: 1e-3,
};
/// Masks of a whole video: intersection over union.
pub const VIDEO_IOU: f64 = 0.999;

/// Whether figures are shown although the tests pass.
static SHOW_FIGURES: AtomicBool = AtomicBool::new(false);

/// A line for the person who runs the tests, past the test harness, which hides what passing
/// tests print.
pub fn say(line: &str) {
    let mut terminal = std::io::stderr();
    writeln!(terminal, "{line}").unwrap();
}

/// The value of the variable that switches a test on; figures are shown then. Without it a line
/// says that the test is skipped.
pub fn switch(variable: &str, test: &str) -> Option<String> {
    let value = std::env::var(variable).ok().filter(|v| !v.is_empty());
    match value {
        Some(_) => SHOW_FIGURES.store(true, Ordering::Relaxed),
        None => say(&format!("SKIPPED: {test} (set {variable} to run it)")),
    }
    value
}

/// A figure, with the test's name where tests run side by side.
fn figure(line: &str) {
    let thread = std::thread::current();
    let line = format!("{}: {line}", thread.name().unwrap_or_default());
    match SHOW_FIGURES.load(Ordering::Relaxed) {
        true => say(&line),
        false => eprintln!("{line}"),
    }
}

/// Folder of the committed goldens.
pub fn golden_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// A golden file.
pub struct Golden {
    name: String,
    bytes: Vec<u8>,
}

impl Golden {
    pub fn open(name: &str) -> Self {
        Self::open_path(&golden_dir().join(name))
    }

    pub fn open_path(path: &Path) -> Self {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{name}: {e}"));
        Self { name, bytes }
    }

    fn parsed(&self) -> SafeTensors<'_> {
        SafeTensors::deserialize(&self.bytes).unwrap()
    }

    pub fn has(&self, key: &str) -> bool {
        self.parsed().tensor(key).is_ok()
    }

    pub fn keys(&self) -> Vec<String> {
        self.parsed()
            .names()
            .into_iter()
            .map(str::to_owned)
            .collect()
    }

    pub fn shape(&self, key: &str) -> Vec<usize> {
        self.view(key, |view| view.shape().to_vec())
    }

    fn view<T>(&self, key: &str, f: impl FnOnce(&safetensors::tensor::TensorView<'_>) -> T) -> T {
        let parsed = self.parsed();
        let view = parsed.tensor(key);
        f(&view.unwrap_or_else(|e| panic!("{}: {key}: {e}", self.name)))
    }

    pub fn f32(&self, key: &str) -> Vec<f32> {
        self.view(key, |view| {
            assert_eq!(view.dtype(), Dtype::F32, "{key}");
            view.data()
                .as_chunks()
                .0
                .iter()
                .map(|&b| f32::from_le_bytes(b))
                .collect()
        })
    }

    pub fn i32(&self, key: &str) -> Vec<i32> {
        self.view(key, |view| {
            assert_eq!(view.dtype(), Dtype::I32, "{key}");
            view.data()
                .as_chunks()
                .0
                .iter()
                .map(|&b| i32::from_le_bytes(b))
                .collect()
        })
    }

    /// Indices.
    pub fn indices(&self, key: &str) -> Vec<usize> {
        let values = self.i32(key).into_iter();
        values.map(|v| usize::try_from(v).unwrap()).collect()
    }

    pub fn u8(&self, key: &str) -> Vec<u8> {
        self.view(key, |view| {
            assert_eq!(view.dtype(), Dtype::U8, "{key}");
            view.data().to_vec()
        })
    }

    pub fn tensor<const D: usize>(&self, key: &str, device: &Device) -> Tensor<D> {
        Tensor::from_data(TensorData::new(self.f32(key), self.shape(key)), device)
    }
}

/// The configuration of the committed goldens; see `tests/golden/models.py`.
pub fn micro_config() -> Sam2Config {
    Sam2Config {
        name: "micro".into(),
        trunk: HieraConfig {
            embed_dim: 8,
            num_heads: 1,
            stages: [1, 2, 3, 1],
            global_att_blocks: vec![5],
            window_pos_embed_bkg_spatial_size: 7,
            window_spec: [8, 4, 6, 3],
        },
        d_model: 32,
        mem_dim: 16,
        memory_attention_layers: 2,
        dim_feedforward: 128,
    }
}

/// The model of a file with another bias of the object score, as the generator sets it.
pub fn with_score_bias(file: &TensorFile, config: &Sam2Config, bias: f32, device: &Device) -> Sam2 {
    let key = "sam_mask_decoder.pred_obj_score_head.layers.2.bias";
    let bytes = checkpoint::to_safetensors(file, checkpoint::Precision::F32, &[]).unwrap();
    let bytes = replace_tensor(&bytes, key, &[bias]);
    let file = TensorFile::from_safetensors("another bias", bytes).unwrap();
    checkpoint::load_as(&file, config, device).unwrap()
}

pub fn micro_file() -> TensorFile {
    TensorFile::open(&golden_dir().join("micro.safetensors")).unwrap()
}

pub fn micro(device: &Device) -> Sam2 {
    checkpoint::load_as(&micro_file(), &micro_config(), device).unwrap()
}

/// A tensor's values on the host.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().unwrap()
}

/// Panics with the worst element unless all values agree.
pub fn assert_close(what: &str, found: &[f32], expected: &[f32], tolerance: Tolerance) {
    let worst = max_difference(found, expected);
    figure(&format!(
        "{what}: max difference {:.2e} ({} {:.0e})",
        worst.1, tolerance.name, tolerance.absolute
    ));
    let (at, difference) = worst;
    assert!(
        difference <= tolerance.absolute,
        "{what}: element {at} is {} instead of {}, {difference:e} apart; {} allows {:e}",
        found[at],
        expected[at],
        tolerance.name,
        tolerance.absolute
    );
}

/// Place and size of the largest difference; NaN counts as infinite.
pub fn max_difference(found: &[f32], expected: &[f32]) -> (usize, f32) {
    assert_eq!(found.len(), expected.len(), "lengths differ");
    let differences = found
        .iter()
        .zip(expected)
        .map(|(a, b)| match (a - b).abs() {
            d if d.is_nan() => f32::INFINITY,
            d => d,
        });
    differences
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap_or((0, 0.0))
}

/// Intersection over union of the positive values; 1 when both have none.
pub fn iou(found: &[f32], expected: &[f32]) -> f64 {
    let pairs = || {
        found
            .iter()
            .zip(expected)
            .map(|(a, b)| (*a > 0.0, *b > 0.0))
    };
    let both = pairs().filter(|(a, b)| *a && *b).count();
    let any = pairs().filter(|(a, b)| *a || *b).count();
    if any == 0 {
        1.0
    } else {
        both as f64 / any as f64
    }
}

/// Panics unless the masks of the two sets of logits overlap nearly everywhere.
pub fn assert_overlap(what: &str, found: &[f32], expected: &[f32], at_least: f64) {
    let overlap = iou(found, expected);
    figure(&format!("{what}: IoU {overlap:.6} (at least {at_least})"));
    assert!(overlap >= at_least, "{what}: masks overlap by {overlap}");
}

/// The same safetensors file with one f32 tensor's values replaced.
pub fn replace_tensor(bytes: &[u8], key: &str, values: &[f32]) -> Vec<u8> {
    let parsed = SafeTensors::deserialize(bytes).unwrap();
    let new: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let views = parsed.tensors().into_iter().map(|(name, view)| {
        let data = if name == key { &new } else { view.data() };
        let shape = view.shape().to_vec();
        let view = safetensors::tensor::TensorView::new(view.dtype(), shape, data).unwrap();
        (name, view)
    });
    safetensors::serialize(views.collect::<Vec<_>>(), None).unwrap()
}
