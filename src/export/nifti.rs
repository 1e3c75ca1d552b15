//! NIfTI-1 out. In: a label map or a volume, and the header of the scan it belongs to. Out: the bytes of a
//! .nii.gz file (single file, little endian) that lies exactly on that scan.
//!
//! Dimensions, voxel sizes, units, qform, sform and description are the scan's, bit for bit; what describes
//! the values (type, scaling, display range, intent) is written anew. Of a scan with several volumes the file
//! gets the dimensions of one.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::error::ExportError;
use crate::scan::nifti::{HEADER_LEN, Template};
use crate::volume::{Grid, LabelMap, Volume};

/// Byte of the first voxel: the header and four bytes that announce no extension.
const FIRST_VOXEL: usize = HEADER_LEN + 4;
/// Bytes given to the compressor at a time.
const PIECE: usize = 1 << 16;

/// Writes `labels` like the scan whose header is `like`: as 8-bit numbers when they fit, else as 16-bit ones.
///
/// # Errors
/// `OtherGrid` when the dimensions are not the header's.
pub fn write(labels: &LabelMap, like: &Template) -> Result<Vec<u8>, ExportError> {
    check(&labels.grid, labels.labels.len(), like)?;
    match labels.labels.iter().max() {
        Some(largest) if *largest > u16::from(u8::MAX) => {
            let values = labels.labels.iter().flat_map(|l| l.to_le_bytes());
            pack(header(like, Stored::Uint16), values)
        }
        _ => {
            let values = labels.labels.iter().map(|l| *l as u8);
            pack(header(like, Stored::Uint8), values)
        }
    }
}

/// Writes `volume` like the scan whose header is `like`: as 16-bit numbers when all values are whole and fit,
/// else as 32-bit floats.
///
/// # Errors
/// `OtherGrid` when the dimensions are not the header's.
pub fn write_volume(volume: &Volume, like: &Template) -> Result<Vec<u8>, ExportError> {
    check(&volume.grid, volume.voxels.len(), like)?;
    if volume.voxels.iter().all(|v| f32::from(*v as i16) == *v) {
        let values = volume.voxels.iter().flat_map(|v| (*v as i16).to_le_bytes());
        pack(header(like, Stored::Int16), values)
    } else {
        let values = volume.voxels.iter().flat_map(|v| v.to_le_bytes());
        pack(header(like, Stored::Float32), values)
    }
}

/// The same without compression, for a program on the same machine.
///
/// # Errors
/// `OtherGrid` when the dimensions are not the header's.
pub fn plain_volume(volume: &Volume, like: &Template) -> Result<Vec<u8>, ExportError> {
    check(&volume.grid, volume.voxels.len(), like)?;
    let whole = volume.voxels.iter().all(|v| f32::from(*v as i16) == *v);
    let (stored, width) = match whole {
        true => (Stored::Int16, 2),
        false => (Stored::Float32, 4),
    };
    let mut bytes = Vec::with_capacity(FIRST_VOXEL + width * volume.voxels.len());
    bytes.extend(header(like, stored));
    bytes.resize(FIRST_VOXEL, 0);
    match whole {
        true => bytes.extend(volume.voxels.iter().flat_map(|v| (*v as i16).to_le_bytes())),
        false => bytes.extend(volume.voxels.iter().flat_map(|v| v.to_le_bytes())),
    }
    Ok(bytes)
}

/// A header for data that never had a file: `grid` as sform (scanner coordinates), in millimetres.
///
/// # Errors
/// `TooLarge` for more than 32767 voxels along an axis.
pub fn template(grid: &Grid) -> Result<Template, ExportError> {
    Template::for_grid(grid).map_err(|_| ExportError::too_large(grid.dims))
}

/// How values are stored.
#[derive(Clone, Copy)]
enum Stored {
    Uint8,
    Int16,
    Uint16,
    Float32,
}

impl Stored {
    /// NIfTI's code of the type and its width in bits.
    fn code_bits(self) -> (i16, i16) {
        match self {
            Self::Uint8 => (2, 8),
            Self::Int16 => (4, 16),
            Self::Uint16 => (512, 16),
            Self::Float32 => (16, 32),
        }
    }
}

fn check(grid: &Grid, values: usize, like: &Template) -> Result<(), ExportError> {
    if grid.dims == like.dims() && values == grid.voxel_count() {
        Ok(())
    } else {
        Err(ExportError::other_grid(grid.dims, values, like.dims()))
    }
}

fn header(like: &Template, stored: Stored) -> [u8; HEADER_LEN] {
    let mut bytes = like.little_endian();
    let mut put =
        |place: usize, value: &[u8]| bytes[place..place + value.len()].copy_from_slice(value);
    let (code, bits) = stored.code_bits();
    if like.volumes() > 1 {
        put(40, &3i16.to_le_bytes());
        for axis in 4..8 {
            put(40 + 2 * axis, &1i16.to_le_bytes());
        }
    }
    put(56, &[0; 14]); // intent_p1 to intent_p3, intent_code
    put(70, &code.to_le_bytes());
    put(72, &bits.to_le_bytes());
    put(108, &(FIRST_VOXEL as f32).to_le_bytes());
    put(112, &1f32.to_le_bytes()); // scl_slope
    put(116, &0f32.to_le_bytes()); // scl_inter
    put(124, &[0; 8]); // cal_max, cal_min
    put(140, &[0; 8]); // glmax, glmin
    put(328, &[0; 16]); // intent_name
    put(344, b"n+1\0");
    bytes
}

fn pack(
    header: [u8; HEADER_LEN],
    values: impl Iterator<Item = u8>,
) -> Result<Vec<u8>, ExportError> {
    pack_io(&header, values).map_err(|error| ExportError::compression(&error))
}

fn pack_io(header: &[u8], mut values: impl Iterator<Item = u8>) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(header)?;
    encoder.write_all(&[0; FIRST_VOXEL - HEADER_LEN])?;
    // Piece by piece, so that no second copy of the values stands in memory.
    let mut piece = Vec::with_capacity(PIECE);
    loop {
        piece.extend(values.by_ref().take(PIECE));
        if piece.is_empty() {
            return encoder.finish();
        }
        encoder.write_all(&piece)?;
        piece.clear();
    }
}
