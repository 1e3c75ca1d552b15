//! `oneslice info`.

use std::fmt::Write;

use oneslice::scan::Format;
use oneslice::volume::{Axis, Window, orientation_letters};
use serde::Serialize;

use super::Failure;
use super::args::Info;
use super::files;

#[derive(Serialize)]
struct ScanSummary {
    file: String,
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
}

#[derive(Clone, Copy, Serialize)]
struct Slices {
    voxel_axis: usize,
    slices: usize,
}

pub fn run(arguments: &Info, json: bool) -> Result<(), Failure> {
    // A time series is described by its first volume, not refused.
    let chosen = arguments.volume.unwrap_or(0);
    let scan = files::read_scan(&arguments.scan, Some(chosen))?;
    let grid = &scan.volume.grid;
    let window = Window::auto(&scan.volume);
    let slices = |axis: Axis| {
        let axis = axis.of(grid);
        let (voxel_axis, slices) = (axis.index(), grid.slice_count(axis));
        Slices { voxel_axis, slices }
    };
    let voxels = || scan.volume.voxels.iter().copied();
    let summary = ScanSummary {
        file: arguments.scan.display().to_string(),
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
    };
    match json {
        true => files::print_json(&summary),
        false => files::print(&text(&summary)?),
    }
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
