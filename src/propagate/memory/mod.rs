//! Memory strategies: which memories are kept, and which of them a slice attends to.
//!
//! | strategy | kept | attended to |
//! |---|---|---|
//! | `fifo` | what SAM 2 keeps, see [`memory_bank`](super::memory_bank) | the prompts and six neighbours, by time |
//! | `self-sorting` | MedSAM-2's formula: confident and dissimilar memories | those whose image is most similar |
//! | `self-sorting-released` | MedSAM-2's released code: its replacement rule | the same |
//!
//! In: cosines, predicted IoUs and a seed as plain numbers ([`Ledger`], [`retrieve`]); out: decisions, which explain
//! themselves ([`Verdict`], [`MemoryReport`]). The tensors that belong to the numbers are in `bank`.
//!
//! **What is compared.** Whether two memories say the same is the cosine of their whole, flattened memory features.
//! Whether a memory helps with a new slice is the cosine of the two slices' whole, flattened image embeddings; the
//! paper's formula compares an image embedding with a memory there, which have different shapes.
//!
//! **Choices of ours** where the sources are silent:
//! - Prompted slices count among the `size` members, are never replaced, and are always attended to.
//! - At most [`RETRIEVED`] others are attended to, as many as the model was trained with.
//! - By default the most similar are taken. With a seed, as many are drawn with replacement: with weights proportional
//!   to the cosine (`self-sorting`) or to its softmax (`self-sorting-released`).
//! - `self-sorting` keeps SAM 2's temporal positions and pointers, with the rank of similarity in the place of time:
//!   the most similar memory stands where the neighbour would. `self-sorting-released` has neither, as its source.

mod bank;
mod explain;
mod ledger;
mod retrieve;

pub(super) use bank::{Bank, Entry};
pub use explain::{MemoryReport, Used};
pub use ledger::{IOU_MARGIN, Ledger, Member, Verdict};
pub use retrieve::{Draw, RETRIEVED, retrieve};

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::error::{SessionError, SessionErrorKind};

/// How memories are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// First in, first out: stock SAM 2.
    #[default]
    Fifo,
    /// MedSAM-2, by the paper's formula.
    SelfSorting,
    /// MedSAM-2, by its released code.
    SelfSortingReleased,
}

impl Strategy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Fifo, Self::SelfSorting, Self::SelfSortingReleased];

    /// As it is written on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fifo => "fifo",
            Self::SelfSorting => "self-sorting",
            Self::SelfSortingReleased => "self-sorting-released",
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Strategy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|s| s.name() == text);
        known.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("memory strategy `{text}` is none of {names}")
        })
    }
}

impl Serialize for Strategy {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A strategy with its numbers. The default is `fifo`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct MemoryOptions {
    strategy: Strategy,
    /// Members, prompted ones included; none for `fifo`.
    size: Option<usize>,
    /// Predicted IoU that a memory must exceed; `self-sorting` only.
    threshold: Option<f32>,
    /// Of the draws; none to take the most similar.
    seed: Option<u64>,
}

impl MemoryOptions {
    /// Members of a `self-sorting` bank, unless said otherwise: as many as SAM 2 attends to.
    pub const SIZE: usize = 7;
    /// Members of a `self-sorting-released` bank, as in the released code.
    pub const RELEASED_SIZE: usize = 16;
    /// Threshold of `self-sorting`.
    pub const THRESHOLD: f32 = 0.5;

    /// Checks the numbers and fills in those that are not given.
    ///
    /// # Errors
    /// For a number out of its range, or one that the strategy does not have: it would have no effect.
    pub fn new(
        strategy: Strategy,
        size: Option<usize>,
        threshold: Option<f32>,
        seed: Option<u64>,
    ) -> Result<Self, SessionError> {
        let refuse = |what: String| Err(SessionError::new(SessionErrorKind::MemoryOptions, what));
        let none = |what: &str| refuse(format!("memory strategy {strategy} has no {what}"));
        if strategy == Strategy::Fifo && size.is_some() {
            return none("size");
        }
        if strategy == Strategy::Fifo && seed.is_some() {
            return none("seed");
        }
        if strategy != Strategy::SelfSorting && threshold.is_some() {
            return none("threshold");
        }
        if size == Some(0) {
            return refuse("a memory bank of size 0 has no room for the prompt".into());
        }
        if let Some(threshold) = threshold.filter(|t| !(0.0..=1.0).contains(t)) {
            return refuse(format!("memory threshold {threshold} is not from 0 to 1"));
        }
        let (usual_size, usual_threshold) = match strategy {
            Strategy::Fifo => (None, None),
            Strategy::SelfSorting => (Some(Self::SIZE), Some(Self::THRESHOLD)),
            Strategy::SelfSortingReleased => (Some(Self::RELEASED_SIZE), None),
        };
        Ok(Self {
            strategy,
            size: size.or(usual_size),
            threshold: threshold.or(usual_threshold),
            seed,
        })
    }

    /// The strategy.
    pub fn strategy(&self) -> Strategy {
        self.strategy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strategies_are_read_as_they_are_written() {
        for strategy in Strategy::ALL {
            assert_eq!(strategy.to_string().parse(), Ok(strategy));
        }
        let error = "lifo".parse::<Strategy>().unwrap_err();
        let names = "fifo, self-sorting, self-sorting-released";
        assert_eq!(error, format!("memory strategy `lifo` is none of {names}"));
    }

    #[test]
    fn each_strategy_has_its_own_numbers() {
        use Strategy::{Fifo, SelfSorting, SelfSortingReleased};
        let usual = |strategy| MemoryOptions::new(strategy, None, None, None).unwrap();
        assert_eq!(usual(Fifo), MemoryOptions::default());
        let sorting = usual(SelfSorting);
        assert_eq!((sorting.size, sorting.threshold), (Some(7), Some(0.5)));
        let released = usual(SelfSortingReleased);
        assert_eq!((released.size, released.threshold), (Some(16), None));
        let all = MemoryOptions::new(SelfSorting, Some(1), Some(1.0), Some(3)).unwrap();
        assert_eq!(
            (all.size, all.threshold, all.seed),
            (Some(1), Some(1.0), Some(3))
        );
    }

    #[test]
    fn numbers_without_effect_or_sense_are_refused() {
        use Strategy::{Fifo, SelfSorting, SelfSortingReleased};
        let cases = [
            (Fifo, Some(7), None, None, "fifo has no size"),
            (Fifo, None, Some(0.5), None, "fifo has no threshold"),
            (Fifo, None, None, Some(1), "fifo has no seed"),
            (
                SelfSortingReleased,
                None,
                Some(0.5),
                None,
                "released has no threshold",
            ),
            (SelfSorting, Some(0), None, None, "size 0"),
            (SelfSorting, None, Some(1.5), None, "1.5 is not from 0 to 1"),
            (SelfSorting, None, Some(f32::NAN), None, "NaN is not"),
        ];
        for (strategy, size, threshold, seed, words) in cases {
            let error = MemoryOptions::new(strategy, size, threshold, seed).unwrap_err();
            assert_eq!(error.kind(), SessionErrorKind::MemoryOptions);
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
