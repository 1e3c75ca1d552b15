//! The supports and their copies, prepared for matching. In: supports. Out: for a slice, the nearest of each label.

use std::collections::{BTreeMap, BTreeSet};

use super::augment::{AugmentOptions, augmented};
use super::lay::Frame;
use super::matcher::Matcher;
use super::support::{GreySlice, Support};
use crate::propagate::SessionError;

/// Pictures that the matcher is given at a time.
const BATCH: usize = 16;

/// The support of a label that is most like a slice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// The label.
    pub label: u16,
    /// Index of the support in the list that was given.
    pub support: usize,
    /// Which copy of it; 0 is the support itself.
    pub copy: usize,
    /// Its distance to the slice; 0 where nothing is compared.
    pub distance: f32,
}

/// A picture that is prepared: not the picture itself, which is made again if it is chosen.
struct Entry {
    support: usize,
    copy: usize,
    labels: BTreeSet<u16>,
}

/// Supports, all laid onto one scan's slices.
pub(super) struct Pool<K: Matcher> {
    frame: Frame,
    supports: Vec<Support>,
    /// First all supports, then the first copy of each, and so on: a shorter set is the beginning of a longer one.
    entries: Vec<Entry>,
    batches: Vec<K::Features>,
}

impl<K: Matcher> Pool<K> {
    /// Nothing prepared yet.
    pub fn new(supports: &[Support], frame: Frame) -> Self {
        Self {
            supports: supports.iter().map(|s| s.laid(&frame)).collect(),
            frame,
            entries: Vec::new(),
            batches: Vec::new(),
        }
    }

    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// How many pictures a set with so many copies of each support has.
    pub fn size(&self, copies: usize) -> usize {
        (copies + 1) * self.supports.len()
    }

    /// How many pictures of a set with so many copies are not prepared yet.
    pub fn unprepared(&self, copies: usize) -> usize {
        self.size(copies).saturating_sub(self.entries.len())
    }

    /// A picture with its masks.
    pub fn picture(&self, choice: &Choice, options: &AugmentOptions) -> Support {
        augmented(&self.supports[choice.support], choice.copy, options)
    }

    /// Prepares the next few pictures of a set with so many copies; how many are left.
    pub fn prepare(&mut self, matcher: &K, copies: usize, options: &AugmentOptions) -> usize {
        let (start, size) = (self.entries.len(), self.size(copies));
        let mut pictures: Vec<GreySlice> = Vec::new();
        for number in start..size.min(start + BATCH) {
            let (copy, support) = (number / self.supports.len(), number % self.supports.len());
            let picture = augmented(&self.supports[support], copy, options);
            self.entries.push(Entry {
                support,
                copy,
                labels: picture.masks.into_keys().collect(),
            });
            pictures.push(picture.image);
        }
        if !pictures.is_empty() {
            self.batches.push(matcher.features(&pictures));
        }
        self.unprepared(copies)
    }

    /// For each label the picture with the smallest distance that has it, of those of a set with so many copies; of
    /// equal ones the first. One run of the matcher's features.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn nearest(
        &self,
        matcher: &K,
        query: &GreySlice,
        copies: usize,
    ) -> Result<Vec<Choice>, SessionError> {
        let features = matcher.features(std::slice::from_ref(query));
        let distances = matcher.distances(&features, &self.batches).await?;
        let mut nearest: BTreeMap<u16, Choice> = BTreeMap::new();
        let set = self.entries.iter().zip(distances).take(self.size(copies));
        for (entry, distance) in set {
            for &label in &entry.labels {
                let choice = Choice {
                    label,
                    support: entry.support,
                    copy: entry.copy,
                    distance,
                };
                let best = nearest.entry(label).or_insert(choice);
                if distance < best.distance {
                    *best = choice;
                }
            }
        }
        Ok(nearest.into_values().collect())
    }
}
