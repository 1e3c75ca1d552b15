//! Walks the model's parameters and fills each from the file.

use std::collections::BTreeSet;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{DType, Int, Tensor, TensorData};

use super::error::{CheckpointError, CheckpointErrorKind as Kind};
use super::keys::{has_words, is_transposed, key};
use super::scheme::PackedShape;
use super::tensor_file::{TensorFile, scales_key};

/// Fills every parameter of `module`, each key of the file exactly once.
pub(super) fn fill<M: Module>(module: M, file: &TensorFile) -> Result<M, CheckpointError> {
    let mut filler = Filler {
        file,
        path: Vec::new(),
        containers: Vec::new(),
        packed: None,
        used: BTreeSet::new(),
        errors: Vec::new(),
    };
    let module = module.map(&mut filler);
    filler.finish()?;
    Ok(module)
}

struct Filler<'a> {
    file: &'a TensorFile,
    path: Vec<String>,
    containers: Vec<String>,
    /// Key and shape of the layer's weight that was met last, when the file has it packed: its words and scales are
    /// parameters of the same layer, and come later.
    packed: Option<(String, PackedShape)>,
    used: BTreeSet<String>,
    errors: Vec<CheckpointError>,
}

impl Filler<'_> {
    fn finish(self) -> Result<(), CheckpointError> {
        if let Some(first) = self.errors.into_iter().next() {
            return Err(first);
        }
        let extra: Vec<&str> = self
            .file
            .keys()
            .filter(|k| !self.used.contains(*k))
            .collect();
        match extra.first() {
            None => Ok(()),
            Some(first) => Err(CheckpointError::new(
                Kind::ExtraKey,
                self.file.name(),
                format!(
                    "key `{first}` is not part of the model{}",
                    others(extra.len())
                ),
            )),
        }
    }

    /// Whether this is the named parameter of a layer that may be packed.
    fn is_packable(&self, parameter: &str) -> bool {
        let container = self.containers.last().map_or("", String::as_str);
        has_words(container) && self.path.last().is_some_and(|name| name == parameter)
    }

    fn key(&self) -> String {
        key(&self.path)
    }

    fn wrong_shape(&self, key: &str, found: &[usize], expected: &[usize]) -> CheckpointError {
        let what = format!("key `{key}` has shape {found:?}, the model needs {expected:?}");
        CheckpointError::new(Kind::Shape, self.file.name(), what)
    }

    /// The parameter's values in Burn's layout.
    fn values(&mut self, shape: &[usize]) -> Result<TensorData, CheckpointError> {
        let key = self.key();
        let Some(stored) = self.file.get(&key) else {
            let what = format!("key `{key}` is missing");
            return Err(CheckpointError::new(
                Kind::MissingKey,
                self.file.name(),
                what,
            ));
        };
        let container = self.containers.last().map_or("", String::as_str);
        let transposed = is_transposed(container, self.path.last().map_or("", String::as_str));
        let mut expected = shape.to_vec();
        if transposed {
            expected.reverse();
        }
        let packed = self.file.packed(&key);
        let packable = self.is_packable("weight");
        if packable {
            self.packed = packed.map(|packed| (key.clone(), packed));
        }
        if let Some(packed) = packed.filter(|_| packable) {
            let found = [packed.d_output, packed.d_input];
            if found != [expected[0], expected[1..].iter().product()] {
                return Err(self.wrong_shape(&key, &found, &expected));
            }
            self.used.insert(key);
            // The floats' place stays a single element: nothing is ever unpacked into it.
            return Ok(TensorData::zeros::<f32, _>(vec![1; shape.len()]));
        }
        if stored.shape() != expected {
            return Err(self.wrong_shape(&key, stored.shape(), &expected));
        }
        let values = self.file.read_f32(&key)?;
        self.used.insert(key);
        let values = match transposed {
            true => transpose(&values, expected[0], expected[1]),
            false => values,
        };
        Ok(TensorData::new(values, shape.to_vec()))
    }

    /// Scales of the packed weight met last.
    fn scales(&mut self, key: &str, packed: PackedShape) -> Result<TensorData, CheckpointError> {
        let scales = self.file.read_scales(key)?;
        self.used.insert(scales_key(key));
        Ok(TensorData::new(scales, [packed.groups, packed.d_output]))
    }
}

/// Row-major `[rows, cols]` to row-major `[cols, rows]`.
fn transpose(values: &[f32], rows: usize, cols: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(values.len());
    for col in 0..cols {
        out.extend((0..rows).map(|row| values[row * cols + col]));
    }
    out
}

fn others(count: usize) -> String {
    match count {
        0 | 1 => String::new(),
        n => format!(" (nor are {} others)", n - 1),
    }
}

impl ModuleMapper for Filler<'_> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        // Which variant a layer is, is told by the configuration, not by a key.
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

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let values = match (self.is_packable("scales"), self.packed.clone()) {
            (false, _) => self.values(&param.lazy_shape()),
            (true, Some((key, packed))) => self.scales(&key, packed),
            (true, None) => return param,
        };
        let (id, device) = (param.id, param.lazy_device());
        match values {
            Ok(values) => param.transform_for_load(Tensor::from_data(values, &device), id),
            Err(error) => {
                self.errors.push(error);
                param
            }
        }
    }

    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        let Some((key, packed)) = self.packed.clone().filter(|_| self.is_packable("words")) else {
            return param;
        };
        let rows = packed.d_input * packed.bits.count() / 32;
        let (id, device) = (param.id, param.lazy_device());
        match self.file.read_words(&key) {
            Ok(words) => {
                let words = TensorData::new(words, [rows, packed.d_output]);
                // The type is said, because a device's own integers may have another width.
                param.transform_for_load(Tensor::from_data(words, (&device, DType::I32)), id)
            }
            Err(error) => {
                self.errors.push(error);
                param
            }
        }
    }
}
