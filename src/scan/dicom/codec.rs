//! Pixels unpacked. In: an object, its layout and the number of a frame. Out: the frame's values before they are rescaled, or
//! which transfer syntax is not read and what would help.
//!
//! The codecs are crates that are safe on any bytes: jpeg-decoder, hayro-jpeg2000. Run lengths are a few lines here, because the
//! crate that has them trusts what it reads.

use std::borrow::Cow;

use dicom_dictionary_std::uids;
use dicom_encoding::transfer_syntax::TransferSyntaxIndex;
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;
use hayro_jpeg2000::{DecodeSettings, DecoderContext, Image};
use jpeg_decoder::ColorTransform;

use super::dataset::{Fragment, Object, Pixels};
use super::layout::{Layout, Photometric};
use crate::scan::error::ScanError;

/// Pixels that compressed frames of any length may have; more need more bytes.
const FEW_PIXELS: usize = 1 << 24;
/// Pixels for each byte then: an empty picture is packed very well.
const MOST_PACKED: usize = 4000;

/// How a frame is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Native,
    RunLengths,
    Jpeg,
    Jpeg2000,
}

/// The codec of a transfer syntax.
pub(super) fn of(syntax: &str) -> Result<Codec, ScanError> {
    match syntax {
        uids::IMPLICIT_VR_LITTLE_ENDIAN
        | uids::EXPLICIT_VR_LITTLE_ENDIAN
        | uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
        | uids::ENCAPSULATED_UNCOMPRESSED_EXPLICIT_VR_LITTLE_ENDIAN
        | EXPLICIT_VR_BIG_ENDIAN => Ok(Codec::Native),
        uids::RLE_LOSSLESS => Ok(Codec::RunLengths),
        uids::JPEG_BASELINE8_BIT
        | uids::JPEG_EXTENDED12_BIT
        | uids::JPEG_LOSSLESS
        | uids::JPEG_LOSSLESS_SV1 => Ok(Codec::Jpeg),
        uids::JPEG2000_LOSSLESS | uids::JPEG2000 => Ok(Codec::Jpeg2000),
        other => Err(ScanError::transfer_syntax(&named(other))),
    }
}

/// Retired, and so not in the dictionary's list.
const EXPLICIT_VR_BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

fn named(uid: &str) -> String {
    match TransferSyntaxRegistry.get(uid) {
        Some(known) => format!("{} ({uid})", known.name()),
        None => uid.to_owned(),
    }
}

/// Decodes frame `number` of `count`.
pub(super) fn frame(
    object: &Object<'_>,
    layout: &Layout,
    codec: Codec,
    number: usize,
    count: usize,
) -> Result<Vec<f64>, ScanError> {
    let pixels = object.pixels.as_ref();
    let pixels = pixels.ok_or_else(|| ScanError::not_an_image("an object without pixels"))?;
    let bytes = match pixels {
        Pixels::Native(bytes) => {
            let len = layout.frame_len();
            let frame = bytes.get(number * len..(number + 1) * len);
            Cow::Borrowed(frame.ok_or_else(|| ScanError::missing_frames(count, number, "frames"))?)
        }
        Pixels::Encapsulated { offsets, fragments } => {
            fragments_of(object, offsets, fragments, number, count)?
        }
    };
    let native = matches!(pixels, Pixels::Native(_));
    let values = match codec {
        Codec::Native => {
            let samples = layout.samples_of(&bytes, object.big_endian);
            check(samples.len(), layout)?;
            layout.native_values(&samples)
        }
        _ if native => {
            let what = "its pixels should be compressed and are not";
            return Err(ScanError::bad_dicom(what));
        }
        Codec::RunLengths => run_lengths(&bytes, layout)?,
        Codec::Jpeg => layout.decoded_values(&jpeg(&bytes, layout)?),
        Codec::Jpeg2000 => layout.decoded_values(&jpeg2000(&bytes, layout)?),
    };
    Ok(values)
}

/// The bytes of a frame: of one fragment, or of several.
fn fragments_of<'a>(
    object: &Object<'_>,
    offsets: &[u64],
    fragments: &[Fragment<'a>],
    number: usize,
    count: usize,
) -> Result<Cow<'a, [u8]>, ScanError> {
    if fragments.len() == count {
        return Ok(Cow::Borrowed(fragments[number].bytes));
    }
    let extended = dicom_dictionary_std::tags::EXTENDED_OFFSET_TABLE;
    let extended = object.dataset.longs(extended);
    let offsets = match extended.is_empty() {
        true => offsets,
        false => extended.as_slice(),
    };
    let (from, to) = match (count, offsets.get(number)) {
        (1, _) => (0, u64::MAX),
        (_, Some(from)) => (*from, *offsets.get(number + 1).unwrap_or(&u64::MAX)),
        _ => {
            let what = "its frames are in several pieces without a table that says which";
            return Err(ScanError::bad_dicom(what));
        }
    };
    let own = fragments.iter().filter(|f| (from..to).contains(&f.offset));
    Ok(Cow::Owned(own.flat_map(|f| f.bytes).copied().collect()))
}

fn check(samples: usize, layout: &Layout) -> Result<(), ScanError> {
    let expected = layout.pixels() * layout.samples;
    match samples {
        _ if samples == expected => Ok(()),
        _ => Err(ScanError::bad_dicom(&format!(
            "a frame has {samples} values, and {} rows of {} columns need {expected}",
            layout.rows, layout.columns
        ))),
    }
}

/// Before memory is taken: the picture within must be the one the file describes, and not a great deal from nothing.
fn check_size(size: (usize, usize), bytes: usize, layout: &Layout) -> Result<(), ScanError> {
    if size != (layout.columns, layout.rows) {
        return Err(ScanError::bad_dicom(&format!(
            "a compressed frame has {} columns and {} rows, the file {} and {}",
            size.0, size.1, layout.columns, layout.rows
        )));
    }
    check_room(1, bytes, layout)
}

/// Whether so many bytes can hold so many frames.
pub(super) fn check_room(frames: usize, bytes: usize, layout: &Layout) -> Result<(), ScanError> {
    let pixels = layout.pixels().saturating_mul(frames);
    if pixels <= FEW_PIXELS.max(bytes.saturating_mul(MOST_PACKED)) {
        return Ok(());
    }
    let (rows, columns) = (layout.rows, layout.columns);
    Err(ScanError::bad_dicom(&format!(
        "{bytes} bytes cannot hold {frames} frames of {rows} rows and {columns} columns"
    )))
}

fn damaged(name: &str, error: &dyn std::fmt::Display) -> ScanError {
    ScanError::bad_dicom(&format!("damaged {name} pixels: {error}"))
}

fn jpeg(bytes: &[u8], layout: &Layout) -> Result<Vec<u32>, ScanError> {
    let broken = |e: jpeg_decoder::Error| damaged("JPEG", &e);
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    match layout.photometric {
        Photometric::Rgb => decoder.set_color_transform(ColorTransform::RGB),
        Photometric::Ybr => decoder.set_color_transform(ColorTransform::YCbCr),
        _ => {}
    }
    decoder.read_info().map_err(broken)?;
    let info = decoder.info();
    let info = info.ok_or_else(|| damaged("JPEG", &"there is no picture"))?;
    let size = (usize::from(info.width), usize::from(info.height));
    check_size(size, bytes.len(), layout)?;
    let decoded = decoder.decode().map_err(broken)?;
    let expected = layout.pixels() * layout.samples;
    let samples: Vec<u32> = match decoded.len() {
        len if len == 2 * expected => {
            let words = decoded.as_chunks::<2>().0.iter();
            words.map(|w| u32::from(u16::from_ne_bytes(*w))).collect()
        }
        _ => decoded.into_iter().map(u32::from).collect(),
    };
    check(samples.len(), layout)?;
    Ok(samples)
}

fn jpeg2000(bytes: &[u8], layout: &Layout) -> Result<Vec<u32>, ScanError> {
    let broken = |e: hayro_jpeg2000::DecodeError| damaged("JPEG 2000", &e);
    let signed = is_signed(bytes);
    let image = Image::new(bytes, &DecodeSettings::default()).map_err(broken)?;
    let size = (image.width() as usize, image.height() as usize);
    check_size(size, bytes.len(), layout)?;
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(broken)?;
    let components = decoded.components();
    let planes = components.iter().map(|c| c.samples());
    let planes: Vec<&[f32]> = planes.take(layout.samples).collect();
    check(planes.iter().map(|p| p.len()).sum(), layout)?;
    // The crate moves all values up by half their range, which the format does to unsigned ones only.
    let depth = components.first().map_or(1, |c| c.bit_depth());
    let shift = match signed {
        true => 2f32.powi(i32::from(depth) - 1),
        false => 0.0,
    };
    let sample = |value: f32| ((value - shift).round() as i32).cast_unsigned();
    let pixels = 0..layout.pixels();
    Ok(pixels
        .flat_map(|p| planes.iter().map(move |plane| sample(plane[p])))
        .collect())
}

/// Whether the first component of a code stream has signed values: the top bit of the byte after the sizes.
fn is_signed(bytes: &[u8]) -> bool {
    const MARKER: [u8; 4] = [0xff, 0x4f, 0xff, 0x51];
    const DEPTH: usize = 42;
    let start = bytes.windows(4).position(|w| w == MARKER);
    let depth = start.and_then(|start| bytes.get(start + DEPTH));
    depth.is_some_and(|depth| depth & 0x80 != 0)
}

/// Planes of bytes, the highest of each sample first, each packed in runs (PS3.5, annex G).
fn run_lengths(bytes: &[u8], layout: &Layout) -> Result<Vec<f64>, ScanError> {
    check_size((layout.columns, layout.rows), bytes.len(), layout)?;
    let short = || damaged("run-length coded", &"the frame ends too early");
    let word = |at: usize| {
        let word = bytes.get(4 * at..)?.first_chunk::<4>()?;
        Some(u32::from_le_bytes(*word) as usize)
    };
    let planes = layout.samples * layout.sample_bytes();
    let count = word(0).ok_or_else(short)?;
    if count != planes {
        let what = format!("{count} planes instead of {planes}");
        return Err(damaged("run-length coded", &what));
    }
    let mut samples = vec![0u32; layout.pixels() * layout.samples];
    for plane in 0..planes {
        let begin = word(plane + 1).ok_or_else(short)?;
        let end = match plane + 1 < planes {
            true => word(plane + 2).ok_or_else(short)?,
            false => bytes.len(),
        };
        let packed = bytes.get(begin..end).ok_or_else(short)?;
        let (sample, byte) = (plane / layout.sample_bytes(), plane % layout.sample_bytes());
        let shift = 8 * (layout.sample_bytes() - 1 - byte);
        let places = samples.iter_mut().skip(sample).step_by(layout.samples);
        let mut unpacked = PackBits::new(packed);
        for place in places {
            *place |= u32::from(unpacked.next().ok_or_else(short)?) << shift;
        }
    }
    // The planes were laid pixel by pixel above, whatever the file says.
    Ok(layout.interleaved().native_values(&samples))
}

/// Bytes out of runs: a count and a byte to repeat, or a count and bytes to copy.
struct PackBits<'a> {
    rest: std::slice::Iter<'a, u8>,
    /// What is left of the current run, and its byte if it repeats one.
    left: usize,
    repeated: Option<u8>,
}

impl<'a> PackBits<'a> {
    fn new(packed: &'a [u8]) -> Self {
        Self {
            rest: packed.iter(),
            left: 0,
            repeated: None,
        }
    }
}

impl Iterator for PackBits<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        while self.left == 0 {
            match self.rest.next()?.cast_signed() {
                i8::MIN => {}
                count @ 0.. => (self.left, self.repeated) = (count as usize + 1, None),
                count => {
                    self.left = usize::from(count.unsigned_abs()) + 1;
                    self.repeated = Some(*self.rest.next()?);
                }
            }
        }
        self.left -= 1;
        self.repeated.or_else(|| self.rest.next().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_unpacked() {
        let packed = [
            0xfe, 0xaa, 0x02, 0x80, 0x00, 0x2a, 0x80, 0xfd, 0x07, 0x00, 0x22,
        ];
        let unpacked: Vec<u8> = PackBits::new(&packed).collect();
        assert_eq!(
            unpacked,
            [0xaa, 0xaa, 0xaa, 0x80, 0x00, 0x2a, 7, 7, 7, 7, 0x22]
        );
        // A run that is not there ends it.
        assert_eq!(PackBits::new(&[0x05, 1, 2]).count(), 2);
        assert_eq!(PackBits::new(&[0xfe]).count(), 0);
    }
}
