//! A blank slice through all of the model, part by part, so that a graphics card compiles its kernels where the
//! user is told, and not in the first slice.

use super::error::SessionError;
use super::frame_model::{FrameModel, Recall};
use crate::volume::{Mask, SliceShape};

/// A warm-up under way.
pub struct WarmUp<M: FrameModel> {
    shape: SliceShape,
    seen: Option<(M::Features, M::Output)>,
    done: usize,
}

impl<M: FrameModel> WarmUp<M> {
    /// Number of parts: looking at a prompted slice, then remembering it and tracking.
    pub const PARTS: usize = 2;

    /// A warm-up for slices of this shape.
    pub fn new(shape: SliceShape) -> Self {
        Self {
            shape,
            seen: None,
            done: 0,
        }
    }

    /// How many parts are left.
    pub fn left(&self) -> usize {
        Self::PARTS.saturating_sub(self.done)
    }

    /// Runs the next part and waits for it; how many are left.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn next(&mut self, model: &M) -> Result<usize, SessionError> {
        let output = match self.seen.take() {
            None => {
                let features = model.encode(&vec![0; self.shape.area()], self.shape);
                let mask = Mask {
                    shape: self.shape,
                    pixels: vec![true; self.shape.area()],
                };
                let output = model.prompt_mask(&features, &mask);
                self.seen = Some((features, output.clone()));
                output
            }
            Some((features, output)) => {
                let (memory, pointer) = model.remember(&features, &output, true);
                let recall = Recall {
                    memories: vec![(memory, Some(0))],
                    pointers: vec![(pointer, 1)],
                    max_obj_ptrs: 2,
                };
                model.track(&features, recall)
            }
        };
        model.read(output, self.shape).await?;
        self.done += 1;
        Ok(self.left())
    }
}
