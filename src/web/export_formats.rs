//! Files of a result that need the crates of the `formats` module, for JavaScript: DICOM and pictures. No engine: labels and
//! what the page knows of the scan are all that goes in.

use serde::Deserialize;
use wasm_bindgen::prelude::*;

use super::bridge::{self, Failure};
use crate::export::dicom::{About, rtstruct, seg};
use crate::export::{ExportError, Segment, png_stack};
use crate::scan::dicom::DicomSource;
use crate::volume::{Affine, Axis, Grid, LabelMap};

/// Of what the page knows of a scan, what places labels; the rest is passed over.
#[derive(Deserialize)]
struct Place {
    dims: [usize; 3],
    /// Voxel to patient (RAS+, millimetres), row by row.
    affine: Vec<f64>,
    #[serde(default)]
    source: Option<DicomSource>,
}

/// What a DICOM file says of itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AboutRequest {
    #[serde(default)]
    segments: Vec<Segment>,
    #[serde(default)]
    series_description: Option<String>,
    /// ISO 8601.
    now: String,
}

/// The labels as a DICOM segmentation object. `scan` is what opening it returned; `about` is `{ segments, seriesDescription?,
/// now }`, with `now` as `new Date().toISOString()` gives it.
///
/// # Errors
/// Those of [`seg::write`]; `ExportNoSourceSeries` when the scan is not DICOM.
#[wasm_bindgen(js_name = exportSeg)]
pub fn export_seg(labels: Vec<u16>, scan: JsValue, about: JsValue) -> Result<Vec<u8>, Failure> {
    dicom(labels, scan, about, seg::write)
}

/// The labels as a DICOM structure set; arguments and errors as of `exportSeg`.
///
/// # Errors
/// Those of [`rtstruct::write`].
#[wasm_bindgen(js_name = exportRtStruct)]
pub fn export_rtstruct(
    labels: Vec<u16>,
    scan: JsValue,
    about: JsValue,
) -> Result<Vec<u8>, Failure> {
    dicom(labels, scan, about, rtstruct::write)
}

/// The labels as a zip with a PNG for each slice along `axis` (`axial`, `coronal`, `sagittal`) and `labels.json`.
///
/// # Errors
/// Those of [`png_stack::write`].
#[wasm_bindgen(js_name = exportPngStack)]
pub fn export_png_stack(
    labels: Vec<u16>,
    scan: JsValue,
    axis: &str,
    segments: JsValue,
) -> Result<Vec<u8>, Failure> {
    let axis: Axis = axis.parse()?;
    let segments: Vec<Segment> = bridge::from_js(segments)?;
    let (labels, _) = placed(labels, scan)?;
    Ok(png_stack::write(&labels, axis, &segments)?)
}

fn dicom(
    labels: Vec<u16>,
    scan: JsValue,
    about: JsValue,
    write: impl Fn(&LabelMap, Option<&DicomSource>, About<'_>) -> Result<Vec<u8>, ExportError>,
) -> Result<Vec<u8>, Failure> {
    let about: AboutRequest = bridge::from_js(about)?;
    let (labels, source) = placed(labels, scan)?;
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|e| Failure::new("Random", e.to_string()))?;
    let about = About {
        segments: &about.segments,
        description: about.series_description.as_deref().unwrap_or_default(),
        now: &about.now,
        random: u128::from_le_bytes(random),
    };
    Ok(write(&labels, source.as_ref(), about)?)
}

fn placed(labels: Vec<u16>, scan: JsValue) -> Result<(LabelMap, Option<DicomSource>), Failure> {
    let place: Place = bridge::from_js(scan)?;
    let (rows, rest) = place.affine.as_chunks::<4>();
    let rows: Result<[[f64; 4]; 4], _> = rows.try_into();
    let rows = rows.ok().filter(|_| rest.is_empty());
    let rows = rows.ok_or_else(|| Failure::new("Options", "affine: expected 16 numbers"))?;
    let grid = Grid::new(place.dims, Affine(rows))?;
    Ok((LabelMap::new(labels, grid)?, place.source))
}
