//! Rust values to JavaScript and back.

use serde::Deserialize;

pub(super) use super::bridge::{Failure, from_js, to_js};
use crate::checkpoint::CheckpointError;
use crate::propagate::{MemoryOptions, SessionError, Strategy};
use crate::sam2::ImageSize;
use crate::volume::{Mask, SliceShape};

/// What `session(..)` takes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SessionRequest {
    pub axis: String,
    /// None for what suits the model and the slices.
    #[serde(default)]
    pub image_size: Option<usize>,
    /// Of its slice, that the smallest object to be prompted covers, where that is known: the image size goes by it.
    #[serde(default)]
    pub object_share: Option<f64>,
    #[serde(default)]
    pub window: Option<[f32; 2]>,
    #[serde(default)]
    pub memory: MemoryRequest,
    /// Logits added to every object score: above 0 tracks end later.
    #[serde(default)]
    pub object_score_bias: f32,
}

/// How memories are chosen; what is left out has the strategy's own value, and without a strategy it is `fifo`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct MemoryRequest {
    strategy: Option<String>,
    size: Option<usize>,
    threshold: Option<f32>,
    seed: Option<u64>,
}

impl MemoryRequest {
    /// The options, or why there are none.
    pub fn options(&self, default: Strategy) -> Result<MemoryOptions, Failure> {
        let strategy = self.strategy.as_deref().map_or(Ok(default), str::parse);
        let strategy = strategy.map_err(|e: String| Failure::new("Options", e))?;
        Ok(MemoryOptions::new(
            strategy,
            self.size,
            self.threshold,
            self.seed,
        )?)
    }
}

impl From<CheckpointError> for Failure {
    fn from(e: CheckpointError) -> Self {
        Self::new(e.kind().name(), e.to_string())
    }
}

impl From<SessionError> for Failure {
    fn from(e: SessionError) -> Self {
        Self::new(e.kind().name(), e.to_string())
    }
}

/// A size that the model takes.
pub(super) fn image_size(pixels: usize) -> Result<ImageSize, Failure> {
    let rule = || format!("image size {pixels} is not one of {}", ImageSize::RULE);
    ImageSize::new(pixels).ok_or_else(|| Failure::new("ImageSize", rule()))
}

/// A bias of the object score that is a number.
pub(super) fn object_score_bias(bias: f32) -> Result<f32, Failure> {
    let rule = || format!("objectScoreBias is {bias}, which is no finite number");
    bias.is_finite()
        .then_some(bias)
        .ok_or_else(|| Failure::new("Options", rule()))
}

/// A mask given row by row; not zero is inside.
pub(super) fn mask(shape: SliceShape, mask: &[u8]) -> Result<Mask, Failure> {
    let pixels = mask.iter().map(|&v| v != 0).collect();
    Ok(Mask::new(shape, pixels)?)
}

/// `Vec<u8>` as a `Uint8Array` instead of an array of numbers.
pub(super) mod u8_array {
    use serde::Serializer;

    pub(in crate::web) fn serialize<S: Serializer>(
        values: &[u8],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let array = js_sys::Uint8Array::from(values);
        serde_wasm_bindgen::preserve::serialize(&array, serializer)
    }
}

/// `Vec<u16>` as a `Uint16Array` instead of an array of numbers.
pub(super) mod u16_array {
    use serde::Serializer;

    pub(in crate::web) fn serialize<S: Serializer>(
        values: &[u16],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let array = js_sys::Uint16Array::from(values);
        serde_wasm_bindgen::preserve::serialize(&array, serializer)
    }
}

/// `Vec<f32>` as a `Float32Array` instead of an array of numbers.
pub(super) mod f32_array {
    use serde::Serializer;

    pub(in crate::web) fn serialize<S: Serializer>(
        values: &[f32],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let array = js_sys::Float32Array::from(values);
        serde_wasm_bindgen::preserve::serialize(&array, serializer)
    }
}
