//! What all readers do alike. In: how many volumes and voxels a file has. Out: the one to read, and memory for it.

use super::error::ScanError;

/// The volume to read of `count`.
pub(super) fn choose(chosen: Option<usize>, count: usize) -> Result<usize, ScanError> {
    match chosen {
        None if count == 1 => Ok(0),
        None => Err(ScanError::choose_volume(count)),
        Some(volume) if volume < count => Ok(volume),
        Some(volume) => Err(ScanError::no_such_volume(volume, count)),
    }
}

/// Memory for so many values, or word that there is not so much.
pub(super) fn reserve<T>(count: usize) -> Result<Vec<T>, ScanError> {
    let mut values = Vec::new();
    match values.try_reserve_exact(count) {
        Ok(()) => Ok(values),
        Err(_) => Err(ScanError::too_large(count as u128)),
    }
}

/// Voxels of one volume and their bytes, unless they are more than memory has addresses; each size is at least 1.
pub(super) fn countable(dims: [u64; 3], volumes: u64, width: u64) -> Result<[usize; 3], ScanError> {
    let one = dims
        .iter()
        .try_fold(1u128, |n, d| n.checked_mul(u128::from(*d)));
    let one = one.ok_or_else(|| ScanError::too_large(u128::MAX))?;
    let bytes = one
        .saturating_mul(u128::from(volumes))
        .saturating_mul(u128::from(width));
    if bytes > u128::from(u64::MAX / 2) || one > isize::MAX as u128 / 4 {
        return Err(ScanError::too_large(one));
    }
    // Each is at most their product, which has an address.
    Ok(dims.map(|d| d as usize))
}
