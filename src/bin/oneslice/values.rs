//! Values as they are typed on the command line: ranges, windows, spacings, sizes, names of files.

use std::path::PathBuf;

use oneslice::kernels::Bits;
use oneslice::sam2::ImageSize;
use oneslice::volume::Window;

/// Slices from the first to the last, both included.
#[derive(Clone, Copy)]
pub struct SliceRange {
    pub first: usize,
    pub last: usize,
}

pub fn parse_range(text: &str) -> Result<SliceRange, String> {
    let slice = |text: &str| text.trim().parse::<usize>().ok();
    let range = text.split_once(',');
    let range = range.and_then(|(first, last)| Some((slice(first)?, slice(last)?)));
    let (first, last) = range.ok_or("expected A,B, such as 40,80")?;
    Ok(SliceRange { first, last })
}

pub fn parse_window(text: &str) -> Result<Window, String> {
    let number = |text: &str| {
        let number = text.trim().parse::<f32>();
        number.map_err(|_| format!("`{text}` is no number"))
    };
    let (lo, hi) = text
        .split_once(',')
        .ok_or("expected LO,HI, such as -160,240")?;
    Window::new(number(lo)?, number(hi)?).map_err(|e| e.to_string())
}

pub fn parse_finite(text: &str) -> Result<f32, String> {
    let number = text.trim().parse::<f32>().ok().filter(|n| n.is_finite());
    number.ok_or_else(|| "expected a finite number".into())
}

/// `X,Y,Z`, in millimetres.
pub fn parse_spacing(text: &str) -> Result<[f64; 3], String> {
    let numbers = text.split(',').map(|n| n.trim().parse().ok());
    let numbers: Option<Vec<f64>> = numbers.collect();
    let numbers = numbers.and_then(|n| <[f64; 3]>::try_from(n).ok());
    let positive = numbers.filter(|n| n.iter().all(|mm| mm.is_finite() && *mm > 0.0));
    positive.ok_or_else(|| "expected X,Y,Z in millimetres, such as 0.5,0.5,2".to_owned())
}

pub fn parse_image_size(text: &str) -> Result<ImageSize, String> {
    let size = text.parse().ok().and_then(ImageSize::new);
    size.ok_or_else(|| format!("expected {}", ImageSize::RULE))
}

pub fn parse_bits(text: &str) -> Result<Bits, String> {
    let bits = text.parse().ok().and_then(Bits::from_count);
    let bits = bits.filter(|bits| *bits != Bits::F16);
    bits.ok_or_else(|| "expected 8 or 4".to_owned())
}

pub fn nifti_gz(path: PathBuf) -> Result<PathBuf, String> {
    with_extension(path, ".nii.gz")
}

pub fn safetensors(path: PathBuf) -> Result<PathBuf, String> {
    with_extension(path, ".safetensors")
}

/// Other programs tell formats by names, so a name must not promise another format.
fn with_extension(path: PathBuf, extension: &str) -> Result<PathBuf, String> {
    let name = path.file_name().map(|name| name.to_string_lossy());
    match name.is_some_and(|name| name.ends_with(extension) && name != extension) {
        true => Ok(path),
        false => Err(format!("the name must end in {extension}")),
    }
}
