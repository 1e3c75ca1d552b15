//! `oneslice info`.

use oneslice::volume::{Axis, Window, orientation_letters};
use serde::Serialize;

use super::Failure;
use super::args::Info;
use super::files;

#[derive(Serialize)]
struct ScanSummary {
    file: String,
    dims: [usize; 3],
    spacing_mm: [f64; 3],
    orientation: String,
    /// Voxel axis and number of slices.
    axial: (usize, usize),
    coronal: (usize, usize),
    sagittal: (usize, usize),
    lowest: f32,
    highest: f32,
    window: [f32; 2],
}

pub fn run(arguments: &Info, json: bool) -> Result<(), Failure> {
    let scan = files::read_scan(&arguments.scan, arguments.volume)?;
    let grid = &scan.volume.grid;
    let window = Window::auto(&scan.volume);
    let axis = |axis: Axis| {
        let axis = axis.of(grid);
        (axis.index(), grid.slice_count(axis))
    };
    let voxels = || scan.volume.voxels.iter().copied();
    let summary = ScanSummary {
        file: arguments.scan.display().to_string(),
        dims: grid.dims,
        spacing_mm: grid.spacing.map(|mm| mm.0),
        orientation: orientation_letters(&grid.affine),
        axial: axis(Axis::Axial),
        coronal: axis(Axis::Coronal),
        sagittal: axis(Axis::Sagittal),
        lowest: voxels().fold(f32::INFINITY, f32::min),
        highest: voxels().fold(f32::NEG_INFINITY, f32::max),
        window: [window.lo, window.hi],
    };
    if json {
        return files::print_json(&summary);
    }
    let [x, y, z] = summary.dims;
    let [dx, dy, dz] = summary.spacing_mm;
    println!("{}", summary.file);
    println!("  voxels       {x} x {y} x {z}, {dx:.3} x {dy:.3} x {dz:.3} mm");
    println!("  orientation  {}", summary.orientation);
    for (name, (axis, slices)) in [
        ("axial", summary.axial),
        ("coronal", summary.coronal),
        ("sagittal", summary.sagittal),
    ] {
        println!("  {name:11}  {slices} slices across voxel axis {axis}");
    }
    println!("  values       {} to {}", summary.lowest, summary.highest);
    println!("  window       {},{}", window.lo, window.hi);
    Ok(())
}
