//! One frame through the image encoder, box by box, against the keys `frame` to `high_res_feats.s1`.

use burn::tensor::Tensor;
use oneslice::sam2::position_encoding::position_embedding_sine;
use oneslice::sam2::resample::{Size, pil_resize};
use oneslice::sam2::{ImageSize, Sam2};

use super::picture::Picture;
use super::{BLOCK, Golden, INPUT, assert_close, values};

/// Tokens `[1, n * n, c]` in the order of a map `[1, c, n, n]`.
pub fn as_map(tokens: Tensor<3>) -> Vec<f32> {
    values(tokens.swap_dims(1, 2))
}

/// A map `[1, c, n, n]` as tokens `[1, n * n, c]`.
pub fn as_tokens(map: Tensor<4>) -> Tensor<3> {
    map.flatten::<3>(2, 3).swap_dims(1, 2)
}

/// The picture as the model takes it: resized bit for bit as PIL does, then normalised.
pub fn check_input(golden: &Golden, model: &Sam2, size: ImageSize) {
    let frame = Picture::from_golden(golden, "frame");
    let expected = Picture::from_golden(golden, "frame_resized");
    let square = Size::square(size.pixels());
    for (plane, expected) in frame.planes.iter().zip(&expected.planes) {
        let resized = pil_resize(plane, frame.size, square);
        assert!(resized == *expected, "frame_resized differs");
    }
    let input = values(frame.video_input(size, &model.device()));
    assert_close("input", &input, &golden.f32("input"), INPUT);
}

/// Every block of the trunk, each on the golden's own input.
pub fn check_trunk(golden: &Golden, model: &Sam2, size: ImageSize) {
    let (trunk, device) = (&model.image_encoder.trunk, model.device());
    let check = |key: &str, found: Tensor<4>| {
        assert_close(key, &values(found), &golden.f32(key), BLOCK);
        golden.tensor::<4>(key, &device)
    };
    let pos_embed = check("trunk.pos_embed", trunk.pos_embed(size.pixels() / 4));
    let patches = trunk
        .patch_embed
        .proj
        .forward(golden.tensor("input", &device));
    let patches = check("trunk.patch_embed", patches.permute([0, 2, 3, 1]));
    let mut x = patches + pos_embed;
    for (i, block) in trunk.blocks.iter().enumerate() {
        x = check(&format!("trunk.blocks.{i}"), block.forward(x));
    }
}

/// The whole encoder from the picture to what decoder and memory take, and the positions.
pub fn check_features(golden: &Golden, model: &Sam2, size: ImageSize) {
    let (device, tables) = (model.device(), model.tables(size));
    let input = golden.tensor("input", &device);
    let pos_embed = tables.trunk_pos_embed.clone();
    let [level0, level1, level2] = model.image_encoder.forward(input, pos_embed);
    let decoder = &model.sam_mask_decoder;
    let [s0, s1] = decoder.high_res_features(level0, level1.clone());
    let (n, channels) = (size.pixels() / 16, level1.dims()[1]);
    let wide = position_embedding_sine(channels, 2 * n, &device);
    for (key, found) in [
        ("backbone_fpn.1", values(level1)),
        ("backbone_fpn.2", values(level2)),
        ("high_res_feats.s0", values(s0)),
        ("high_res_feats.s1", values(s1)),
        ("vision_pos_enc.1", as_map(wide)),
        ("vision_pos_enc.2", as_map(tables.vision_pos_enc)),
    ] {
        assert_close(key, &found, &golden.f32(key), BLOCK);
    }
}
