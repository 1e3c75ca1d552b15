//! Bytes to model: checkpoint files in Meta's key layout fill [`sam2`](crate::sam2), others [`lpips`](crate::lpips).
//!
//! In: `.safetensors` or Meta's `.pt`, read tensor by tensor from any seekable source; out: a filled model, a file of
//! packed weights, or an error that names the file and the key. Strict: every key is used exactly once.

mod error;
mod fill;
mod keys;
mod lpips;
mod manifest;
mod pickle;
mod quantize;
mod recognise;
mod safetensors_file;
mod scheme;
mod sensitive;
mod tensor_file;
mod torch_file;
mod torch_legacy;
mod write;

pub use error::{CheckpointError, CheckpointErrorKind};
pub use lpips::{join_lpips, load_lpips, recognise_lpips};
pub use manifest::{LpipsEntry, Manifest, ManifestEntry, Part};
pub use quantize::Quantized;
pub use recognise::recognise;
pub use scheme::{Group, PackedShape, Scheme};
pub use tensor_file::{Source, StoredTensor, TensorFile};
pub use write::{Precision, to_safetensors};

use burn::tensor::Device;

use crate::sam2::{Sam2, Sam2Config};

/// Recognises the configuration and fills the model.
///
/// # Errors
/// When no configuration fits, or a tensor is missing, superfluous, of the wrong shape, not a
/// float, or not finite, and when packed weights break their format.
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
