//! One object through the volume: what is known of it, and how it is found on the next slice.

use std::collections::BTreeMap;

use super::error::SessionError;
use super::frame_model::{Readout, Recall, Sam2Frames, SimilarityModel};
use super::held_memory::bytes;
use super::memory::{Bank, Entry, MemoryOptions, Used, Verdict};
use super::memory_bank::{max_obj_ptrs, needed, select};
use super::order::Pass;
use crate::volume::Mask;

/// Memory and pointer of a slice; the memory is dropped earlier than the pointer.
struct Remembered<M: SimilarityModel> {
    memory: Option<M::Memory>,
    pointer: M::Pointer,
}

/// What is remembered of unprompted slices.
enum Others<M: SimilarityModel> {
    /// SAM 2's: by time.
    Queue(BTreeMap<usize, Remembered<M>>),
    /// By content; the prompted slices are in it too.
    Bank(Bank<M>),
}

/// One object's state. Its size does not depend on the number of slices.
pub struct ObjectTrack<M: SimilarityModel> {
    slices: usize,
    /// Prompted slices in the order they were given, with their outputs.
    prompted: Vec<(usize, M::Output, Remembered<M>)>,
    others: Others<M>,
}

impl<M: SimilarityModel> ObjectTrack<M> {
    /// An object of which nothing is known, in a volume of so many slices, remembered as SAM 2
    /// does it.
    pub fn new(slices: usize) -> Self {
        Self::with_memory(slices, &MemoryOptions::default())
    }

    /// The same with another memory strategy.
    pub fn with_memory(slices: usize, memory: &MemoryOptions) -> Self {
        let queue = || Others::Queue(BTreeMap::new());
        Self {
            slices,
            prompted: Vec::new(),
            others: Bank::new(memory).map_or_else(queue, Others::Bank),
        }
    }

    /// Takes a mask as the object on this slice.
    ///
    /// # Panics
    /// With a self-sorting memory, prompts come before the first slice is tracked.
    pub fn prompt_mask(&mut self, model: &M, slice: usize, features: &M::Features, mask: &Mask) {
        let output = model.prompt_mask(features, mask);
        self.prompt(model, slice, features, output);
    }

    /// Takes an output that was made from prompts as the object on this slice.
    ///
    /// # Panics
    /// As [`prompt_mask`](Self::prompt_mask).
    pub fn prompt(&mut self, model: &M, slice: usize, features: &M::Features, output: M::Output) {
        let (memory, pointer) = model.remember(features, &output, true);
        if let Others::Bank(bank) = &mut self.others {
            let entry = Entry::new(model, features, (memory.clone(), pointer.clone()));
            bank.add_prompted(slice, entry);
        }
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

    /// Finds the object on the next slice of a pass; also what it attended to. What is remembered
    /// of it is decided by [`settle`](Self::settle), which must follow.
    ///
    /// # Errors
    /// When the device fails.
    ///
    /// # Panics
    /// Without a prompt there is nothing to find.
    pub async fn find(
        &mut self,
        model: &M,
        slice: usize,
        pass: Pass,
        features: &M::Features,
    ) -> Result<(M::Output, Vec<Used>), SessionError> {
        assert!(
            !self.prompted.is_empty(),
            "an object is tracked from a prompt"
        );
        let (recall, used) = match &mut self.others {
            Others::Queue(_) => self.recall_by_time(slice, pass),
            Others::Bank(bank) => bank.recall(model, features).await?,
        };
        let output = model.track(features, recall);
        let (memory, pointer) = model.remember(features, &output, false);
        match &mut self.others {
            Others::Queue(tracked) => {
                let remembered = Remembered {
                    memory: Some(memory),
                    pointer,
                };
                tracked.insert(slice, remembered);
            }
            Others::Bank(bank) => {
                bank.offer(slice, Entry::new(model, features, (memory, pointer)));
            }
        }
        Ok((output, used))
    }

    /// Decides what becomes of the memory of the slice found last.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn settle(&mut self, model: &M, readout: &Readout) -> Result<Verdict, SessionError> {
        match &mut self.others {
            Others::Queue(_) => Ok(Verdict::Queued),
            Others::Bank(bank) => {
                let (iou, score) = (readout.predicted_iou, readout.object_score);
                bank.settle(model, iou, score).await
            }
        }
    }

    /// What SAM 2's strategy remembers for a slice.
    pub fn recall(&self, slice: usize, pass: Pass) -> Recall<M> {
        self.recall_by_time(slice, pass).0
    }

    fn recall_by_time(&self, slice: usize, pass: Pass) -> (Recall<M>, Vec<Used>) {
        let prompts: Vec<usize> = self.prompted.iter().map(|(s, _, _)| *s).collect();
        let selection = select(slice, pass, self.slices, &prompts, |s| {
            self.tracked(s).is_some()
        });
        let memory = |&(s, t_pos): &(usize, usize)| {
            let memory = self.remembered(s)?.memory.clone()?;
            let used = Used {
                slice: s,
                prompted: prompts.contains(&s),
                similarity: None,
                position: Some(t_pos),
            };
            Some(((memory, Some(t_pos)), used))
        };
        let pointer =
            |&(s, t_diff): &(usize, usize)| Some((self.remembered(s)?.pointer.clone(), t_diff));
        let (memories, used) = selection.memories.iter().filter_map(memory).unzip();
        let recall = Recall {
            memories,
            pointers: selection.pointers.iter().filter_map(pointer).collect(),
            max_obj_ptrs: max_obj_ptrs(self.slices),
        };
        (recall, used)
    }

    fn tracked(&self, slice: usize) -> Option<&Remembered<M>> {
        match &self.others {
            Others::Queue(tracked) => tracked.get(&slice),
            Others::Bank(_) => None,
        }
    }

    fn remembered(&self, slice: usize) -> Option<&Remembered<M>> {
        let prompted = self.prompted.iter().find(|(s, _, _)| *s == slice);
        prompted.map(|(_, _, r)| r).or_else(|| self.tracked(slice))
    }

    /// Drops what no later slice can ask for; `reverse_from` is the prompted slice from which a
    /// reverse pass is still to start.
    pub fn forget(&mut self, done: usize, pass: Pass, reverse_from: Option<usize>) {
        let Others::Queue(tracked) = &mut self.others else {
            return; // a bank forgets when it settles
        };
        tracked.retain(|&slice, remembered| {
            let needed = needed(slice, done, pass, reverse_from);
            if !needed.memory {
                remembered.memory = None;
            }
            needed.memory || needed.pointer
        });
    }

    /// Number of unprompted slices that are remembered.
    pub fn remembered_slices(&self) -> usize {
        match &self.others {
            Others::Queue(tracked) => tracked.len(),
            Others::Bank(bank) => bank.len() - self.prompted.len(),
        }
    }
}

impl ObjectTrack<Sam2Frames> {
    /// Bytes of all memories and pointers.
    pub fn bytes(&self) -> u64 {
        let one =
            |r: &Remembered<Sam2Frames>| r.memory.as_ref().map_or(0, bytes) + bytes(&r.pointer);
        let prompted: u64 = self.prompted.iter().map(|(_, _, r)| one(r)).sum();
        prompted
            + match &self.others {
                Others::Queue(tracked) => tracked.values().map(one).sum(),
                Others::Bank(bank) => bank.bytes(),
            }
    }
}
