//! What the model says of its own result, slice by slice.

use oneslice::propagate::SliceResult;
use serde::Serialize;

/// One label on one slice.
#[derive(Clone, Serialize)]
pub struct Score {
    pub slice: usize,
    pub label: u16,
    pub prompted: bool,
    pub predicted_iou: f32,
    pub object_score: f32,
    pub pixels: usize,
}

/// The scores of a slice's labels.
pub fn of_slice(result: &SliceResult) -> impl Iterator<Item = Score> {
    result.labels.iter().map(|l| Score {
        slice: result.slice,
        label: l.label,
        prompted: l.prompted,
        predicted_iou: l.predicted_iou,
        object_score: l.object_score,
        pixels: l.mask.area(),
    })
}
