//! Files to values and back, with the file's name in every message.

use std::path::Path;

use oneslice::scan::{self, LabelScan, ReadOptions, Scan};

use super::Failure;

/// A file's bytes.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()).into())
}

/// A scan.
pub fn read_scan(path: &Path, volume: Option<usize>) -> Result<Scan, Failure> {
    let options = ReadOptions { volume };
    Ok(scan::read(
        &path.display().to_string(),
        &read(path)?,
        &options,
    )?)
}

/// A label map.
pub fn read_label_map(path: &Path) -> Result<LabelScan, Failure> {
    Ok(scan::read_label_map(
        &path.display().to_string(),
        &read(path)?,
    )?)
}

/// Writes a file whole or not at all: a broken one never stands under the asked name.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let written = std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, path));
    written.map_err(|e| {
        let _ = std::fs::remove_file(&part); // the error that matters is `e`
        format!("{}: {e}", path.display()).into()
    })
}

/// Prints a value as JSON.
pub fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}
