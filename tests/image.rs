//! One picture and seven prompts against Meta's image predictor.

mod common;

use burn::tensor::Device;
use common::picture_prompts::check_prompts;
use common::{Golden, micro};
use oneslice::sam2::ImageSize;

#[test]
fn points_boxes_and_masks_on_a_picture() {
    let golden = Golden::open("image.safetensors");
    let model = micro(&Device::flex());
    check_prompts(&golden, &model, ImageSize::new(128).unwrap());
}
