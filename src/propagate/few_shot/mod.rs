//! Training-free few-shot segmentation: augment one labelled slice, match, prompt with the match.
//!
//! For every query slice the most similar support is found ([`Matcher`]), and the slice is segmented as the second
//! frame of a two-frame video whose first frame is that support with its mask (Zu et al., arXiv 2503.04826). Nothing
//! is carried from one query slice to the next.

mod augment;
mod matcher;

pub use augment::{AugmentOptions, Support, support_set};
pub use matcher::{Matcher, Psnr, Ssim};

use std::collections::BTreeMap;

use super::error::{SessionError, SessionErrorKind};
use super::frame_model::{FrameModel, Readout, Recall};
use crate::volume::SliceShape;

/// A slice to segment: 8-bit grey values, row-major.
#[derive(Clone, Debug)]
pub struct Query {
    /// Grey values.
    pub grey: Vec<u8>,
    /// Rows and columns.
    pub shape: SliceShape,
}

/// What was found on a query slice.
#[derive(Clone, Debug)]
pub struct FewShotResult {
    /// Logits, predicted IoU and object score.
    pub readout: Readout,
    /// Index of the support that was chosen.
    pub support: usize,
    /// Its distance to the slice.
    pub distance: f32,
}

/// Supports, prepared for matching; each is shown to the model when it is first chosen, and once only.
pub struct FewShot<M: FrameModel, K: Matcher> {
    model: M,
    matcher: K,
    supports: Vec<Support>,
    features: Vec<K::Features>,
    remembered: BTreeMap<usize, (M::Memory, M::Pointer)>,
}

impl<M: FrameModel, K: Matcher> FewShot<M, K> {
    /// Prepares the supports: one run of the matcher's features each.
    pub fn new(model: M, matcher: K, supports: Vec<Support>) -> Self {
        let features = |s: &Support| matcher.features(&s.grey, s.mask.shape);
        let features = supports.iter().map(features).collect();
        Self {
            model,
            matcher,
            supports,
            features,
            remembered: BTreeMap::new(),
        }
    }

    /// The supports, the original first.
    pub fn supports(&self) -> &[Support] {
        &self.supports
    }

    /// The matcher.
    pub fn matcher(&self) -> &K {
        &self.matcher
    }

    /// How many supports the model has been shown.
    pub fn supports_shown(&self) -> usize {
        self.remembered.len()
    }

    /// Segments one slice: one run of the matcher's features, one of the image encoder, and one more of it where the
    /// support is chosen for the first time.
    ///
    /// # Errors
    /// When the device fails, or there is no support.
    pub async fn segment(&mut self, query: &Query) -> Result<FewShotResult, SessionError> {
        let (support, distance) = self.nearest(query).await?;
        let (memory, pointer) = self.remembered(support);
        let features = self.model.encode(&query.grey, query.shape);
        let recall = Recall {
            memories: vec![(memory, Some(0))],
            pointers: vec![(pointer, 1)],
            max_obj_ptrs: 2,
        };
        let output = self.model.track(&features, recall);
        Ok(FewShotResult {
            readout: self.model.read(output, query.shape).await?,
            support,
            distance,
        })
    }

    /// The support with the smallest distance; of equal ones the first.
    async fn nearest(&self, query: &Query) -> Result<(usize, f32), SessionError> {
        let features = self.matcher.features(&query.grey, query.shape);
        let distances = self.matcher.distances(&features, &self.features).await?;
        let nearest = distances
            .into_iter()
            .enumerate()
            .min_by(|a, b| a.1.total_cmp(&b.1));
        let what = "there is no support to compare with";
        nearest.ok_or_else(|| SessionError::new(SessionErrorKind::NoPrompt, what))
    }

    fn remembered(&mut self, index: usize) -> (M::Memory, M::Pointer) {
        let (model, support) = (&self.model, &self.supports[index]);
        let show = || {
            let features = model.encode(&support.grey, support.mask.shape);
            let output = model.prompt_mask(&features, &support.mask);
            model.remember(&features, &output, true)
        };
        self.remembered.entry(index).or_insert_with(show).clone()
    }
}

#[cfg(test)]
mod tests;
