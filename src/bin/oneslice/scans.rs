//! Scans from paths. In: files, folders and archives, and which scan of them is meant. Out: a scan; warnings go to standard
//! error.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use oneslice::scan::{self, InputFile, OpenOptions, Scan, ScanErrorKind, SeriesInfo};

use super::values::parse_spacing;
use super::{Failure, complain, files};

/// Folders within folders, at most: a link may lead in a circle.
const DEPTH: usize = 8;

/// Which scan of the files is meant.
#[derive(Args, Clone, Default)]
pub struct Choice {
    /// Which series of a folder or archive, by its identifier (see `oneslice info`) [default: the only one]
    #[arg(long, value_name = "ID")]
    pub series: Option<String>,
    /// Which volume of a 4-D scan, counted from 0
    #[arg(long, value_name = "V", allow_negative_numbers = true)]
    pub volume: Option<usize>,
    /// Of pictures: millimetres between columns, between rows and between pictures, such as 0.5,0.5,2 [default: 1,1,1]
    #[arg(long, value_name = "X,Y,Z", value_parser = parse_spacing)]
    pub spacing: Option<[f64; 3]>,
}

/// The scan in files, folders and archives.
pub fn read(paths: &[PathBuf], choice: &Choice) -> Result<Scan, Failure> {
    let options = OpenOptions {
        series: choice.series.clone(),
        volume: choice.volume,
        spacing: choice.spacing,
    };
    let scan = scan::open(&input(paths)?, &options).map_err(|e| match e.kind() {
        ScanErrorKind::VolumeChoice => format!("{e} (with --volume)").into(),
        ScanErrorKind::SeriesChoice => format!("{e} (with --series)").into(),
        _ => Failure::from(e),
    })?;
    for warning in &scan.warnings {
        let first = paths.first().map(|path| path.display().to_string());
        complain(&format!(
            "warning: {}: {warning}",
            first.unwrap_or_default()
        ));
    }
    Ok(scan)
}

/// The series in files, folders and archives.
pub fn inspect(paths: &[PathBuf]) -> Result<Vec<SeriesInfo>, Failure> {
    Ok(scan::inspect(&input(paths)?)?)
}

/// All files; of a folder all that are in it, of a header the file with its voxels too.
fn input(paths: &[PathBuf]) -> Result<Vec<InputFile>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        match path.is_dir() {
            true => {
                let before = found.len();
                folder(path, 0, &mut found)?;
                if found.len() == before {
                    return Err(format!("{}: no file is in this folder", path.display()).into());
                }
            }
            false => {
                let file = file(path)?;
                let others = scan::companions(&file.name, &file.bytes);
                found.push(file);
                for other in others {
                    let other = path.with_file_name(other);
                    // One that is missing is the reader's to report.
                    if other.is_file() && !paths.contains(&other) {
                        found.push(self::file(&other)?);
                    }
                }
            }
        }
    }
    Ok(found)
}

fn file(path: &Path) -> Result<InputFile, Failure> {
    Ok(InputFile {
        name: path.display().to_string(),
        bytes: files::read(path)?,
    })
}

/// Hidden files are an operating system's.
fn folder(path: &Path, depth: usize, found: &mut Vec<InputFile>) -> Result<(), Failure> {
    let failed = |e: std::io::Error| format!("{}: {e}", path.display());
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            entries.push(entry.path());
        }
    }
    entries.sort();
    for entry in entries {
        match entry.is_dir() {
            true if depth < DEPTH => folder(&entry, depth + 1, found)?,
            true => {}
            false => found.push(file(&entry)?),
        }
    }
    Ok(())
}
