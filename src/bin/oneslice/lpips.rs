//! `oneslice lpips`, and the networks it takes: by name, from a file, or fetched as their authors publish them.

use std::fs;
use std::path::Path;

use burn::tensor::{Device, Tensor};
use oneslice::checkpoint::{LpipsEntry, Manifest, Precision, TensorFile, join_lpips, load_lpips};
use oneslice::lpips::{Lpips, Net, from_rgb};
use serde::Serialize;

use super::Failure;
use super::args;
use super::fetch;
use super::files;
use super::model::{device, fetched_path};
use super::pictures;

/// The network that is part of this program.
const TINY: &[u8] = include_bytes!("../../../weights/lpips-tiny/lpips-tiny.safetensors");

#[derive(Serialize)]
struct Compared {
    a: String,
    b: String,
    net: String,
    distance: f32,
}

/// Compares two images.
pub fn run(arguments: &args::Lpips, json: bool) -> Result<(), Failure> {
    let device = device(arguments.device)?;
    let (net, lpips) = load(&arguments.net, "--net", &device)?;
    let [a, b] = [&arguments.a, &arguments.b].map(|path| read_image(path, net, &device));
    let (a, b) = (a?, b?);
    let (path_a, path_b) = (arguments.a.display(), arguments.b.display());
    let ([_, _, rows, cols], [_, _, rows_b, cols_b]) = (a.dims(), b.dims());
    if (rows, cols) != (rows_b, cols_b) {
        let sizes = format!("{cols} x {rows} and {cols_b} x {rows_b} pixels");
        return Err(format!("{path_a} and {path_b} have {sizes}; LPIPS needs equal sizes").into());
    }
    let distance = lpips.features(a).distances(&lpips.features(b));
    let distance = distance.into_data().try_into_vec::<f32>()?[0];
    match json {
        true => files::print_json(&Compared {
            a: path_a.to_string(),
            b: path_b.to_string(),
            net: arguments.net.clone(),
            distance,
        }),
        false => files::print(&format!("{distance:.6}  ({})\n", arguments.net)),
    }
}

fn read_image(path: &Path, net: Net, device: &Device) -> Result<Tensor<4>, Failure> {
    let name = path.display();
    let image = pictures::read(path)?.to_rgb8();
    let (rows, cols) = (image.height() as usize, image.width() as usize);
    let least = net.min_side();
    if rows.min(cols) < least {
        let what = format!(
            "has {cols} x {rows} pixels, and {} needs {least} a side",
            net.name()
        );
        return Err(format!("{name}: {what}").into());
    }
    let pixels: Vec<[u8; 3]> = image.pixels().map(|pixel| pixel.0).collect();
    Ok(from_rgb(&pixels, rows, cols, device))
}

/// Loads a network by name or from a file. `option` is what asked for it, for the error.
pub fn load(net: &str, option: &str, device: &Device) -> Result<(Net, Lpips), Failure> {
    Ok(load_lpips(&open(net, option)?, device)?)
}

/// Opens the weights of a network by name, or a file.
pub fn open(net: &str, option: &str) -> Result<TensorFile, Failure> {
    let manifest = Manifest::embedded()?;
    let Some(entry) = manifest.lpips.iter().find(|entry| entry.name == net) else {
        if Path::new(net).is_file() {
            return Ok(TensorFile::open(Path::new(net))?);
        }
        let names: Vec<&str> = manifest.lpips.iter().map(|e| e.name.as_str()).collect();
        let names = names.join(", ");
        return Err(format!("{option} {net}: neither a file nor one of {names}").into());
    };
    if entry.parts.is_empty() {
        return Ok(TensorFile::from_safetensors(&entry.file, TINY.to_vec())?);
    }
    let path = fetched_path(&entry.file)?;
    match path.is_file() {
        true => Ok(TensorFile::open(&path)?),
        false => {
            let what = "is not on this machine yet; with internet, get it by";
            Err(format!("network `{net}` {what} `oneslice weights fetch {net}`").into())
        }
    }
}

/// Fetches a network's published parts and joins them; only what LPIPS needs is kept. Its path, or none for the network
/// that is part of this program.
pub fn fetch(entry: &LpipsEntry, quiet: bool) -> Result<Option<String>, Failure> {
    let [backbone, heads] = entry.parts.as_slice() else {
        return Ok(None);
    };
    let path = fetched_path(&entry.file)?;
    if !path.is_file() {
        let mut paths = Vec::new();
        for part in [backbone, heads] {
            let path = fetched_path(&part.file)?;
            fetch::fetch(&fetch::Download {
                url: &part.url,
                path: &path,
                bytes: part.bytes,
                sha256: &part.sha256,
                quiet,
            })?;
            paths.push(path);
        }
        join(&paths[0], &paths[1], &path, Precision::F32)?;
        for part in paths {
            fs::remove_file(&part).map_err(|e| format!("{}: {e}", part.display()))?;
        }
    }
    Ok(Some(path.display().to_string()))
}

/// Writes the two published files as one; gives its length.
pub fn join(
    backbone: &Path,
    heads: &Path,
    out: &Path,
    precision: Precision,
) -> Result<usize, Failure> {
    let [backbone, heads] = [backbone, heads].map(TensorFile::open);
    let bytes = join_lpips(&backbone?, &heads?, precision)?;
    files::write(out, &bytes)?;
    Ok(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The manifest, the file and the architecture agree.
    #[test]
    fn the_embedded_network_is_what_the_manifest_says() {
        use sha2::{Digest, Sha256};
        let manifest = Manifest::embedded().unwrap();
        let entry = manifest.lpips.iter().find(|e| e.parts.is_empty()).unwrap();
        assert_eq!(entry.bytes, Some(TINY.len() as u64));
        let digest = Sha256::digest(TINY);
        let digest: String = digest.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(entry.sha256.as_deref(), Some(digest.as_str()));
        let (net, _) = load(&entry.name, "--net", &Device::flex()).unwrap();
        assert_eq!(net.name(), entry.net);
    }
}
