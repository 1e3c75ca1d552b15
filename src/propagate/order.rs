//! In which order slices are visited. Pure functions on indices.

use std::fmt;
use std::str::FromStr;

/// Where a propagation goes from the prompted slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Towards higher slice indices.
    Forward,
    /// Towards lower slice indices.
    Backward,
    /// Forward first, then backward on the same state, so that the slices just after the prompt
    /// are remembered on the way back (Meta's order).
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

/// Whether a label has something to do in a step. A label's own start counts, never that of
/// other labels, so that a label's result does not depend on which others are propagated.
pub(super) fn takes_part(prompted: Prompted, step: Step, direction: Direction) -> bool {
    match (step.pass, direction) {
        (Pass::Forward, _) => step.slice >= prompted.first,
        // The prompted slice itself was delivered on the way forward.
        (Pass::Reverse, Direction::Both) => step.slice < prompted.first,
        (Pass::Reverse, _) => step.slice <= prompted.last,
    }
}

/// All steps in which some label has something to do.
pub(super) fn steps(labels: &[Prompted], slices: usize, direction: Direction) -> Vec<Step> {
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
    let busy = |step: &Step| {
        labels
            .iter()
            .any(|&label| takes_part(label, *step, direction))
    };
    walk.into_iter().filter(busy).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visited(labels: &[(usize, usize)], slices: usize, direction: Direction) -> Vec<usize> {
        let prompted = |&(first, last): &(usize, usize)| Prompted { first, last };
        let labels: Vec<Prompted> = labels.iter().map(prompted).collect();
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
    fn directions_are_read_as_they_are_written() {
        for direction in [Direction::Forward, Direction::Backward, Direction::Both] {
            assert_eq!(direction.to_string().parse(), Ok(direction));
        }
        assert!("up".parse::<Direction>().is_err());
    }
}
