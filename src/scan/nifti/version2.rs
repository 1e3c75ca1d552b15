//! NIfTI-2: the same header with wider numbers in other places. In: 540 bytes. Out: its fields.

use nifti::Endianness;

use super::affine::Transform;
use super::header::{Fields, scaling};
use crate::scan::error::ScanError;

/// Bytes of a NIfTI-2 header.
pub(super) const HEADER_LEN: usize = 540;
/// Where voxels of a single file start when its header says nothing.
const FIRST_VOXEL: i64 = 544;
/// What follows the four bytes of the magic proper, to show damage by transfer as text.
const LINE_ENDS: &[u8] = b"\r\n\x1a\n";

/// Whether a file begins with this version's header, and then whether its numbers are big-endian.
pub(super) fn is(bytes: &[u8]) -> Option<bool> {
    let size: [u8; 4] = bytes.get(..4)?.try_into().ok()?;
    match HEADER_LEN as i32 {
        len if i32::from_le_bytes(size) == len => Some(false),
        len if i32::from_be_bytes(size) == len => Some(true),
        _ => None,
    }
}

/// The fields, and whether the voxels are in another file.
pub(super) fn fields(
    bytes: &[u8; HEADER_LEN],
    big_endian: bool,
) -> Result<(Fields, bool), ScanError> {
    let magic = &bytes[4..12];
    let apart = match &magic[..4] {
        b"n+2\0" if magic[4..] == *LINE_ENDS => false,
        b"ni2\0" if magic[4..] == *LINE_ENDS => true,
        _ => return Err(ScanError::bad_magic(magic)),
    };
    let at = At { bytes, big_endian };
    let first = if apart { 0 } else { FIRST_VOXEL };
    let offset = match i64::from_le_bytes(at.word(168)) {
        0 => first,
        offset if offset >= first && offset <= i64::from(i32::MAX) => offset,
        offset => return Err(ScanError::bad_offset(offset as f32)),
    };
    let (slope, inter) = scaling(at.float(176) as f32, at.float(184) as f32)?;
    let row = |place: usize| [0, 8, 16, 24].map(|column| at.float(place + column));
    let fields = Fields {
        dim: std::array::from_fn(|i| i64::from_le_bytes(at.word(16 + 8 * i))),
        datatype: i16::from_le_bytes(at.word(12)),
        endianness: match big_endian {
            true => Endianness::Big,
            false => Endianness::Little,
        },
        transform: Transform {
            sform_code: i32::from_le_bytes(at.word(348)),
            qform_code: i32::from_le_bytes(at.word(344)),
            pixdim: std::array::from_fn(|i| at.float(104 + 8 * i)),
            quatern: [352, 360, 368].map(|place| at.float(place)),
            offset: [376, 384, 392].map(|place| at.float(place)),
            srow: [400, 432, 464].map(row),
        },
        slope,
        inter,
        offset: offset as u64,
    };
    Ok((fields, apart))
}

struct At<'a> {
    bytes: &'a [u8; HEADER_LEN],
    big_endian: bool,
}

impl At<'_> {
    /// A number's bytes, the lowest first. Places are within the header.
    fn word<const N: usize>(&self, place: usize) -> [u8; N] {
        let mut word = [0; N];
        word.copy_from_slice(&self.bytes[place..place + N]);
        if self.big_endian {
            word.reverse();
        }
        word
    }

    fn float(&self, place: usize) -> f64 {
        f64::from_le_bytes(self.word(place))
    }
}
