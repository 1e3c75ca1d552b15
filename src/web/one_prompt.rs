//! One-Prompt for JavaScript: one prompted picture, a set of others in any order.

use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use super::convert::{Failure, MemoryRequest, to_js, u8_array};
use crate::propagate::few_shot::GreySlice;
use crate::propagate::{MemoryReport, OnePrompt, OnePromptOptions, OnePromptResult, Strategy};
use crate::sam2::{ImageSize, Sam2};
use crate::volume::{Mask, SliceShape};

/// What `onePrompt(..)` takes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct OnePromptRequest {
    /// None for what suits the model and the prompted picture.
    #[serde(default)]
    pub image_size: Option<usize>,
    #[serde(default)]
    pub memory: MemoryRequest,
}

/// A set being segmented; see [`OnePrompt`].
#[wasm_bindgen(js_name = OnePrompt)]
pub struct WebOnePrompt {
    model: Sam2,
    options: OnePromptOptions,
    prompt: (GreySlice, Mask),
    /// Those that were added, until the first is looked at.
    images: Vec<GreySlice>,
    set: Option<OnePrompt>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    image: usize,
    step: usize,
    similarity: f32,
    #[serde(with = "u8_array")]
    mask: Vec<u8>,
    predicted_iou: f32,
    object_score: f32,
    memory: MemoryReport,
}

impl From<OnePromptResult> for Found {
    fn from(result: OnePromptResult) -> Self {
        Self {
            image: result.image,
            step: result.step,
            similarity: result.similarity,
            mask: result.mask.pixels.into_iter().map(u8::from).collect(),
            predicted_iou: result.predicted_iou,
            object_score: result.object_score,
            memory: result.memory,
        }
    }
}

impl WebOnePrompt {
    pub(super) fn new(
        model: &Sam2,
        (image_size, memory): (ImageSize, MemoryRequest),
        prompt: (GreySlice, Mask),
    ) -> Result<Self, Failure> {
        let options = OnePromptOptions {
            image_size,
            memory: memory.options(Strategy::SelfSorting)?,
        };
        Ok(Self {
            model: model.clone(),
            options,
            prompt,
            images: Vec::new(),
            set: None,
        })
    }

    fn set(&mut self) -> Result<&mut OnePrompt, Failure> {
        let set = match self.set.take() {
            Some(set) => set,
            None => {
                let images = std::mem::take(&mut self.images);
                OnePrompt::new(&self.model, &self.options, self.prompt.clone(), images)?
            }
        };
        Ok(self.set.insert(set))
    }
}

#[wasm_bindgen(js_class = OnePrompt)]
impl WebOnePrompt {
    /// Adds a picture, 8-bit grey row by row, and says its number. The order does not matter.
    ///
    /// # Errors
    /// `Options` once pictures were looked at: what is remembered follows from the whole set.
    pub fn add(&mut self, rows: usize, cols: usize, grey: Vec<u8>) -> Result<usize, Failure> {
        if self.set.is_some() {
            let what = "pictures are added before the first is looked at";
            return Err(Failure::new("Options", what));
        }
        let shape = SliceShape { rows, cols };
        self.images.push(GreySlice { grey, shape });
        Ok(self.images.len() - 1)
    }

    /// Looks at the next picture, to find the order of the walk; how many are left. Optional: without it,
    /// [`next`](Self::next) looks at all of them first.
    ///
    /// # Errors
    /// Those of [`OnePrompt::new`] and [`OnePrompt::look`].
    pub async fn look(&mut self) -> Result<usize, Failure> {
        Ok(self.set()?.look().await?)
    }

    /// The next result, the picture most like the prompted one first; undefined when there is none left.
    ///
    /// # Errors
    /// Those of [`OnePrompt::new`] and [`OnePrompt::next`].
    pub async fn next(&mut self) -> Result<JsValue, Failure> {
        match self.set()?.next().await? {
            Some(result) => to_js(&Found::from(result)),
            None => Ok(JsValue::UNDEFINED),
        }
    }
}
