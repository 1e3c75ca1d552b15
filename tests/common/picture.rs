//! Pictures of a golden and the two ways in which Meta's code prepares them.

use burn::tensor::{Device, Tensor};
use oneslice::sam2::ImageSize;
use oneslice::sam2::config::{IMAGE_MEAN, IMAGE_STD};
use oneslice::sam2::resample::{Size, bilinear_antialias};
use oneslice::sam2::transform::rgb_tensor;

use super::Golden;

/// An 8-bit picture, plane by plane.
pub struct Picture {
    pub size: Size,
    pub planes: [Vec<u8>; 3],
}

impl Picture {
    /// From interleaved bytes; a grey picture becomes three equal planes.
    pub fn new(size: Size, bytes: &[u8], channels: usize) -> Self {
        let plane = |c: usize| bytes.iter().skip(c).step_by(channels).copied().collect();
        Self {
            size,
            planes: [0, 1, 2].map(|c| plane(c.min(channels - 1))),
        }
    }

    /// A tensor `[h, w, 3]`.
    pub fn from_golden(golden: &Golden, key: &str) -> Self {
        let shape = golden.shape(key);
        let size = Size {
            rows: shape[0],
            cols: shape[1],
        };
        Self::new(size, &golden.u8(key), shape[2])
    }

    /// Input of the video predictor: resized by PIL.
    pub fn video_input(&self, image_size: ImageSize, device: &Device) -> Tensor<4> {
        let [r, g, b] = &self.planes;
        rgb_tensor([r, g, b], self.size, image_size, device)
    }

    /// Input of the image predictor: resized by torchvision, in float.
    pub fn image_input(&self, image_size: ImageSize) -> Vec<f32> {
        let square = Size::square(image_size.pixels());
        let prepare = |(c, plane): (usize, &Vec<u8>)| -> Vec<f32> {
            let unit: Vec<f32> = plane.iter().map(|&v| f32::from(v) / 255.0).collect();
            let resized = bilinear_antialias(&unit, self.size, square);
            let normalised = |v: f32| (v - IMAGE_MEAN[c]) / IMAGE_STD[c];
            resized.into_iter().map(normalised).collect()
        };
        self.planes.iter().enumerate().flat_map(prepare).collect()
    }
}
