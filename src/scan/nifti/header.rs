//! A checked NIfTI-1 header. In: 348 bytes. Out: what the voxel decoder needs, every size within bounds.

use nifti::{Endianness, NiftiHeader, NiftiType};

use super::affine;
use super::template::{HEADER_LEN, Template};
use crate::scan::ScanError;
use crate::volume::Grid;

/// Where voxels of a single file start when its header says nothing: after the header and four bytes.
const FIRST_VOXEL: u64 = 352;

pub(super) struct Header {
    /// As stored.
    bytes: [u8; HEADER_LEN],
    big_endian: bool,
    /// The lattice of one volume.
    pub(super) grid: Grid,
    /// Volumes one after the other: the product of the dimensions beyond the third.
    pub(super) volumes: usize,
    pub(super) datatype: NiftiType,
    pub(super) endianness: Endianness,
    /// Slope and intercept; a slope of zero means none.
    pub(super) slope: f32,
    pub(super) inter: f32,
    /// Byte of the first voxel.
    pub(super) offset: u64,
}

impl Header {
    /// What is kept to write files like this one.
    pub(super) fn template(&self) -> Template {
        Template::new(self.bytes, self.big_endian, self.grid.dims, self.volumes)
    }

    /// Bytes of one volume.
    pub(super) fn volume_len(&self) -> u64 {
        self.grid.voxel_count() as u64 * self.datatype.size_of() as u64
    }

    /// Bytes of the whole unpacked file.
    pub(super) fn file_len(&self) -> u64 {
        self.offset + self.volume_len() * self.volumes as u64
    }
}

pub(super) fn parse(bytes: [u8; HEADER_LEN]) -> Result<Header, ScanError> {
    match &bytes[344..] {
        b"n+1\0" => {}
        b"ni1\0" => return Err(ScanError::header_only()),
        magic => return Err(ScanError::bad_magic(magic)),
    }
    let big_endian = bytes[..4] == 348i32.to_be_bytes();
    let dim = dims_as_stored(&bytes, big_endian);
    if !(1..=7).contains(&dim[0]) {
        return Err(ScanError::bad_rank(dim[0]));
    }
    // The crate takes the byte order from dim[0] and fails on a bad magic only: both are checked above.
    let fields = NiftiHeader::from_reader(bytes.as_slice())
        .map_err(|_| ScanError::bad_magic(&bytes[344..]))?;
    let datatype = number_type(&fields)?;
    let (dims, volumes) = shape(&dim, datatype)?;
    let (affine, source) = affine::of(&fields);
    let grid = Grid::new(dims, affine).map_err(|error| ScanError::bad_affine(source, &error))?;
    let (slope, inter) = scaling(&fields)?;
    Ok(Header {
        bytes,
        big_endian,
        grid,
        volumes,
        datatype,
        endianness: fields.endianness,
        slope,
        inter,
        offset: voxel_offset(fields.vox_offset)?,
    })
}

/// The field `dim` with its sign, which the crate does not keep.
fn dims_as_stored(bytes: &[u8; HEADER_LEN], big_endian: bool) -> [i16; 8] {
    std::array::from_fn(|i| {
        let value = [bytes[40 + 2 * i], bytes[41 + 2 * i]];
        if big_endian {
            i16::from_be_bytes(value)
        } else {
            i16::from_le_bytes(value)
        }
    })
}

/// The dimensions of one volume and the number of volumes; the whole must be countable in bytes.
fn shape(dim: &[i16; 8], datatype: NiftiType) -> Result<([usize; 3], usize), ScanError> {
    let mut sizes = [1usize; 7];
    for (i, size) in dim.iter().enumerate().skip(1).take(dim[0] as usize) {
        sizes[i - 1] = match usize::try_from(*size) {
            Ok(size) if size > 0 => size,
            _ => return Err(ScanError::bad_dimension(i, *size)),
        };
    }
    // Seven dimensions of at most 2^15 fit in 128 bits.
    let total = sizes.iter().map(|s| *s as u128).product::<u128>();
    let bytes = total * datatype.size_of() as u128;
    let one = sizes[..3].iter().map(|s| *s as u128).product::<u128>();
    if bytes > u128::from(u64::MAX / 2) || one > isize::MAX as u128 / 4 {
        return Err(ScanError::too_large(one));
    }
    let volumes = usize::try_from(total / one).map_err(|_| ScanError::too_large(total))?;
    Ok(([sizes[0], sizes[1], sizes[2]], volumes))
}

fn number_type(fields: &NiftiHeader) -> Result<NiftiType, ScanError> {
    use NiftiType::*;
    let unsupported = |name: &str| ScanError::unsupported_type(fields.datatype, name);
    match fields.data_type() {
        Ok(
            kind @ (Uint8 | Int8 | Uint16 | Int16 | Uint32 | Int32 | Uint64 | Int64 | Float32
            | Float64),
        ) => Ok(kind),
        Ok(Rgb24 | Rgba32) => Err(unsupported("RGB colour")),
        Ok(Complex64 | Complex128 | Complex256) => Err(unsupported("complex numbers")),
        Ok(Float128) => Err(unsupported("128-bit float")),
        Err(_) if fields.datatype == 1 => Err(unsupported("single bits")),
        Err(_) => Err(unsupported("unknown")),
    }
}

/// A slope of zero or NaN means that values are stored as they are.
fn scaling(fields: &NiftiHeader) -> Result<(f32, f32), ScanError> {
    let (slope, inter) = (fields.scl_slope, fields.scl_inter);
    if slope == 0.0 || slope.is_nan() {
        Ok((0.0, 0.0))
    } else if slope.is_finite() && inter.is_finite() {
        Ok((slope, inter))
    } else {
        Err(ScanError::bad_scaling(slope, inter))
    }
}

fn voxel_offset(stored: f32) -> Result<u64, ScanError> {
    if stored == 0.0 {
        return Ok(FIRST_VOXEL);
    }
    let possible =
        stored >= FIRST_VOXEL as f32 && stored <= i32::MAX as f32 && stored.fract() == 0.0;
    if possible {
        Ok(stored as u64)
    } else {
        Err(ScanError::bad_offset(stored))
    }
}
