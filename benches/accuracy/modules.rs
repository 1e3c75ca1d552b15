//! Models in which the layers of one module are rounded to few bits and all others are floats: which can bear it?

use burn::tensor::Device;
use oneslice::checkpoint::{PackedShape, Scheme, TensorFile, load};
use oneslice::kernels::{Bits, pack};
use oneslice::sam2::Sam2;
use safetensors::{Dtype, tensor::TensorView};

use super::{Variant, packed, weights};

/// Name and how its keys begin, `*` standing for anything; a key belongs to the first that fits.
const MODULES: &[(&str, &[&str])] = &[
    (
        "trunk, stages 1 and 2",
        &[
            "image_encoder.trunk.blocks.0.",
            "image_encoder.trunk.blocks.1.",
            "image_encoder.trunk.blocks.2.",
        ],
    ),
    (
        "trunk, rest, qkv",
        &["image_encoder.trunk.blocks.*attn.qkv"],
    ),
    (
        "trunk, rest, proj",
        &["image_encoder.trunk.blocks.*attn.proj"],
    ),
    (
        "trunk, rest, mlp.0",
        &["image_encoder.trunk.blocks.*mlp.layers.0"],
    ),
    (
        "trunk, rest, mlp.1",
        &["image_encoder.trunk.blocks.*mlp.layers.1"],
    ),
    (
        "memory attention, self",
        &["memory_attention.layers.*self_attn"],
    ),
    (
        "memory attention, cross",
        &["memory_attention.layers.*cross_attn"],
    ),
    (
        "memory attention, mlp",
        &["memory_attention.layers.*linear"],
    ),
    (
        "decoder, self",
        &["sam_mask_decoder.transformer.layers.*self_attn"],
    ),
    (
        "decoder, cross",
        &["sam_mask_decoder.transformer.layers.*cross_attn"],
    ),
    (
        "decoder, mlp",
        &["sam_mask_decoder.transformer.layers.*mlp"],
    ),
    (
        "decoder, final",
        &["sam_mask_decoder.transformer.final_attn"],
    ),
    ("memory encoder", &["memory_encoder."]),
];

/// One variant for each module, and one with all of them.
pub fn variants(bits: Bits) -> Vec<Variant> {
    let variant = |name: &str, chosen: &dyn Fn(&str) -> bool| Variant {
        name: format!("int{}, {name}", bits.count()),
        model: rounded(bits, chosen),
    };
    let one = |&(name, keys): &(&str, &[&str])| variant(name, &|key| module(key) == Some(keys));
    let mut variants: Vec<Variant> = MODULES.iter().map(one).collect();
    variants.push(variant("all of these", &|key| module(key).is_some()));
    variants
}

/// The first module that a key belongs to.
fn module(key: &str) -> Option<&'static [&'static str]> {
    let fits = |pattern: &&str| match pattern.split_once('*') {
        None => key.starts_with(pattern),
        Some((start, rest)) => key.starts_with(start) && key.contains(rest),
    };
    let module = MODULES.iter().find(|(_, keys)| keys.iter().any(&fits));
    module.map(|(_, keys)| *keys)
}

/// The float model with the chosen linear weights rounded, also those that a packed file keeps in more bits.
fn rounded(bits: Bits, chosen: &dyn Fn(&str) -> bool) -> Sam2 {
    let file = weights();
    // Which weights can be packed at all, and in which groups.
    let packed = packed(Scheme::of_bits(bits));

    let mut stored = Vec::new();
    for key in file.keys() {
        let mut values = file.read_f32(key).expect("a float tensor");
        if let Some(shape) = packed.packed(key).filter(|_| chosen(key)) {
            values = round(&values, bits, shape);
        }
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let shape = file.get(key).expect("a key of the file").shape().to_vec();
        stored.push((key, shape, bytes));
    }
    let views = stored.iter().map(|(key, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
        (*key, view.expect("as many bytes"))
    });
    let bytes = safetensors::serialize(views, None).expect("in memory");
    let file = TensorFile::from_safetensors("rounded", bytes).expect("what was written");
    load(&file, &Device::flex()).expect("what was written").1
}

/// Values `[d_output, d_input]` packed and unpacked.
fn round(values: &[f32], bits: Bits, shape: PackedShape) -> Vec<f32> {
    let (d_input, d_output) = (shape.d_input, shape.d_output);
    let turned = transpose(values, d_output, d_input);
    let packed = pack(&turned, d_output, bits, d_input / shape.groups);
    let unpacked = packed.upload(bits, d_output, &Device::flex()).unpack();
    let unpacked: Vec<f32> = unpacked.into_data().try_into_vec().expect("floats");
    transpose(&unpacked, d_input, d_output)
}

fn transpose(values: &[f32], rows: usize, cols: usize) -> Vec<f32> {
    let column = |col: usize| (0..rows).map(move |row| values[row * cols + col]);
    (0..cols).flat_map(column).collect()
}
