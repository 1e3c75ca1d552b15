//! Whole videos against Meta's predictor: prompts, memory, pointers, both directions.

mod common;

use burn::tensor::Device;
use common::video::{Clip, Video};
use common::video_checks::{check, check_attention, check_points, mask_video, run_mask_video};
use common::{Golden, SCORES, VIDEO_IOU, assert_close, assert_overlap, golden_dir, micro, values};
use oneslice::checkpoint::{self, TensorFile};
use oneslice::propagate::Pass::{Forward, Reverse};
use oneslice::sam2::{Sam2, Sam2Config};

fn cpu() -> Device {
    Device::flex()
}

/// The model with the object score's bias of the golden.
fn with_score_bias(golden: &Golden) -> Sam2 {
    let bias = golden.f32("score_bias")[0];
    common::with_score_bias(&common::micro_file(), &common::micro_config(), bias, &cpu())
}

#[test]
fn eight_frames_forward_then_reverse() {
    let golden = Golden::open("video8.safetensors");
    let passes = [Forward, Reverse];
    mask_video(&golden, Clip::open("rgb8"), 128, &micro(&cpu()), &passes);
}

#[test]
fn what_frames_attend_to() {
    let golden = Golden::open("video8.safetensors");
    check_attention(&golden, Clip::open("rgb8"), 128, &micro(&cpu()));
}

#[test]
fn eight_frames_reverse_only() {
    let golden = Golden::open("video8_rev.safetensors");
    mask_video(&golden, Clip::open("rgb8"), 128, &micro(&cpu()), &[Reverse]);
}

#[test]
fn six_wide_frames_at_another_image_size() {
    let golden = Golden::open("video6_size160.safetensors");
    let passes = [Forward, Reverse];
    mask_video(&golden, Clip::open("wide6"), 160, &micro(&cpu()), &passes);
}

#[test]
fn twenty_frames_exceed_the_memory() {
    let golden = Golden::open("video20.safetensors");
    mask_video(
        &golden,
        Clip::open("grey20"),
        128,
        &micro(&cpu()),
        &[Forward],
    );
}

#[test]
fn twenty_frames_both_ways() {
    let golden = Golden::open("video20_both.safetensors");
    let passes = [Forward, Reverse];
    mask_video(&golden, Clip::open("grey20"), 128, &micro(&cpu()), &passes);
}

#[test]
fn an_absent_object_leaves_no_mask_and_the_absent_pointer() {
    let golden = Golden::open("video8_absent.safetensors");
    let model = with_score_bias(&golden);
    mask_video(&golden, Clip::open("rgb8"), 128, &model, &[Forward]);
}

#[test]
fn an_object_that_comes_and_goes() {
    let golden = Golden::open("video8_mixed.safetensors");
    let model = with_score_bias(&golden);
    mask_video(
        &golden,
        Clip::open("rgb8"),
        128,
        &model,
        &[Forward, Reverse],
    );
}

#[test]
fn an_empty_mask_is_an_absent_object() {
    let golden = Golden::open("video8_emptymask.safetensors");
    mask_video(&golden, Clip::open("rgb8"), 128, &micro(&cpu()), &[Forward]);
}

/// Meta stores memories as bf16; ours stay f32. The masks agree all the same.
#[test]
fn rounding_of_memories_in_metas_code_moves_no_mask() {
    let golden = Golden::open("video8_bf16.safetensors");
    let (clip, model) = (Clip::open("rgb8"), micro(&cpu()));
    let (video, outputs) = run_mask_video(&golden, clip, 128, &model, &[Forward, Reverse]);
    let logits: Vec<f32> = outputs.values().flat_map(|o| video.on_picture(o)).collect();
    let expected = golden.f32("mask_logits");
    assert_overlap("bf16 memories", &logits, &expected, VIDEO_IOU);
}

/// Meta starts all objects where the earliest prompt is, so object 2 is tracked before its own
/// prompt, with that prompt's memory but not its pointer.
#[test]
fn two_masks_on_different_frames() {
    let golden = Golden::open("video_two.safetensors");
    let model = micro(&cpu());
    for object in ["obj1.", "obj2."] {
        let mut video = Video::new(&model, Clip::open("rgb8"), 128);
        let prompt = golden.indices(&format!("{object}prompt_frame"))[0];
        video.prompt_mask(prompt, &golden.u8(&format!("{object}prompt_mask")));
        let mut outputs = video.run(Forward, 1);
        outputs.extend(video.run(Reverse, 1));
        check(&golden, object, &video, &outputs);
    }
}

#[test]
fn a_box_a_click_and_a_correction() {
    let golden = Golden::open("video_points.safetensors");
    check_points(&golden, || Clip::open("rgb8"), 128, &micro(&cpu()));
}

/// What Meta's code makes of the same weights is what another name's model does.
#[test]
fn nanos_object_score_is_half_a_logit_higher_at_512_pixels() {
    let path = golden_dir().join("../../weights/nano/sam2-nano.safetensors");
    let (file, golden) = (
        TensorFile::open(&path).unwrap(),
        Golden::open("video8.safetensors"),
    );
    let score = |name: &str, image_size| {
        let name = name.to_owned();
        let config = Sam2Config {
            name,
            ..Sam2Config::nano()
        };
        let model = checkpoint::load_as(&file, &config, &cpu()).unwrap();
        let mut video = Video::new(&model, Clip::open("rgb8"), image_size);
        video.prompt_mask(6, &golden.u8("prompt_mask"));
        values(video.run(Forward, 6)[&7].object_score_logits.clone())[0]
    };
    for (image_size, raised) in [(256, 0.0), (512, 0.5)] {
        let by = score("nano", image_size) - score("another", image_size);
        assert_close("bias", &[by], &[raised], SCORES);
    }
}
