//! The browser's second module: readers and writers (`export_formats`) of files that the engine's module leaves out, because their crates are large and most
//! people need them only now and then.
//!
//! In: files from JavaScript. Out: the series in them, and a series' voxels and their place, for the engine to open. It is
//! the same crate built with the feature `formats`; nothing here reaches the models, so the linker leaves them out.

mod bridge;
mod export_formats;

use js_sys::{Float32Array, Object};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use self::bridge::{Failure, JsFile, to_js};
use crate::scan::dicom::DicomSource;
use crate::scan::{self, Format, ScanWarning};

/// A scan but for its voxels.
#[derive(Serialize)]
struct Opened {
    dims: [usize; 3],
    /// Voxel to patient (RAS+, millimetres), row by row.
    affine: Vec<f64>,
    format: Format,
    modality: String,
    warnings: Vec<ScanWarning>,
    source: Option<DicomSource>,
}

/// Sends panics to the browser's console.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}

/// The series in files `{ name, bytes }[]`; see [`scan::inspect`].
///
/// # Errors
/// Those of [`scan::inspect`].
#[wasm_bindgen(js_name = inspectFiles)]
pub fn inspect_files(files: Vec<JsFile>) -> Result<JsValue, Failure> {
    to_js(&scan::inspect(&bridge::input(files))?)
}

/// Reads a series of files; options `{ series, volume, spacing }`, all of which may be left out. `{ voxels, dims, affine, format,
/// modality, warnings, source }`, with voxels in storage order.
///
/// # Errors
/// Those of [`scan::open`].
#[wasm_bindgen(js_name = readFiles)]
pub fn read_files(files: Vec<JsFile>, options: JsValue) -> Result<JsValue, Failure> {
    let options = bridge::options(options)?;
    let scan = scan::open(&bridge::input(files), &options)?;
    let voxels = Float32Array::from(scan.volume.voxels.as_slice());
    let grid = scan.volume.grid;
    let opened = to_js(&Opened {
        dims: grid.dims,
        affine: grid.affine.0.concat(),
        format: scan.format,
        modality: scan.modality,
        warnings: scan.warnings,
        source: scan.source,
    })?;
    let opened: Object = opened.into();
    let set = js_sys::Reflect::set(&opened, &"voxels".into(), &voxels);
    set.map_err(|_| Failure::new("Convert", "the voxels"))?;
    Ok(opened.into())
}
