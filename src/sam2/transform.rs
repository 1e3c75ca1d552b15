//! Slices and masks to the model's square and back (`utils/misc.py`, the *video* path).
//!
//! In: host arrays; out: tensors, and host arrays again. Aspect ratio is not kept and nothing is
//! padded, as in Meta's code.

use burn::tensor::{Device, Tensor, TensorData};

use super::config::{
    IMAGE_MEAN, IMAGE_STD, SIGMOID_BIAS_FOR_MEM_ENC, SIGMOID_SCALE_FOR_MEM_ENC, Sam2Config,
};
use super::prompt::MaskPrompt;
use super::resample::{Size, bilinear, bilinear_antialias, pil_resize};

/// Side of the square the model sees, in model pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageSize(usize);

impl ImageSize {
    /// Sides are multiples of this, so that every stage of the trunk has whole windows.
    pub const STEP: usize = 32;
    /// Smallest side.
    pub const MIN: usize = 128;
    /// Largest side, that of Meta's training.
    pub const MAX: usize = 1024;

    /// The rule in words, for messages.
    pub const RULE: &str = "a multiple of 32 from 128 to 1024";

    /// A side of `pixels`, or none if the model does not take it.
    pub fn new(pixels: usize) -> Option<Self> {
        let fits = pixels.is_multiple_of(Self::STEP) && (Self::MIN..=Self::MAX).contains(&pixels);
        fits.then_some(Self(pixels))
    }

    /// The side in model pixels.
    pub fn pixels(self) -> usize {
        self.0
    }
}

impl Sam2Config {
    /// The side for slices of so many pixels on their longer side, and for objects of which the smallest covers this share
    /// of its slice, where that is known. Masks have a quarter of the side, so nano takes twice that of its training where
    /// a slice has more pixels and an object may be too small for them; Meta's models always take theirs.
    pub fn image_size_for(&self, longest: usize, object: Option<f64>) -> ImageSize {
        /// About 160 pixels of a mask at 256: such an object is followed as well there, one of 800 not at 512.
        const LARGE: f64 = 0.04;
        let large = object.is_some_and(|share| share >= LARGE);
        match self.name.as_str() {
            "nano" if longest <= 256 || large => ImageSize(256),
            "nano" => ImageSize(512),
            _ => ImageSize(ImageSize::MAX),
        }
    }
}

/// What a model's object score needs at large image sizes beside what its weights have.
///
/// nano's is set so that 0.89 of the frames beyond an object's end are empty at 256 pixels; with half a logit more no fewer are
/// at 512, and 0.91 of those with the object are found in the place of 0.85 (`weights/nano/README.md`).
#[derive(Clone, Copy, Debug)]
pub(super) struct ScoreBias {
    /// Logits at [`Self::FROM`] pixels and more.
    large: f32,
}

impl ScoreBias {
    /// Image sizes below are as the weights have it.
    const FROM: usize = 512;

    /// A model's.
    pub fn of(config: &Sam2Config) -> Self {
        let large = if config.name == "nano" { 0.5 } else { 0.0 };
        Self { large }
    }

    /// Logits to add at this size.
    pub fn at(self, image_size: ImageSize) -> f32 {
        match image_size.pixels() {
            Self::FROM.. => self.large,
            _ => 0.0,
        }
    }
}

/// An 8-bit grey slice as the model's input: resized, three equal channels, normalised.
///
/// # Shapes
/// - `grey` row-major, `size.area()` long; result `[1, 3, s, s]`
pub fn grey_tensor(grey: &[u8], size: Size, image_size: ImageSize, device: &Device) -> Tensor<4> {
    let resized = pil_resize(grey, size, Size::square(image_size.pixels()));
    normalise([&resized, &resized, &resized], image_size, device)
}

/// The three 8-bit planes of a colour picture as the model's input: resized, normalised.
///
/// # Shapes
/// - each plane row-major, `size.area()` long; result `[1, 3, s, s]`
pub fn rgb_tensor(
    planes: [&[u8]; 3],
    size: Size,
    image_size: ImageSize,
    device: &Device,
) -> Tensor<4> {
    let square = Size::square(image_size.pixels());
    let [r, g, b] = planes.map(|plane| pil_resize(plane, size, square));
    normalise([&r, &g, &b], image_size, device)
}

fn normalise(planes: [&[u8]; 3], image_size: ImageSize, device: &Device) -> Tensor<4> {
    let s = image_size.pixels();
    let mut values = Vec::with_capacity(3 * s * s);
    for (c, plane) in planes.into_iter().enumerate() {
        // Divided in f64 and subtracted in f32, as the reference does.
        let unit = |&v: &u8| (f64::from(v) / 255.0) as f32;
        values.extend(
            plane
                .iter()
                .map(|v| (unit(v) - IMAGE_MEAN[c]) / IMAGE_STD[c]),
        );
    }
    Tensor::from_data(TensorData::new(values, [1, 3, s, s]), device)
}

/// A mask on a slice as a prompt (`add_new_mask`): resized with antialiasing and cut at a half.
pub fn mask_prompt(
    mask: &[bool],
    size: Size,
    image_size: ImageSize,
    device: &Device,
) -> MaskPrompt {
    let s = image_size.pixels();
    let square = Size::square(s);
    let mask: Vec<f32> = mask
        .iter()
        .map(|&inside| f32::from(u8::from(inside)))
        .collect();
    let mask = match size == square {
        true => mask,
        false => bilinear_antialias(&mask, size, square)
            .into_iter()
            .map(|v| f32::from(u8::from(v >= 0.5)))
            .collect(),
    };
    let to_logit = |v: &f32| v * SIGMOID_SCALE_FOR_MEM_ENC + SIGMOID_BIAS_FOR_MEM_ENC;
    let logits: Vec<f32> = mask.iter().map(to_logit).collect();
    let low_res = bilinear_antialias(&logits, square, Size::square(s / 4));
    MaskPrompt {
        is_empty: mask.iter().all(|&v| v == 0.0),
        mask: Tensor::from_data(TensorData::new(mask, [1, 1, s, s]), device),
        low_res_logits: Tensor::from_data(TensorData::new(low_res, [1, 1, s / 4, s / 4]), device),
    }
}

/// Low-resolution logits on the slice's own grid, straight, without the model's square between.
pub fn logits_on_slice(low_res: &[f32], image_size: ImageSize, size: Size) -> Vec<f32> {
    bilinear(low_res, Size::square(image_size.pixels() / 4), size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn larger_slices_get_a_larger_square() {
        let side = |config: Sam2Config, longest| config.image_size_for(longest, None).pixels();
        let nano = [35, 256, 257, 512, 2000].map(|longest| side(Sam2Config::nano(), longest));
        assert_eq!(nano, [256, 256, 512, 512, 512]);
        assert_eq!(side(Sam2Config::tiny(), 35), 1024);
    }

    #[test]
    fn large_objects_need_no_larger_square() {
        let side = |config: Sam2Config, share| config.image_size_for(512, Some(share)).pixels();
        let nano = [0.0, 0.039, 0.04, 1.0].map(|share| side(Sam2Config::nano(), share));
        assert_eq!(nano, [512, 512, 256, 256]);
        assert_eq!(side(Sam2Config::tiny(), 0.5), 1024);
    }

    #[test]
    fn nanos_object_score_is_raised_at_large_sizes_only() {
        let at = |config: Sam2Config, pixels| ScoreBias::of(&config).at(ImageSize(pixels));
        let nano = [128, 256, 480, 512, 1024].map(|pixels| at(Sam2Config::nano(), pixels));
        assert_eq!(nano, [0.0, 0.0, 0.0, 0.5, 0.5]);
        assert_eq!(at(Sam2Config::tiny(), 1024), 0.0);
    }

    #[test]
    fn only_multiples_of_32_from_128_to_1024_are_image_sizes() {
        for good in [128, 160, 256, 1024] {
            assert_eq!(ImageSize::new(good).map(ImageSize::pixels), Some(good));
        }
        for bad in [0, 96, 130, 1000, 1056] {
            assert_eq!(ImageSize::new(bad), None);
        }
    }
}
