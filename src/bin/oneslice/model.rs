//! `--model`: a name of the manifest or a file, to a filled model on a device.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use oneslice::checkpoint::{self, Manifest, TensorFile};
use oneslice::sam2::{Sam2, Sam2Config};

use super::Failure;
use super::args::DeviceKind;

/// The model that is part of this program.
const NANO: &[u8] = include_bytes!("../../../weights/nano/sam2-nano.safetensors");

/// Opens the device.
pub fn device(kind: DeviceKind) -> Result<Device, Failure> {
    match kind {
        DeviceKind::Cpu => Ok(Device::flex()),
        DeviceKind::Wgpu => {
            let device = Device::wgpu_options().init();
            device.map_err(|e| format!("no graphics device: {e}").replace('\n', " ").into())
        }
    }
}

/// Loads a model by name or from a file.
pub fn load(model: &str, device: &Device) -> Result<(Sam2Config, Sam2), Failure> {
    let file = open(model, "--model ")?;
    Ok(checkpoint::load(&file, device)?)
}

/// Opens the weights of a model by name, or a file. `option` stands before what is neither, in the error.
pub fn open(model: &str, option: &str) -> Result<TensorFile, Failure> {
    let manifest = Manifest::embedded()?;
    let is_file = Path::new(model).is_file();
    let entry = match manifest.get(model) {
        Ok(entry) => entry,
        Err(_) if is_file => return Ok(TensorFile::open(Path::new(model))?),
        Err(_) => {
            let names: Vec<&str> = manifest.models.iter().map(|m| m.name.as_str()).collect();
            let names = names.join(", ");
            return Err(format!("{option}{model}: neither a file nor one of {names}").into());
        }
    };
    if entry.url.is_none() {
        return Ok(TensorFile::from_safetensors(&entry.file, NANO.to_vec())?);
    }
    let path = fetched_path(&entry.file)?;
    match path.is_file() {
        true => Ok(TensorFile::open(&path)?),
        false => {
            let what = "is not on this machine yet; with internet, get it by";
            Err(format!("model `{model}` {what} `oneslice weights fetch {model}`").into())
        }
    }
}

/// Where a fetched file is kept: `$ONESLICE_WEIGHTS`, else the user's cache.
pub fn fetched_path(file: &str) -> Result<PathBuf, Failure> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    let folder = set("ONESLICE_WEIGHTS")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("oneslice/weights")))
        .or_else(|| Some(set("HOME")?.join(".cache/oneslice/weights")))
        .ok_or("neither ONESLICE_WEIGHTS nor HOME says where weights are kept")?;
    Ok(folder.join(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The manifest, the file and the architecture agree.
    #[test]
    fn the_embedded_model_is_what_the_manifest_says() {
        use sha2::{Digest, Sha256};
        let manifest = Manifest::embedded().unwrap();
        let entry = manifest.get("nano").unwrap();
        assert_eq!(entry.bytes, NANO.len() as u64);
        let digest: String = Sha256::digest(NANO)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert_eq!(entry.sha256, digest);
        let (config, _) = load("nano", &Device::flex()).unwrap();
        assert_eq!(config, Sam2Config::nano());
        let file = open("nano", "").unwrap();
        assert_eq!(entry.memory, Some(4 * file.parameters() as u64));
    }
}
