//! Pooling and resampling of maps, with torch's conventions spelled out.

use burn::tensor::{
    Tensor,
    module::{interpolate, max_pool2d},
    ops::{InterpolateMode, InterpolateOptions, MaxPoolOptions},
};

/// 2x2 max pooling of a channels-last map, stride 2, odd rows and columns dropped.
///
/// # Shapes
/// - `[b, h, w, c]` to `[b, h / 2, w / 2, c]`
pub fn max_pool_nhwc(x: Tensor<4>) -> Tensor<4> {
    let x = x.permute([0, 3, 1, 2]); // [b, c, h, w]
    max_pool2d(x, MaxPoolOptions::new([2, 2])).permute([0, 2, 3, 1])
}

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
