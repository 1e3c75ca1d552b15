//! The full tiny model against Meta's code: `ONESLICE_REFERENCE=DIR`, written by
//! `tests/golden/make_reference.py DIR`. Too large to commit, so skipped without the variable.

mod common;

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use common::encoder::{check_features, check_input, check_trunk};
use common::picture_prompts::check_prompts;
use common::video::Clip;
use common::video_checks::{check_attention, check_points, mask_video, run_mask_video};
use common::{Golden, VIDEO_IOU, assert_overlap, say, switch};
use oneslice::checkpoint::{self, TensorFile};
use oneslice::propagate::Pass::{self, Forward, Reverse};
use oneslice::sam2::{ImageSize, Sam2, Sam2Config};

const MODEL: &str = "sam2.1_hiera_tiny_random";

/// The folder of one image size, with the model.
struct Reference {
    root: PathBuf,
    size: usize,
}

impl Reference {
    /// None when there is nothing to compare with, which is then said.
    fn open(test: &str, size: usize) -> Option<Self> {
        let root = PathBuf::from(switch("ONESLICE_REFERENCE", test)?);
        say(&format!("{test}: S = {size}"));
        Some(Self { root, size })
    }

    fn file(&self, extension: &str) -> TensorFile {
        TensorFile::open(&self.root.join(format!("{MODEL}.{extension}"))).unwrap()
    }

    fn model(&self) -> Sam2 {
        let (config, model) = checkpoint::load(&self.file("safetensors"), &Device::flex()).unwrap();
        assert_eq!(config, Sam2Config::tiny());
        model
    }

    fn golden(&self, name: &str) -> Golden {
        let name = format!("{}/{name}.safetensors", self.size);
        Golden::open_path(&self.root.join(Path::new(&name)))
    }

    fn clip(&self) -> Clip {
        Clip::from_golden(&self.golden("clips"), "rgb8")
    }

    fn image_size(&self) -> ImageSize {
        ImageSize::new(self.size).unwrap()
    }

    fn mask_video(&self, name: &str, passes: &[Pass]) {
        mask_video(
            &self.golden(name),
            self.clip(),
            self.size,
            &self.model(),
            passes,
        );
    }
}

fn image_encoder(size: usize) {
    let Some(reference) = Reference::open("image encoder", size) else {
        return;
    };
    let (golden, model) = (reference.golden("image"), reference.model());
    check_input(&golden, &model, reference.image_size());
    if golden.has("trunk.pos_embed") {
        check_trunk(&golden, &model, reference.image_size());
    }
    check_features(&golden, &model, reference.image_size());
}

fn prompts(size: usize) {
    if let Some(reference) = Reference::open("prompts", size) {
        let golden = reference.golden("prompts");
        check_prompts(&golden, &reference.model(), reference.image_size());
    }
}

fn video8(size: usize) {
    if let Some(reference) = Reference::open("video8", size) {
        reference.mask_video("video8", &[Forward, Reverse]);
    }
}

#[test]
fn image_encoder_at_256() {
    image_encoder(256);
}

#[test]
fn image_encoder_at_1024() {
    image_encoder(1024);
}

#[test]
fn prompts_at_256() {
    prompts(256);
}

#[test]
fn prompts_at_1024() {
    prompts(1024);
}

#[test]
fn video8_at_256() {
    video8(256);
}

#[test]
fn video8_at_1024() {
    video8(1024);
}

#[test]
fn both_files_hold_the_same_model() {
    let Some(reference) = Reference::open("both files", 256) else {
        return;
    };
    let [pt, safetensors] = ["pt", "safetensors"].map(|extension| reference.file(extension));
    let (config, _) = checkpoint::load(&pt, &Device::flex()).unwrap();
    assert_eq!(config, Sam2Config::tiny());
    let keys = |file: &TensorFile| file.keys().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(keys(&pt), keys(&safetensors));
    for key in pt.keys() {
        let [a, b] = [&pt, &safetensors].map(|file| file.read_f32(key).unwrap());
        assert!(a == b, "{key} differs");
    }
}

#[test]
fn what_frames_attend_to() {
    if let Some(reference) = Reference::open("memory attention", 256) {
        let golden = reference.golden("video8");
        check_attention(&golden, reference.clip(), 256, &reference.model());
    }
}

#[test]
fn reverse_only() {
    if let Some(reference) = Reference::open("video8_rev", 256) {
        reference.mask_video("video8_rev", &[Reverse]);
    }
}

#[test]
fn an_empty_mask() {
    if let Some(reference) = Reference::open("video8_emptymask", 256) {
        reference.mask_video("video8_emptymask", &[Forward]);
    }
}

#[test]
fn an_absent_object() {
    let Some(reference) = Reference::open("video8_absent", 256) else {
        return;
    };
    let golden = reference.golden("video8_absent");
    let (file, bias) = (reference.file("safetensors"), golden.f32("score_bias")[0]);
    let model = common::with_score_bias(&file, &Sam2Config::tiny(), bias, &Device::flex());
    mask_video(&golden, reference.clip(), 256, &model, &[Forward]);
}

/// Meta stores memories as bf16, and these goldens with them.
#[test]
fn memories_in_bf16() {
    let Some(reference) = Reference::open("video8_bf16", 256) else {
        return;
    };
    let (golden, passes) = (reference.golden("video8_bf16"), [Forward, Reverse]);
    let (clip, model) = (reference.clip(), reference.model());
    let (video, outputs) = run_mask_video(&golden, clip, 256, &model, &passes);
    let logits: Vec<f32> = outputs.values().flat_map(|o| video.on_picture(o)).collect();
    let expected = golden.f32("mask_logits");
    assert_overlap("mask_logits", &logits, &expected, VIDEO_IOU);
}

#[test]
fn points_a_box_and_a_correction() {
    if let Some(reference) = Reference::open("video_points", 256) {
        let golden = reference.golden("video_points");
        check_points(&golden, || reference.clip(), 256, &reference.model());
    }
}

#[test]
fn twenty_frames() {
    if let Some(reference) = Reference::open("video20", 256) {
        let clip = Clip::from_golden(&reference.golden("clip20"), "rgb20");
        let golden = reference.golden("video20");
        mask_video(&golden, clip, 256, &reference.model(), &[Forward]);
    }
}
