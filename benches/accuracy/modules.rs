//! Models in which the layers of one module are rounded to four bits and all others are floats: which can bear it?

use burn::tensor::Device;
use oneslice::checkpoint::{Group, Quantized, Scheme, TensorFile, load, recognise};
use oneslice::kernels::{Bits, pack};
use safetensors::{Dtype, tensor::TensorView};

use super::{Variant, nano};

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

const GROUP: usize = 32;

/// One variant for each module, and one with all of them.
pub fn variants() -> Vec<Variant> {
    let one = |&(name, keys): &(&str, &[&str])| Variant {
        name: name.to_owned(),
        model: rounded(&|key| module(key) == Some(keys)),
    };
    let mut variants: Vec<Variant> = MODULES.iter().map(one).collect();
    variants.push(Variant {
        name: "all of these".to_owned(),
        model: rounded(&|key| module(key).is_some()),
    });
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

/// The float model with the chosen linear weights rounded to four bits.
fn rounded(chosen: &dyn Fn(&str) -> bool) -> oneslice::sam2::Sam2 {
    let file = nano();
    let config = recognise(&file).expect("the embedded weights");
    let scheme = Scheme {
        bits: Bits::Int8,
        group: Group::Inputs(GROUP),
    };
    // Which weights can be packed at all.
    let plan = Quantized::plan(&file, &config, scheme, "nano").expect("the embedded weights");
    let bytes: Result<Vec<_>, _> = plan.chunks().collect();
    let packed = TensorFile::from_safetensors("packed", bytes.expect("the weights").concat());
    let packed = packed.expect("what was written");

    let mut stored = Vec::new();
    for key in file.keys() {
        let mut values = file.read_f32(key).expect("a float tensor");
        if let Some(shape) = packed.packed(key).filter(|_| chosen(key)) {
            values = round(&values, shape.d_input, shape.d_output);
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

/// Values `[d_output, d_input]` packed in four bits and unpacked.
fn round(values: &[f32], d_input: usize, d_output: usize) -> Vec<f32> {
    let turned = transpose(values, d_output, d_input);
    let packed = pack(&turned, d_output, Bits::Int4, GROUP);
    let unpacked = packed
        .upload(Bits::Int4, d_output, &Device::flex())
        .unpack();
    let unpacked: Vec<f32> = unpacked.into_data().try_into_vec().expect("floats");
    transpose(&unpacked, d_input, d_output)
}

fn transpose(values: &[f32], rows: usize, cols: usize) -> Vec<f32> {
    let column = |col: usize| (0..rows).map(move |row| values[row * cols + col]);
    (0..cols).flat_map(column).collect()
}
