//! `oneslice weights`.

use std::fmt::Write;
use std::path::Path;

use oneslice::checkpoint::{
    Manifest, Precision, TensorFile, recognise, recognise_lpips, to_safetensors,
};
use serde::Serialize;

use super::Failure;
use super::args::{PrecisionKind, Weights};
use super::fetch;
use super::files;
use super::lpips;
use super::model::fetched_path;
use super::quantize;

pub fn run(command: &Weights, json: bool) -> Result<(), Failure> {
    match command {
        Weights::List => list(json),
        Weights::Fetch { name } => fetch_model(name, json),
        Weights::Convert {
            input,
            out,
            precision,
            lpips_heads,
        } => convert(input, lpips_heads.as_deref(), out, *precision, json),
        Weights::Quantize {
            input,
            bits,
            group,
            out,
        } => quantize::run(input, *bits, *group, out.as_deref(), json),
        Weights::Inspect { input } => inspect(input, json),
    }
}

#[derive(Serialize)]
struct Listed {
    name: String,
    bytes: u64,
    licence: String,
    here: bool,
    origin: String,
}

fn list(json: bool) -> Result<(), Failure> {
    let mut models = Vec::new();
    let manifest = Manifest::embedded()?;
    for entry in manifest.models {
        models.push(Listed {
            here: entry.url.is_none() || fetched_path(&entry.file)?.is_file(),
            name: entry.name,
            bytes: entry.bytes,
            licence: entry.licence,
            origin: entry.origin,
        });
    }
    for entry in manifest.lpips {
        let sizes = entry.parts.iter().map(|part| part.bytes);
        models.push(Listed {
            here: entry.parts.is_empty() || fetched_path(&entry.file)?.is_file(),
            bytes: entry.bytes.unwrap_or_else(|| sizes.sum()),
            name: entry.name,
            licence: entry.licence,
            origin: entry.origin,
        });
    }
    if json {
        return files::print_json(&models);
    }
    let mut text = String::new();
    for model in models {
        let here = if model.here { "ready" } else { "to be fetched" };
        let megabytes = model.bytes as f64 / 1e6;
        let (name, licence, origin) = (model.name, model.licence, model.origin);
        writeln!(
            text,
            "{name:13} {megabytes:7.1} MB  {licence:29}  {here:13}  {origin}"
        )?;
    }
    files::print(&text)
}

#[derive(Serialize)]
struct Fetched {
    name: String,
    /// None for the model that is part of this program.
    file: Option<String>,
    licence: String,
    origin: String,
}

fn fetch_model(name: &str, json: bool) -> Result<(), Failure> {
    let manifest = Manifest::embedded()?;
    if let Some(entry) = manifest.lpips.iter().find(|entry| entry.name == name) {
        let file = lpips::fetch(entry, json)?;
        return say_fetched(name, file, &entry.licence, &entry.origin, json);
    }
    let entry = manifest.get(name).map_err(|error| {
        let networks = manifest
            .lpips
            .iter()
            .map(|entry| format!(", {}", entry.name));
        format!("{error}{}", networks.collect::<String>())
    })?;
    let mut file = None;
    if let Some(url) = &entry.url {
        let path = fetched_path(&entry.file)?;
        fetch::fetch(&fetch::Download {
            url,
            path: &path,
            bytes: entry.bytes,
            sha256: &entry.sha256,
            quiet: json,
        })?;
        file = Some(path.display().to_string());
    }
    say_fetched(name, file, &entry.licence, &entry.origin, json)
}

fn say_fetched(
    name: &str,
    file: Option<String>,
    licence: &str,
    origin: &str,
    json: bool,
) -> Result<(), Failure> {
    let (licence, origin) = (licence.to_owned(), origin.to_owned());
    if json {
        let name = name.to_owned();
        return files::print_json(&Fetched {
            name,
            file,
            licence,
            origin,
        });
    }
    match file {
        Some(file) => files::print(&format!("{file} ({licence}, {origin})\n")),
        None => files::print(&format!("{name} is part of oneslice: nothing to fetch\n")),
    }
}

#[derive(Serialize)]
struct Converted {
    out: String,
    tensors: usize,
    bytes: usize,
}

fn convert(
    input: &Path,
    lpips_heads: Option<&Path>,
    out: &Path,
    precision: PrecisionKind,
    json: bool,
) -> Result<(), Failure> {
    let inputs: Vec<&Path> = [Some(input), lpips_heads].into_iter().flatten().collect();
    files::check_output(out, &inputs)?;
    let precision = match precision {
        PrecisionKind::F32 => Precision::F32,
        PrecisionKind::F16 => Precision::F16,
    };
    let bytes = match lpips_heads {
        Some(heads) => lpips::join(input, heads, out, precision)?,
        None => {
            let file = TensorFile::open(input)?;
            let bytes = to_safetensors(&file, precision, &[("format", "pt")])?;
            files::write(out, &bytes)?;
            bytes.len()
        }
    };
    let tensors = TensorFile::open(out)?.keys().count();
    let out = out.display().to_string();
    match json {
        true => files::print_json(&Converted {
            out,
            tensors,
            bytes,
        }),
        false => files::print(&format!("{out}: {tensors} tensors, {bytes} bytes\n")),
    }
}

#[derive(Serialize)]
struct Inspected {
    file: String,
    config: Option<String>,
    parameters: usize,
    tensors: Vec<InspectedTensor>,
}

#[derive(Serialize)]
struct InspectedTensor {
    key: String,
    dtype: String,
    shape: Vec<usize>,
    /// Of a packed weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    bits: Option<usize>,
}

fn inspect(input: &Path, json: bool) -> Result<(), Failure> {
    let file = TensorFile::open(input)?;
    let config = recognise(&file).map(|config| config.name);
    let config = config.or_else(|error| match recognise_lpips(&file) {
        Ok(net) => Ok(format!("LPIPS {}", net.name())),
        Err(_) => Err(error),
    });
    let tensor = |key: &str| {
        let tensor = file.get(key)?;
        Some(InspectedTensor {
            key: key.to_owned(),
            dtype: format!("{:?}", tensor.dtype()),
            shape: tensor.shape().to_vec(),
            bits: file.packed(key).map(|packed| packed.bits.count()),
        })
    };
    let inspected = Inspected {
        file: file.name().to_owned(),
        config: config.as_ref().ok().cloned(),
        parameters: file.parameters(),
        tensors: file.keys().filter_map(tensor).collect(),
    };
    if json {
        return files::print_json(&inspected);
    }
    let mut text = format!("{}\n", inspected.file);
    match config {
        Ok(config) => writeln!(text, "  configuration  {config}")?,
        Err(error) => writeln!(text, "  configuration  not recognised: {error}")?,
    }
    let (parameters, count) = (inspected.parameters, inspected.tensors.len());
    writeln!(text, "  parameters     {parameters} in {count} tensors")?;
    for tensor in inspected.tensors {
        let InspectedTensor {
            key, dtype, shape, ..
        } = tensor;
        let packed = tensor.bits.map(|bits| format!(", {bits} bits"));
        let packed = packed.unwrap_or_default();
        writeln!(text, "  {key}  {dtype} {shape:?}{packed}")?;
    }
    files::print(&text)
}
