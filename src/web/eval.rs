//! How well a result agrees with true labels, for JavaScript.

use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::OneSlice;
use super::convert::{Failure, to_js};
use crate::eval::{LabelDice, LabelSurface, dice_slices, dice_table, surface, surface_slices};
use crate::volume::{Axis, LabelMap, Millimetre};

/// One label's figures; undefined where there is nothing to compare.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Agreement {
    label: u16,
    dice: Option<f64>,
    nsd: Option<f64>,
    /// Dice of each slice along the axis.
    slices: Vec<Option<f64>>,
    nsd_slices: Vec<Option<f64>>,
}

#[wasm_bindgen]
impl OneSlice {
    /// Two label maps of the open scan, in storage order: for each label of either `{ label, dice, nsd, slices, nsdSlices }`, the
    /// last two by slice across `axial`, `coronal` or `sagittal`. The NSD counts borders within `tolerance` millimetres.
    ///
    /// # Errors
    /// Without a scan, when there is not one label for each voxel, and for a tolerance below 0.
    pub fn compare(
        &self,
        labels: Vec<u16>,
        truth: Vec<u16>,
        axis: &str,
        tolerance: f64,
    ) -> Result<JsValue, Failure> {
        if !(tolerance >= 0.0 && tolerance.is_finite()) {
            let what = format!("tolerance {tolerance} mm is not 0 or more");
            return Err(Failure::new("Options", what));
        }
        let (grid, tolerance) = (&self.opened()?.volume.grid, Millimetre(tolerance));
        let axis = axis.parse::<Axis>()?.of(grid);
        let found = LabelMap::new(labels, grid.clone())?;
        let truth = LabelMap::new(truth, grid.clone())?;
        let mut rows = Vec::new();
        for row in dice_table(&found, &truth, None)? {
            let label = row.label;
            let slices = dice_slices(&found, &truth, label, axis)?;
            let borders = surface_slices(&found, &truth, label, tolerance, axis)?;
            rows.push(Agreement {
                label,
                dice: row.coefficient(),
                nsd: surface(&found, &truth, label, tolerance, None)?.share(),
                slices: slices.iter().map(LabelDice::coefficient).collect(),
                nsd_slices: borders.iter().map(LabelSurface::share).collect(),
            });
        }
        to_js(&rows)
    }
}
