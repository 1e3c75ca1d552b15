//! `oneslice info`.

use std::fmt::Write;

use oneslice::scan::{Format, SeriesInfo};
use oneslice::volume::{Axis, Window, orientation_letters};
use serde::Serialize;

use super::Failure;
use super::args::Info;
use super::files;
use super::scans::{self, Choice};

#[derive(Serialize)]
struct ScanSummary {
    file: String,
    format: Format,
    modality: String,
    gzip: bool,
    stored_as: &'static str,
    dims: [usize; 3],
    /// How many there are, and which one the values below are of.
    volumes: usize,
    volume: usize,
    spacing_mm: [f64; 3],
    orientation: String,
    /// Voxel to patient (RAS+, millimetres), row by row.
    affine: [[f64; 4]; 4],
    axial: Slices,
    coronal: Slices,
    sagittal: Slices,
    lowest: f32,
    highest: f32,
    window: [f32; 2],
    warnings: Vec<String>,
}

/// What is printed when there are several series and none was chosen.
#[derive(Serialize)]
struct SeriesList {
    series: Vec<SeriesInfo>,
}

#[derive(Clone, Copy, Serialize)]
struct Slices {
    voxel_axis: usize,
    slices: usize,
}

pub fn run(arguments: &Info, json: bool) -> Result<(), Failure> {
    if arguments.choice.series.is_none() {
        let series = scans::inspect(&arguments.scan)?;
        if series.iter().filter(|one| one.error.is_none()).count() > 1 {
            return list(series, json);
        }
    }
    // A time series is described by its first volume, not refused.
    let chosen = arguments.choice.volume.unwrap_or(0);
    let choice = Choice {
        volume: Some(chosen),
        ..arguments.choice.clone()
    };
    let scan = scans::read(&arguments.scan, &choice)?;
    let grid = &scan.volume.grid;
    let window = Window::auto(&scan.volume);
    let slices = |axis: Axis| {
        let axis = axis.of(grid);
        let (voxel_axis, slices) = (axis.index(), grid.slice_count(axis));
        Slices { voxel_axis, slices }
    };
    let voxels = || scan.volume.voxels.iter().copied();
    let summary = ScanSummary {
        file: arguments.scan[0].display().to_string(),
        format: scan.format,
        modality: scan.modality.clone(),
        gzip: scan.format == Format::NiftiGz,
        stored_as: scan.header.type_name(),
        dims: grid.dims,
        volumes: scan.header.volumes(),
        volume: chosen,
        spacing_mm: grid.spacing.map(|mm| mm.0),
        orientation: orientation_letters(&grid.affine),
        affine: grid.affine.0,
        axial: slices(Axis::Axial),
        coronal: slices(Axis::Coronal),
        sagittal: slices(Axis::Sagittal),
        lowest: voxels().fold(f32::INFINITY, f32::min),
        highest: voxels().fold(f32::NEG_INFINITY, f32::max),
        window: [window.lo, window.hi],
        warnings: scan.warnings.iter().map(ToString::to_string).collect(),
    };
    match json {
        true => files::print_json(&summary),
        false => files::print(&text(&summary)?),
    }
}

/// The series to choose from.
fn list(series: Vec<SeriesInfo>, json: bool) -> Result<(), Failure> {
    if json {
        return files::print_json(&SeriesList { series });
    }
    let mut text = format!("{} series; choose one with --series\n", series.len());
    for one in &series {
        let [x, y, z] = one.dims;
        writeln!(text, "{}", one.id)?;
        writeln!(
            text,
            "  {} {} '{}'",
            one.format, one.modality, one.description
        )?;
        match &one.error {
            Some(error) => writeln!(text, "  does not open: {error}")?,
            None => writeln!(text, "  {x} x {y} x {z} voxels, {} files", one.files.len())?,
        }
        for warning in &one.warnings {
            writeln!(text, "  {warning}")?;
        }
    }
    files::print(&text)
}

fn text(summary: &ScanSummary) -> Result<String, Failure> {
    let mut text = format!("{}\n", summary.file);
    let ([x, y, z], [dx, dy, dz]) = (summary.dims, summary.spacing_mm);
    writeln!(
        text,
        "  voxels       {x} x {y} x {z}, {dx:.3} x {dy:.3} x {dz:.3} mm"
    )?;
    if summary.volumes > 1 {
        let (count, chosen) = (summary.volumes, summary.volume);
        writeln!(text, "  volumes      {count}; this is volume {chosen}")?;
    }
    let gzip = if summary.gzip { ", gzip" } else { "" };
    let modality = match summary.modality.as_str() {
        "" => String::new(),
        modality => format!(", {modality}"),
    };
    writeln!(text, "  format       {}{modality}", summary.format)?;
    writeln!(text, "  stored as    {}{gzip}", summary.stored_as)?;
    writeln!(text, "  orientation  {}", summary.orientation)?;
    for (name, axis) in [
        ("axial", summary.axial),
        ("coronal", summary.coronal),
        ("sagittal", summary.sagittal),
    ] {
        let (count, axis) = (axis.slices, axis.voxel_axis);
        writeln!(text, "  {name:11}  {count} slices across voxel axis {axis}")?;
    }
    let [lo, hi] = summary.window;
    writeln!(
        text,
        "  values       {} to {}",
        summary.lowest, summary.highest
    )?;
    writeln!(text, "  window       {lo},{hi} (automatic)")?;
    Ok(text)
}
