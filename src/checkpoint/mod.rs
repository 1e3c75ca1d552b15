//! Bytes to model: checkpoint files in Meta's key layout fill [`sam2`](crate::sam2).
//!
//! In: `.safetensors` bytes (everywhere) or Meta's `.pt` (native only); out: a filled model, or
//! an error that names the file and the key. Strict: every key is used exactly once.

mod error;
mod fill;
mod keys;
mod manifest;
mod recognise;
mod tensor_file;
mod write;

pub use error::{CheckpointError, CheckpointErrorKind};
pub use manifest::{Manifest, ManifestEntry};
pub use recognise::recognise;
pub use tensor_file::{StoredTensor, TensorFile};
pub use write::{Precision, to_safetensors};

use burn::tensor::Device;

use crate::sam2::{Sam2, Sam2Config};

/// Recognises the configuration and fills the model.
///
/// # Errors
/// When no configuration fits, or a tensor is missing, superfluous, of the wrong shape, not a
/// float, or not finite.
pub fn load(file: &TensorFile, device: &Device) -> Result<(Sam2Config, Sam2), CheckpointError> {
    let config = recognise(file)?;
    let model = load_as(file, &config, device)?;
    Ok((config, model))
}

/// Fills a model of a known configuration.
///
/// # Errors
/// As [`load`], except for recognition.
pub fn load_as(
    file: &TensorFile,
    config: &Sam2Config,
    device: &Device,
) -> Result<Sam2, CheckpointError> {
    fill::fill(config.init(device), file)
}
