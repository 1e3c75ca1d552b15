//! Whether values are shown and compared as they should be. In: windows and grey values. Out: what is wrong.

use super::support::GreySlice;
use crate::propagate::error::{SessionError, SessionErrorKind, out_of_range};
use crate::volume::{Volume, VoxelAxis, Window};

/// How far two scans' shares of negative values may be apart. Hounsfield units have about a half below zero, magnetic
/// resonance nothing, and the same kind of scan differs by less than this.
const SHARE_BELOW_ZERO: f32 = 0.25;

/// Checks, of the automatic windows of a support's scan and of a query's, whether both can be of one kind.
///
/// What is told apart are scans with negative values, such as Hounsfield units, and scans without. Scans of arbitrary
/// units differ in range even where they are of one kind, so no more is asked of them.
///
/// # Errors
/// `ValueRange`.
pub fn same_kind(support: Window, query: Window) -> Result<(), SessionError> {
    let below = |w: Window| (-w.lo).clamp(0.0, w.hi - w.lo) / (w.hi - w.lo);
    if (below(support) - below(query)).abs() <= SHARE_BELOW_ZERO {
        return Ok(());
    }
    let range = |w: Window| format!("{} to {}", w.lo, w.hi);
    let what = format!(
        "its values ({}) are of another kind than the support's ({})",
        range(query),
        range(support)
    );
    Err(SessionError::new(SessionErrorKind::ValueRange, what))
}

/// A slice in a window.
///
/// # Errors
/// `SliceOutOfRange`.
pub(super) fn grey_slice(
    volume: &Volume,
    axis: VoxelAxis,
    slice: usize,
    window: &Window,
) -> Result<GreySlice, SessionError> {
    let grey = volume.slice_u8(axis, slice, window).map_err(out_of_range)?;
    let shape = volume.slice_shape(axis);
    Ok(GreySlice { grey, shape })
}

/// The name of the grey that all pixels have, if they do.
pub(super) fn one_grey(mut grey: impl Iterator<Item = u8>) -> Option<&'static str> {
    let first = grey.next()?;
    let name = match first {
        0 => "black",
        255 => "white",
        _ => "of one grey",
    };
    grey.all(|g| g == first).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_their_negative_values() {
        let window = |(lo, hi)| Window::new(lo, hi).expect("a window");
        let (ct, soft, mr, faint) = (
            (-1000.0, 900.0),
            (-700.0, 800.0),
            (0.0, 1400.0),
            (3.0, 90.0),
        );
        for (a, b) in [(ct, soft), (mr, faint), (ct, ct), ((-20.0, 900.0), mr)] {
            assert!(same_kind(window(a), window(b)).is_ok(), "{a:?} {b:?}");
            assert!(same_kind(window(b), window(a)).is_ok(), "{b:?} {a:?}");
        }
        for (a, b) in [(ct, mr), (faint, soft), ((-900.0, -100.0), mr)] {
            let error = same_kind(window(a), window(b)).expect_err("two kinds");
            assert_eq!(error.kind(), SessionErrorKind::ValueRange);
            assert!(same_kind(window(b), window(a)).is_err());
        }
        let error = same_kind(window(ct), window(mr)).expect_err("two kinds");
        let said = "its values (0 to 1400) are of another kind than the support's (-1000 to 900)";
        assert_eq!(error.to_string(), said);
    }

    #[test]
    fn one_grey_has_a_name() {
        assert_eq!(one_grey([0, 0].into_iter()), Some("black"));
        assert_eq!(one_grey([255].into_iter()), Some("white"));
        assert_eq!(one_grey([9, 9].into_iter()), Some("of one grey"));
        assert_eq!(one_grey([9, 8].into_iter()), None);
    }
}
