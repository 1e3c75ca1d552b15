//! Prompts as the model takes them, in model pixels.

use burn::tensor::Tensor;

/// What a point says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointLabel {
    /// Not part of the object.
    Exclude,
    /// Part of the object.
    Include,
    /// Corner of a box around the object; comes before its opposite and before other points.
    BoxTopLeft,
    /// The opposite corner.
    BoxBottomRight,
}

/// A point on the square the model sees: pixels from its top-left corner, 0 to `image_size`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModelPoint {
    /// Column, model pixels.
    pub x: f32,
    /// Row, model pixels.
    pub y: f32,
    /// What the point says.
    pub label: PointLabel,
}

/// A mask prompt at the model's resolution; see [`transform::mask_prompt`](super::transform).
#[derive(Clone, Debug)]
pub struct MaskPrompt {
    /// 1 inside, 0 outside: `[1, 1, s, s]`.
    pub mask: Tensor<4>,
    /// The mask as logits of -10 and 10, reduced to the decoder's resolution:
    /// `[1, 1, s / 4, s / 4]`.
    pub low_res_logits: Tensor<4>,
    /// Whether any pixel is inside.
    pub is_empty: bool,
}
