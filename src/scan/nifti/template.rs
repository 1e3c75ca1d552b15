//! The 348 bytes of a NIfTI-1 header, kept to write a file that lies exactly on the one that was read. In: the
//! bytes as stored. Out: the same fields, bit for bit, in little-endian order.

use crate::scan::error::ScanError;
use crate::volume::Grid;

/// Bytes of a NIfTI-1 header.
pub const HEADER_LEN: usize = 348;

/// Places, widths and counts of the header's fields that are wider than one byte.
const WIDE_FIELDS: [(usize, usize, usize); 14] = [
    (0, 4, 1),    // sizeof_hdr
    (32, 4, 1),   // extents
    (36, 2, 1),   // session_error
    (40, 2, 8),   // dim
    (56, 4, 3),   // intent_p1 to intent_p3
    (68, 2, 4),   // intent_code, datatype, bitpix, slice_start
    (76, 4, 8),   // pixdim
    (108, 4, 3),  // vox_offset, scl_slope, scl_inter
    (120, 2, 1),  // slice_end
    (124, 4, 4),  // cal_max, cal_min, slice_duration, toffset
    (140, 4, 2),  // glmax, glmin
    (252, 2, 2),  // qform_code, sform_code
    (256, 4, 6),  // quatern_b to quatern_d, qoffset_x to qoffset_z
    (280, 4, 12), // srow_x, srow_y, srow_z
];

/// A header that was read, or made for a grid, to write files like it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    header: [u8; HEADER_LEN],
    dims: [usize; 3],
    volumes: usize,
}

impl Template {
    /// A template from a header as stored, the dimensions of one of its volumes, and their number.
    pub(crate) fn new(
        mut header: [u8; HEADER_LEN],
        big_endian: bool,
        dims: [usize; 3],
        volumes: usize,
    ) -> Self {
        if big_endian {
            for (place, width, count) in WIDE_FIELDS {
                for value in header[place..place + width * count].chunks_exact_mut(width) {
                    value.reverse();
                }
            }
        }
        Self {
            header,
            dims,
            volumes,
        }
    }

    /// A header for a scan that had none of this format: `grid` as sform (scanner coordinates), in millimetres.
    ///
    /// # Errors
    /// `TooLarge` for more than 32767 voxels along an axis.
    pub fn for_grid(grid: &Grid) -> Result<Self, ScanError> {
        Self::made(grid, 0)
    }

    /// The same for values of the type that `code` names.
    pub(in crate::scan) fn made(grid: &Grid, code: i16) -> Result<Self, ScanError> {
        let mut bytes = [0; HEADER_LEN];
        let mut put =
            |place: usize, value: &[u8]| bytes[place..place + value.len()].copy_from_slice(value);
        put(0, &348i32.to_le_bytes());
        put(40, &3i16.to_le_bytes());
        for axis in 0..7 {
            let size = grid.dims.get(axis).map_or(Ok(1), |d| i16::try_from(*d));
            let size = size.map_err(|_| ScanError::too_long(grid.dims))?;
            put(42 + 2 * axis, &size.to_le_bytes());
            let step = grid.spacing.get(axis).map_or(1.0, |mm| mm.0);
            put(80 + 4 * axis, &(step as f32).to_le_bytes());
        }
        put(70, &code.to_le_bytes());
        put(76, &1f32.to_le_bytes());
        put(123, &[2]); // millimetres
        put(254, &1i16.to_le_bytes());
        for (at, value) in grid.affine.0[..3].iter().flatten().enumerate() {
            put(280 + 4 * at, &(*value as f32).to_le_bytes());
        }
        put(344, b"n+1\0");
        Ok(Self::new(bytes, false, grid.dims, 1))
    }

    /// The same for one of so many volumes.
    pub(in crate::scan) fn with_volumes(mut self, volumes: usize) -> Self {
        self.volumes = volumes;
        self
    }

    /// The header's bytes in little-endian order, every field as it was read.
    pub fn little_endian(&self) -> [u8; HEADER_LEN] {
        self.header
    }

    /// Voxels along i, j and k of one volume.
    pub fn dims(&self) -> [usize; 3] {
        self.dims
    }

    /// Number of volumes: more than one for a time series.
    pub fn volumes(&self) -> usize {
        self.volumes
    }

    /// The type in which voxels are stored, by its Rust name.
    pub fn type_name(&self) -> &'static str {
        match i16::from_le_bytes([self.header[70], self.header[71]]) {
            2 => "u8",
            256 => "i8",
            4 => "i16",
            512 => "u16",
            8 => "i32",
            768 => "u32",
            1024 => "i64",
            1280 => "u64",
            16 => "f32",
            64 => "f64",
            _ => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swaps_numbers_and_leaves_text() {
        let mut header = [0; HEADER_LEN];
        header[0..4].copy_from_slice(&348i32.to_be_bytes());
        header[42..44].copy_from_slice(&7i16.to_be_bytes());
        header[148..152].copy_from_slice(b"text");
        header[292..296].copy_from_slice(&(-1.25f32).to_be_bytes());
        header[344..].copy_from_slice(b"n+1\0");
        let little = Template::new(header, true, [7, 1, 1], 1).little_endian();
        assert_eq!(little[0..4], 348i32.to_le_bytes());
        assert_eq!(little[42..44], 7i16.to_le_bytes());
        assert_eq!(&little[148..152], b"text");
        assert_eq!(little[292..296], (-1.25f32).to_le_bytes());
        assert_eq!(&little[344..], b"n+1\0");
        let same = Template::new(little, false, [7, 1, 1], 1);
        assert_eq!(same.little_endian(), little);
    }
}
