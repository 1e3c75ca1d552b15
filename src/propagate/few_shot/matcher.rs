//! Which support a query slice is most like.

use std::cell::Cell;
use std::sync::Arc;

use burn::tensor::Tensor;

use super::likeness::{SIDE, Square, psnr, ssim};
use super::support::GreySlice;
use crate::lpips::{self, Lpips, from_grey};
use crate::propagate::SessionError;
use crate::propagate::frame_model::to_host;
use crate::sam2::resample::{Size, pil_resize};

/// A distance between slices. What is costly is done once for each slice, in `features`.
#[expect(
    async_fn_in_trait,
    reason = "never used as a trait object nor across threads"
)]
pub trait Matcher {
    /// What is kept of some slices.
    type Features;

    /// Prepares slices together.
    fn features(&self, slices: &[GreySlice]) -> Self::Features;

    /// Distances of one slice to all those of `supports`, in order; smaller is more alike.
    ///
    /// # Errors
    /// When the device fails.
    async fn distances(
        &self,
        query: &Self::Features,
        supports: &[Self::Features],
    ) -> Result<Vec<f32>, SessionError>;

    /// Whether slices are compared at all: if not, there is no use in copies of a support.
    fn compares(&self) -> bool {
        true
    }
}

/// The distances there are. All but the last compare slices resized to a square of 128 pixels a side, whatever their
/// shape, so that scans of different size can be compared and only the measure differs.
#[derive(Clone, Debug)]
pub enum Measure {
    /// LPIPS with any of its networks: the paper's choice.
    Lpips(Arc<Lpips>),
    /// Baseline: one minus the mean structural similarity.
    Ssim,
    /// Baseline: minus the peak signal-to-noise ratio, in decibels.
    Psnr,
    /// Baseline: none. A label's first support serves every slice.
    None,
}

/// A [`Measure`] that counts the slices it has looked at.
#[derive(Debug)]
pub struct Measured {
    measure: Measure,
    slices: Cell<usize>,
}

/// What a [`Measure`] keeps of some slices.
#[derive(Debug)]
pub enum MeasuredSlices {
    /// Maps of LPIPS' network, on the device.
    Maps(lpips::Features),
    /// Squares of grey values.
    Grey(Vec<Square>),
}

impl Measured {
    /// Nothing looked at yet.
    pub fn new(measure: Measure) -> Self {
        Self {
            measure,
            slices: Cell::new(0),
        }
    }

    /// How many slices were prepared so far: with LPIPS, runs of the backbone.
    pub fn slices_seen(&self) -> usize {
        self.slices.get()
    }
}

fn square(slice: &GreySlice) -> Vec<u8> {
    let from = Size {
        rows: slice.shape.rows,
        cols: slice.shape.cols,
    };
    pil_resize(&slice.grey, from, Size::square(SIDE))
}

fn squares(slices: &[GreySlice], prepare: fn(Vec<f32>) -> Square) -> MeasuredSlices {
    let floats = |slice| square(slice).into_iter().map(f32::from).collect();
    MeasuredSlices::Grey(slices.iter().map(floats).map(prepare).collect())
}

impl Matcher for Measured {
    type Features = MeasuredSlices;

    fn features(&self, slices: &[GreySlice]) -> MeasuredSlices {
        self.slices.set(self.slices.get() + slices.len());
        match &self.measure {
            Measure::Lpips(lpips) => {
                let device = lpips.device();
                let images = slices
                    .iter()
                    .map(|s| from_grey(&square(s), SIDE, SIDE, &device));
                MeasuredSlices::Maps(lpips.features(Tensor::cat(images.collect(), 0)))
            }
            Measure::Ssim => squares(slices, Square::with_windows),
            Measure::Psnr => squares(slices, Square::plain),
            Measure::None => {
                let unseen = slices.iter().map(|_| Square::plain(Vec::new()));
                MeasuredSlices::Grey(unseen.collect())
            }
        }
    }

    async fn distances(
        &self,
        query: &MeasuredSlices,
        supports: &[MeasuredSlices],
    ) -> Result<Vec<f32>, SessionError> {
        let query = match query {
            MeasuredSlices::Grey(query) => &query[0],
            MeasuredSlices::Maps(query) => {
                let batches = supports.iter().filter_map(|batch| match batch {
                    MeasuredSlices::Maps(maps) => Some(query.distances(maps)),
                    MeasuredSlices::Grey(_) => None, // one measure makes one kind
                });
                return to_host(Tensor::cat(batches.collect(), 0)).await;
            }
        };
        let distance = |support: &Square| match self.measure {
            Measure::Ssim => 1.0 - ssim(query, support),
            Measure::Psnr => -psnr(query, support),
            Measure::Lpips(_) | Measure::None => 0.0,
        };
        let squares = supports.iter().filter_map(|batch| match batch {
            MeasuredSlices::Grey(squares) => Some(squares),
            MeasuredSlices::Maps(_) => None,
        });
        Ok(squares.flatten().map(distance).collect())
    }

    fn compares(&self) -> bool {
        !matches!(self.measure, Measure::None)
    }
}
