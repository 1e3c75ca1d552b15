//! Accepted slices of a query, carried along beside the matched support: MedSAM-2's memory in few-shot.
//!
//! In: what was found on a slice. Out: what a later slice attends to besides its support, and why.
//!
//! Neither source has this; the choices are ours. Each label has a bank of its own, which begins empty with each volume
//! and takes slices in their order. A slice whose label is refused is not remembered, the others are by the strategy's
//! rule. Supports are not in the bank, so that all of its `size` places are for slices.

use std::collections::BTreeMap;

use crate::propagate::memory::{Bank, Entry, Used, Verdict};
use crate::propagate::memory_bank::max_obj_ptrs;
use crate::propagate::{
    FrameModel, MemoryOptions, Readout, Recall, SessionError, SessionErrorKind, SimilarityModel,
};

/// A bank for each label.
pub(super) struct Carried<M: SimilarityModel> {
    options: MemoryOptions,
    banks: BTreeMap<u16, Bank<M>>,
}

/// What a prompted picture leaves behind.
pub(super) type Shown<M> = (<M as FrameModel>::Memory, <M as FrameModel>::Pointer);

impl<M: SimilarityModel> Carried<M> {
    /// Nothing carried yet.
    ///
    /// # Errors
    /// `MemoryOptions` for `fifo`, which goes by the time between neighbours.
    pub fn new(options: MemoryOptions) -> Result<Self, SessionError> {
        if Bank::<M>::new(&options).is_none() {
            let strategy = options.strategy();
            let what =
                format!("few-shot carries slices by their content, and {strategy} goes by time");
            return Err(SessionError::new(SessionErrorKind::MemoryOptions, what));
        }
        Ok(Self {
            options,
            banks: BTreeMap::new(),
        })
    }

    /// What a slice attends to: its support, and of the label's slices those that are most like it.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn recall(
        &mut self,
        model: &M,
        features: &M::Features,
        label: u16,
        support: Shown<M>,
    ) -> Result<(Recall<M>, Vec<Used>), SessionError> {
        let (carried, used) = self.bank(label).recall(model, features).await?;
        Ok((video(support, Some(carried)), used))
    }

    /// Decides what becomes of an accepted slice.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn settle(
        &mut self,
        model: &M,
        (slice, features): (usize, &M::Features),
        label: u16,
        (output, readout): (&M::Output, &Readout),
    ) -> Result<Verdict, SessionError> {
        let memory = model.remember(features, output, false);
        let bank = self.bank(label);
        bank.offer(slice, Entry::new(model, features, memory));
        let (iou, score) = (readout.predicted_iou, readout.object_score);
        bank.settle(model, iou, score).await
    }

    fn bank(&mut self, label: u16) -> &mut Bank<M> {
        let new = || Bank::new(&self.options).expect("a strategy that has banks");
        self.banks.entry(label).or_insert_with(new)
    }
}

/// The video `<support, slice>`, with carried slices between the two, the most similar next to the slice.
pub(super) fn video<M: SimilarityModel>(
    (memory, pointer): Shown<M>,
    carried: Option<Recall<M>>,
) -> Recall<M> {
    let (memories, pointers) = carried.map_or_else(Default::default, |c| (c.memories, c.pointers));
    // Slices without pointers have no place in time either.
    let between = pointers.len();
    let support = (memory, Some(0));
    Recall {
        memories: std::iter::once(support).chain(memories).collect(),
        pointers: std::iter::once((pointer, between + 1))
            .chain(pointers)
            .collect(),
        max_obj_ptrs: max_obj_ptrs(between + 2),
    }
}
