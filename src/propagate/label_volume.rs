//! The result as it grows: one label for each voxel, the higher logit where labels overlap.

use std::collections::HashMap;

use crate::volume::{Grid, LabelMap, Mask, VolumeError, VoxelAxis};

/// Labels of the volume, and the winning logits of slices that are not finished yet.
pub(super) struct LabelVolume {
    labels: LabelMap,
    axis: VoxelAxis,
    /// Winning logit of each pixel of a slice; only while another label may still claim it.
    logits: HashMap<usize, Vec<f32>>,
}

impl LabelVolume {
    pub fn new(grid: Grid, axis: VoxelAxis) -> Self {
        Self {
            labels: LabelMap::empty(grid),
            axis,
            logits: HashMap::new(),
        }
    }

    /// Lays a label over a slice, where its logit is higher than that of the labels there.
    pub fn add(
        &mut self,
        slice: usize,
        label: u16,
        mask: &Mask,
        logits: &[f32],
    ) -> Result<(), VolumeError> {
        if mask.is_empty() {
            return Ok(()); // nothing to compare with later, either
        }
        let mut labels = self.labels.slice(self.axis, slice)?;
        let best = self
            .logits
            .entry(slice)
            .or_insert_with(|| vec![0.0; logits.len()]);
        for (i, &logit) in logits.iter().enumerate() {
            if mask.pixels[i] && logit > best[i] {
                (labels[i], best[i]) = (label, logit);
            }
        }
        self.labels.set_slice(self.axis, slice, &labels)
    }

    /// No label will claim this slice any more.
    pub fn finish(&mut self, slice: usize) {
        self.logits.remove(&slice);
    }

    pub fn slice(&self, slice: usize) -> Result<Vec<u16>, VolumeError> {
        self.labels.slice(self.axis, slice)
    }

    pub fn labels(&self) -> &LabelMap {
        &self.labels
    }
}
