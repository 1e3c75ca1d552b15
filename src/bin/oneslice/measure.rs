//! `oneslice measure`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PathBufValueParser, TypedValueParser};
use oneslice::export::{Segment, measure};
use oneslice::volume::{Grid, LabelMap};

use super::Failure;
use super::files;
use super::named::Named;
use super::scans::{self, Choice};

#[derive(Args)]
pub struct Measure {
    /// The label map
    pub labels: PathBuf,
    /// The scan it lies on: a file, several, a folder or a ZIP archive
    #[arg(long, num_args = 1.., required = true)]
    pub scan: Vec<PathBuf>,
    #[command(flatten)]
    pub choice: Choice,
    #[command(flatten)]
    pub named: Named,
    /// Also write the table to this file
    #[arg(long, value_name = "FILE.csv|FILE.json", value_parser = PathBufValueParser::new().try_map(table))]
    pub out: Option<PathBuf>,
}

pub fn run(arguments: &Measure, json: bool) -> Result<(), Failure> {
    if let Some(out) = &arguments.out {
        files::check_output(out, &inputs(&arguments.labels, &arguments.scan))?;
    }
    let scan = scans::read(&arguments.scan, &arguments.choice)?;
    let labels = on_scan(&arguments.labels, &arguments.scan, &scan.volume.grid)?;
    let names = arguments.named.segments();
    let figures = measure::measure(&labels, &scan.volume)?;
    if let Some(out) = &arguments.out {
        let bytes = match is_json(out) {
            true => measure::json(&figures, &names)?,
            false => measure::csv(&figures, &names),
        };
        files::write(out, &bytes)?;
    }
    if json {
        return files::print(&String::from_utf8(measure::json(&figures, &names)?)?);
    }
    if figures.is_empty() {
        return files::print("no voxel carries a label\n");
    }
    let mut text = String::from(
        "label        ml      voxels  axial  coronal  sagittal        mean          sd         min         max  name\n",
    );
    for m in &figures {
        let extents = m.extent;
        let [axial, coronal, sagittal] =
            [extents.axial, extents.coronal, extents.sagittal].map(|extent| extent.slices);
        let name = Segment::of(m.label, &names).name;
        writeln!(
            text,
            "{:5}  {:8.2}  {:10}  {axial:5}  {coronal:7}  {sagittal:8}  {:10.2}  {:10.2}  {:10.2}  {:10.2}  {name}",
            m.label, m.ml, m.voxels, m.mean, m.sd, m.min, m.max
        )?;
    }
    files::print(&text)
}

/// Every file that must not be overwritten.
pub fn inputs<'a>(labels: &'a Path, scan: &'a [PathBuf]) -> Vec<&'a Path> {
    let scan = scan.iter().map(PathBuf::as_path);
    scan.chain([labels]).collect()
}

/// A label map, in the scan's order of voxels if another program stored it in another one.
pub fn on_scan(labels: &Path, scan: &[PathBuf], grid: &Grid) -> Result<LabelMap, Failure> {
    let map = files::read_label_map(labels)?.labels;
    let map = map.laid_on(grid);
    Ok(map.map_err(|e| format!("{} and {}: {e}", labels.display(), first(scan)))?)
}

/// What a scan is called in a message.
pub fn first(scan: &[PathBuf]) -> String {
    scan.first()
        .map(|path| path.display().to_string())
        .unwrap_or_default()
}

fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "json")
}

fn table(path: PathBuf) -> Result<PathBuf, String> {
    match path.extension().and_then(|e| e.to_str()) {
        Some("csv" | "json") => Ok(path),
        _ => Err("the name must end in .csv or .json".to_owned()),
    }
}
