//! `oneslice weights`.

use std::path::Path;

use oneslice::checkpoint::{Manifest, Precision, TensorFile, recognise, to_safetensors};
use serde::Serialize;

use super::Failure;
use super::args::{PrecisionKind, Weights};
use super::fetch;
use super::files;
use super::model::fetched_path;

pub fn run(command: &Weights, json: bool) -> Result<(), Failure> {
    match command {
        Weights::List => list(json),
        Weights::Fetch { name } => fetch_model(name),
        Weights::Convert {
            input,
            out,
            precision,
        } => convert(input, out, *precision),
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
    for entry in Manifest::embedded()?.models {
        models.push(Listed {
            here: entry.url.is_none() || fetched_path(&entry)?.is_file(),
            name: entry.name,
            bytes: entry.bytes,
            licence: entry.licence,
            origin: entry.origin,
        });
    }
    if json {
        return files::print_json(&models);
    }
    for model in models {
        let here = if model.here { "ready" } else { "to be fetched" };
        let megabytes = model.bytes as f64 / 1e6;
        println!(
            "{:10} {megabytes:7.1} MB  {:11} {here:13}  {}",
            model.name, model.licence, model.origin
        );
    }
    Ok(())
}

fn fetch_model(name: &str) -> Result<(), Failure> {
    let manifest = Manifest::embedded()?;
    let entry = manifest.get(name)?;
    let Some(url) = &entry.url else {
        println!("{name} is part of oneslice: nothing to fetch");
        return Ok(());
    };
    let path = fetched_path(entry)?;
    fetch::fetch(&fetch::Download {
        url,
        path: &path,
        bytes: entry.bytes,
        sha256: &entry.sha256,
    })?;
    println!("{} ({}, {})", path.display(), entry.licence, entry.origin);
    Ok(())
}

fn convert(input: &Path, out: &Path, precision: PrecisionKind) -> Result<(), Failure> {
    let file = TensorFile::open(input)?;
    let precision = match precision {
        PrecisionKind::F32 => Precision::F32,
        PrecisionKind::F16 => Precision::F16,
    };
    let bytes = to_safetensors(&file, precision, &[("format", "pt")])?;
    files::write(out, &bytes)?;
    println!(
        "{}: {} tensors, {} bytes",
        out.display(),
        file.keys().count(),
        bytes.len()
    );
    Ok(())
}

#[derive(Serialize)]
struct Inspected {
    file: String,
    config: Option<String>,
    parameters: usize,
    tensors: Vec<(String, String, Vec<usize>)>,
}

fn inspect(input: &Path, json: bool) -> Result<(), Failure> {
    let file = TensorFile::open(input)?;
    let config = recognise(&file);
    let tensor = |key: &str| {
        let tensor = file.get(key)?;
        Some((
            key.to_owned(),
            format!("{:?}", tensor.dtype()),
            tensor.shape().to_vec(),
        ))
    };
    let inspected = Inspected {
        file: file.name().to_owned(),
        config: config.as_ref().ok().map(|c| c.name.clone()),
        parameters: file.parameters(),
        tensors: file.keys().filter_map(tensor).collect(),
    };
    if json {
        return files::print_json(&inspected);
    }
    println!("{}", inspected.file);
    match config {
        Ok(config) => println!("  configuration  {}", config.name),
        Err(error) => println!("  configuration  not recognised: {error}"),
    }
    println!("  parameters     {}", inspected.parameters);
    for (key, dtype, shape) in inspected.tensors {
        println!("  {key}  {dtype} {shape:?}");
    }
    Ok(())
}
