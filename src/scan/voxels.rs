//! The voxels of one volume. In: the unpacked bytes as they come, and how numbers lie in them. Out: rescaled floats, or labels;
//! memory is taken once, for the result.

use nifti::{Endianness, NiftiType};

use super::error::ScanError;
use super::source::Source;
use super::volumes;
use crate::volume::Grid;

/// Bytes decoded at a time; a multiple of every type's width.
const PIECE: usize = 1 << 16;

/// Numbers in a row, as most formats store them.
#[derive(Debug)]
pub(super) struct Stored {
    /// The lattice of one volume.
    pub(super) grid: Grid,
    /// How many there are.
    pub(super) volumes: usize,
    /// How many voxels are next to one another before the next volume's: all, where volumes come one after the other; 1, where
    /// each voxel has a value for each volume.
    pub(super) run: usize,
    pub(super) datatype: NiftiType,
    pub(super) endianness: Endianness,
    /// Slope and intercept; a slope of zero means none.
    pub(super) slope: f32,
    pub(super) inter: f32,
    /// Byte of the first voxel.
    pub(super) offset: u64,
}

impl Stored {
    /// Bytes of one volume.
    fn volume_len(&self) -> u64 {
        self.grid.voxel_count() as u64 * self.datatype.size_of() as u64
    }

    /// Bytes of the whole unpacked file.
    pub(super) fn file_len(&self) -> u64 {
        self.offset + self.volume_len() * self.volumes as u64
    }

    /// The values of volume `volume`, rescaled by slope and intercept, in storage order.
    pub(super) fn floats(
        &self,
        source: &mut Source<'_>,
        volume: usize,
    ) -> Result<Vec<f32>, ScanError> {
        let mut values = volumes::reserve::<f32>(self.grid.voxel_count())?;
        let mut bad = Bad::default();
        self.decode(source, volume, |value| {
            bad.push(value, &mut values);
            Ok(())
        })?;
        bad.report(&self.grid)?;
        Ok(values)
    }

    /// The values of volume `volume` as labels, in storage order.
    pub(super) fn labels(
        &self,
        source: &mut Source<'_>,
        volume: usize,
    ) -> Result<Vec<u16>, ScanError> {
        let mut labels = volumes::reserve::<u16>(self.grid.voxel_count())?;
        let mut bad = Bad::default();
        self.decode(source, volume, |value| {
            bad.check(value.is_finite(), labels.len());
            labels.push(label(value, labels.len(), &self.grid)?);
            Ok(())
        })?;
        bad.report(&self.grid)?;
        Ok(labels)
    }

    /// Gives every value of a volume to `each`, then reads on to the end of the file.
    fn decode(
        &self,
        source: &mut Source<'_>,
        volume: usize,
        mut each: impl FnMut(f64) -> Result<(), ScanError>,
    ) -> Result<(), ScanError> {
        let total = self.file_len();
        let in_turn = self.run < self.grid.voxel_count();
        let (start, mut left) = match in_turn {
            true => (0, self.volume_len() * self.volumes as u64),
            false => (self.volume_len() * volume as u64, self.volume_len()),
        };
        source.skip_to(self.offset + start, total)?;
        let mut piece = vec![0; PIECE];
        let mut number = 0;
        while left > 0 {
            let len = left.min(PIECE as u64) as usize;
            source.fill(&mut piece[..len], total)?;
            let mut rest = &piece[..len];
            while !rest.is_empty() {
                let value = self
                    .datatype
                    .read_primitive_value(&mut rest, self.endianness, self.slope, self.inter)
                    .map_err(|_| ScanError::truncated(total, total - left))?;
                if !in_turn || number / self.run % self.volumes == volume {
                    each(value)?;
                }
                number += 1;
            }
            left -= len as u64;
        }
        source.finish(total)
    }
}

/// A value as a label; one that is not finite is counted elsewhere.
pub(super) fn label(value: f64, place: usize, grid: &Grid) -> Result<u16, ScanError> {
    let label = value as u16;
    match f64::from(label) == value || !value.is_finite() {
        true => Ok(label),
        false => Err(ScanError::not_a_label(value, grid.voxel_at(place))),
    }
}

/// Voxels that are no number.
#[derive(Default)]
pub(super) struct Bad {
    count: usize,
    first: usize,
}

impl Bad {
    /// Adds a value to those of a volume.
    pub(super) fn push(&mut self, value: f64, values: &mut Vec<f32>) {
        let value = value as f32;
        self.check(value.is_finite(), values.len());
        values.push(value);
    }

    fn check(&mut self, finite: bool, offset: usize) {
        if !finite {
            if self.count == 0 {
                self.first = offset;
            }
            self.count += 1;
        }
    }

    pub(super) fn report(self, grid: &Grid) -> Result<(), ScanError> {
        match self.count {
            0 => Ok(()),
            count => Err(ScanError::not_finite(count, grid.voxel_at(self.first))),
        }
    }
}
