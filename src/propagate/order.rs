//! Which slices are visited, and in which order. Pure functions on indices.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error::{SessionError, SessionErrorKind};

/// Where a propagation goes from the prompted slices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Towards higher slice indices.
    Forward,
    /// Towards lower slice indices.
    Backward,
    /// Forward first, then backward on the same state, so that the slices just after the prompt
    /// are remembered on the way back (Meta's order).
    #[default]
    Both,
}

impl FromStr for Direction {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "forward" => Ok(Self::Forward),
            "backward" => Ok(Self::Backward),
            "both" => Ok(Self::Both),
            _ => Err(format!(
                "direction `{text}` is none of both, forward, backward"
            )),
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
            Self::Both => "both",
        })
    }
}

/// How far a propagation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// From the prompted slices.
    pub direction: Direction,
    /// First slice to visit; none for that of the volume. Prompted slices are visited wherever they are.
    pub first: Option<usize>,
    /// Last slice to visit, itself included; none for that of the volume.
    pub last: Option<usize>,
}

impl From<Direction> for Course {
    /// All of the volume.
    fn from(direction: Direction) -> Self {
        Self {
            direction,
            first: None,
            last: None,
        }
    }
}

impl Course {
    /// Its slices in a volume of so many.
    ///
    /// # Errors
    /// When they are not in the volume, or the first comes after the last.
    pub fn range(&self, slices: usize) -> Result<RangeInclusive<usize>, SessionError> {
        let end = slices.saturating_sub(1);
        let (first, last) = (self.first.unwrap_or(0), self.last.unwrap_or(end));
        if first <= last && last < slices {
            return Ok(first..=last);
        }
        let what = format!("slices {first} to {last} are no range of slices 0 to {end}");
        Err(SessionError::new(SessionErrorKind::Range, what))
    }
}

/// One of the two ways through the volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Slice indices rise.
    Forward,
    /// Slice indices fall (Meta's `reverse`).
    Reverse,
}

/// A label's prompted slices: the first and the last of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prompted {
    pub first: usize,
    pub last: usize,
}

/// Visit of one slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub pass: Pass,
    pub slice: usize,
}

/// A label's part in a propagation.
pub(super) struct Part<'a> {
    pub prompted: Prompted,
    /// Slices whose result is wanted.
    pub pending: &'a BTreeSet<usize>,
}

impl Part<'_> {
    /// Whether the label has something to do in a step.
    fn takes(&self, step: Step, direction: Direction) -> bool {
        takes_part(self.prompted, step, direction) && self.pending.contains(&step.slice)
    }
}

/// Whether a label is looked for in a step, once. A label's own start counts, never that of
/// other labels, so that a label's result does not depend on which others are propagated.
pub(super) fn takes_part(prompted: Prompted, step: Step, direction: Direction) -> bool {
    match (step.pass, direction) {
        (Pass::Forward, _) => step.slice >= prompted.first,
        // The prompted slice itself was delivered on the way forward.
        (Pass::Reverse, Direction::Both) => step.slice < prompted.first,
        (Pass::Reverse, _) => step.slice <= prompted.last,
    }
}

/// Whether a label is looked for on a slice at all.
pub(super) fn reaches(prompted: Prompted, slice: usize, direction: Direction) -> bool {
    match direction {
        Direction::Forward => slice >= prompted.first,
        Direction::Backward => slice <= prompted.last,
        Direction::Both => true,
    }
}

/// All steps in which some label has something to do.
pub(super) fn steps(labels: &[Part<'_>], slices: usize, direction: Direction) -> Vec<Step> {
    let forward = (0..slices).map(|slice| Step {
        pass: Pass::Forward,
        slice,
    });
    let reverse = (0..slices).rev().map(|slice| Step {
        pass: Pass::Reverse,
        slice,
    });
    let walk: Vec<Step> = match direction {
        Direction::Forward => forward.collect(),
        Direction::Backward => reverse.collect(),
        Direction::Both => forward.chain(reverse).collect(),
    };
    let busy = |step: &Step| labels.iter().any(|label| label.takes(*step, direction));
    walk.into_iter().filter(busy).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visited(labels: &[(usize, usize)], slices: usize, direction: Direction) -> Vec<usize> {
        let pending = (0..slices).collect();
        let part = |&(first, last): &(usize, usize)| Part {
            prompted: Prompted { first, last },
            pending: &pending,
        };
        let labels: Vec<Part<'_>> = labels.iter().map(part).collect();
        steps(&labels, slices, direction)
            .iter()
            .map(|s| s.slice)
            .collect()
    }

    #[test]
    fn both_goes_forward_then_back_without_repeating_the_prompt() {
        assert_eq!(visited(&[(2, 2)], 5, Direction::Both), [2, 3, 4, 1, 0]);
        assert_eq!(visited(&[(2, 2)], 5, Direction::Forward), [2, 3, 4]);
        assert_eq!(visited(&[(2, 2)], 5, Direction::Backward), [2, 1, 0]);
    }

    #[test]
    fn labels_share_a_walk_that_covers_each_of_them() {
        assert_eq!(
            visited(&[(1, 1), (3, 3)], 5, Direction::Both),
            [1, 2, 3, 4, 2, 1, 0]
        );
        assert_eq!(visited(&[(1, 3)], 5, Direction::Backward), [3, 2, 1, 0]);
    }

    #[test]
    fn a_prompt_at_an_end_is_still_delivered() {
        assert_eq!(visited(&[(0, 0)], 3, Direction::Backward), [0]);
        assert_eq!(visited(&[(2, 2)], 3, Direction::Forward), [2]);
        assert_eq!(visited(&[(0, 0)], 1, Direction::Both), [0]);
    }

    #[test]
    fn only_pending_slices_are_visited_each_in_its_pass() {
        let prompted = Prompted { first: 5, last: 5 };
        let pending = BTreeSet::from([1, 2, 7, 8]);
        let order = |direction| {
            let part = Part {
                prompted,
                pending: &pending,
            };
            let steps = steps(&[part], 10, direction);
            steps.iter().map(|s| s.slice).collect::<Vec<_>>()
        };
        assert_eq!(order(Direction::Both), [7, 8, 2, 1]);
        assert_eq!(order(Direction::Forward), [7, 8]);
        assert_eq!(order(Direction::Backward), [2, 1]);
        for direction in [Direction::Forward, Direction::Backward, Direction::Both] {
            let reached = pending.iter().filter(|&&s| reaches(prompted, s, direction));
            assert_eq!(reached.count(), order(direction).len(), "{direction}");
        }
    }

    #[test]
    fn a_course_lies_in_the_volume() {
        let range = |first, last| {
            let course = Course {
                direction: Direction::Both,
                first,
                last,
            };
            course.range(10).ok()
        };
        assert_eq!(range(None, None), Some(0..=9));
        assert_eq!(range(Some(3), None), Some(3..=9));
        assert_eq!(range(None, Some(3)), Some(0..=3));
        assert_eq!(range(Some(4), Some(4)), Some(4..=4));
        assert_eq!(range(Some(5), Some(4)), None);
        assert_eq!(range(None, Some(10)), None);
        assert!(Course::from(Direction::Both).range(0).is_err());
    }

    #[test]
    fn directions_are_read_as_they_are_written() {
        for direction in [Direction::Forward, Direction::Backward, Direction::Both] {
            assert_eq!(direction.to_string().parse(), Ok(direction));
        }
        assert!("up".parse::<Direction>().is_err());
    }
}
