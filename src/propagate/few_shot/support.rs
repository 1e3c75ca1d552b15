//! Labelled slices to learn from. In: a scan and its label map. Out: [`Support`]s, or why there is none.

use std::collections::BTreeMap;

use super::values::{grey_slice, one_grey};
use crate::propagate::error::{SessionError, SessionErrorKind, out_of_range};
use crate::volume::{
    Axis, LabelMap, Mask, Millimetre, SlicePlane, SliceShape, Volume, VoxelAxis, Window,
};

/// A slice of 8-bit grey values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GreySlice {
    /// Grey values, row-major, `shape.area()` of them.
    pub grey: Vec<u8>,
    /// Rows and columns.
    pub shape: SliceShape,
}

/// A labelled slice.
#[derive(Clone, Debug, PartialEq)]
pub struct Support {
    /// The slice as the model sees it.
    pub image: GreySlice,
    /// Each label's mask, of the image's shape; none is empty.
    pub masks: BTreeMap<u16, Mask>,
    /// Its number in its scan.
    pub slice: usize,
    /// Which way round it is stored.
    pub plane: SlicePlane,
    /// Height and width of a pixel.
    pub pixel: [Millimetre; 2],
}

/// A scan with its labels, to take supports from.
#[derive(Clone, Copy, Debug)]
pub struct SupportScan<'a> {
    volume: &'a Volume,
    labels: &'a LabelMap,
    axis: VoxelAxis,
    window: Window,
}

impl Support {
    /// A slice of a volume across `axis`, in a window, with its masks.
    ///
    /// # Errors
    /// `SliceOutOfRange`; `ValueRange` when the slice is of one grey in the window. The masks are checked where the
    /// support is used.
    pub fn new(
        volume: &Volume,
        axis: VoxelAxis,
        window: Window,
        slice: usize,
        masks: BTreeMap<u16, Mask>,
    ) -> Result<Self, SessionError> {
        let image = grey_slice(volume, axis, slice, &window)?;
        if let Some(grey) = one_grey(image.grey.iter().copied()) {
            let Window { lo, hi } = window;
            let what = format!("slice {slice} is all {grey} in the window {lo} to {hi}");
            let what = format!("{what}: the window is for another kind of scan");
            return Err(SessionError::new(SessionErrorKind::ValueRange, what));
        }
        Ok(Self {
            image,
            masks,
            slice,
            plane: SlicePlane::of(&volume.grid, axis),
            pixel: volume.grid.pixel(axis),
        })
    }

    /// # Errors
    /// `MaskSize` or `EmptyMask` for a mask that is not as it should be, `BackgroundLabel` for label 0.
    pub(super) fn check(&self) -> Result<(), SessionError> {
        use SessionErrorKind::{BackgroundLabel, EmptyMask, MaskSize};
        let slice = self.slice;
        let refuse = |kind, what: String| Err(SessionError::new(kind, what));
        for (&label, mask) in &self.masks {
            if mask.shape != self.image.shape {
                let what = format!("the mask of label {label} has another size than slice {slice}");
                return refuse(MaskSize, what);
            }
            if label == 0 {
                return refuse(BackgroundLabel, "label 0 is the background".into());
            }
            if mask.is_empty() {
                let what = format!("the mask of label {label} on slice {slice} is empty");
                return refuse(EmptyMask, what);
            }
        }
        Ok(())
    }
}

impl<'a> SupportScan<'a> {
    /// A scan, its label map on the same grid, the axis across which it is cut, and the values shown from black to
    /// white.
    pub fn new(volume: &'a Volume, labels: &'a LabelMap, axis: Axis, window: Window) -> Self {
        Self {
            volume,
            labels,
            axis: axis.of(&volume.grid),
            window,
        }
    }

    /// One slice with the labels on it, or with `only` this one.
    ///
    /// # Errors
    /// `SliceOutOfRange`; `EmptyMask` when no such label is there; `ValueRange` when the slice is of one grey in the
    /// window.
    pub fn slice(&self, slice: usize, only: Option<u16>) -> Result<Support, SessionError> {
        let found = self.labels.slice(self.axis, slice).map_err(out_of_range)?;
        let mut labels: Vec<u16> = match only {
            Some(label) => vec![label],
            None => found.iter().copied().filter(|&l| l != 0).collect(),
        };
        labels.sort_unstable();
        labels.dedup();
        labels.retain(|label| found.contains(label));
        if labels.is_empty() {
            let what = match only {
                Some(label) => format!("label {label} has no pixel on slice {slice}"),
                None => format!("no label has a pixel on slice {slice}"),
            };
            return Err(SessionError::new(SessionErrorKind::EmptyMask, what));
        }
        self.support(slice, &labels)
    }

    /// For each label (or `only` this one) the slice where it is largest; labels that share it share the support.
    ///
    /// # Errors
    /// `EmptyMask` when there is no such label; `ValueRange` as [`slice`](Self::slice).
    pub fn largest(&self, only: Option<u16>) -> Result<Vec<Support>, SessionError> {
        let labels = match only {
            Some(label) => vec![label],
            None => self.labels.labels_present(),
        };
        let mut slices: BTreeMap<usize, Vec<u16>> = BTreeMap::new();
        for label in labels {
            if let Some(slice) = self.labels.largest_slice(self.axis, label) {
                slices.entry(slice).or_default().push(label);
            }
        }
        if slices.is_empty() {
            let what = match only {
                Some(label) => {
                    let present = self.labels.labels_present();
                    format!("there is no label {label}; there are {present:?}")
                }
                None => "the mask is empty".into(),
            };
            return Err(SessionError::new(SessionErrorKind::EmptyMask, what));
        }
        slices
            .iter()
            .map(|(&slice, labels)| self.support(slice, labels))
            .collect()
    }

    fn support(&self, slice: usize, labels: &[u16]) -> Result<Support, SessionError> {
        let mask = |&label: &u16| {
            let mask = self.labels.slice_mask(self.axis, slice, label);
            Ok((label, mask.map_err(out_of_range)?))
        };
        let masks = labels.iter().map(mask).collect::<Result<_, _>>()?;
        Support::new(self.volume, self.axis, self.window, slice, masks)
    }
}

#[cfg(test)]
mod tests {
    use super::super::lay::Frame;
    use super::*;
    use crate::volume::Grid;
    use crate::volume::phantom::{LIVER, phantom};

    fn window(lo: f32, hi: f32) -> Window {
        Window::new(lo, hi).expect("a window")
    }

    fn refusal<T: std::fmt::Debug>(found: Result<T, SessionError>) -> (SessionErrorKind, String) {
        let error = found.expect_err("no support");
        (error.kind(), error.to_string())
    }

    #[test]
    fn each_label_gives_its_largest_slice() {
        let (volume, labels) = phantom([48, 40, 10]);
        let scan = SupportScan::new(&volume, &labels, Axis::Axial, Window::auto(&volume));
        let supports = scan.largest(None).expect("organs");
        let mut seen: Vec<u16> = Vec::new();
        for support in &supports {
            for (&label, mask) in &support.masks {
                let axis = Axis::Axial.of(&labels.grid);
                assert_eq!(labels.largest_slice(axis, label), Some(support.slice));
                let expected = labels.slice_mask(axis, support.slice, label);
                assert_eq!(*mask, expected.expect("in range"));
                seen.push(label);
            }
        }
        seen.sort_unstable();
        assert_eq!(seen, labels.labels_present());
        let one = scan.largest(Some(LIVER)).expect("a liver");
        assert_eq!(one.len(), 1);
        assert!(one[0].masks.keys().eq([&LIVER]));
    }

    #[test]
    fn a_slice_gives_all_its_labels_or_the_one_asked_for() {
        let (volume, labels) = phantom([48, 40, 10]);
        let scan = SupportScan::new(&volume, &labels, Axis::Axial, Window::auto(&volume));
        let all = scan.slice(3, None).expect("organs");
        assert!(all.masks.len() > 2 && all.masks.values().all(|m| !m.is_empty()));
        let one = scan.slice(3, Some(LIVER)).expect("a liver");
        assert!(one.masks.keys().eq([&LIVER]) && one.masks[&LIVER] == all.masks[&LIVER]);
    }

    #[test]
    fn what_is_no_support_is_said() {
        use SessionErrorKind::{EmptyMask, SliceOutOfRange, ValueRange};
        let (volume, labels) = phantom([48, 40, 10]);
        let empty = LabelMap::empty(labels.grid.clone());
        let auto = Window::auto(&volume);
        let scan = SupportScan::new(&volume, &labels, Axis::Axial, auto);
        let (kind, what) = refusal(scan.slice(3, Some(99)));
        assert_eq!(
            (kind, what.as_str()),
            (EmptyMask, "label 99 has no pixel on slice 3")
        );
        assert_eq!(refusal(scan.slice(10, None)).0, SliceOutOfRange);
        assert!(
            refusal(scan.largest(Some(99)))
                .1
                .contains("there is no label 99; there are [1, ")
        );
        let unlabelled = SupportScan::new(&volume, &empty, Axis::Axial, auto);
        assert_eq!(
            refusal(unlabelled.largest(None)),
            (EmptyMask, "the mask is empty".into())
        );
        let what = refusal(unlabelled.slice(3, None)).1;
        assert_eq!(what, "no label has a pixel on slice 3");
        let far = SupportScan::new(&volume, &labels, Axis::Axial, window(5000.0, 9000.0));
        let (kind, what) = refusal(far.slice(3, None));
        assert_eq!(kind, ValueRange);
        assert!(
            what.starts_with("slice 3 is all black in the window 5000 to 9000"),
            "{what}"
        );
    }

    #[test]
    fn a_turned_support_keeps_its_masks_on_its_picture() {
        let (volume, labels) = phantom([48, 40, 10]);
        let scan = SupportScan::new(&volume, &labels, Axis::Axial, Window::auto(&volume));
        let support = scan.slice(3, None).expect("organs");
        let mut frame = Frame::of(&volume, Axis::Axial.of(&volume.grid));
        assert_eq!(support.laid(&frame), support);
        // The same slices, mirrored and with rows for columns.
        let mut affine = volume.grid.affine;
        for row in &mut affine.0[..3] {
            (row[0], row[1]) = (row[1], -row[0]);
        }
        let grid = Grid::new([40, 48, 10], affine).expect("a grid");
        frame.plane = SlicePlane::of(&grid, Axis::Axial.of(&grid));
        (frame.pixel, frame.shape) = (grid.pixel(VoxelAxis::K), SliceShape { rows: 48, cols: 40 });
        let turned = support.laid(&frame);
        assert_eq!(turned.image.shape, frame.shape);
        let mean = |s: &Support, label: u16| {
            let inside = s.masks[&label].pixels.iter().zip(&s.image.grey);
            let greys = inside
                .filter(|(inside, _)| **inside)
                .map(|(_, &g)| u32::from(g));
            greys.sum::<u32>()
        };
        for &label in support.masks.keys() {
            assert_eq!(mean(&turned, label), mean(&support, label));
        }
    }
}
