//! What few-shot is asked for and what it found, as data.

use super::augment::AugmentOptions;
use super::pool::Choice;
use crate::propagate::{MemoryOptions, MemoryReport};
use crate::volume::{LabelMap, Mask};

/// How supports are multiplied and results accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FewShotOptions {
    /// Copies of each support.
    pub augment: AugmentOptions,
    /// A label is accepted on a slice if its object score (a logit) is larger than this. Default 0, where the model
    /// itself draws the line: less changes nothing, more refuses slices that it is unsure of.
    pub min_object_score: f32,
    /// Carries accepted slices along beside the supports, in a bank for each label. Default none: no slice knows of
    /// another, as in the paper.
    pub carry: Option<MemoryOptions>,
}

/// What was found of one label on one slice.
#[derive(Clone, Debug)]
pub struct FewShotLabel {
    /// The support that was chosen.
    pub choice: Choice,
    /// The label's own mask, accepted or not; other labels may overlap it.
    pub mask: Mask,
    /// The model's own estimate of the mask's IoU, 0 to 1.
    pub predicted_iou: f32,
    /// Positive where the model sees the object on the slice (a logit).
    pub object_score: f32,
    /// Whether the mask is in the label map.
    pub accepted: bool,
    /// Which carried slices were used, and whether this one is carried on; none unless slices are carried.
    pub memory: Option<MemoryReport>,
}

/// What is new on one slice.
#[derive(Clone, Debug)]
pub struct FewShotSlice {
    /// Index of the slice along the axis.
    pub slice: usize,
    /// One for each label, ascending.
    pub labels: Vec<FewShotLabel>,
    /// The slice's accepted labels, row-major, overlaps resolved by the higher logit.
    pub label_map: Vec<u16>,
}

/// A whole query volume.
#[derive(Clone, Debug)]
pub struct FewShotVolume {
    /// The accepted labels.
    pub labels: LabelMap,
    /// What was found on each slice, in order.
    pub slices: Vec<FewShotSlice>,
}
