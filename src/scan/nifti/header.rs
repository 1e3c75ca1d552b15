//! A checked NIfTI header. In: the first bytes of a file. Out: what the voxel decoder needs, every size within bounds.

use nifti::{Endianness, NiftiHeader, NiftiType};

use super::affine::{self, Transform};
use super::template::{HEADER_LEN, Template};
use super::version2;
use crate::scan::error::ScanError;
use crate::scan::source::Source;
use crate::scan::volumes::countable;
use crate::scan::voxels::Stored;
use crate::volume::Grid;

/// Where voxels of a single file start when its header says nothing: after the header and four bytes.
const FIRST_VOXEL: u64 = 352;

/// How a file's voxels are stored, and what is kept to write files like it.
#[derive(Debug)]
pub(in crate::scan) struct Header {
    pub(in crate::scan) stored: Stored,
    pub(in crate::scan) template: Template,
    /// Whether the voxels are in another file.
    pub(in crate::scan) apart: bool,
    pub(in crate::scan) version2: bool,
}

/// The fields of both versions, as they are to be checked.
pub(super) struct Fields {
    /// Number of dimensions, then their sizes.
    pub(super) dim: [i64; 8],
    pub(super) datatype: i16,
    pub(super) endianness: Endianness,
    pub(super) transform: Transform,
    pub(super) slope: f32,
    pub(super) inter: f32,
    /// Byte of the first voxel.
    pub(super) offset: u64,
}

/// Reads and checks the header, of either version.
pub(super) fn read(source: &mut Source<'_>) -> Result<Header, ScanError> {
    let mut first = [0; HEADER_LEN];
    source.fill(&mut first, HEADER_LEN as u64)?;
    if let Some(big_endian) = version2::is(&first) {
        let mut bytes = [0; version2::HEADER_LEN];
        bytes[..HEADER_LEN].copy_from_slice(&first);
        source.fill(&mut bytes[HEADER_LEN..], version2::HEADER_LEN as u64)?;
        let (fields, apart) = version2::fields(&bytes, big_endian)?;
        let stored = stored(&fields)?;
        let template = Template::made(&stored.grid, fields.datatype)?.with_volumes(stored.volumes);
        return Ok(Header {
            stored,
            template,
            apart,
            version2: true,
        });
    }
    version1(first)
}

fn version1(bytes: [u8; HEADER_LEN]) -> Result<Header, ScanError> {
    let apart = match &bytes[344..] {
        b"n+1\0" => false,
        b"ni1\0" => true,
        magic => return Err(ScanError::bad_magic(magic)),
    };
    let big_endian = bytes[..4] == 348i32.to_be_bytes();
    let dim = dims_as_stored(&bytes, big_endian).map(i64::from);
    check_rank(&dim)?;
    // The crate takes the byte order from dim[0] and fails on a bad magic only: both are checked above.
    let fields = NiftiHeader::from_reader(bytes.as_slice())
        .map_err(|_| ScanError::bad_magic(&bytes[344..]))?;
    let (slope, inter) = scaling(fields.scl_slope, fields.scl_inter)?;
    let fields = Fields {
        dim,
        datatype: fields.datatype,
        endianness: fields.endianness,
        transform: affine::of_version1(&fields),
        slope,
        inter,
        offset: voxel_offset(fields.vox_offset, apart)?,
    };
    let stored = stored(&fields)?;
    let template = Template::new(bytes, big_endian, stored.grid.dims, stored.volumes);
    Ok(Header {
        stored,
        template,
        apart,
        version2: false,
    })
}

fn stored(fields: &Fields) -> Result<Stored, ScanError> {
    check_rank(&fields.dim)?;
    let datatype = number_type(fields.datatype)?;
    let (dims, volumes) = shape(&fields.dim, datatype)?;
    let (affine, source) = affine::of(&fields.transform);
    let grid = Grid::new(dims, affine).map_err(|error| ScanError::bad_affine(source, &error))?;
    Ok(Stored {
        run: grid.voxel_count(),
        grid,
        volumes,
        datatype,
        endianness: fields.endianness,
        slope: fields.slope,
        inter: fields.inter,
        offset: fields.offset,
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

fn check_rank(dim: &[i64; 8]) -> Result<(), ScanError> {
    match dim[0] {
        1..=7 => Ok(()),
        rank => Err(ScanError::bad_rank(rank)),
    }
}

/// The dimensions of one volume and the number of volumes; the whole must be countable in bytes.
fn shape(dim: &[i64; 8], datatype: NiftiType) -> Result<([usize; 3], usize), ScanError> {
    let mut sizes = [1u64; 7];
    for (i, size) in dim.iter().enumerate().skip(1).take(dim[0] as usize) {
        sizes[i - 1] = match u64::try_from(*size) {
            Ok(size) if size > 0 => size,
            _ => return Err(ScanError::bad_dimension(i, *size)),
        };
    }
    let volumes = sizes[3..]
        .iter()
        .try_fold(1u64, |n, size| n.checked_mul(*size));
    let volumes = volumes.ok_or_else(|| ScanError::too_large(u128::MAX))?;
    let width = datatype.size_of() as u64;
    let dims = countable([sizes[0], sizes[1], sizes[2]], volumes, width)?;
    let volumes = usize::try_from(volumes);
    Ok((dims, volumes.map_err(|_| ScanError::too_large(u128::MAX))?))
}

fn number_type(code: i16) -> Result<NiftiType, ScanError> {
    use NiftiType::*;
    let unsupported = |name: &str| ScanError::unsupported_type(code, name);
    let header = NiftiHeader {
        datatype: code,
        ..NiftiHeader::default()
    };
    match header.data_type() {
        Ok(
            kind @ (Uint8 | Int8 | Uint16 | Int16 | Uint32 | Int32 | Uint64 | Int64 | Float32
            | Float64),
        ) => Ok(kind),
        Ok(Rgb24 | Rgba32) => Err(unsupported("RGB colour")),
        Ok(Complex64 | Complex128 | Complex256) => Err(unsupported("complex numbers")),
        Ok(Float128) => Err(unsupported("128-bit float")),
        Err(_) if code == 1 => Err(unsupported("single bits")),
        Err(_) => Err(unsupported("unknown")),
    }
}

/// A slope of zero or NaN means that values are stored as they are.
pub(super) fn scaling(slope: f32, inter: f32) -> Result<(f32, f32), ScanError> {
    if slope == 0.0 || slope.is_nan() {
        Ok((0.0, 0.0))
    } else if slope.is_finite() && inter.is_finite() {
        Ok((slope, inter))
    } else {
        Err(ScanError::bad_scaling(slope, inter))
    }
}

fn voxel_offset(stored: f32, apart: bool) -> Result<u64, ScanError> {
    let first = if apart { 0 } else { FIRST_VOXEL };
    if stored == 0.0 {
        return Ok(first);
    }
    let possible = stored >= first as f32 && stored <= i32::MAX as f32 && stored.fract() == 0.0;
    if possible {
        Ok(stored as u64)
    } else {
        Err(ScanError::bad_offset(stored))
    }
}
