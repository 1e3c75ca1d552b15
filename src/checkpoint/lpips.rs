//! Files of [`lpips`](crate::lpips): one of ours, or the two that its authors and torchvision publish.
//!
//! Keys are theirs: `features.<n>.weight` and `.bias` as torchvision numbers its layers, `lin<k>.model.1.weight` for the
//! heads. A torchvision file also has a `classifier`, which LPIPS leaves out.

use burn::tensor::Device;

use super::error::{CheckpointError, CheckpointErrorKind as Kind};
use super::fill;
use super::tensor_file::TensorFile;
use super::write::{Precision, encode_file};
use crate::lpips::{Lpips, Net};

/// Recognises the network and fills it.
///
/// # Errors
/// When the shapes are of no known network, a tensor is missing, superfluous, of the wrong shape, not a float or not
/// finite, or a head has a negative weight.
pub fn load_lpips(file: &TensorFile, device: &Device) -> Result<(Net, Lpips), CheckpointError> {
    let net = recognise_lpips(file)?;
    for key in file.keys().filter(|key| key.starts_with("lin")) {
        if let Some(weight) = file.read_f32(key)?.into_iter().find(|&w| w < 0.0) {
            let what =
                format!("key `{key}` holds {weight}; weights of LPIPS' heads are not negative");
            return Err(CheckpointError::new(Kind::Format, file.name(), what));
        }
    }
    let backbone = fill::fill(net.init(device), file)?;
    Ok((net, Lpips::new(backbone)))
}

/// The network of a file, told from its first layers.
///
/// # Errors
/// When none of [`Net::ALL`] begins so.
pub fn recognise_lpips(file: &TensorFile) -> Result<Net, CheckpointError> {
    let shape = |key: &str| file.get(key).map(|tensor| tensor.shape().to_vec());
    let Some(first) = shape("features.0.weight") else {
        let what = "key `features.0.weight` is missing, so this is no network of LPIPS";
        return Err(CheckpointError::new(Kind::MissingKey, file.name(), what));
    };
    let has = |key| file.get(key).is_some();
    match first.as_slice() {
        [64, 3, 11, 11] => Ok(Net::Alex),
        [32, 3, 11, 11] => Ok(Net::Tiny),
        [64, 3, 3, 3] if has("features.3.squeeze.weight") => Ok(Net::Squeeze),
        [64, 3, 3, 3] if has("features.2.weight") => Ok(Net::Vgg),
        _ => {
            let names = Net::ALL.map(Net::name).join(", ");
            let what =
                format!("key `features.0.weight` has shape {first:?}; expected one of {names}");
            Err(CheckpointError::new(Kind::UnknownConfig, file.name(), what))
        }
    }
}

/// The two published files as one `.safetensors`: torchvision's network without its classifier, and the heads of the
/// `lpips` package.
///
/// # Errors
/// As [`load_lpips`], for the two together.
pub fn join_lpips(
    backbone: &TensorFile,
    heads: &TensorFile,
    precision: Precision,
) -> Result<Vec<u8>, CheckpointError> {
    let features = backbone
        .keys()
        .filter(|key| !key.starts_with("classifier."));
    let mut tensors: Vec<_> = features.map(|key| (backbone, key)).collect();
    let name = format!("{} with {}", backbone.name(), heads.name());
    for key in heads.keys() {
        if backbone.get(key).is_some() {
            let what = format!("key `{key}` is in both files");
            return Err(CheckpointError::new(Kind::ExtraKey, name, what));
        }
        tensors.push((heads, key));
    }
    let bytes = encode_file(&name, &tensors, precision, &[("format", "pt")])?;
    let joined = TensorFile::from_safetensors(&name, bytes.clone())?;
    load_lpips(&joined, &Device::flex())?;
    Ok(bytes)
}
