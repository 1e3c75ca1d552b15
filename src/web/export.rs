//! Figures and surfaces of a result, for JavaScript: what needs the open scan and nothing but it.

use wasm_bindgen::prelude::*;

use super::OneSlice;
use super::convert::{self, Failure, to_js};
use crate::export::surface::{SMOOTHING, obj, stl, surface};
use crate::export::{Segment, measure};
use crate::volume::LabelMap;

#[wasm_bindgen]
impl OneSlice {
    /// Volume, extent and grey values of each label of the open scan, ascending: `[{ label, voxels, ml, extent: { axial:
    /// { first, last, slices, mm }, coronal, sagittal }, mean, sd, min, max }]`.
    ///
    /// # Errors
    /// Without a scan, or when there is not one label for each voxel.
    pub fn measure(&self, labels: Vec<u16>) -> Result<JsValue, Failure> {
        let scan = self.opened()?;
        let labels = LabelMap::new(labels, scan.volume.grid.clone())?;
        to_js(&measure::measure(&labels, &scan.volume)?)
    }

    /// The same as a CSV file; segments are `[{ label, name, colour: [r, g, b] }]`.
    ///
    /// # Errors
    /// As `measure`.
    #[wasm_bindgen(js_name = measureCsv)]
    pub fn measure_csv(&self, labels: Vec<u16>, segments: JsValue) -> Result<Vec<u8>, Failure> {
        let segments: Vec<Segment> = convert::from_js(segments)?;
        let scan = self.opened()?;
        let labels = LabelMap::new(labels, scan.volume.grid.clone())?;
        let figures = measure::measure(&labels, &scan.volume)?;
        Ok(measure::csv(&figures, &segments))
    }

    /// A label's surface in millimetres (LPS), as `stl` or `obj`; `smoothing` is a number of rounds.
    ///
    /// # Errors
    /// Without a scan, for another format, and `ExportEmpty` when no voxel carries the label.
    #[wasm_bindgen(js_name = exportMesh)]
    pub fn export_mesh(
        &self,
        labels: Vec<u16>,
        label: u16,
        format: &str,
        smoothing: Option<usize>,
    ) -> Result<Vec<u8>, Failure> {
        let labels = LabelMap::new(labels, self.opened()?.volume.grid.clone())?;
        let mesh = || surface(&labels, label, smoothing.unwrap_or(SMOOTHING));
        match format {
            "stl" => Ok(stl(&mesh()?)),
            "obj" => Ok(obj(&[(Segment::unnamed(label).name, mesh()?)])),
            other => Err(Failure::new(
                "Options",
                format!("format {other} is none of stl, obj"),
            )),
        }
    }
}
