//! The numbers of a bank, and what they decide: which memory is kept, replaced or refused. Pure.

use std::fmt;

use super::{MemoryOptions, Strategy};

/// A memory may replace another of a predicted IoU higher by less than this (the released code's margin).
pub const IOU_MARGIN: f32 = 0.1;

/// A member of a bank.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Member {
    /// Slice, or step of an unordered set.
    pub slice: usize,
    /// Prompted slices stay.
    pub prompted: bool,
    /// The model's own estimate of the mask's IoU, 0 to 1.
    pub predicted_iou: f32,
    /// Positive where the model sees the object on the slice (a logit).
    pub object_score: f32,
}

/// What becomes of a memory, and why.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// Kept: a prompted slice always stays.
    Prompted,
    /// Kept (`fifo`): later slices push it out.
    Queued,
    /// Kept: the bank was not full.
    Room {
        /// Members with it.
        members: usize,
    },
    /// Refused (`self-sorting`): its predicted IoU does not exceed the threshold.
    NotConfident {
        /// Its predicted IoU.
        predicted_iou: f32,
        /// The threshold.
        threshold: f32,
    },
    /// Refused (few-shot): the label was not accepted on the slice.
    NotAccepted {
        /// Its object score.
        object_score: f32,
        /// The score to exceed.
        least: f32,
    },
    /// Refused: the bank is full, and no member may leave.
    NoneToReplace,
    /// Refused (`self-sorting`): no member is less dissimilar to the others.
    LeastDissimilar {
        /// The sum of one minus its cosine to every member.
        dissimilarity: f32,
        /// The lowest sum among the members that may leave.
        lowest: f32,
    },
    /// Replaces the member that was least dissimilar to the others (`self-sorting`).
    MoreDissimilar {
        /// Slice of the member that left.
        replaced: usize,
        /// The sum of one minus the new memory's cosine to every member.
        dissimilarity: f32,
        /// The same of the member that left.
        lowest: f32,
    },
    /// Refused (`self-sorting-released`): it is as similar to its least similar member as another member is.
    NotNew {
        /// Slice of the least similar member.
        to: usize,
        /// Cosine to it.
        cosine: f32,
        /// Slice of that member's most similar one.
        nearest: usize,
        /// Cosine of those two.
        nearest_cosine: f32,
    },
    /// Refused (`self-sorting-released`): its predicted IoU is too low to replace the other.
    LessConfident {
        /// Its predicted IoU.
        predicted_iou: f32,
        /// Slice of the member it would have replaced.
        than: usize,
        /// That member's predicted IoU.
        than_iou: f32,
    },
    /// Replaces a member (`self-sorting-released`).
    New {
        /// Slice of the member that left.
        replaced: usize,
        /// Slice of the member that is least similar to the new memory, and most to the one that left.
        to: usize,
        /// Cosine of the new memory to it.
        cosine: f32,
        /// Cosine of the member that left to it.
        nearest_cosine: f32,
    },
}

impl Verdict {
    /// `kept`, `replaced` (it is kept, in the place of another) or `refused`.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Prompted | Self::Queued | Self::Room { .. } => "kept",
            Self::MoreDissimilar { .. } | Self::New { .. } => "replaced",
            _ => "refused",
        }
    }

    /// Slice of the member that left.
    pub fn replaced(&self) -> Option<usize> {
        match *self {
            Self::MoreDissimilar { replaced, .. } | Self::New { replaced, .. } => Some(replaced),
            _ => None,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prompted => write!(f, "prompted slices always stay"),
            Self::Queued => write!(f, "first in, first out"),
            Self::Room { members } => write!(f, "there was room: now {members} members"),
            Self::NotConfident {
                predicted_iou: iou,
                threshold,
            } => write!(f, "predicted IoU {iou:.3} does not exceed {threshold:.3}"),
            Self::NotAccepted {
                object_score: score,
                least,
            } => write!(f, "the object score {score:.3} does not exceed {least:.3}"),
            Self::NoneToReplace => write!(f, "the bank is full and no member may leave"),
            Self::LeastDissimilar {
                dissimilarity,
                lowest,
            } => write!(
                f,
                "dissimilarity {dissimilarity:.4} is not above the lowest member's, {lowest:.4}"
            ),
            Self::MoreDissimilar {
                replaced,
                dissimilarity,
                lowest,
            } => write!(
                f,
                "dissimilarity {dissimilarity:.4} is above that of memory {replaced}, {lowest:.4}"
            ),
            Self::NotNew {
                to,
                cosine,
                nearest,
                nearest_cosine,
            } => write!(
                f,
                "cosine {cosine:.4} to memory {to} is not below that of memory {nearest}, {nearest_cosine:.4}"
            ),
            Self::LessConfident {
                predicted_iou,
                than,
                than_iou,
            } => write!(
                f,
                "predicted IoU {predicted_iou:.3} is not above that of memory {than}, {than_iou:.3}, less {IOU_MARGIN}"
            ),
            Self::New {
                replaced,
                to,
                cosine,
                nearest_cosine,
            } => write!(
                f,
                "cosine {cosine:.4} to memory {to} is below that of memory {replaced}, {nearest_cosine:.4}"
            ),
        }
    }
}

/// What was decided, and the member's index that it concerns.
pub(super) struct Ruling {
    pub verdict: Verdict,
    /// Where the new member is now; none when it was refused.
    pub place: Option<usize>,
}

/// Members of a self-sorting bank and the cosines of their memories.
pub struct Ledger {
    /// Predicted IoU to exceed (`self-sorting`); none for the released rule.
    threshold: Option<f32>,
    size: usize,
    members: Vec<Member>,
    /// Of each member the cosines to those before it. Those between prompted members are never asked for.
    cosines: Vec<Vec<f32>>,
}

impl Ledger {
    /// An empty bank; none for `fifo`, which is not sorted.
    pub fn new(options: &MemoryOptions) -> Option<Self> {
        Some(Self {
            threshold: match options.strategy {
                Strategy::Fifo => return None,
                Strategy::SelfSorting => options.threshold,
                Strategy::SelfSortingReleased => None,
            },
            size: options.size?,
            members: Vec::new(),
            cosines: Vec::new(),
        })
    }

    /// The members, prompted ones first.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Takes a prompted slice, whatever the size.
    ///
    /// # Panics
    /// When an unprompted slice is there already: prompts come first.
    pub fn add_prompted(&mut self, member: Member) {
        let first = self.members.iter().all(|m| m.prompted) && member.prompted;
        assert!(first, "prompted slices come before the others");
        self.members.push(member);
        self.cosines.push(Vec::new());
    }

    /// Decides on an unprompted slice's memory and carries the decision out. `cosines` are those of its memory to
    /// the members'.
    ///
    /// # Panics
    /// Unless there is one cosine for each member.
    pub fn consider(&mut self, candidate: Member, cosines: &[f32]) -> Verdict {
        self.rule(candidate, cosines).verdict
    }

    pub(super) fn rule(&mut self, candidate: Member, cosines: &[f32]) -> Ruling {
        assert_eq!(cosines.len(), self.members.len(), "one cosine for each");
        let confident = self.threshold.is_none_or(|t| candidate.predicted_iou > t);
        let (verdict, place) = if !confident {
            let refused = Verdict::NotConfident {
                predicted_iou: candidate.predicted_iou,
                threshold: self.threshold.unwrap_or_default(),
            };
            (refused, None)
        } else if self.members.len() < self.size {
            let members = self.members.len() + 1;
            (Verdict::Room { members }, Some(self.members.len()))
        } else {
            match self.threshold {
                Some(_) => self.by_dissimilarity(cosines),
                None => self.by_released_rule(&candidate, cosines),
            }
        };
        if let Some(place) = place {
            self.put(place, candidate, cosines);
        }
        Ruling { verdict, place }
    }

    /// Of the members and the candidate, the least dissimilar to the others leaves; of equals the candidate, then
    /// the earlier member.
    fn by_dissimilarity(&self, cosines: &[f32]) -> (Verdict, Option<usize>) {
        let distance = |cosine: f32| 1.0 - f64::from(cosine);
        let dissimilarity: f64 = cosines.iter().map(|&c| distance(c)).sum();
        let of_member = |i: usize| {
            let others = (0..self.members.len()).filter(|&j| j != i);
            let to_others: f64 = others.map(|j| distance(self.cosine(i, j))).sum();
            to_others + distance(cosines[i])
        };
        let sums = self.unprompted().map(|i| (i, of_member(i)));
        let Some((place, lowest)) = sums.min_by(|a, b| a.1.total_cmp(&b.1)) else {
            return (Verdict::NoneToReplace, None);
        };
        let stays = dissimilarity > lowest;
        let (dissimilarity, lowest) = (dissimilarity as f32, lowest as f32);
        match stays {
            true => {
                let replaced = Verdict::MoreDissimilar {
                    replaced: self.members[place].slice,
                    dissimilarity,
                    lowest,
                };
                (replaced, Some(place))
            }
            false => {
                let refused = Verdict::LeastDissimilar {
                    dissimilarity,
                    lowest,
                };
                (refused, None)
            }
        }
    }

    /// With i* the member least similar to the candidate and j* the unprompted member most similar to i*, the
    /// candidate replaces j* if it is less similar to i* than j* is, and not much less confident than j*. Of equals
    /// the earlier.
    fn by_released_rule(&self, candidate: &Member, cosines: &[f32]) -> (Verdict, Option<usize>) {
        let all = 0..self.members.len();
        let i = all.min_by(|&a, &b| cosines[a].total_cmp(&cosines[b]));
        // `max_by` takes the last of equals: turned round, the first.
        let most_similar = |i: usize| {
            let others = self.unprompted().filter(move |&j| j != i);
            others
                .rev()
                .max_by(|&a, &b| self.cosine(i, a).total_cmp(&self.cosine(i, b)))
        };
        let Some((i, j)) = i.and_then(|i| Some((i, most_similar(i)?))) else {
            return (Verdict::NoneToReplace, None);
        };
        let (cosine, nearest_cosine) = (cosines[i], self.cosine(i, j));
        let (to, nearest) = (self.members[i].slice, self.members[j]);
        if cosine >= nearest_cosine {
            let refused = Verdict::NotNew {
                to,
                cosine,
                nearest: nearest.slice,
                nearest_cosine,
            };
            return (refused, None);
        }
        if candidate.predicted_iou <= nearest.predicted_iou - IOU_MARGIN {
            let refused = Verdict::LessConfident {
                predicted_iou: candidate.predicted_iou,
                than: nearest.slice,
                than_iou: nearest.predicted_iou,
            };
            return (refused, None);
        }
        let replaced = Verdict::New {
            replaced: nearest.slice,
            to,
            cosine,
            nearest_cosine,
        };
        (replaced, Some(j))
    }

    fn unprompted(&self) -> impl DoubleEndedIterator<Item = usize> {
        (0..self.members.len()).filter(|&i| !self.members[i].prompted)
    }

    fn cosine(&self, a: usize, b: usize) -> f32 {
        self.cosines[a.max(b)][a.min(b)]
    }

    /// Puts a member at the end or in the place of another.
    fn put(&mut self, place: usize, member: Member, cosines: &[f32]) {
        let before = cosines[..place].to_vec();
        if place == self.members.len() {
            self.members.push(member);
            self.cosines.push(before);
            return;
        }
        self.members[place] = member;
        self.cosines[place] = before;
        for (later, &cosine) in cosines.iter().enumerate().skip(place + 1) {
            self.cosines[later][place] = cosine;
        }
    }
}

#[cfg(test)]
mod tests;
