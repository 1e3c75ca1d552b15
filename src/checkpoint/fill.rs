//! Walks the model's parameters and fills each from the file.

use std::collections::BTreeSet;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};

use super::error::{CheckpointError, CheckpointErrorKind as Kind};
use super::keys::{is_transposed, key};
use super::tensor_file::TensorFile;

/// Fills every parameter of `module`, each key of the file exactly once.
pub(super) fn fill<M: Module>(module: M, file: &TensorFile) -> Result<M, CheckpointError> {
    let mut filler = Filler {
        file,
        path: Vec::new(),
        containers: Vec::new(),
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

    /// Whether this is the place of a packed weight's scales, which has no key of its own.
    fn is_scales(&self) -> bool {
        let container = self.containers.last().map_or("", String::as_str);
        container == "Struct:Linear" && self.path.last().is_some_and(|name| name == "scales")
    }

    /// The parameter's values in Burn's layout.
    fn values(&mut self, shape: &[usize]) -> Result<TensorData, CheckpointError> {
        let container = self.containers.last().map_or("", String::as_str);
        let name = self.path.last().map_or("", String::as_str);
        let key = key(&self.path, container);
        let error = |kind, what| CheckpointError::new(kind, self.file.name(), what);
        let Some(stored) = self.file.get(&key) else {
            return Err(error(Kind::MissingKey, format!("key `{key}` is missing")));
        };
        let transposed = is_transposed(container, name);
        let mut expected = shape.to_vec();
        if transposed {
            expected.reverse();
        }
        if stored.shape() != expected {
            let found = stored.shape();
            let what = format!("key `{key}` has shape {found:?}, the model needs {expected:?}");
            return Err(error(Kind::Shape, what));
        }
        let values = self.file.read_f32(&key)?;
        self.used.insert(key);
        let values = match transposed {
            true => transpose(&values, expected[0], expected[1]),
            false => values,
        };
        Ok(TensorData::new(values, shape.to_vec()))
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
        self.path.push(name.to_owned());
        self.containers.push(container_type.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
        self.containers.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.is_scales() {
            return param;
        }
        let (id, device) = (param.id, param.lazy_device());
        match self.values(&param.lazy_shape()) {
            Ok(values) => param.transform_for_load(Tensor::from_data(values, &device), id),
            Err(error) => {
                self.errors.push(error);
                param
            }
        }
    }
}
