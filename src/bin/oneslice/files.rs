//! Files to values and back, with the file's name in every message; and standard output.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use oneslice::scan::{self, LabelScan, Scan};

use super::Failure;
use super::scans::{self, Choice};

/// A file's bytes.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|e| named(path, e))
}

/// The only scan in a file, folder or archive.
pub fn read_scan(path: &Path, volume: Option<usize>) -> Result<Scan, Failure> {
    let choice = Choice {
        volume,
        ..Choice::default()
    };
    scans::read(&[path.to_owned()], &choice)
}

/// A label map.
pub fn read_label_map(path: &Path) -> Result<LabelScan, Failure> {
    let name = path.display().to_string();
    Ok(scan::read_label_map(&name, &read(path)?)?)
}

/// How scans' names end; what is in a file is told by its content.
const EXTENSIONS: [&str; 8] = [
    ".nii", ".hdr", ".nrrd", ".nhdr", ".mha", ".mhd", ".dcm", ".zip",
];

/// A scan's file name without its extension; a folder's name.
pub fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let plain = name.strip_suffix(".gz").unwrap_or(&name);
    let stem = EXTENSIONS.iter().find_map(|end| plain.strip_suffix(end));
    stem.unwrap_or(plain).to_owned()
}

/// Whether a name is a scan's, for choosing among the files of a folder that may hold anything.
pub fn is_scan(name: &str) -> bool {
    let plain = name.strip_suffix(".gz").unwrap_or(name);
    EXTENSIONS.iter().any(|end| plain.ends_with(end))
}

/// Makes the folder for results, unless it is there.
pub fn make_folder(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|e| named(folder, e))
}

/// Checks, before the work, that its result can be written: to a folder that is there, and over
/// none of the files it is made from.
pub fn check_output(path: &Path, inputs: &[&Path]) -> Result<(), Failure> {
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|f| !f.is_dir()) {
        return Err(named(
            path,
            format!("there is no folder {}", folder.display()),
        ));
    }
    if path.is_dir() {
        return Err(named(path, "is a folder"));
    }
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if inputs.iter().any(|input| real(input) == real(path)) {
        let what = "is also an input or another output; it would be overwritten";
        return Err(named(path, what));
    }
    let part = part_path(path);
    let tried = File::create(&part).and_then(|_| fs::remove_file(&part));
    tried.map_err(|e| named(path, e))
}

/// Writes a file whole or not at all: a broken one never stands under the asked name.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let part = part_path(path);
    let written = fs::write(&part, bytes).and_then(|()| fs::rename(&part, path));
    written.map_err(|e| {
        let _ = fs::remove_file(&part); // the error that matters is `e`
        named(path, e)
    })
}

/// Where a file stands while it is incomplete.
pub fn part_path(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    part.into()
}

/// Prints text. A reader that has seen enough (`| head`) is no error.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("standard output: {e}").into())
        }
        _ => Ok(()),
    }
}

/// Prints a value as JSON.
pub fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    print(&json(value)?)
}

/// A value as JSON, for people too.
pub fn json(value: &impl serde::Serialize) -> Result<String, Failure> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

fn named(path: &Path, what: impl std::fmt::Display) -> Failure {
    format!("{}: {what}", path.display()).into()
}
