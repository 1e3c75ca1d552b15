//! Every box of the model, each on the inputs that Meta's had.

mod common;

use burn::tensor::{Device, Tensor};
use common::encoder::{as_map, as_tokens, check_features, check_input, check_trunk};
use common::{BLOCK, Golden, MASK_LOGITS, SCORES, assert_close, micro, values};
use oneslice::nn::AxialRope;
use oneslice::sam2::config::{
    POS_ENC_AT_INPUT, SIGMOID_BIAS_FOR_MEM_ENC, SIGMOID_SCALE_FOR_MEM_ENC, TEMPERATURE,
};
use oneslice::sam2::mask_decoder::DecoderInput;
use oneslice::sam2::memory_attention::MemoryTokens;
use oneslice::sam2::position_encoding::{get_1d_sine_pe, position_embedding_sine};
use oneslice::sam2::resample::{Size, bilinear_antialias, pil_resize};
use oneslice::sam2::transform::mask_prompt;
use oneslice::sam2::{ImageSize, ModelPoint, PointLabel, Sam2};

const SIZE: usize = 128;
const GRID: usize = SIZE / 16;

fn open() -> (Golden, Sam2, Device) {
    let device = Device::flex();
    (Golden::open("blocks.safetensors"), micro(&device), device)
}

fn image_size() -> ImageSize {
    ImageSize::new(SIZE).unwrap()
}

fn size_of(golden: &Golden, key: &str) -> Size {
    let shape = golden.shape(key);
    Size {
        rows: shape[0],
        cols: shape[1],
    }
}

fn check(golden: &Golden, key: &str, found: &[f32]) {
    assert_close(key, found, &golden.f32(key), BLOCK);
}

#[test]
fn slices_are_resized_as_pil_does() {
    let (golden, _, _) = open();
    for i in 0..3 {
        let [from, to] = ["grey", "resized"].map(|name| format!("resize.{i}.{name}"));
        let (from_size, to_size) = (size_of(&golden, &from), size_of(&golden, &to));
        let resized = pil_resize(&golden.u8(&from), from_size, to_size);
        assert!(resized == golden.u8(&to), "{to} differs");
    }
}

#[test]
fn mask_prompts_are_resized_as_torch_does() {
    let (golden, _, _) = open();
    for i in 0..3 {
        let [mask, model, low_res] =
            ["mask", "mask_model", "mask_low_res"].map(|name| format!("resize.{i}.{name}"));
        let [from, square, low] = [&mask, &model, &low_res].map(|key| size_of(&golden, key));
        let floats: Vec<f32> = golden.u8(&mask).into_iter().map(f32::from).collect();
        let resized = bilinear_antialias(&floats, from, square);
        let resized: Vec<u8> = resized.iter().map(|&v| u8::from(v >= 0.5)).collect();
        assert!(resized == golden.u8(&model), "{model} differs");
        let logit = |&v: &u8| f32::from(v) * SIGMOID_SCALE_FOR_MEM_ENC + SIGMOID_BIAS_FOR_MEM_ENC;
        let logits: Vec<f32> = resized.iter().map(logit).collect();
        check(&golden, &low_res, &bilinear_antialias(&logits, square, low));
    }
}

#[test]
fn a_mask_prompt_is_the_resized_mask_and_its_logits() {
    let (golden, _, device) = open();
    let mask: Vec<bool> = golden.u8("resize.0.mask").iter().map(|&v| v > 0).collect();
    let size = size_of(&golden, "resize.0.mask");
    let prompt = mask_prompt(&mask, size, image_size(), &device);
    let inside: Vec<u8> = values(prompt.mask).iter().map(|&v| v as u8).collect();
    assert!(
        inside == golden.u8("resize.0.mask_model"),
        "the mask differs"
    );
    let low_res = values(prompt.low_res_logits);
    check(&golden, "resize.0.mask_low_res", &low_res);
    assert!(!prompt.is_empty);
}

/// Ours are for squares, which is all that the model has; `sine.16.5x7` is a rectangle.
#[test]
fn sine_encodings() {
    let (golden, _, device) = open();
    for channels in [16, 32] {
        let found = as_map(position_embedding_sine(channels, 8, &device));
        check(&golden, &format!("sine.{channels}.8x8"), &found);
    }
    let positions = golden.f32("sine1d.positions");
    let found = values(get_1d_sine_pe(&positions, 32, &device));
    check(&golden, "sine1d.32", &found);
}

#[test]
fn rotary_encoding_of_queries_and_of_keys_of_three_memories() {
    let (golden, _, device) = open();
    let rope = AxialRope::new(32, 6, TEMPERATURE, &device);
    for name in ["q", "k"] {
        let x = golden.tensor::<4>(&format!("rope.{name}"), &device);
        let found = values(rope.rotate(x.squeeze_dim(1), 0));
        check(&golden, &format!("rope.{name}_rotated"), &found);
    }
}

#[test]
fn image_encoder() {
    let (golden, model, _) = open();
    check_input(&golden, &model, image_size());
    check_trunk(&golden, &model, image_size());
    check_features(&golden, &model, image_size());
}

fn points(golden: &Golden, case: &str) -> Vec<ModelPoint> {
    let coordinates = golden.f32(&format!("prompt.{case}.coords"));
    let labels = golden.i32(&format!("prompt.{case}.labels"));
    let label = |&v: &i32| match v {
        0 => Some(PointLabel::Exclude),
        1 => Some(PointLabel::Include),
        2 => Some(PointLabel::BoxTopLeft),
        3 => Some(PointLabel::BoxBottomRight),
        _ => None, // not a point
    };
    let pairs = coordinates.as_chunks::<2>().0.iter().zip(&labels);
    let point = |(&[x, y], v): (&[f32; 2], &i32)| label(v).map(|label| ModelPoint { x, y, label });
    pairs.filter_map(point).collect()
}

#[test]
fn prompt_encoder() {
    let (golden, model, device) = open();
    let encoder = &model.sam_prompt_encoder;
    check(
        &golden,
        "prompt.dense_pe",
        &values(encoder.get_dense_pe(GRID)),
    );
    for case in ["points", "box"] {
        let found = encoder.embed_points(&points(&golden, case), SIZE);
        check(&golden, &format!("prompt.{case}.sparse"), &values(found));
    }
    // The tracker's "no prompt": one point that is none, and the padding, which is the same.
    let none = encoder.embed_points(&points(&golden, "none"), SIZE);
    check(
        &golden,
        "prompt.none.sparse",
        &values(none.repeat_dim(1, 2)),
    );

    let mask = golden.tensor("prompt.mask.in", &device);
    let dense = values(encoder.embed_mask(Some(mask)));
    check(&golden, "prompt.mask.dense", &dense);
    let absent = encoder.embed_mask(None).expand([1, 32, GRID, GRID]);
    check(&golden, "prompt.no_mask.dense", &values(absent));
}

#[test]
fn two_way_transformer() {
    let (golden, model, device) = open();
    let map = |key: &str| as_tokens(golden.tensor(key, &device));
    for case in ["points", "box", "none"] {
        let image = map(&format!("twoway.{case}.image_embedding"));
        let tokens = golden.tensor(&format!("twoway.{case}.point_embedding"), &device);
        let transformer = &model.sam_mask_decoder.transformer;
        let found = transformer.forward(image, map("prompt.dense_pe"), tokens);
        let queries = values(found.queries);
        check(&golden, &format!("twoway.{case}.queries"), &queries);
        let keys = values(found.keys);
        check(&golden, &format!("twoway.{case}.keys"), &keys);
    }
}

#[test]
fn mask_decoder() {
    let (golden, model, device) = open();
    let map = |key: &str| golden.tensor::<4>(key, &device);
    let close = |key: &str, found: Vec<f32>, tolerance| {
        assert_close(key, &found, &golden.f32(key), tolerance);
    };
    for (case, dense) in [("points", "no_mask"), ("box", "mask"), ("none", "no_mask")] {
        let found = model.sam_mask_decoder.predict_masks(DecoderInput {
            image_embeddings: map("decoder.image_embeddings"),
            image_pe: map("prompt.dense_pe"),
            sparse: Some(golden.tensor(&format!("prompt.{case}.sparse"), &device)),
            dense: map(&format!("prompt.{dense}.dense")),
            high_res_features: ["s0", "s1"].map(|s| map(&format!("high_res_feats.{s}"))),
        });
        let key = |name: &str| format!("decoder.{case}.{name}");
        close(&key("all_masks"), values(found.masks), MASK_LOGITS);
        close(&key("all_ious"), values(found.ious), SCORES);
        close(&key("mask_tokens"), values(found.tokens), BLOCK);
        let score = values(found.object_score_logits);
        close(&key("object_score_logits"), score, SCORES);
    }
}

#[test]
fn memory_encoder() {
    let (golden, model, device) = open();
    let features = golden.tensor("backbone_fpn.2", &device);
    let mask = golden.tensor("memory_encoder.mask", &device);
    let memory = values(model.memory_encoder.forward(features, mask));
    check(&golden, "memory_encoder.features", &memory);
    let pos = model.tables(image_size()).maskmem_pos_enc;
    check(&golden, "memory_encoder.pos", &as_map(pos));
}

#[test]
fn memory_attention() {
    let (golden, model, device) = open();
    // Meta's layout is [tokens, batch, channels].
    let tokens = |key: &str| -> Tensor<3> { golden.tensor::<3>(key, &device).swap_dims(0, 1) };
    let rope = AxialRope::new(32, GRID, TEMPERATURE, &device);
    let curr = tokens("memory_attention.curr");
    let curr_pos = tokens("memory_attention.curr_pos");
    for case in ["1+1", "3+2", "7+16", "2+0"] {
        let key = |name: &str| format!("memory_attention.{case}.{name}");
        let memory = MemoryTokens {
            memory: tokens(&key("memory")),
            pos: tokens(&key("memory_pos")),
            num_obj_ptr_tokens: golden.indices(&key("num_obj_ptr_tokens"))[0],
        };
        let attention = &model.memory_attention;
        let x = curr.clone() + curr_pos.clone() * POS_ENC_AT_INPUT;
        let keys = memory.memory.clone() + memory.pos.clone();
        let first = attention.layers[0].forward(x, keys, &memory, &rope);
        check(&golden, &key("layer0"), &values(first));
        let found = attention.forward(curr.clone(), curr_pos.clone(), &memory, &rope);
        check(&golden, &key("output"), &values(found));
    }
}
