//! Where the model looks, to be shown to people. In: a place on a slice, and the slices whose memories count; out: maps.

use super::super::error::{SessionError, SessionErrorKind};
use super::super::frame_model::{AttentionModel, Recall, SimilarityModel};
use super::super::memory::Used;
use super::super::memory_bank::max_obj_ptrs;
use super::super::points::SlicePoint;
use super::Session;
use crate::sam2::config::NUM_MASKMEM;

/// Where one place of a slice looks.
#[derive(Clone, Debug)]
pub struct Attention {
    /// Squares along each side of a slice.
    pub side: usize,
    /// Slices and how much is looked at each of their squares, row by row. All together add up to one.
    pub memories: Vec<(usize, Vec<f32>)>,
}

impl<M: SimilarityModel + AttentionModel> Session<M> {
    /// Where the model looks from a place, when it looks for a label: the weights of memory attention's last layer.
    ///
    /// `used` are the memories that count, from the slice's [`MemoryReport`](crate::propagate::MemoryReport). They are made anew of the
    /// label's masks, so that none need be kept: where the model was unsure of a mask it comes near to what it had then.
    /// Object pointers, which have no place, are left out.
    ///
    /// # Errors
    /// When a slice or the place does not exist, there is no memory, or the device fails.
    pub async fn attention(
        &mut self,
        label: u16,
        slice: usize,
        at: SlicePoint,
        used: &[Used],
    ) -> Result<Attention, SessionError> {
        self.check_slice(slice)?;
        at.check(self.shape())?;
        if used.is_empty() {
            let what = format!("slice {slice} used no memory");
            return Err(SessionError::new(SessionErrorKind::NoPrompt, what));
        }
        let mut memories = Vec::new();
        for memory in used {
            self.check_slice(memory.slice)?;
            if let Some(position) = memory.position.filter(|&p| p >= NUM_MASKMEM) {
                let what = format!("no memory has position {position}");
                return Err(SessionError::new(SessionErrorKind::MemoryOptions, what));
            }
            let given = self
                .subjects
                .get(&label)
                .and_then(|s| s.masks().get(&memory.slice));
            let found = || self.result.mask(memory.slice, label);
            let mask = given.cloned().unwrap_or_else(found);
            let features = self.features(memory.slice);
            let output = self.model.prompt_mask(&features, &mask);
            let (tokens, _) = self.model.remember(&features, &output, memory.prompted);
            memories.push((tokens, memory.position));
        }
        let recall = Recall {
            memories,
            pointers: Vec::new(),
            max_obj_ptrs: max_obj_ptrs(self.slices()),
        };
        let (features, side) = (self.features(slice), self.model.side());
        let token = at.square(self.shape(), side);
        let weights = self.model.weights(&features, recall, token).await?;
        let maps = used.iter().zip(weights.chunks_exact(side * side));
        Ok(Attention {
            side,
            memories: maps.map(|(m, map)| (m.slice, map.to_vec())).collect(),
        })
    }
}
