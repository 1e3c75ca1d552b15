//! The tensors that belong to a ledger's numbers. In: memories; out: what a slice attends to.

use super::super::error::SessionError;
use super::super::frame_model::{Recall, Sam2Frames, SimilarityModel};
use super::super::held_memory::bytes;
use super::{Draw, Ledger, Member, MemoryOptions, RETRIEVED, Strategy, Used, Verdict, retrieve};
use crate::sam2::config::{MAX_OBJ_PTRS, NUM_MASKMEM};

/// What is remembered of one slice, with what it is compared by.
pub(in super::super) struct Entry<M: SimilarityModel> {
    memory: M::Memory,
    pointer: M::Pointer,
    image_vector: M::Vector,
    memory_vector: M::Vector,
}

impl<M: SimilarityModel> Entry<M> {
    pub fn new(
        model: &M,
        features: &M::Features,
        (memory, pointer): (M::Memory, M::Pointer),
    ) -> Self {
        Self {
            image_vector: model.image_vector(features),
            memory_vector: model.memory_vector(&memory),
            memory,
            pointer,
        }
    }
}

/// A self-sorting bank of one object.
pub(in super::super) struct Bank<M: SimilarityModel> {
    /// SAM 2's temporal positions and pointers, ranked by similarity.
    ranked: bool,
    ledger: Ledger,
    /// Those of the ledger's members.
    entries: Vec<Entry<M>>,
    draw: Option<Draw>,
    /// The latest slice, whose scores are not known yet.
    candidate: Option<(usize, Entry<M>)>,
}

impl<M: SimilarityModel> Bank<M> {
    /// None for `fifo`, which is not sorted.
    pub fn new(options: &MemoryOptions) -> Option<Self> {
        Some(Self {
            ranked: options.strategy == Strategy::SelfSorting,
            ledger: Ledger::new(options)?,
            entries: Vec::new(),
            draw: Draw::new(options),
            candidate: None,
        })
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Takes a prompted slice.
    pub fn add_prompted(&mut self, slice: usize, entry: Entry<M>) {
        self.ledger.add_prompted(Member {
            slice,
            prompted: true,
            predicted_iou: 1.0,
            object_score: f32::INFINITY, // the user has seen it
        });
        self.entries.push(entry);
    }

    /// What the slice attends to. One small transfer from the device.
    pub async fn recall(
        &mut self,
        model: &M,
        features: &M::Features,
    ) -> Result<(Recall<M>, Vec<Used>), SessionError> {
        let image = model.image_vector(features);
        let images: Vec<_> = self.entries.iter().map(|e| &e.image_vector).collect();
        let cosines = model.cosines(&image, &images).await?;
        let chosen = retrieve(self.ledger.members(), &cosines, self.draw.as_mut());
        let positions = self.positions(&chosen);
        let memories = chosen.iter().zip(&positions);
        let memories = memories.map(|(&i, &position)| (self.entries[i].memory.clone(), position));
        let used = chosen.iter().zip(&positions).map(|(&i, &position)| Used {
            slice: self.ledger.members()[i].slice,
            prompted: self.ledger.members()[i].prompted,
            similarity: Some(cosines[i]),
            position,
        });
        let recall = Recall {
            memories: memories.collect(),
            pointers: self.pointers(&chosen, &cosines),
            // Never that of a set's size: what a slice attends to is a matter of its content.
            max_obj_ptrs: MAX_OBJ_PTRS,
        };
        Ok((recall, used.collect()))
    }

    /// Temporal positions of chosen members: the most similar stands where the neighbour would.
    fn positions(&self, chosen: &[usize]) -> Vec<Option<usize>> {
        let mut rank = 0;
        let position = |&i: &usize| {
            if !self.ranked {
                return None;
            }
            if self.ledger.members()[i].prompted {
                return Some(0);
            }
            rank += 1; // never above RETRIEVED
            Some(NUM_MASKMEM - rank)
        };
        chosen.iter().map(position).collect()
    }

    /// Pointers of chosen members, the most similar at distance 1.
    fn pointers(&self, chosen: &[usize], cosines: &[f32]) -> Vec<(M::Pointer, usize)> {
        if !self.ranked {
            return Vec::new();
        }
        let mut by_similarity = chosen.to_vec();
        by_similarity.sort_by(|&a, &b| cosines[b].total_cmp(&cosines[a])); // stable
        let pointer = |(rank, i): (usize, usize)| (self.entries[i].pointer.clone(), rank + 1);
        by_similarity.into_iter().enumerate().map(pointer).collect()
    }

    /// Takes an unprompted slice's memory, to be settled when its scores are known.
    pub fn offer(&mut self, slice: usize, entry: Entry<M>) {
        self.candidate = Some((slice, entry));
    }

    /// Decides on the memory that was offered. One small transfer from the device.
    ///
    /// # Panics
    /// When none was offered.
    pub async fn settle(
        &mut self,
        model: &M,
        predicted_iou: f32,
        object_score: f32,
    ) -> Result<Verdict, SessionError> {
        let (slice, entry) = self.candidate.take().expect("a memory was offered");
        let memories: Vec<_> = self.entries.iter().map(|e| &e.memory_vector).collect();
        let cosines = model.cosines(&entry.memory_vector, &memories).await?;
        let member = Member {
            slice,
            prompted: false,
            predicted_iou,
            object_score,
        };
        let ruling = self.ledger.rule(member, &cosines);
        match ruling.place {
            Some(place) if place == self.entries.len() => self.entries.push(entry),
            Some(place) => self.entries[place] = entry,
            None => {}
        }
        Ok(ruling.verdict)
    }
}

impl Bank<Sam2Frames> {
    /// Bytes of all entries: memories, pointers, and the embeddings they are compared by.
    pub fn bytes(&self) -> u64 {
        let candidate = self.candidate.iter().map(|(_, entry)| entry);
        let entries = self.entries.iter().chain(candidate);
        let one =
            |e: &Entry<Sam2Frames>| bytes(&e.memory) + bytes(&e.pointer) + e.image_vector.bytes();
        entries.map(one).sum()
    }
}

// The ranks of retrieved members are temporal positions of the model.
const _: () = assert!(RETRIEVED < NUM_MASKMEM);
