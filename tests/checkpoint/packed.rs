//! Packed files: what is packed comes back within half a step, on the device as integers and nowhere as floats, and a
//! file that breaks the format is refused with its name and the key.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{DType, Device, Int, Tensor};
use oneslice::checkpoint::CheckpointErrorKind as Kind;
use oneslice::checkpoint::{Group, Quantized, Scheme, TensorFile, recognise};
use oneslice::kernels::{Bits, PackedWeight};
use oneslice::sam2::{Sam2, Sam2Config};
use safetensors::Dtype;
use serde_json::{Value, json};

use crate::checkpoints::{Stored, Tensors};
use crate::common::{self, micro_config, micro_file};
use crate::{assert_error, file, fill, micro_tensors};

/// A weight that is packed, `[32, 128]`.
const PACKED: &str = "memory_attention.layers.0.linear1.weight";

const SCHEMES: [Scheme; 4] = [
    scheme(Bits::Int8, Group::Channel),
    scheme(Bits::Int8, Group::Inputs(64)),
    scheme(Bits::Int4, Group::Inputs(32)),
    scheme(Bits::Int4, Group::Inputs(64)),
];

const fn scheme(bits: Bits, group: Group) -> Scheme {
    Scheme { bits, group }
}

fn pack_as(file: &TensorFile, config: &Sam2Config, scheme: Scheme) -> Vec<u8> {
    let quantized = Quantized::plan(file, config, scheme, "a test").unwrap();
    let chunks: Vec<Vec<u8>> = quantized.chunks().map(Result::unwrap).collect();
    assert_eq!(chunks.len(), quantized.chunk_count());
    let bytes = chunks.concat();
    assert_eq!(bytes.len(), quantized.bytes());
    bytes
}

fn packed_micro(scheme: Scheme) -> Vec<u8> {
    pack_as(&micro_file(), &micro_config(), scheme)
}

fn open(bytes: Vec<u8>) -> TensorFile {
    TensorFile::from_safetensors("some.safetensors", bytes).unwrap()
}

/// The linear layers of a model, by path.
#[derive(Default)]
struct Linears {
    path: Vec<String>,
    weights: BTreeMap<String, Tensor<2>>,
    words: BTreeMap<String, Tensor<2, Int>>,
    scales: BTreeMap<String, Tensor<2>>,
}

impl Linears {
    fn of(model: &Sam2) -> Self {
        let mut found = Self::default();
        model.visit(&mut found);
        found
    }

    fn layer(&self) -> Option<(String, &str)> {
        let (name, layer) = self.path.split_last()?;
        Some((layer.join("."), name))
    }
}

impl ModuleVisitor for Linears {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some((layer, name)) = self.layer().filter(|_| D == 2) else {
            return;
        };
        let (is_weight, is_scales) = (name == "weight", name == "scales");
        let value = || param.val().reshape([param.lazy_shape()[0] as i32, -1]);
        if is_weight {
            self.weights.insert(layer, value());
        } else if is_scales {
            self.scales.insert(layer, value());
        }
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        if let Some((layer, "words")) = self.layer() {
            let value = param.val();
            let rows = value.dims()[0] as i32;
            self.words.insert(layer, value.reshape([rows, -1]));
        }
    }
}

#[test]
fn packed_layers_are_integers_on_the_device_and_floats_nowhere() {
    for scheme in SCHEMES {
        let file = open(packed_micro(scheme));
        let linears = Linears::of(&fill(&file).unwrap());
        let mut packed = 0;
        for (layer, words) in &linears.words {
            let key = format!("{layer}.weight");
            let weight = linears.weights[layer].dims();
            let Some(shape) = file.packed(&key) else {
                assert_eq!(
                    (words.dims(), linears.scales[layer].dims()),
                    ([1, 1], [1, 1])
                );
                assert_ne!(weight, [1, 1], "{layer}");
                continue;
            };
            packed += 1;
            assert_eq!(words.dtype(), DType::I32);
            let rows = shape.d_input * shape.bits.count() / 32;
            assert_eq!(words.dims(), [rows, shape.d_output], "{layer}");
            assert_eq!(linears.scales[layer].dims(), [shape.groups, shape.d_output]);
            assert_eq!(weight, [1, 1], "{layer} has a float copy");
        }
        assert!(packed >= 40, "only {packed} layers are packed");
    }
}

#[test]
fn values_come_back_within_half_a_step() {
    let exact = Linears::of(&fill(&micro_file()).unwrap());
    for scheme in SCHEMES {
        let file = open(packed_micro(scheme));
        let linears = Linears::of(&fill(&file).unwrap());
        for (layer, words) in &linears.words {
            let Some(shape) = file.packed(&format!("{layer}.weight")) else {
                continue;
            };
            let weight = PackedWeight {
                words: words.clone(),
                scales: linears.scales[layer].clone(),
                bits: shape.bits,
            };
            let found = common::values(weight.unpack());
            let scales = common::values(linears.scales[layer].clone());
            let expected = common::values(exact.weights[layer].clone());
            let rows = shape.d_input / shape.groups;
            for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
                let scale = scales[i / shape.d_output / rows * shape.d_output + i % shape.d_output];
                // At four bits the largest values may be cut, at most by the four tenths of the range that the search for a scale may drop.
                let reach = 7.0 * scale;
                let cut = match shape.bits {
                    Bits::Int4 => (expected.abs() - reach).clamp(0.0, reach * 0.67),
                    _ => 0.0,
                };
                assert!(
                    (found - expected).abs() <= 0.501 * scale + cut,
                    "{layer} {i}: {found} for {expected}, scale {scale}"
                );
            }
        }
    }
}

/// What is not packed is what it was, but for the rounding to half floats.
#[test]
fn other_tensors_keep_their_values() {
    let source = micro_file();
    let file = open(packed_micro(SCHEMES[0]));
    assert_eq!(file.parameters(), source.parameters());
    let mut kept = 0;
    for key in source.keys().filter(|key| file.packed(key).is_none()) {
        kept += 1;
        assert_eq!(
            file.get(key).unwrap().shape(),
            source.get(key).unwrap().shape()
        );
        // The generator's values are f16 numbers: nothing is rounded.
        assert!(
            file.read_f32(key).unwrap() == source.read_f32(key).unwrap(),
            "{key}"
        );
    }
    assert!(kept > 200);
}

#[test]
fn the_embedded_model_is_recognised_when_packed() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/weights/nano/sam2-nano.safetensors"
    );
    let nano = TensorFile::open(std::path::Path::new(path)).unwrap();
    for scheme in SCHEMES {
        let file = open(pack_as(&nano, &Sam2Config::nano(), scheme));
        assert_eq!(recognise(&file).unwrap(), Sam2Config::nano());
        assert_eq!(file.parameters(), nano.parameters());
        oneslice::checkpoint::load(&file, &Device::flex()).unwrap();
    }
}

#[test]
fn packing_twice_is_refused() {
    let file = open(packed_micro(SCHEMES[0]));
    let again = Quantized::plan(&file, &micro_config(), SCHEMES[0], "a test");
    assert_error(
        again.map(drop),
        Kind::Packing,
        &["some.safetensors", "packed already"],
    );
    let floats = file.read_f32(PACKED);
    assert_error(floats, Kind::Dtype, &[PACKED, "packed in 8 bits"]);
}

#[test]
fn a_model_that_does_not_fit_is_refused_before_anything_is_written() {
    let missing = file(&micro_tensors().without(PACKED));
    let plan = Quantized::plan(&missing, &micro_config(), SCHEMES[0], "a test");
    assert_error(plan.map(drop), Kind::MissingKey, &[PACKED]);
    let reversed = micro_tensors().with(PACKED, Stored::zeros(&[32, 128]));
    let reversed = file(&reversed);
    let plan = Quantized::plan(&reversed, &micro_config(), SCHEMES[0], "a test");
    assert_error(
        plan.map(drop),
        Kind::Shape,
        &[PACKED, "[32, 128]", "[128, 32]"],
    );
}

/// A packed file taken apart, to be put together with one thing wrong.
struct Parts {
    header: Value,
    data: Vec<u8>,
}

impl Parts {
    fn new() -> Self {
        let bytes = packed_micro(SCHEMES[2]);
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        Self {
            header: serde_json::from_slice(&bytes[8..8 + length]).unwrap(),
            data: bytes[8 + length..].to_vec(),
        }
    }

    fn metadata(&mut self, key: &str) -> &mut Value {
        &mut self.header["__metadata__"][key]
    }

    /// Changes the scheme, which is JSON within JSON.
    fn scheme(mut self, change: impl Fn(&mut Value)) -> Self {
        let text = self.metadata("oneslice.scheme");
        let mut scheme: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
        change(&mut scheme);
        *text = scheme.to_string().into();
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let header = self.header.to_string();
        let length = (header.len() as u64).to_le_bytes();
        [&length, header.as_bytes(), &self.data].concat()
    }

    fn open(&self) -> Result<TensorFile, oneslice::checkpoint::CheckpointError> {
        TensorFile::from_safetensors("some.safetensors", self.bytes())
    }

    /// First byte of a tensor.
    fn start(&self, key: &str) -> usize {
        self.header[key]["data_offsets"][0].as_u64().unwrap() as usize
    }
}

#[test]
fn an_unknown_version_is_refused() {
    let mut parts = Parts::new();
    *parts.metadata("oneslice.version") = json!("2");
    assert_error(
        parts.open(),
        Kind::Version,
        &["some.safetensors", "version 2"],
    );
    // Without a version the words are integers like any others.
    let mut parts = Parts::new();
    parts.header["__metadata__"] = json!({});
    assert_error(
        fill(&parts.open().unwrap()),
        Kind::Shape,
        &["some.safetensors", "weight"],
    );
}

#[test]
fn a_scheme_that_is_not_understood_is_refused() {
    let unknown = Parts::new().scheme(|scheme| scheme["zero_points"] = json!(true));
    assert_error(
        unknown.open(),
        Kind::Packing,
        &["oneslice.scheme", "zero_points"],
    );
    let mut none = Parts::new();
    *none.metadata("oneslice.scheme") = json!("");
    assert_error(
        none.open(),
        Kind::Packing,
        &["some.safetensors", "oneslice.scheme"],
    );
    for bits in [0, 3, 16, 64] {
        let bad = Parts::new().scheme(|scheme| scheme["packed"][PACKED] = json!(bits));
        assert_error(
            bad.open(),
            Kind::Packing,
            &[PACKED, &format!("{bits} bits")],
        );
    }
    let nothing = Parts::new().scheme(|scheme| scheme["packed"]["nothing"] = json!(8));
    assert_error(nothing.open(), Kind::Packing, &["`nothing` is missing"]);
    let float = "memory_attention.norm.weight";
    let float_packed = Parts::new().scheme(|scheme| scheme["packed"][float] = json!(8));
    assert_error(float_packed.open(), Kind::Packing, &[float, "no scales"]);
}

#[test]
fn words_and_scales_have_to_fit_one_another_and_the_model() {
    let scales = format!("{PACKED}_scales");
    // As many bytes, so that the file itself is sound: [4, 128] words of four bits with [1, 128] scales.
    let cases = [
        (PACKED, json!([128, 4]), Kind::Packing),
        (PACKED, json!([512]), Kind::Packing),
        (scales.as_str(), json!([2, 64]), Kind::Packing),
        (scales.as_str(), json!([128]), Kind::Packing),
    ];
    for (key, shape, kind) in cases {
        let mut parts = Parts::new();
        parts.header[key]["shape"] = shape;
        assert_error(parts.open(), kind, &["some.safetensors", PACKED]);
    }
    let mut parts = Parts::new();
    parts.header[PACKED]["dtype"] = json!("I32");
    assert_error(parts.open(), Kind::Packing, &[PACKED, "I32"]);

    // Said to be of eight bits, the words are half as many rows: sound, but not this model's.
    let eight = Parts::new().scheme(|scheme| scheme["packed"][PACKED] = json!(8));
    assert_error(eight.open(), Kind::Packing, &[PACKED, "8 bits"]);
    let wide = "memory_attention.layers.0.linear2.weight";
    let eight = Parts::new().scheme(|scheme| scheme["packed"][wide] = json!(8));
    let eight = eight.open().map(drop);
    assert_error(eight, Kind::Packing, &[wide, "8 bits"]);
}

#[test]
fn a_packed_weight_of_another_shape_is_no_weight_of_this_model() {
    let mut other = micro_config();
    other.dim_feedforward = 64;
    let file = open(packed_micro(SCHEMES[0]));
    let filled = oneslice::checkpoint::load_as(&file, &other, &Device::flex());
    assert_error(filled, Kind::Shape, &[PACKED, "[128, 32]", "[64, 32]"]);
}

#[test]
fn scales_are_finite_and_above_zero() {
    let key = format!("{PACKED}_scales");
    for (bits, kind) in [
        (0u16, Kind::Packing),     // 0
        (0x8001, Kind::Packing),   // below 0
        (0x7c00, Kind::NotFinite), // infinity
        (0x7e00, Kind::NotFinite), // NaN
    ] {
        let mut parts = Parts::new();
        let at = parts.start(&key) + 6;
        parts.data[at..at + 2].copy_from_slice(&bits.to_le_bytes());
        let filled = fill(&parts.open().unwrap());
        assert_error(filled, kind, &["some.safetensors", &key]);
    }
}

#[test]
fn a_packed_file_cut_anywhere_is_no_checkpoint() {
    let bytes = packed_micro(SCHEMES[0]);
    for part in 0..20 {
        let cut = bytes[..bytes.len() * part / 20].to_vec();
        let opened = TensorFile::from_safetensors("cut", cut);
        assert_error(opened, Kind::Format, &["cut: ", "safetensors"]);
    }
}

/// An extra tensor of integers is no part of the format.
#[test]
fn words_beside_the_scheme_are_refused() {
    let words = Stored {
        dtype: Dtype::U32,
        shape: vec![4, 128],
        bytes: vec![0; 4 * 4 * 128],
    };
    let tensors: Tensors = micro_tensors().with("words", words);
    assert_error(fill(&file(&tensors)), Kind::ExtraKey, &["`words`"]);
}
