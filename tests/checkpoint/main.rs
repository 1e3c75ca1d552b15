//! Checkpoint files: both formats give the same model, every number type is read, and whatever is wrong with a
//! file is an error of its own kind that names the file and the key.

#[path = "../common/checkpoints.rs"]
mod checkpoints;
#[path = "../common/mod.rs"]
mod common;
mod legacy;
mod packed;
mod recognise;
mod torch;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use checkpoints::{Stored, Tensors, zip};
use common::{golden_dir, micro_config, micro_file};
use oneslice::checkpoint::CheckpointErrorKind as Kind;
use oneslice::checkpoint::{CheckpointError, Precision, TensorFile, load_as, to_safetensors};
use oneslice::sam2::Sam2;
use safetensors::Dtype;

/// A key of an ordinary tensor, `[8, 3, 7, 7]`.
const KEY: &str = "image_encoder.trunk.patch_embed.proj.weight";

fn micro_tensors() -> Tensors {
    Tensors::open("tests/golden/micro.safetensors")
}

fn file(tensors: &Tensors) -> TensorFile {
    TensorFile::from_safetensors("some.safetensors", tensors.safetensors()).unwrap()
}

/// A file on disk for as long as the value lives.
struct OnDisk(std::path::PathBuf);

impl OnDisk {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let name = format!("oneslice-checkpoint-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }

    fn open(&self) -> Result<TensorFile, CheckpointError> {
        TensorFile::open(&self.0)
    }
}

impl Drop for OnDisk {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

fn fill(file: &TensorFile) -> Result<Sam2, CheckpointError> {
    load_as(file, &micro_config(), &Device::flex())
}

/// Every parameter's values, in the model's order.
fn parameters(model: &Sam2) -> Vec<Vec<f32>> {
    struct Collect {
        path: Vec<String>,
        values: Vec<Vec<f32>>,
    }
    impl ModuleVisitor for Collect {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            // The place of a packed weight's scales, empty in these files.
            if self.path.last().is_none_or(|name| name != "scales") {
                self.values.push(common::values(param.val()));
            }
        }
    }
    let (path, values) = (Vec::new(), Vec::new());
    let mut collect = Collect { path, values };
    model.visit(&mut collect);
    collect.values
}

/// Checks what all errors have in common, and the kind.
#[track_caller]
fn assert_error<T>(result: Result<T, CheckpointError>, kind: Kind, words: &[&str]) {
    let Err(error) = result else {
        panic!("no error, but {kind:?} was expected");
    };
    let text = error.to_string();
    assert_eq!(error.kind(), kind, "{text}");
    assert!(!text.contains('\n'), "{text}");
    for word in words {
        assert!(text.contains(word), "{text} does not say {word}");
    }
}

#[test]
fn both_formats_give_the_same_model() {
    let pt = TensorFile::open(&golden_dir().join("micro.pt")).unwrap();
    let safetensors = micro_file();
    assert_eq!(pt.keys().count(), 359);
    assert!(pt.keys().eq(safetensors.keys()));
    assert_eq!(pt.parameters(), safetensors.parameters());
    for key in pt.keys() {
        let (half, full) = (pt.get(key).unwrap(), safetensors.get(key).unwrap());
        assert_eq!((half.dtype(), full.dtype()), (Dtype::F16, Dtype::F32));
        assert_eq!(half.shape(), full.shape(), "{key}");
        // The generator's values are f16 numbers: nothing is rounded.
        assert!(
            pt.read_f32(key).unwrap() == safetensors.read_f32(key).unwrap(),
            "{key}"
        );
    }
    let (half, full) = (fill(&pt).unwrap(), fill(&safetensors).unwrap());
    assert!(parameters(&half) == parameters(&full));
}

/// Every value of the file is in the model, and nothing else is: sorted, they are the same.
#[test]
fn the_model_holds_the_values_of_the_file() {
    let sorted = |mut values: Vec<Vec<f32>>| {
        values.iter_mut().for_each(|v| v.sort_by(f32::total_cmp));
        values.sort_by(|a, b| a.partial_cmp(b).unwrap());
        values
    };
    let model = fill(&micro_file()).unwrap();
    let stored = micro_tensors().0.into_values().map(|t| t.values());
    assert!(sorted(parameters(&model)) == sorted(stored.collect()));
}

#[test]
fn every_float_type_is_read() {
    let exact = parameters(&fill(&micro_file()).unwrap());
    for (dtype, relative) in [
        (Dtype::F64, 0.0),
        (Dtype::F16, 0.0), // the values are f16 numbers
        (Dtype::BF16, 1.0 / 256.0),
    ] {
        let cast = micro_tensors().cast(dtype);
        let found = parameters(&fill(&file(&cast)).unwrap());
        for (found, exact) in found.iter().flatten().zip(exact.iter().flatten()) {
            let allowed = relative * exact.abs();
            assert!(
                (found - exact).abs() <= allowed,
                "{dtype:?}: {found} for {exact}"
            );
        }
        let pt = OnDisk::new(&format!("{dtype:?}.pt"), &cast.torch(true));
        assert!(parameters(&fill(&pt.open().unwrap()).unwrap()).concat() == found.concat());
    }
}

#[test]
fn a_bare_state_dict_is_read_like_a_nested_one() {
    let tensors = micro_tensors();
    for nested in [true, false] {
        let pt = OnDisk::new(&format!("nested-{nested}.pt"), &tensors.torch(nested));
        let model = fill(&pt.open().unwrap()).unwrap();
        assert!(parameters(&model) == parameters(&fill(&micro_file()).unwrap()));
    }
}

#[test]
fn conversion_keeps_every_value() {
    let pt = TensorFile::open(&golden_dir().join("micro.pt")).unwrap();
    for precision in [Precision::F32, Precision::F16] {
        let bytes = to_safetensors(&pt, precision, &[("format", "pt")]).unwrap();
        let back = TensorFile::from_safetensors("back", bytes).unwrap();
        assert!(parameters(&fill(&back).unwrap()) == parameters(&fill(&pt).unwrap()));
    }
}

#[test]
fn a_value_too_large_for_f16_is_not_stored_as_infinity() {
    let mut tensors = micro_tensors();
    tensors = tensors.with("large", Stored::f32(&[2], &[1.0, 70000.0]));
    let result = to_safetensors(&file(&tensors), Precision::F16, &[]);
    assert_error(
        result,
        Kind::NotFinite,
        &["some.safetensors", "`large`", "70000", "f16"],
    );
}

/// Whichever key is missing, it is the one that is named.
#[test]
fn each_missing_key_is_named() {
    let all = micro_tensors();
    for key in all.0.keys() {
        let words = ["some.safetensors", &format!("`{key}` is missing")];
        assert_error(
            fill(&file(&all.clone().without(key))),
            Kind::MissingKey,
            &words,
        );
    }
}

#[test]
fn extra_keys_are_named_and_counted() {
    let one = micro_tensors().with("module.extra", Stored::zeros(&[1]));
    let words = [
        "some.safetensors",
        "`module.extra` is not part of the model",
    ];
    assert_error(fill(&file(&one)), Kind::ExtraKey, &words);
    let three = one
        .with("module.a", Stored::zeros(&[1]))
        .with("z", Stored::zeros(&[1]));
    assert_error(
        fill(&file(&three)),
        Kind::ExtraKey,
        &["`module.a`", "2 others"],
    );
}

#[test]
fn a_wrong_shape_is_shown_beside_the_right_one() {
    // As many values, but transposed: only the shape tells.
    let linear = "memory_attention.layers.0.linear1.weight";
    let mut tensors = micro_tensors();
    tensors.0.get_mut(linear).unwrap().shape.reverse();
    let words = [linear, "[32, 128]", "[128, 32]"];
    assert_error(fill(&file(&tensors)), Kind::Shape, &words);
    let flat = micro_tensors().with(KEY, Stored::zeros(&[8 * 3 * 7 * 7]));
    assert_error(
        fill(&file(&flat)),
        Kind::Shape,
        &[KEY, "[1176]", "[8, 3, 7, 7]"],
    );
}

#[test]
fn integers_are_no_weights() {
    let long = Stored {
        dtype: Dtype::I64,
        shape: vec![8, 3, 7, 7],
        bytes: vec![0; 8 * 8 * 3 * 7 * 7],
    };
    let tensors = micro_tensors().with(KEY, long);
    assert_error(
        fill(&file(&tensors)),
        Kind::Dtype,
        &["some.safetensors", KEY, "I64"],
    );
    let pt = OnDisk::new("integers.pt", &tensors.torch(true));
    assert_error(pt.open(), Kind::Dtype, &["integers.pt", KEY, "I64"]);
}

#[test]
fn a_weight_that_is_no_number_is_named() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut values = vec![0.5; 8 * 3 * 7 * 7];
        values[7] = bad;
        let tensors = micro_tensors().with(KEY, Stored::f32(&[8, 3, 7, 7], &values));
        for dtype in [Dtype::F32, Dtype::F16, Dtype::BF16, Dtype::F64] {
            let file = file(&tensors.cast(dtype));
            assert_error(fill(&file), Kind::NotFinite, &["some.safetensors", KEY]);
        }
    }
}

#[test]
fn a_safetensors_file_cut_anywhere_is_no_checkpoint() {
    let bytes = std::fs::read(golden_dir().join("micro.safetensors")).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let places = [
        0,
        1,
        7,
        8,
        9,
        100,
        header,
        header + 8,
        header + 9,
        bytes.len() / 2,
    ];
    for len in places.into_iter().chain([bytes.len() - 1]) {
        let cut = &bytes[..len];
        let result = TensorFile::from_safetensors("cut", cut.to_vec());
        assert_error(result, Kind::Format, &["cut: ", "safetensors"]);
        let disk = OnDisk::new(&format!("cut-{len}"), cut);
        assert_error(
            disk.open(),
            Kind::Format,
            &[&format!("cut-{len}"), "safetensors"],
        );
    }
    let longer = [&bytes[..], b"x"].concat();
    let result = TensorFile::from_safetensors("longer", longer);
    assert_error(result, Kind::Format, &["longer: "]);
}

#[test]
fn a_torch_file_cut_anywhere_is_no_checkpoint() {
    let bytes = std::fs::read(golden_dir().join("micro.pt")).unwrap();
    for part in 1..20 {
        let len = bytes.len() * part / 20;
        let disk = OnDisk::new(&format!("cut-{len}.pt"), &bytes[..len]);
        assert_error(disk.open(), Kind::Format, &[&format!("cut-{len}.pt")]);
    }
}

#[test]
fn other_files_are_no_checkpoints() {
    let random: Vec<u8> = (0..5000u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let readme = zip(&[("README.txt".to_owned(), b"hello")]);
    let no_pickle = zip(&[("archive/data.pkl".to_owned(), b"\x80\x02garbage")]);
    let others: [(&str, &[u8]); 6] = [
        ("random", &random),
        ("empty", b""),
        ("text", b"{\"this\": \"is no checkpoint\"}, it is only text"),
        ("zip", &readme),
        ("pickle", &no_pickle),
        ("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03\0\0"),
    ];
    for (name, bytes) in others {
        let disk = OnDisk::new(name, bytes);
        assert_error(disk.open(), Kind::Format, &[name]);
    }
    let nowhere = std::path::Path::new("no/such/file.pt");
    assert_error(
        TensorFile::open(nowhere),
        Kind::Unreadable,
        &["no/such/file.pt"],
    );
}
