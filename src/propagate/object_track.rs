//! One object through the volume: what is known of it, and how it is found on the next slice.

use std::collections::BTreeMap;

use super::frame_model::{FrameModel, Recall};
use super::memory_bank::{max_obj_ptrs, needed, select};
use super::order::Pass;
use crate::volume::Mask;

/// Memory and pointer of a slice; the memory is dropped earlier than the pointer.
struct Remembered<M: FrameModel> {
    memory: Option<M::Memory>,
    pointer: M::Pointer,
}

/// One object's state. Its size does not depend on the number of slices.
pub struct ObjectTrack<M: FrameModel> {
    slices: usize,
    /// Prompted slices in the order they were given, with their outputs.
    prompted: Vec<(usize, M::Output, Remembered<M>)>,
    tracked: BTreeMap<usize, Remembered<M>>,
}

impl<M: FrameModel> ObjectTrack<M> {
    /// An object of which nothing is known, in a volume of so many slices.
    pub fn new(slices: usize) -> Self {
        Self {
            slices,
            prompted: Vec::new(),
            tracked: BTreeMap::new(),
        }
    }

    /// Takes a mask as the object on this slice.
    pub fn prompt_mask(&mut self, model: &M, slice: usize, features: &M::Features, mask: &Mask) {
        let output = model.prompt_mask(features, mask);
        self.prompt(model, slice, features, output);
    }

    /// Takes an output that was made from prompts as the object on this slice.
    pub fn prompt(&mut self, model: &M, slice: usize, features: &M::Features, output: M::Output) {
        let (memory, pointer) = model.remember(features, &output, true);
        let remembered = Remembered {
            memory: Some(memory),
            pointer,
        };
        self.prompted.push((slice, output, remembered));
    }

    /// The result on a prompted slice.
    pub fn prompted(&self, slice: usize) -> Option<&M::Output> {
        let found = self.prompted.iter().find(|(s, _, _)| *s == slice);
        found.map(|(_, output, _)| output)
    }

    /// Finds the object on the next slice of a pass.
    ///
    /// # Panics
    /// Without a prompt there is nothing to find.
    pub fn track(
        &mut self,
        model: &M,
        slice: usize,
        pass: Pass,
        features: &M::Features,
    ) -> M::Output {
        assert!(
            !self.prompted.is_empty(),
            "an object is tracked from a prompt"
        );
        let output = model.track(features, self.recall(slice, pass));
        let (memory, pointer) = model.remember(features, &output, false);
        let remembered = Remembered {
            memory: Some(memory),
            pointer,
        };
        self.tracked.insert(slice, remembered);
        output
    }

    /// What is remembered for a slice.
    pub fn recall(&self, slice: usize, pass: Pass) -> Recall<M> {
        let prompts: Vec<usize> = self.prompted.iter().map(|(s, _, _)| *s).collect();
        let is_tracked = |s: usize| self.tracked.contains_key(&s);
        let selection = select(slice, pass, self.slices, &prompts, is_tracked);
        let memory =
            |&(s, t_pos): &(usize, usize)| Some((self.remembered(s)?.memory.clone()?, t_pos));
        let pointer =
            |&(s, t_diff): &(usize, usize)| Some((self.remembered(s)?.pointer.clone(), t_diff));
        Recall {
            memories: selection.memories.iter().filter_map(memory).collect(),
            pointers: selection.pointers.iter().filter_map(pointer).collect(),
            max_obj_ptrs: max_obj_ptrs(self.slices),
        }
    }

    fn remembered(&self, slice: usize) -> Option<&Remembered<M>> {
        let prompted = self.prompted.iter().find(|(s, _, _)| *s == slice);
        prompted
            .map(|(_, _, r)| r)
            .or_else(|| self.tracked.get(&slice))
    }

    /// Drops what no later slice can ask for; `reverse_from` is the prompted slice from which a
    /// reverse pass is still to start.
    pub fn forget(&mut self, done: usize, pass: Pass, reverse_from: Option<usize>) {
        self.tracked.retain(|&slice, remembered| {
            let needed = needed(slice, done, pass, reverse_from);
            if !needed.memory {
                remembered.memory = None;
            }
            needed.memory || needed.pointer
        });
    }

    /// Number of unprompted slices that are remembered.
    pub fn remembered_slices(&self) -> usize {
        self.tracked.len()
    }
}
