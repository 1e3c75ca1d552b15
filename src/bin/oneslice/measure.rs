//! `oneslice measure`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PathBufValueParser, TypedValueParser};
use oneslice::export::{Segment, measure};
use oneslice::volume::LabelMap;

use super::Failure;
use super::files;
use super::named::Named;

#[derive(Args)]
pub struct Measure {
    /// The label map
    pub labels: PathBuf,
    /// The scan it lies on
    #[arg(long)]
    pub scan: PathBuf,
    /// Which volume of a 4-D scan, counted from 0
    #[arg(long, value_name = "V", allow_negative_numbers = true)]
    pub volume: Option<usize>,
    #[command(flatten)]
    pub named: Named,
    /// Also write the table to this file
    #[arg(long, value_name = "FILE.csv|FILE.json", value_parser = PathBufValueParser::new().try_map(table))]
    pub out: Option<PathBuf>,
}

pub fn run(arguments: &Measure, json: bool) -> Result<(), Failure> {
    if let Some(out) = &arguments.out {
        files::check_output(out, &[&arguments.labels, &arguments.scan])?;
    }
    let scan = files::read_scan(&arguments.scan, arguments.volume)?;
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

/// A label map, in the scan's order of voxels if another program stored it in another one.
pub fn on_scan(
    labels: &Path,
    scan: &Path,
    grid: &oneslice::volume::Grid,
) -> Result<LabelMap, Failure> {
    let map = files::read_label_map(labels)?.labels;
    let names = format!("{} and {}", labels.display(), scan.display());
    Ok(map.laid_on(grid).map_err(|e| format!("{names}: {e}"))?)
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
