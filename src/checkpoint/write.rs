//! A checkpoint back to bytes: `.safetensors` with Meta's keys.

use std::collections::HashMap;

use half::f16;
use safetensors::{Dtype, tensor::TensorView};

use super::error::{CheckpointError, CheckpointErrorKind as Kind};
use super::tensor_file::TensorFile;

/// Float type on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits.
    F32,
    /// 16 bits; a value that does not fit is an error.
    F16,
}

impl Precision {
    pub(super) fn dtype(self) -> Dtype {
        match self {
            Self::F32 => Dtype::F32,
            Self::F16 => Dtype::F16,
        }
    }
}

/// All tensors of a file as `.safetensors` bytes. `metadata` goes into the header.
///
/// # Errors
/// As [`TensorFile::read_f32`], and when a value overflows f16.
pub fn to_safetensors(
    file: &TensorFile,
    precision: Precision,
    metadata: &[(&str, &str)],
) -> Result<Vec<u8>, CheckpointError> {
    let tensors: Vec<_> = file.keys().map(|key| (file, key)).collect();
    encode_file(file.name(), &tensors, precision, metadata)
}

/// Tensors of one or more files as one file. `name` stands in error messages.
pub(super) fn encode_file(
    name: &str,
    tensors: &[(&TensorFile, &str)],
    precision: Precision,
    metadata: &[(&str, &str)],
) -> Result<Vec<u8>, CheckpointError> {
    let mut encoded = Vec::new();
    for &(file, key) in tensors {
        let values = file.read_f32(key)?;
        let shape = file.get(key).map(|t| t.shape().to_vec());
        let bytes = encode(file, key, &values, precision)?;
        encoded.push((key.to_owned(), shape.unwrap_or_default(), bytes));
    }
    let error = |e| CheckpointError::new(Kind::Format, name, format!("{e}"));
    let mut views = Vec::new();
    for (key, shape, bytes) in &encoded {
        let view = TensorView::new(precision.dtype(), shape.clone(), bytes).map_err(error)?;
        views.push((key.clone(), view));
    }
    let metadata = metadata.iter().map(|&(k, v)| (k.to_owned(), v.to_owned()));
    let metadata: HashMap<String, String> = metadata.collect();
    safetensors::serialize(views, Some(metadata)).map_err(error)
}

/// Little-endian values of a tensor of the file.
pub(super) fn encode(
    file: &TensorFile,
    key: &str,
    values: &[f32],
    precision: Precision,
) -> Result<Vec<u8>, CheckpointError> {
    match precision {
        Precision::F32 => Ok(values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        Precision::F16 => {
            if let Some(v) = values.iter().find(|&&v| !f16::from_f32(v).is_finite()) {
                let what = format!("key `{key}` holds {v}, too large for f16");
                return Err(CheckpointError::new(Kind::NotFinite, file.name(), what));
            }
            Ok(values
                .iter()
                .flat_map(|&v| f16::from_f32(v).to_le_bytes())
                .collect())
        }
    }
}
