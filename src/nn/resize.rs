//! Resampling of maps, with torch's conventions spelled out.

use burn::tensor::{
    Tensor,
    module::interpolate,
    ops::{InterpolateMode, InterpolateOptions},
};

/// Bilinear resize as `F.interpolate(.., align_corners=False, antialias=False)`.
///
/// # Shapes
/// - `[b, c, h, w]` to `[b, c, size[0], size[1]]`
pub fn interpolate_bilinear(x: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
    let options = InterpolateOptions::new(InterpolateMode::Bilinear)
        .with_align_corners(false)
        .with_output_size(size);
    interpolate(x, options)
}

/// Doubles rows and columns by repetition.
///
/// # Shapes
/// - `[b, c, h, w]` to `[b, c, 2h, 2w]`
pub fn upsample_nearest_2x(x: Tensor<4>) -> Tensor<4> {
    let [b, c, h, w] = x.dims();
    x.reshape([b, c, h, 1, w, 1])
        .expand([b, c, h, 2, w, 2])
        .reshape([b, c, 2 * h, 2 * w])
}
