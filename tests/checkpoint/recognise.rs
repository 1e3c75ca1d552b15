//! Which configuration a file is: each of ours is told from its tensors' shapes, and no other.

use burn::tensor::Device;
use oneslice::checkpoint::CheckpointErrorKind as Kind;
use oneslice::checkpoint::{TensorFile, load, recognise};
use oneslice::sam2::Sam2Config;

use crate::checkpoints::{Stored, Tensors};
use crate::common::micro_file;
use crate::{assert_error, file};

/// The tensors that a configuration is told from.
fn traces(config: &Sam2Config) -> Tensors {
    let trunk = &config.trunk;
    let (width, d_model) = (trunk.embed_dim, config.d_model);
    let (grid, window) = (
        trunk.window_pos_embed_bkg_spatial_size,
        trunk.window_spec[0],
    );
    let mut tensors = Tensors([].into())
        .with(
            "image_encoder.trunk.pos_embed",
            Stored::zeros(&[1, width, grid, grid]),
        )
        .with(
            "image_encoder.trunk.pos_embed_window",
            Stored::zeros(&[1, width, window, window]),
        )
        .with("no_mem_embed", Stored::zeros(&[1, 1, d_model]))
        .with(
            "maskmem_tpos_enc",
            Stored::zeros(&[7, 1, 1, config.mem_dim]),
        );
    for block in 0..trunk.stages.iter().sum() {
        let key = format!("image_encoder.trunk.blocks.{block}.norm1.weight");
        tensors = tensors.with(&key, Stored::zeros(&[width]));
    }
    for layer in 0..config.memory_attention_layers {
        let key = format!("memory_attention.layers.{layer}.norm1.weight");
        tensors = tensors.with(&key, Stored::zeros(&[d_model]));
    }
    tensors
}

#[test]
fn every_configuration_is_recognised_and_no_other() {
    let all = Sam2Config::all();
    assert_eq!(all.len(), 5);
    for config in &all {
        assert_eq!(recognise(&file(&traces(config))).unwrap(), *config);
    }
    let nano = TensorFile::open(std::path::Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/weights/nano/sam2-nano.safetensors"
    )));
    assert_eq!(recognise(&nano.unwrap()).unwrap(), Sam2Config::nano());
}

#[test]
fn an_unknown_configuration_lists_the_known_ones() {
    let result = load(&micro_file(), &Device::flex());
    let mut words = vec!["micro.safetensors", "embed_dim 8", "embed_dim 96"];
    let all = Sam2Config::all();
    words.extend(all.iter().map(|config| config.name.as_str()));
    assert_error(result, Kind::UnknownConfig, &words);
}

/// What is no SAM 2.1 at all says so by the first key that would tell.
#[test]
fn a_file_of_something_else_lacks_the_telling_keys() {
    let other = Tensors([].into()).with("layer.weight", Stored::zeros(&[3]));
    let words = [
        "some.safetensors",
        "`image_encoder.trunk.pos_embed` is missing",
        "SAM 2.1",
    ];
    assert_error(recognise(&file(&other)), Kind::MissingKey, &words);
    let flat = traces(&Sam2Config::tiny()).with("no_mem_embed", Stored::zeros(&[256]));
    assert_error(
        recognise(&file(&flat)),
        Kind::Shape,
        &["`no_mem_embed`", "[256]"],
    );
}
