//! Pictures. In: the bytes of PNG, JPEG and TIFF files, each a slice, or of one TIFF with several pages. Out: their grey values as
//! they are stored (0 to 255, or 0 to 65535) as a volume, one behind the other.
//!
//! Pictures do not say where they lie: the volume lies as they are displayed, with 1 mm between voxels unless told.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, ImageReader, Limits};
use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult};

use super::error::{ScanError, ScanErrorKind};
use super::series::{ScanWarning, WarningKind};
pub(super) use super::sniff::PictureKind as Kind;
use super::volumes::{countable, reserve};
use super::voxels::Bad;
use crate::volume::{Affine, Grid, Millimetre, Volume};

/// Bytes that a single picture may take while it is unpacked.
const MOST_BYTES: u64 = 1 << 31;

/// What is known of a file before its pixels are unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) columns: usize,
    pub(super) rows: usize,
    pub(super) pages: usize,
    pub(super) colour: bool,
}

fn bad(what: &dyn std::fmt::Display) -> ScanError {
    let message = format!("a picture that cannot be read: {what}");
    ScanError::new(ScanErrorKind::BadPicture, message)
}

/// Size, pages and colours of a picture.
pub(super) fn shape(kind: Kind, bytes: &[u8]) -> Result<Shape, ScanError> {
    if kind == Kind::Tiff {
        return tiff_shape(bytes);
    }
    let decoder = reader(kind, bytes).into_decoder().map_err(|e| bad(&e))?;
    use image::ImageDecoder;
    let (columns, rows) = decoder.dimensions();
    Ok(Shape {
        columns: columns as usize,
        rows: rows as usize,
        pages: 1,
        colour: decoder.color_type().has_color(),
    })
}

fn reader(kind: Kind, bytes: &[u8]) -> ImageReader<Cursor<&[u8]>> {
    let format = match kind {
        Kind::Png => ImageFormat::Png,
        _ => ImageFormat::Jpeg,
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits);
    reader
}

fn tiff_shape(bytes: &[u8]) -> Result<Shape, ScanError> {
    let mut decoder = tiff(bytes)?;
    let size = decoder.dimensions().map_err(|e| bad(&e))?;
    let colour = decoder.colortype().map_err(|e| bad(&e))?;
    let mut pages = 1;
    while decoder.more_images() {
        decoder.next_image().map_err(|e| bad(&e))?;
        let other = decoder.dimensions().map_err(|e| bad(&e))?;
        // Smaller pages are previews of the first.
        if other == size {
            pages += 1;
        }
    }
    Ok(Shape {
        columns: size.0 as usize,
        rows: size.1 as usize,
        pages,
        colour: !matches!(colour, ColorType::Gray(_) | ColorType::GrayA(_)),
    })
}

fn tiff(bytes: &[u8]) -> Result<Decoder<Cursor<&[u8]>>, ScanError> {
    let decoder = Decoder::new(Cursor::new(bytes)).map_err(|e| bad(&e))?;
    let mut limits = tiff::decoder::Limits::default();
    limits.decoding_buffer_size = MOST_BYTES as usize;
    limits.intermediate_buffer_size = MOST_BYTES as usize;
    Ok(decoder.with_limits(limits))
}

/// The lattice of so many pictures.
pub(super) fn grid(
    shape: Shape,
    count: usize,
    spacing: Option<[f64; 3]>,
) -> Result<Grid, ScanError> {
    let dims = [shape.columns, shape.rows, count].map(|n| n as u64);
    let dims = countable(dims, 1, 4)?;
    let spacing = spacing.unwrap_or([1.0; 3]);
    if !spacing.iter().all(|mm| mm.is_finite() && *mm > 0.0) {
        let what = format!("a spacing of {spacing:?} mm");
        return Err(bad(&what));
    }
    // Columns to the patient's left and rows to the back: as a slice is displayed.
    let [x, y, z] = spacing;
    let affine = Affine::diagonal([-x, -y, z].map(Millimetre));
    Grid::new(dims, affine).map_err(|e| bad(&e))
}

/// What to know of a volume made of pictures, as long as no spacing is given.
pub(super) fn warnings(shapes: &[Shape]) -> Vec<ScanWarning> {
    let size = "pictures do not say how large a pixel is: 1 mm is assumed";
    let mut warnings = vec![ScanWarning::new(WarningKind::NoGeometry, size)];
    if shapes.iter().any(|shape| shape.colour) {
        warnings.push(ScanWarning::new(WarningKind::Colour, "colours became grey"));
    }
    warnings
}

/// Unpacks pictures into a volume; each is named in errors.
pub(super) fn volume(pictures: &[(&str, Kind, &[u8])], grid: Grid) -> Result<Volume, ScanError> {
    let mut voxels = reserve::<f32>(grid.voxel_count())?;
    let mut values = Bad::default();
    let area = grid.dims[0] * grid.dims[1];
    for (name, kind, bytes) in pictures {
        let before = voxels.len();
        let mut push = |value: f64| values.push(value, &mut voxels);
        let done = match kind {
            Kind::Tiff => tiff_pixels(bytes, &grid, &mut push),
            _ => pixels(*kind, bytes, &mut push),
        };
        done.map_err(|e| e.in_file(name))?;
        let found = voxels.len() - before;
        if found == 0 || found % area != 0 || voxels.len() > grid.voxel_count() {
            let what = format!("it has {found} pixels and should have {area}");
            return Err(bad(&what).in_file(name));
        }
    }
    values.report(&grid)?;
    Volume::new(voxels, grid).map_err(|e| bad(&e))
}

fn pixels(kind: Kind, bytes: &[u8], push: &mut impl FnMut(f64)) -> Result<(), ScanError> {
    let image = reader(kind, bytes).decode().map_err(|e| bad(&e))?;
    match image {
        DynamicImage::ImageLuma8(grey) => grey.iter().for_each(|v| push((*v).into())),
        DynamicImage::ImageLuma16(grey) => grey.iter().for_each(|v| push((*v).into())),
        DynamicImage::ImageLumaA16(_)
        | DynamicImage::ImageRgb16(_)
        | DynamicImage::ImageRgba16(_) => {
            image.to_luma16().iter().for_each(|v| push((*v).into()));
        }
        _ => image.to_luma8().iter().for_each(|v| push((*v).into())),
    }
    Ok(())
}

fn tiff_pixels(bytes: &[u8], grid: &Grid, push: &mut impl FnMut(f64)) -> Result<(), ScanError> {
    let mut decoder = tiff(bytes)?;
    loop {
        let (columns, rows) = decoder.dimensions().map_err(|e| bad(&e))?;
        if [columns as usize, rows as usize] == grid.dims[..2] {
            page(&mut decoder, columns as usize, push)?;
        }
        if !decoder.more_images() {
            return Ok(());
        }
        decoder.next_image().map_err(|e| bad(&e))?;
    }
}

fn page(
    decoder: &mut Decoder<Cursor<&[u8]>>,
    columns: usize,
    push: &mut impl FnMut(f64),
) -> Result<(), ScanError> {
    let colour = decoder.colortype().map_err(|e| bad(&e))?;
    let mut values = DecodingResult::U8(Vec::new());
    let layout = decoder
        .read_image_to_buffer(&mut values)
        .map_err(|e| bad(&e))?;
    let planes = layout.planes;
    let (samples, bits) = match colour {
        ColorType::Gray(bits) => (1, bits),
        ColorType::GrayA(bits) => (2, bits),
        ColorType::RGB(bits) => (3, bits),
        ColorType::RGBA(bits) => (4, bits),
        other => return Err(bad(&format!("TIFF colours of type {other:?}"))),
    };
    if planes > 1 {
        return Err(bad(&"a TIFF file with its colours in separate planes"));
    }
    if let (DecodingResult::U8(packed), 1..8, 1) = (&values, bits, samples) {
        small(packed, columns, bits, push);
        return Ok(());
    }
    let values: Vec<f64> = match values {
        DecodingResult::U8(v) => v.into_iter().map(f64::from).collect(),
        DecodingResult::U16(v) => v.into_iter().map(f64::from).collect(),
        DecodingResult::U32(v) => v.into_iter().map(f64::from).collect(),
        DecodingResult::U64(v) => v.into_iter().map(|v| v as f64).collect(),
        DecodingResult::I8(v) => v.into_iter().map(f64::from).collect(),
        DecodingResult::I16(v) => v.into_iter().map(f64::from).collect(),
        DecodingResult::I32(v) => v.into_iter().map(f64::from).collect(),
        DecodingResult::I64(v) => v.into_iter().map(|v| v as f64).collect(),
        DecodingResult::F32(v) => v.into_iter().map(f64::from).collect(),
        DecodingResult::F64(v) => v,
        DecodingResult::F16(v) => v.into_iter().map(|v| v.to_f64()).collect(),
    };
    for pixel in values.chunks_exact(samples) {
        push(match pixel {
            [r, g, b, ..] => 0.299 * r + 0.587 * g + 0.114 * b,
            [grey, ..] => *grey,
            [] => 0.0,
        });
    }
    Ok(())
}

/// Several pixels to a byte, the first in the highest bits; a row begins with a byte.
fn small(packed: &[u8], columns: usize, bits: u8, push: &mut impl FnMut(f64)) {
    let each = usize::from(8 / bits);
    for row in packed.chunks(columns.div_ceil(each).max(1)) {
        for column in 0..columns {
            let byte = row.get(column / each).copied().unwrap_or(0);
            let shift = 8 - usize::from(bits) * (column % each + 1);
            push(f64::from((byte >> shift) & ((1 << bits) - 1)));
        }
    }
}
