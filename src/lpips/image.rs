//! Pixels to the network's input.

use burn::tensor::{Device, Tensor, TensorData};

/// Mean of each channel that the scaling layer takes off, for values of -1..1.
const SHIFT: [f32; 3] = [-0.030, -0.088, -0.188];
/// Deviation of each channel that it divides by.
const SCALE: [f32; 3] = [0.458, 0.448, 0.450];

/// A colour image: values 0..255 to -1..1.
///
/// # Shapes
/// - pixels `rows * cols`, row by row; result `[1, 3, rows, cols]`
pub fn from_rgb(pixels: &[[u8; 3]], rows: usize, cols: usize, device: &Device) -> Tensor<4> {
    let values = (0..3).flat_map(|c| pixels.iter().map(move |pixel| unit(pixel[c])));
    let values: Vec<f32> = values.collect();
    Tensor::from_data(TensorData::new(values, [1, 3, rows, cols]), device)
}

/// A grey image: three equal channels.
///
/// # Shapes
/// - pixels `rows * cols`, row by row; result `[1, 3, rows, cols]`
pub fn from_grey(pixels: &[u8], rows: usize, cols: usize, device: &Device) -> Tensor<4> {
    let values: Vec<f32> = pixels.iter().map(|&v| unit(v)).collect();
    let plane = Tensor::<4>::from_data(TensorData::new(values, [1, 1, rows, cols]), device);
    plane.repeat_dim(1, 3)
}

fn unit(value: u8) -> f32 {
    f32::from(value) / 127.5 - 1.0
}

/// The scaling layer.
///
/// # Shapes
/// - input and output `[b, 3, h, w]`
pub(super) fn scaled(images: Tensor<4>) -> Tensor<4> {
    let device = images.device();
    let row = |values: [f32; 3]| Tensor::<1>::from_floats(values, &device).reshape([1, 3, 1, 1]);
    (images - row(SHIFT)) / row(SCALE)
}
