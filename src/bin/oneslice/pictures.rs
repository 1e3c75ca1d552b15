//! PNG and JPEG files. In: a file; out: grey pixels, or a mask. And a mask as a PNG file.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, GrayImage, ImageFormat};
use oneslice::propagate::few_shot::GreySlice;
use oneslice::volume::{
    Affine, Grid, Mask, Millimetre, SliceShape, Volume, VolumeError, VoxelAxis, Window,
};

use super::Failure;
use super::files;

/// Whether a file's name is that of a picture we read.
pub fn is_named(path: &Path) -> bool {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    matches!(extension.as_deref(), Some("png" | "jpg" | "jpeg"))
}

/// A picture as it is stored.
pub fn read(path: &Path) -> Result<DynamicImage, Failure> {
    let bytes = files::read(path)?;
    let image = image::load_from_memory(&bytes);
    image.map_err(|e| format!("{}: {e}", path.display()).into())
}

/// A picture as 8-bit grey; colours by their luma, without transparency. 16 bits are shown in a window, like a scan.
pub fn grey(image: &DynamicImage, window: Option<Window>) -> Result<GreySlice, VolumeError> {
    let shape = shape(image);
    let color = image.color();
    if color.bytes_per_pixel() / color.channel_count() == 1 {
        let grey = image.to_luma8().into_raw();
        return Ok(GreySlice { grey, shape });
    }
    let values = image.to_luma16().into_raw().into_iter().map(f32::from);
    let grid = Grid::new(
        [shape.cols, shape.rows, 1],
        Affine::diagonal([Millimetre(1.0); 3]),
    )?;
    let picture = Volume::new(values.collect(), grid)?;
    let window = window.unwrap_or_else(|| Window::auto(&picture));
    let grey = picture.slice_u8(VoxelAxis::K, 0, &window)?;
    Ok(GreySlice { grey, shape })
}

/// The mask that a picture is: what is not black, or the pixels of one grey value.
pub fn mask(path: &Path, label: Option<u16>) -> Result<Mask, Failure> {
    let name = path.display();
    let bytes = files::read(path)?;
    if image::guess_format(&bytes).ok() == Some(ImageFormat::Jpeg) {
        let what = "JPEG changes a mask's pixels; give it as PNG";
        return Err(format!("{name}: {what}").into());
    }
    let image = image::load_from_memory(&bytes).map_err(|e| format!("{name}: {e}"))?;
    let values: Vec<u16> = match &image {
        DynamicImage::ImageLuma8(_) | DynamicImage::ImageLumaA8(_) => {
            let values = image.to_luma8().into_raw();
            values.into_iter().map(u16::from).collect()
        }
        DynamicImage::ImageLuma16(_) | DynamicImage::ImageLumaA16(_) => {
            image.to_luma16().into_raw()
        }
        _ if label.is_some() => {
            let what = "--label needs a mask in grey, not in colours";
            return Err(format!("{name}: {what}").into());
        }
        _ => {
            let pixels = image.to_rgb16();
            pixels
                .pixels()
                .map(|p| p.0.into_iter().max().unwrap_or(0))
                .collect()
        }
    };
    let inside = |value: u16| label.map_or(value > 0, |label| value == label);
    let pixels: Vec<bool> = values.iter().map(|&v| inside(v)).collect();
    if !pixels.contains(&true) {
        let present: BTreeSet<u16> = values.into_iter().filter(|&v| v > 0).collect();
        return Err(match label {
            Some(label) => format!("{name}: there is no label {label}; there are {present:?}"),
            None => format!("{name}: the mask is empty"),
        }
        .into());
    }
    Ok(Mask::new(shape(&image), pixels)?)
}

/// A mask as a PNG file: 255 inside, 0 outside.
pub fn png(mask: &Mask) -> Result<Vec<u8>, Failure> {
    let pixels = mask
        .pixels
        .iter()
        .map(|&inside| if inside { 255 } else { 0 });
    let (cols, rows) = (mask.shape.cols.try_into()?, mask.shape.rows.try_into()?);
    let image = GrayImage::from_vec(cols, rows, pixels.collect());
    let image = image.ok_or("a mask has as many pixels as its shape")?;
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

fn shape(image: &DynamicImage) -> SliceShape {
    SliceShape {
        rows: image.height() as usize,
        cols: image.width() as usize,
    }
}
