//! What is asked of one label: its masks, and the slices whose result is still wanted. In: masks given and taken back;
//! out: slices. Pure.
//!
//! **What a mask decides** is the slices between the prompted slices on either side of it: those are wanted again when it
//! comes, changes or goes. Slices beyond a neighbouring prompted slice stay as they are, though they would attend to the new
//! mask too (SAM 2 attends to prompted slices at any distance): someone has vouched for what lies between.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Range, RangeInclusive};

use super::order::{Direction, Prompted, reaches};
use crate::volume::Mask;

/// One label's masks and wanted slices.
#[derive(Default)]
pub(super) struct Subject {
    masks: BTreeMap<usize, Mask>,
    pending: BTreeSet<usize>,
}

impl Subject {
    /// By slice, ascending.
    pub fn masks(&self) -> &BTreeMap<usize, Mask> {
        &self.masks
    }

    /// None without a mask.
    pub fn prompted(&self) -> Option<Prompted> {
        let (first, last) = (self.masks.first_key_value()?, self.masks.last_key_value()?);
        Some(Prompted {
            first: *first.0,
            last: *last.0,
        })
    }

    /// Whether no mask has a pixel.
    pub fn is_nowhere(&self) -> bool {
        self.masks.values().all(Mask::is_empty)
    }

    /// Whether a mask on another slice has a pixel.
    pub fn is_on_another(&self, slice: usize) -> bool {
        let mut masks = self.masks.iter();
        masks.any(|(&other, mask)| other != slice && !mask.is_empty())
    }

    /// Slices whose result is wanted.
    pub fn pending(&self) -> &BTreeSet<usize> {
        &self.pending
    }

    /// Gives a mask, in place of an earlier one there.
    pub fn give(&mut self, slice: usize, mask: Mask) {
        self.masks.insert(slice, mask);
    }

    /// Takes a mask back; whether there was one.
    pub fn take(&mut self, slice: usize) -> bool {
        self.masks.remove(&slice).is_some()
    }

    /// Wants all slices of a range, and the prompted ones wherever they are.
    pub fn want_all(&mut self, range: &RangeInclusive<usize>) {
        let prompted = self.masks.keys().copied();
        self.pending = range.clone().chain(prompted).collect();
    }

    /// Wants what a mask on this slice decides.
    pub fn want_around(&mut self, slice: usize, range: &RangeInclusive<usize>) {
        let decided = self.segment(slice, range);
        self.pending.extend(decided);
        match self.masks.contains_key(&slice) || range.contains(&slice) {
            true => self.pending.insert(slice),
            false => self.pending.remove(&slice),
        };
    }

    /// Wants these slices and no others.
    pub fn want(&mut self, pending: BTreeSet<usize>) {
        self.pending = pending;
    }

    /// A slice's result is there.
    pub fn done(&mut self, slice: usize) {
        self.pending.remove(&slice);
    }

    /// What is wanted when nothing is remembered: a walk begins at a prompted slice, so that where some slices between two
    /// of them are wanted, all are.
    pub fn from_prompts(&self, range: &RangeInclusive<usize>) -> BTreeSet<usize> {
        let mut wanted = BTreeSet::new();
        for &slice in &self.pending {
            if !self.masks.contains_key(&slice) && !wanted.contains(&slice) {
                wanted.extend(self.segment(slice, range));
            }
            wanted.insert(slice);
        }
        wanted
    }

    /// Wanted slices that are never visited in this direction.
    pub fn out_of_reach(&self, direction: Direction) -> Vec<usize> {
        let reached = |slice: usize| {
            self.prompted()
                .is_some_and(|p| reaches(p, slice, direction))
        };
        let pending = self.pending.iter().copied();
        pending.filter(|&slice| !reached(slice)).collect()
    }

    /// The slices of a range between the prompted slices on either side of one.
    fn segment(&self, slice: usize, range: &RangeInclusive<usize>) -> Range<usize> {
        let before = self.masks.range(..slice).next_back();
        let after = self.masks.range(slice + 1..).next();
        let first = before.map_or(0, |(&slice, _)| slice + 1);
        let end = after.map_or(usize::MAX, |(&slice, _)| slice);
        first.max(*range.start())..end.min(range.end() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::SliceShape;

    const ALL: RangeInclusive<usize> = 0..=19;

    fn subject(slices: &[usize]) -> Subject {
        let mut subject = Subject::default();
        for &slice in slices {
            give(&mut subject, slice);
        }
        subject
    }

    fn give(subject: &mut Subject, slice: usize) {
        let shape = SliceShape { rows: 1, cols: 1 };
        subject.give(slice, Mask::new(shape, vec![true]).unwrap());
    }

    fn wanted(subject: &Subject) -> Vec<usize> {
        subject.pending().iter().copied().collect()
    }

    #[test]
    fn a_mask_decides_up_to_its_prompted_neighbours() {
        for (slice, range, expected) in [
            (8, ALL, 6..=11),
            (2, ALL, 0..=4),
            (15, ALL, 13..=19),
            (5, ALL, 0..=11),
            (8, 7..=9, 7..=9),
        ] {
            let mut subject = subject(&[5, 12]);
            give(&mut subject, slice);
            subject.want_around(slice, &range);
            assert_eq!(wanted(&subject), expected.collect::<Vec<_>>(), "{slice}");
        }
    }

    #[test]
    fn a_mask_taken_back_leaves_the_wider_stretch() {
        let mut subject = subject(&[5, 8, 12]);
        assert!(subject.take(8) && !subject.take(8));
        subject.want_around(8, &ALL);
        assert_eq!(wanted(&subject), (6..12).collect::<Vec<_>>());
    }

    #[test]
    fn prompted_slices_are_wanted_outside_the_range_too() {
        let mut all = subject(&[3, 15]);
        all.want_all(&(6..=8));
        assert_eq!(wanted(&all), [3, 6, 7, 8, 15]);
        let mut one = subject(&[15]);
        one.want_around(15, &(6..=8));
        assert_eq!(wanted(&one), [6, 7, 8, 15]);
        assert!(one.take(15));
        one.want_around(15, &(6..=8));
        assert_eq!(wanted(&one), [6, 7, 8]);
    }

    #[test]
    fn a_walk_begins_at_a_prompted_slice() {
        let mut subject = subject(&[5, 12]);
        subject.want(BTreeSet::from([9, 12]));
        let wanted: Vec<usize> = subject.from_prompts(&ALL).into_iter().collect();
        assert_eq!(wanted, [6, 7, 8, 9, 10, 11, 12]);
        assert!(subject.out_of_reach(Direction::Backward).is_empty());
        subject.want(BTreeSet::from([2, 9, 17]));
        assert_eq!(subject.out_of_reach(Direction::Forward), [2]);
        assert_eq!(subject.out_of_reach(Direction::Backward), [17]);
        assert!(subject.out_of_reach(Direction::Both).is_empty());
    }
}
