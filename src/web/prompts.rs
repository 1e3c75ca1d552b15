//! Prompts, corrections and results taken over, for JavaScript. In: points, masks, states; out: previews, states.

use js_sys::Uint8Array;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

use super::convert::{Failure, f32_array, from_js, to_js, u8_array};
use super::few_shot::Cut;
use super::session::WebSession;
use crate::propagate::memory::Used;
use crate::propagate::{Click, Course, Direction, PointPrompt, RunState, SlicePoint};
use crate::volume::LabelMap;

/// What `start(..)` takes if it is not a direction alone.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct CourseRequest {
    direction: Direction,
    first: Option<usize>,
    last: Option<usize>,
}

/// Which way and how far, as JavaScript says it.
pub(super) fn course(value: JsValue) -> Result<Course, Failure> {
    if let Some(direction) = value.as_string() {
        let direction: Result<Direction, String> = direction.parse();
        return Ok(direction.map_err(|e| Failure::new("Options", e))?.into());
    }
    let request: CourseRequest = from_js(value)?;
    Ok(Course {
        direction: request.direction,
        first: request.first,
        last: request.last,
    })
}

/// What `preview(..)` takes besides the slice; places are `[x, y]`, column and row.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PreviewRequest {
    points: Vec<[f32; 2]>,
    /// 1 where the object is, 0 where it is not; none for 1 everywhere.
    labels: Option<Vec<u8>>,
    #[serde(rename = "box")]
    corners: Option<[f32; 4]>,
    /// A `Uint8Array`, row by row, not zero is inside; or undefined.
    #[serde(with = "serde_wasm_bindgen::preserve")]
    mask: JsValue,
}

impl PreviewRequest {
    fn prompt(&self) -> Result<PointPrompt, Failure> {
        let place = |col, row| SlicePoint { col, row };
        let included = vec![1; self.points.len()];
        let labels = self.labels.as_ref().unwrap_or(&included);
        if labels.len() != self.points.len() {
            let (labels, points) = (labels.len(), self.points.len());
            let what = format!("{points} points have {labels} labels");
            return Err(Failure::new("SessionPoint", what));
        }
        let click = |(&[x, y], &label): (&[f32; 2], &u8)| Click {
            at: place(x, y),
            include: label != 0,
        };
        Ok(PointPrompt {
            clicks: self.points.iter().zip(labels).map(click).collect(),
            corners: self
                .corners
                .map(|[x0, y0, x1, y1]| [place(x0, y0), place(x1, y1)]),
        })
    }

    fn start(&self) -> Result<Option<Vec<u8>>, Failure> {
        if self.mask.is_undefined() || self.mask.is_null() {
            return Ok(None);
        }
        let bytes = self.mask.dyn_ref::<Uint8Array>();
        let wrong = || Failure::new("Options", "the mask is no Uint8Array");
        Ok(Some(bytes.ok_or_else(wrong)?.to_vec()))
    }
}

/// What points become.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PreviewInfo {
    #[serde(with = "u8_array")]
    mask: Vec<u8>,
    predicted_iou: f32,
    object_score: f32,
}

/// A memory of a step's report.
#[derive(Deserialize)]
struct UsedRequest {
    slice: usize,
    prompted: bool,
    position: Option<usize>,
}

/// Where a place of a slice looks.
#[derive(Serialize)]
struct AttentionInfo {
    side: usize,
    memories: Vec<MapInfo>,
}

#[derive(Serialize)]
struct MapInfo {
    slice: usize,
    #[serde(with = "f32_array")]
    weights: Vec<f32>,
}

fn bytes(pixels: &[bool]) -> Vec<u8> {
    pixels.iter().map(|&inside| u8::from(inside)).collect()
}

#[wasm_bindgen(js_class = Session)]
impl WebSession {
    /// The object that points and a box on a slice mean: `{ points, labels, box, mask }`, all optional but that there is a
    /// point or a box, give `{ mask, predictedIou, objectScore }`. See [`Session::preview`](crate::propagate::Session::preview).
    ///
    /// # Errors
    /// Those of `Session::preview`, and when there is not one label for each point.
    pub async fn preview(&mut self, slice: usize, prompt: JsValue) -> Result<JsValue, Failure> {
        let request: PreviewRequest = from_js(prompt)?;
        let (prompt, start) = (request.prompt()?, request.start()?);
        let start = start.map(|mask| self.mask(&mask)).transpose()?;
        let found = self.session.preview(slice, &prompt, start.as_ref()).await?;
        to_js(&PreviewInfo {
            mask: bytes(&found.mask.pixels),
            predicted_iou: found.predicted_iou,
            object_score: found.object_score,
        })
    }

    /// Takes a label's mask on a slice back; whether there was one. A label without a mask is removed.
    #[wasm_bindgen(js_name = removeMask)]
    pub fn remove_mask(&mut self, label: u16, slice: usize) -> bool {
        Cut::remove_mask(&mut self.supports, label, Some(slice));
        self.session.remove_mask(label, slice)
    }

    /// Removes a label's masks and results; whether there was any.
    #[wasm_bindgen(js_name = removeLabel)]
    pub fn remove_label(&mut self, label: u16) -> bool {
        Cut::remove_mask(&mut self.supports, label, None);
        self.session.remove_label(label)
    }

    /// Goes on with what is outstanding after a cancel, an error or a change of masks; the number of steps to come.
    ///
    /// # Errors
    /// Before the first start, those of [`start`](Self::start).
    pub fn resume(&mut self) -> Result<usize, Failure> {
        self.steps = self.session.resume()?;
        self.few_shot = None;
        Ok(self.steps)
    }

    /// How many steps [`resume`](Self::resume) would have.
    #[wasm_bindgen(js_name = pendingSlices)]
    pub fn pending_slices(&self) -> usize {
        self.session.outstanding()
    }

    /// How far the propagation has come, `{ direction, first, last, pending: [{ label, slices }] }`, for
    /// [`restore`](Self::restore); undefined before the first.
    ///
    /// # Errors
    /// Never, but for a bug.
    pub fn state(&self) -> Result<JsValue, Failure> {
        match self.session.state() {
            Some(state) => to_js(&state),
            None => Ok(JsValue::UNDEFINED),
        }
    }

    /// Takes a result over, in storage order, as if it had come from the masks that were given before. Without a state
    /// nothing is outstanding.
    ///
    /// # Errors
    /// When there is not one label for each voxel, or the state does not fit the volume and the masks.
    pub fn restore(&mut self, labels: Vec<u16>, state: JsValue) -> Result<(), Failure> {
        let state = match state.is_undefined() || state.is_null() {
            false => from_js(state)?,
            true => RunState {
                direction: Direction::default(),
                first: 0,
                last: self.session.slices().saturating_sub(1),
                pending: Vec::new(),
            },
        };
        let labels = LabelMap::new(labels, self.session.label_map().grid.clone())?;
        self.session.restore(labels, &state)?;
        self.few_shot = None;
        Ok(())
    }

    /// A label's own mask on a slice, row by row, 1 inside; other labels may overlap it.
    ///
    /// # Errors
    /// When the slice does not exist.
    #[wasm_bindgen(js_name = labelMask)]
    pub fn label_mask(&self, label: u16, slice: usize) -> Result<Vec<u8>, Failure> {
        Ok(bytes(&self.session.label_mask(label, slice)?.pixels))
    }

    /// Where the model looks from a place `[x, y]` of a slice for a label, given the memories of the slice's report
    /// (`labels[i].memory.used`): `{ side, memories: [{ slice, weights }] }`, side x side weights for each memory, row by row.
    ///
    /// # Errors
    /// Those of [`Session::attention`](crate::propagate::Session::attention).
    pub async fn attention(
        &mut self,
        label: u16,
        slice: usize,
        at: JsValue,
        used: JsValue,
    ) -> Result<JsValue, Failure> {
        let [col, row] = from_js(at)?;
        let used: Vec<UsedRequest> = from_js(used)?;
        let used = used.into_iter().map(|memory| Used {
            slice: memory.slice,
            prompted: memory.prompted,
            similarity: None,
            position: memory.position,
        });
        let (at, used) = (SlicePoint { col, row }, used.collect::<Vec<_>>());
        let found = self.session.attention(label, slice, at, &used).await?;
        let map = |(slice, weights)| MapInfo { slice, weights };
        to_js(&AttentionInfo {
            side: found.side,
            memories: found.memories.into_iter().map(map).collect(),
        })
    }
}
