//! The voxels of one volume. In: the unpacked bytes as they come. Out: rescaled floats, or labels; memory is
//! taken once, for the result.

use super::header::Header;
use super::source::Source;
use crate::scan::ScanError;

/// Bytes decoded at a time; a multiple of every type's width.
const PIECE: usize = 1 << 16;

/// The values of volume `volume`, rescaled by slope and intercept, in storage order.
pub(super) fn floats(
    source: &mut Source<'_>,
    header: &Header,
    volume: usize,
) -> Result<Vec<f32>, ScanError> {
    let mut values = reserve::<f32>(header)?;
    let mut bad = Bad::default();
    decode(source, header, volume, |value| {
        let value = value as f32;
        bad.check(value.is_finite(), values.len());
        values.push(value);
        Ok(())
    })?;
    bad.report(header)?;
    Ok(values)
}

/// The values of volume `volume` as labels, in storage order.
pub(super) fn labels(
    source: &mut Source<'_>,
    header: &Header,
    volume: usize,
) -> Result<Vec<u16>, ScanError> {
    let mut labels = reserve::<u16>(header)?;
    let mut bad = Bad::default();
    decode(source, header, volume, |value| {
        let label = value as u16;
        bad.check(value.is_finite(), labels.len());
        if value.is_finite() && f64::from(label) != value {
            return Err(ScanError::not_a_label(
                value,
                header.grid.voxel_at(labels.len()),
            ));
        }
        labels.push(label);
        Ok(())
    })?;
    bad.report(header)?;
    Ok(labels)
}

/// Voxels that are no number.
#[derive(Default)]
struct Bad {
    count: usize,
    first: usize,
}

impl Bad {
    fn check(&mut self, finite: bool, offset: usize) {
        if !finite {
            if self.count == 0 {
                self.first = offset;
            }
            self.count += 1;
        }
    }

    fn report(self, header: &Header) -> Result<(), ScanError> {
        match self.count {
            0 => Ok(()),
            count => Err(ScanError::not_finite(
                count,
                header.grid.voxel_at(self.first),
            )),
        }
    }
}

fn reserve<T>(header: &Header) -> Result<Vec<T>, ScanError> {
    let count = header.grid.voxel_count();
    let mut values = Vec::new();
    match values.try_reserve_exact(count) {
        Ok(()) => Ok(values),
        Err(_) => Err(ScanError::too_large(count as u128)),
    }
}

/// Gives every voxel's value to `each`, then reads on to the end of the file.
fn decode(
    source: &mut Source<'_>,
    header: &Header,
    volume: usize,
    mut each: impl FnMut(f64) -> Result<(), ScanError>,
) -> Result<(), ScanError> {
    let total = header.file_len();
    let mut left = header.volume_len();
    source.skip_to(header.offset + left * volume as u64, total)?;
    let mut piece = vec![0; PIECE];
    while left > 0 {
        let len = left.min(PIECE as u64) as usize;
        source.fill(&mut piece[..len], total)?;
        let mut rest = &piece[..len];
        while !rest.is_empty() {
            let value = header
                .datatype
                .read_primitive_value(&mut rest, header.endianness, header.slope, header.inter)
                .map_err(|_| ScanError::truncated(total, total - left))?;
            each(value)?;
        }
        left -= len as u64;
    }
    source.finish(total)
}
