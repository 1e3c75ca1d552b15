//! A checkpoint of floats to one of packed weights, tensor after tensor.
//!
//! In: an open [`TensorFile`] of a SAM 2 or of LPIPS; out: the new file's bytes in chunks, of which one is in
//! memory at a time. The header comes first: all lengths follow from the shapes.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use half::f16;
use safetensors::Dtype;
use serde_json::{Map, Value, json};

use super::error::{CheckpointError, CheckpointErrorKind as Kind};
use super::keys::{has_words, is_transposed, key};
use super::lpips::recognise_lpips;
use super::recognise::recognise;
use super::scheme::{self, PackedShape, Scheme};
use super::sensitive::{self, Storage};
use super::tensor_file::{StoredTensor, TensorFile, scales_key};
use super::write::{Precision, encode};
use crate::kernels::packed::{GROUP_UNIT, pack};
use crate::sam2::Sam2Config;

/// A packed file about to be written.
pub struct Quantized<'a> {
    file: &'a TensorFile,
    header: Vec<u8>,
    /// Packed weights first, then f32, then f16: everything lies at a multiple of its own size.
    plan: Vec<(String, Stored)>,
    bytes: usize,
}

/// How a tensor is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stored {
    Packed(PackedShape),
    Float(Precision),
}

/// Shape, type and length of each tensor of the new file, in its order.
struct Entry {
    key: String,
    dtype: Dtype,
    shape: Vec<usize>,
}

impl<'a> Quantized<'a> {
    /// Plans the file of a SAM 2. `origin` says where the weights come from and goes into the metadata.
    ///
    /// # Errors
    /// When a weight of the model is missing, has another shape, or is packed already.
    pub fn plan(
        file: &'a TensorFile,
        config: &Sam2Config,
        scheme: Scheme,
        origin: &str,
    ) -> Result<Self, CheckpointError> {
        Self::of_module(file, &config.init(&Device::flex()), scheme, origin)
    }

    /// Recognises a SAM 2 or a network of LPIPS and plans its file; the name of what it is, and the plan.
    ///
    /// # Errors
    /// As [`plan`](Self::plan), and those of [`recognise`] when it is neither.
    pub fn recognised(
        file: &'a TensorFile,
        scheme: Scheme,
        origin: &str,
    ) -> Result<(String, Self), CheckpointError> {
        if let Ok(net) = recognise_lpips(file) {
            let plan = Self::of_module(file, &net.init(&Device::flex()), scheme, origin)?;
            return Ok((format!("LPIPS {}", net.name()), plan));
        }
        let config = recognise(file)?;
        let plan = Self::plan(file, &config, scheme, origin)?;
        Ok((config.name, plan))
    }

    fn of_module<M: Module>(
        file: &'a TensorFile,
        module: &M,
        scheme: Scheme,
        origin: &str,
    ) -> Result<Self, CheckpointError> {
        let packable = packable(module, scheme);
        for (key, weight) in &packable {
            check(file, key, &weight.stored)?;
        }
        let shapes = packable.into_iter().map(|(key, w)| (key, w.packed));
        let packed: BTreeMap<String, PackedShape> = shapes.collect();
        let mut plan = Vec::new();
        for key in file.keys() {
            let float = match sensitive::storage(key) {
                Some(Storage::F32) => Precision::F32,
                _ => Precision::F16,
            };
            let stored = packed.get(key).copied();
            plan.push((
                key.to_owned(),
                stored.map_or(Stored::Float(float), Stored::Packed),
            ));
        }
        plan.sort_by_key(|(_, stored)| match stored {
            Stored::Packed(_) => 0,
            Stored::Float(Precision::F32) => 1,
            Stored::Float(Precision::F16) => 2,
        });
        let metadata = scheme::write(scheme, &packed, origin);
        let entries: Vec<Entry> = plan
            .iter()
            .flat_map(|(key, s)| entries(file, key, *s))
            .collect();
        let (header, bytes) = header(&json!(metadata), &entries);
        Ok(Self {
            file,
            header,
            plan,
            bytes,
        })
    }

    /// Length of the file.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Number of chunks.
    pub fn chunk_count(&self) -> usize {
        self.plan.len() + 1
    }

    /// The file, piece by piece: the header, then a piece for each tensor of the source.
    ///
    /// # Errors
    /// A piece is an error when its tensor cannot be read, is not finite, or does not fit f16.
    pub fn chunks(&self) -> impl Iterator<Item = Result<Vec<u8>, CheckpointError>> {
        let header = std::iter::once_with(|| Ok(self.header.clone()));
        header.chain(
            self.plan
                .iter()
                .map(|(key, stored)| self.chunk(key, *stored)),
        )
    }

    fn chunk(&self, key: &str, stored: Stored) -> Result<Vec<u8>, CheckpointError> {
        let values = self.file.read_f32(key)?;
        match stored {
            Stored::Float(precision) => encode(self.file, key, &values, precision),
            Stored::Packed(shape) => {
                let stored = self.file.get(key).map_or(&[][..], StoredTensor::shape);
                let values = matrix(&values, shape, stored);
                let rows = shape.d_input / shape.groups;
                let packed = pack(&values, shape.d_output, shape.bits, rows);
                let words = packed.words.iter().flat_map(|word| word.to_le_bytes());
                let scales = packed.scales.iter().map(|scale| f16::from_f32(*scale));
                let scales = scales.flat_map(|scale| scale.to_le_bytes());
                Ok(words.chain(scales).collect())
            }
        }
    }
}

/// A weight that can be packed and shall be.
struct Packable {
    packed: PackedShape,
    /// Its shape in the source.
    stored: Vec<usize>,
}

/// Those of a model, by key.
fn packable<M: Module>(module: &M, scheme: Scheme) -> BTreeMap<String, Packable> {
    let mut walk = Walk {
        path: Vec::new(),
        containers: Vec::new(),
        scheme,
        found: BTreeMap::new(),
    };
    module.visit(&mut walk);
    walk.found
}

struct Walk {
    path: Vec<String>,
    containers: Vec<String>,
    scheme: Scheme,
    found: BTreeMap<String, Packable>,
}

impl ModuleVisitor for Walk {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        if !container_type.starts_with("Enum:") {
            self.path.push(name.to_owned());
        }
        self.containers.push(container_type.to_owned());
    }

    fn exit_module(&mut self, _name: &str, container_type: &str) {
        if !container_type.starts_with("Enum:") {
            self.path.pop();
        }
        self.containers.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let container = self.containers.last().map_or("", String::as_str);
        let name = self.path.last().map_or("", String::as_str);
        if !has_words(container) || name != "weight" {
            return;
        }
        let (key, mut stored) = (key(&self.path), param.lazy_shape().to_vec());
        if is_transposed(container, name) {
            stored.reverse();
        }
        let (d_output, d_input) = (stored[0], stored[1..].iter().product::<usize>());
        // The layout's blocks are whole.
        if !d_input.is_multiple_of(GROUP_UNIT) || !d_output.is_multiple_of(4) {
            return;
        }
        if let Some(bits) = sensitive::bits(&key, self.scheme.bits) {
            let groups = self.scheme.group.count(d_input);
            let packed = PackedShape {
                bits,
                d_input,
                d_output,
                groups,
            };
            self.found.insert(key, Packable { packed, stored });
        }
    }
}

/// A linear weight `[d_output, d_input]` or a filter `[c_out, c_in, rows, columns]` as the matrix that is packed: `[d_input,
/// d_output]` or `[rows * columns * c_in, c_out]`.
fn matrix(values: &[f32], shape: PackedShape, stored: &[usize]) -> Vec<f32> {
    let places: usize = stored.iter().skip(2).product();
    let (channels, columns) = (shape.d_input / places, shape.d_output);
    let mut out = Vec::with_capacity(values.len());
    for place in 0..places {
        for channel in 0..channels {
            let value = |column| values[(column * channels + channel) * places + place];
            out.extend((0..columns).map(value));
        }
    }
    out
}

fn check(file: &TensorFile, key: &str, expected: &[usize]) -> Result<(), CheckpointError> {
    let error = |kind, what| Err(CheckpointError::new(kind, file.name(), what));
    if let Some(packed) = file.packed(key) {
        let what = format!(
            "key `{key}` is packed already, in {} bits",
            packed.bits.count()
        );
        return error(Kind::Packing, what);
    }
    let Some(stored) = file.get(key) else {
        return error(Kind::MissingKey, format!("key `{key}` is missing"));
    };
    if stored.shape() != expected {
        let found = stored.shape();
        let what = format!("key `{key}` has shape {found:?}, the model needs {expected:?}");
        return error(Kind::Shape, what);
    }
    Ok(())
}

fn entries(file: &TensorFile, key: &str, stored: Stored) -> Vec<Entry> {
    let entry = |key: &str, dtype, shape| Entry {
        key: key.to_owned(),
        dtype,
        shape,
    };
    match stored {
        Stored::Packed(shape) => {
            let rows = shape.d_input * shape.bits.count() / 32;
            vec![
                entry(key, Dtype::U32, vec![rows, shape.d_output]),
                entry(
                    &scales_key(key),
                    Dtype::F16,
                    vec![shape.groups, shape.d_output],
                ),
            ]
        }
        Stored::Float(precision) => {
            let shape = file.get(key).map(|t| t.shape().to_vec());
            vec![entry(key, precision.dtype(), shape.unwrap_or_default())]
        }
    }
}

/// The file's beginning, a multiple of eight bytes, and the whole file's length.
fn header(metadata: &Value, entries: &[Entry]) -> (Vec<u8>, usize) {
    let mut fields = Map::new();
    fields.insert("__metadata__".to_owned(), metadata.clone());
    let mut end = 0;
    for Entry { key, dtype, shape } in entries {
        let start = end;
        end += shape.iter().product::<usize>() * dtype.bitsize() / 8;
        let field = json!({ "dtype": dtype, "shape": shape, "data_offsets": [start, end] });
        fields.insert(key.clone(), field);
    }
    let mut json = Value::Object(fields).to_string().into_bytes();
    json.resize(json.len().next_multiple_of(8), b' ');
    let header = [&(json.len() as u64).to_le_bytes(), json.as_slice()].concat();
    let bytes = header.len() + end;
    (header, bytes)
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read, Seek, SeekFrom};

    use burn::tensor::Int;

    use super::*;
    use crate::checkpoint::Group;
    use crate::kernels::Bits;

    /// A file of f32 zeros in a model's shapes, of which only the header is in memory.
    struct Zeros {
        header: Vec<u8>,
        bytes: usize,
        at: usize,
    }

    impl Zeros {
        fn new(config: &Sam2Config) -> Self {
            let mut shapes = Shapes::default();
            config.init(&Device::flex()).visit(&mut shapes);
            let (header, bytes) = header(&json!({}), &shapes.entries);
            Self {
                header,
                bytes,
                at: 0,
            }
        }
    }

    impl Read for Zeros {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = out.len().min(self.bytes - self.at);
            for byte in &mut out[..count] {
                *byte = self.header.get(self.at).copied().unwrap_or(0);
                self.at += 1;
            }
            Ok(count)
        }
    }

    impl Seek for Zeros {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.at = match to {
                SeekFrom::Start(at) => at as usize,
                SeekFrom::End(_) => self.bytes,
                SeekFrom::Current(by) => self.at.saturating_add_signed(by as isize),
            };
            Ok(self.at as u64)
        }
    }

    /// Meta's keys and shapes of a model.
    #[derive(Default)]
    struct Shapes {
        path: Vec<String>,
        containers: Vec<String>,
        entries: Vec<Entry>,
    }

    impl ModuleVisitor for Shapes {
        fn enter_module(&mut self, name: &str, container_type: &str) {
            self.path.push(name.to_owned());
            self.containers.push(container_type.to_owned());
        }
        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.path.pop();
            self.containers.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let container = self.containers.last().map_or("", String::as_str);
            let name = self.path.last().map_or("", String::as_str);
            let mut shape = param.lazy_shape().to_vec();
            match (container, name) {
                ("Struct:Linear", "scales") => return,
                ("Struct:Linear", "weight") => shape.reverse(),
                _ => {}
            }
            self.entries.push(Entry {
                key: key(&self.path),
                dtype: Dtype::F32,
                shape,
            });
        }
    }

    /// What a visitor of the page waits for. Megabytes are millions of bytes.
    #[test]
    fn files_of_the_tiny_model_are_small() {
        let tiny = Sam2Config::tiny();
        let file = TensorFile::from_source("zeros", Box::new(Zeros::new(&tiny))).unwrap();
        assert_eq!(file.parameters(), 38_962_754); // Meta's
        for (bits, group, most) in [
            (Bits::Int8, Group::Channel, 42_000_000),
            (Bits::Int8, Group::Inputs(64), 42_000_000),
            (Bits::Int4, Group::Inputs(64), 24_000_000),
        ] {
            let scheme = Scheme { bits, group };
            let bytes = Quantized::plan(&file, &tiny, scheme, "").unwrap().bytes();
            assert!(bytes <= most, "{bits:?} {group}: {bytes} bytes");
        }
    }

    /// A linear weight is transposed; a filter's columns are its outputs, its rows the places with their channels.
    #[test]
    fn weights_become_matrices() {
        let shape = |d_input, d_output| PackedShape {
            bits: Bits::Int8,
            d_input,
            d_output,
            groups: 1,
        };
        let linear = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let transposed = [1.0, 4.0, 2.0, 5.0, 3.0, 6.0];
        assert_eq!(matrix(&linear, shape(3, 2), &[2, 3]), transposed);
        // [c_out 2, c_in 2, 1 x 2]: the value is c_out, c_in and column as digits.
        let filter = [0.0, 1.0, 10.0, 11.0, 100.0, 101.0, 110.0, 111.0];
        let by_place = [0.0, 100.0, 10.0, 110.0, 1.0, 101.0, 11.0, 111.0];
        assert_eq!(matrix(&filter, shape(4, 2), &[2, 2, 1, 2]), by_place);
    }

    /// What is packed has no float copy, and what has no whole blocks is not packed.
    #[test]
    fn packed_filters_are_floats_nowhere() {
        #[derive(Default)]
        struct Sizes {
            floats: Vec<usize>,
            words: Vec<usize>,
        }
        impl ModuleVisitor for Sizes {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                if D == 4 {
                    self.floats.push(param.val().shape().num_elements());
                }
            }
            fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
                self.words.push(param.val().shape().num_elements());
            }
        }
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/weights/lpips-tiny/lpips-tiny.safetensors"
        );
        let file = TensorFile::open(std::path::Path::new(path)).unwrap();
        let scheme = Scheme::of_bits(Bits::Int8);
        let (_, plan) = Quantized::recognised(&file, scheme, "").unwrap();
        let bytes: Vec<Vec<u8>> = plan.chunks().map(Result::unwrap).collect();
        let packed = TensorFile::from_safetensors("packed", bytes.concat()).unwrap();
        let net = recognise_lpips(&packed).unwrap();
        let network = super::super::fill::fill(net.init(&Device::flex()), &packed).unwrap();
        let mut sizes = Sizes::default();
        network.visit(&mut sizes);
        // Five filters, of which the first sees 3 x 11 x 11 values, and five heads.
        let heads = [32, 64, 96, 96, 96];
        let filters = [32 * 363, 1, 1, 1, 1];
        assert_eq!(sizes.floats, [filters, heads].concat());
        let words = [64 * 800, 96 * 576, 96 * 864, 96 * 864].map(|values| values / 4);
        assert_eq!(sizes.words, [&[1][..], &words[..]].concat());
    }
}
