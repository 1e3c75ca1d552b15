//! A propagation, step by step, for JavaScript.

use std::cell::Cell;
use std::rc::Rc;

use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::convert::{Failure, to_js, u16_array};
use crate::propagate::{Direction, Sam2Frames, Session, SliceResult, WarmUp};
use crate::sam2::ImageSize;
use crate::volume::Mask;

/// One volume being segmented; see [`Session`].
#[wasm_bindgen(js_name = Session)]
pub struct WebSession {
    session: Session,
    steps: usize,
    /// None when nothing needs to be, or has yet to be, prepared.
    warm_up: Option<WarmUp<Sam2Frames>>,
    warm: Warm,
}

/// The image size that the model's kernels were last prepared for, shared by all sessions with the model.
pub(super) type Warm = Rc<Cell<Option<ImageSize>>>;

#[derive(Serialize)]
struct Shape {
    rows: usize,
    cols: usize,
    slices: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Step {
    slice: usize,
    step: usize,
    steps: usize,
    #[serde(with = "u16_array")]
    label_map: Vec<u16>,
    labels: Vec<Label>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Label {
    label: u16,
    predicted_iou: f32,
    object_score: f32,
    pixels: usize,
    prompted: bool,
}

impl WebSession {
    /// `warm` is none for a device that needs no preparation.
    pub(super) fn new(session: Session, warm: Option<&Warm>) -> Self {
        let size = session.model().tables().image_size;
        let cold = warm.is_some_and(|warm| warm.get() != Some(size));
        let warm_up = cold.then(|| WarmUp::new(session.shape()));
        Self {
            session,
            steps: 0,
            warm_up,
            warm: warm.cloned().unwrap_or_default(),
        }
    }

    fn step(&self, result: SliceResult) -> Step {
        let label = |l: crate::propagate::LabelResult| Label {
            label: l.label,
            predicted_iou: l.predicted_iou,
            object_score: l.object_score,
            pixels: l.mask.area(),
            prompted: l.prompted,
        };
        Step {
            slice: result.slice,
            step: result.step,
            steps: self.steps,
            label_map: result.label_map,
            labels: result.labels.into_iter().map(label).collect(),
        }
    }
}

#[wasm_bindgen(js_class = Session)]
impl WebSession {
    /// `{ rows, cols, slices }` along the session's axis.
    #[wasm_bindgen(getter)]
    pub fn shape(&self) -> Result<JsValue, Failure> {
        let shape = self.session.shape();
        let slices = self.session.slices();
        to_js(&Shape {
            rows: shape.rows,
            cols: shape.cols,
            slices,
        })
    }

    /// Gives a label's mask on a slice: row by row, not zero is inside.
    ///
    /// # Errors
    /// Those of [`Session::add_mask`].
    #[wasm_bindgen(js_name = addMask)]
    pub fn add_mask(&mut self, label: u16, slice: usize, mask: &[u8]) -> Result<(), Failure> {
        let pixels = mask.iter().map(|&v| v != 0).collect();
        let mask = Mask::new(self.session.shape(), pixels)?;
        Ok(self.session.add_mask(label, slice, mask)?)
    }

    /// Starts `both`, `forward` or `backward`; the number of steps to come.
    ///
    /// # Errors
    /// Without a mask.
    pub fn start(&mut self, direction: &str) -> Result<usize, Failure> {
        let direction: Direction = direction
            .parse()
            .map_err(|e: String| Failure::new("Options", e))?;
        self.steps = self.session.start(direction)?;
        Ok(self.steps)
    }

    /// Number of parts that [`warmUp`](Self::warm_up) has left.
    #[wasm_bindgen(getter, js_name = coldParts)]
    pub fn cold_parts(&self) -> usize {
        self.warm_up.as_ref().map_or(0, WarmUp::left)
    }

    /// Lets the graphics card compile the kernels of the next part of the model, which takes seconds once; how many
    /// parts are left. Optional: without it, the first slices take that time.
    ///
    /// # Errors
    /// When the device fails.
    #[wasm_bindgen(js_name = warmUp)]
    pub async fn warm_up(&mut self) -> Result<usize, Failure> {
        let Some(warm_up) = &mut self.warm_up else {
            return Ok(0);
        };
        let left = warm_up.next(self.session.model()).await?;
        if left == 0 {
            self.warm_up = None;
            self.warm
                .set(Some(self.session.model().tables().image_size));
        }
        Ok(left)
    }

    /// The next slice, or undefined when there is none left. To cancel, do not call it again.
    ///
    /// # Errors
    /// When the device fails; what is done stays in [`label_map`](Self::label_map).
    pub async fn next(&mut self) -> Result<JsValue, Failure> {
        match self.session.next().await? {
            Some(result) => to_js(&self.step(result)),
            None => Ok(JsValue::UNDEFINED),
        }
    }

    /// Labels of the whole volume so far, in storage order.
    #[wasm_bindgen(js_name = labelMap)]
    pub fn label_map(&self) -> Vec<u16> {
        self.session.label_map().labels.clone()
    }
}
