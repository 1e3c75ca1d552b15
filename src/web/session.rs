//! A propagation, step by step, for JavaScript.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::convert::{self, Failure, from_js, to_js, u16_array};
use super::few_shot::{Chosen, Cut, Support, WebFewShot};
use super::prompts::course;
use crate::lpips::Lpips;
use crate::propagate::{MemoryReport, Sam2Frames, Session, SliceResult, WarmUp};
use crate::sam2::ImageSize;
use crate::volume::Mask;

/// One volume being segmented; see [`Session`].
#[wasm_bindgen(js_name = Session)]
pub struct WebSession {
    pub(super) session: Session,
    pub(super) steps: usize,
    /// None when nothing needs to be, or has yet to be, prepared.
    warm_up: Option<WarmUp<Sam2Frames>>,
    warm: Warm,
    cut: Cut,
    lpips: Option<Arc<Lpips>>,
    /// For few-shot.
    pub(super) supports: Vec<Support>,
    /// None while slices are propagated.
    pub(super) few_shot: Option<WebFewShot>,
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
struct Held {
    weights: u64,
    tables: u64,
    features: u64,
    memory_bank: u64,
    temporaries: Option<u64>,
    reserved: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Step {
    pub slice: usize,
    pub step: usize,
    pub steps: usize,
    #[serde(with = "u16_array")]
    pub label_map: Vec<u16>,
    pub labels: Vec<Label>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Label {
    pub label: u16,
    pub predicted_iou: f32,
    pub object_score: f32,
    pub pixels: usize,
    pub prompted: bool,
    /// Few-shot's support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choice: Option<Chosen>,
    /// What was remembered for the slice, and what became of its own memory; of few-shot only where slices are carried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryReport>,
}

impl WebSession {
    /// `warm` is none for a device that needs no preparation.
    pub(super) fn new(
        session: Session,
        warm: Option<&Warm>,
        cut: Cut,
        lpips: Option<Arc<Lpips>>,
    ) -> Self {
        let size = session.model().tables().image_size;
        let cold = warm.is_some_and(|warm| warm.get() != Some(size));
        let warm_up = cold.then(|| WarmUp::new(session.shape()));
        Self {
            session,
            steps: 0,
            warm_up,
            warm: warm.cloned().unwrap_or_default(),
            cut,
            lpips,
            supports: Vec::new(),
            few_shot: None,
        }
    }

    /// A mask given row by row.
    pub(super) fn mask(&self, mask: &[u8]) -> Result<Mask, Failure> {
        convert::mask(self.session.shape(), mask)
    }

    fn step(&self, result: SliceResult) -> Step {
        let label = |l: crate::propagate::LabelResult| Label {
            label: l.label,
            predicted_iou: l.predicted_iou,
            object_score: l.object_score,
            pixels: l.mask.area(),
            prompted: l.prompted,
            choice: None,
            memory: Some(l.memory),
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

    /// Gives a label's mask on a slice, in place of an earlier one there: row by row, not zero is inside. A mask
    /// without a pixel says that a label of another slice is not on this one. During a propagation it ends that, and
    /// [`resume`](Self::resume) goes on.
    ///
    /// # Errors
    /// Those of [`Session::add_mask`].
    #[wasm_bindgen(js_name = addMask)]
    pub fn add_mask(&mut self, label: u16, slice: usize, mask: &[u8]) -> Result<(), Failure> {
        let mask = self.mask(mask)?;
        self.session.add_mask(label, slice, mask.clone())?;
        if mask.is_empty() {
            Cut::remove_mask(&mut self.supports, label, Some(slice));
            return Ok(());
        }
        self.cut.add_mask(&mut self.supports, label, slice, mask)
    }

    /// Gives few-shot labelled slices of another scan, `{ label, slices, window }`, all optional: one label, the slices
    /// to learn from (else those where a label is largest), and the values shown from black to white. How many slices.
    ///
    /// # Errors
    /// When a file cannot be read, the mask is not on the scan's grid or has no pixel there, and `SessionValueRange`
    /// when the scan is of another kind than the open one.
    #[wasm_bindgen(js_name = addSupport)]
    pub fn add_support(
        &mut self,
        name: &str,
        scan: &[u8],
        mask: &[u8],
        options: JsValue,
    ) -> Result<usize, Failure> {
        let supports = self.cut.read(name, scan, mask, from_js(options)?)?;
        let count = supports.len();
        self.supports.extend(supports);
        Ok(count)
    }

    /// Starts `both`, `forward` or `backward`, or `{ direction, first, last }`, all optional; the number of steps to come.
    ///
    /// # Errors
    /// Without a mask, or when the volume does not have the slices from first to last.
    pub fn start(&mut self, way: JsValue) -> Result<usize, Failure> {
        self.steps = self.session.start(course(way)?)?;
        self.few_shot = None;
        Ok(self.steps)
    }

    /// Starts few-shot instead of a propagation: every slice is segmented by the labelled slice most like it. All of
    /// `{ matcher, copies, rotation, scale, shear, translation, brightness, contrast, seed, minObjectScore, carry }` are
    /// optional; `carry` is a memory, `{}` for `self-sorting`. The number of steps to come.
    ///
    /// # Errors
    /// Without a mask or support, without an LPIPS network when it is to compare, and for impossible options.
    #[wasm_bindgen(js_name = fewShot)]
    pub fn few_shot(&mut self, options: JsValue) -> Result<usize, Failure> {
        let (request, model) = (from_js(options)?, self.session.model().clone());
        let lpips = self.lpips.clone();
        let few_shot = WebFewShot::start(model, &self.cut, &self.supports, lpips, request)?;
        self.steps = few_shot.steps();
        self.few_shot = Some(few_shot);
        Ok(self.steps)
    }

    /// Side of the square that the model sees, in model pixels.
    #[wasm_bindgen(getter, js_name = imageSize)]
    pub fn image_size(&self) -> usize {
        self.session.model().tables().image_size.pixels()
    }

    /// Number of parts that [`warmUp`](Self::warm_up) has left.
    #[wasm_bindgen(getter, js_name = coldParts)]
    pub fn cold_parts(&self) -> usize {
        let pictures = self.few_shot.as_ref().map_or(0, WebFewShot::unprepared);
        self.warm_up.as_ref().map_or(0, WarmUp::left) + pictures
    }

    /// Lets the graphics card compile the kernels of the next part of the model, which takes seconds once, or prepares
    /// some of few-shot's pictures; how many parts are left. Optional: without it, the first slices take that time.
    ///
    /// # Errors
    /// When the device fails.
    #[wasm_bindgen(js_name = warmUp)]
    pub async fn warm_up(&mut self) -> Result<usize, Failure> {
        let Some(warm_up) = &mut self.warm_up else {
            return Ok(self.few_shot.as_mut().map_or(0, WebFewShot::prepare));
        };
        if warm_up.next(self.session.model()).await? == 0 {
            self.warm_up = None;
            self.warm
                .set(Some(self.session.model().tables().image_size));
        }
        Ok(self.cold_parts())
    }

    /// The next slice, or undefined when there is none left. To cancel, do not call it again.
    ///
    /// # Errors
    /// When the device fails; what is done stays in [`label_map`](Self::label_map).
    pub async fn next(&mut self) -> Result<JsValue, Failure> {
        if let Some(few_shot) = &mut self.few_shot {
            return match few_shot.next().await? {
                Some(step) => to_js(&step),
                None => Ok(JsValue::UNDEFINED),
            };
        }
        match self.session.next().await? {
            Some(result) => to_js(&self.step(result)),
            None => Ok(JsValue::UNDEFINED),
        }
    }

    /// Bytes on the device by purpose: `{ weights, tables, features, memoryBank, temporaries, reserved }`; the last two are
    /// missing on the CPU. `reserved` is the peak so far.
    #[wasm_bindgen(js_name = memoryReport)]
    pub fn memory_report(&self) -> Result<JsValue, Failure> {
        let held = self.session.held_memory();
        to_js(&Held {
            weights: held.weights,
            tables: held.tables,
            features: held.features,
            memory_bank: held.memory_bank,
            temporaries: held.temporaries(),
            reserved: held.device.map(|device| device.reserved),
        })
    }

    /// Labels of the whole volume so far, in storage order.
    #[wasm_bindgen(js_name = labelMap)]
    pub fn label_map(&self) -> Vec<u16> {
        let few_shot = self.few_shot.as_ref().and_then(WebFewShot::label_map);
        let labels = few_shot.unwrap_or_else(|| self.session.label_map());
        labels.labels.clone()
    }
}
