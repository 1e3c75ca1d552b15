//! `oneslice weights quantize`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use oneslice::checkpoint::{Group, Manifest, Quantized, Scheme};
use oneslice::kernels::Bits;
use serde::Serialize;

use super::Failure;
use super::files;
use super::lpips;
use super::model;

#[derive(Serialize)]
struct Written {
    out: String,
    config: String,
    bits: usize,
    group: String,
    bytes: usize,
}

/// Writes the packed file tensor by tensor, whole or not at all.
pub fn run(
    input: &str,
    bits: Bits,
    group: Option<Group>,
    out: Option<&Path>,
    json: bool,
) -> Result<(), Failure> {
    let default = default_out(input, bits);
    let out = out.unwrap_or(&default);
    files::check_output(out, &[Path::new(input)])?;
    let manifest = Manifest::embedded()?;
    let file = match manifest.lpips.iter().any(|entry| entry.name == input) {
        true => lpips::open(input, "")?,
        false => model::open(input, "")?,
    };
    let mut scheme = Scheme::of_bits(bits);
    scheme.group = group.unwrap_or(scheme.group);
    let (config, quantized) = Quantized::recognised(&file, scheme, &origin(input, &manifest))?;
    let part = files::part_path(out);
    let written = write(&quantized, &part, json);
    if let Err(e) = written.and_then(|()| Ok(std::fs::rename(&part, out)?)) {
        let _ = std::fs::remove_file(&part); // the error that matters is `e`
        return Err(e);
    }
    let written = Written {
        out: out.display().to_string(),
        config,
        bits: bits.count(),
        group: scheme.group.to_string(),
        bytes: quantized.bytes(),
    };
    if json {
        return files::print_json(&written);
    }
    let Written {
        out,
        config,
        bits,
        group,
        bytes,
    } = written;
    files::print(&format!(
        "{out}: {config} in {bits} bits, group {group}, {bytes} bytes\n"
    ))
}

fn write(quantized: &Quantized, path: &Path, quiet: bool) -> Result<(), Failure> {
    let named = |e: std::io::Error| format!("{}: {e}", path.display());
    let mut file = BufWriter::new(File::create(path).map_err(named)?);
    let bar = match quiet {
        true => ProgressBar::hidden(),
        false => ProgressBar::new(quantized.chunk_count() as u64),
    };
    bar.set_style(ProgressStyle::with_template(
        "{bar:40} {pos}/{len} tensors",
    )?);
    for chunk in quantized.chunks() {
        file.write_all(&chunk?).map_err(named)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    file.flush().map_err(named)?;
    Ok(())
}

/// In this folder: where a fetched file is kept is no place to look for results.
fn default_out(input: &str, bits: Bits) -> PathBuf {
    let stem = Path::new(input).file_stem().unwrap_or_default();
    format!("{}-int{}.safetensors", stem.to_string_lossy(), bits.count()).into()
}

/// Where the weights come from, for the file's metadata.
fn origin(input: &str, manifest: &Manifest) -> String {
    let model = manifest.get(input).ok();
    let model = model.map(|m| (&m.file, &m.origin, &m.licence));
    let network = manifest.lpips.iter().find(|entry| entry.name == input);
    let network = network.map(|n| (&n.file, &n.origin, &n.licence));
    match model.or(network) {
        Some((file, origin, licence)) => format!("{file}: {origin} ({licence})"),
        None => {
            let name = Path::new(input).file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        }
    }
}
