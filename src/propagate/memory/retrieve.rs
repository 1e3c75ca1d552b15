//! Which members a slice attends to. In: cosines to the slice; out: members, in the order the model takes them.

use super::super::seeded::Seeded;
use super::ledger::Member;
use super::{MemoryOptions, Strategy};
use crate::sam2::config::NUM_MASKMEM;

/// Members attended to beside the prompted ones, at most: as many as the model was trained with.
pub const RETRIEVED: usize = NUM_MASKMEM - 1;

/// Weights from cosines, and a seeded source of numbers to draw by them.
pub struct Draw {
    weigh: fn(f32) -> f64,
    random: Seeded,
}

impl Draw {
    /// None where the options ask for no draw.
    pub fn new(options: &MemoryOptions) -> Option<Self> {
        let weigh: fn(f32) -> f64 = match options.strategy {
            Strategy::SelfSortingReleased => |cosine| f64::from(cosine).exp(),
            Strategy::SelfSorting | Strategy::Fifo => |cosine| f64::from(cosine.max(0.0)),
        };
        let random = Seeded::of(&[options.seed?]);
        Some(Self { weigh, random })
    }

    /// Draws `count` of the candidates (member and cosine), each time from all of them.
    fn draw(&mut self, candidates: &[(usize, f32)], count: usize) -> Vec<(usize, f32)> {
        let mut weights: Vec<f64> = candidates.iter().map(|c| (self.weigh)(c.1)).collect();
        if weights.iter().all(|&w| w <= 0.0) {
            weights.fill(1.0); // nothing is similar at all: no reason to prefer any
        }
        let total: f64 = weights.iter().sum();
        let mut one = || {
            let mut left = self.random.unit() * total;
            let past = |w: &f64| {
                left -= w;
                left < 0.0
            };
            // Rounding may leave a trace of `left` after the last: then it is the last.
            let place = weights.iter().position(past);
            candidates[place.unwrap_or(candidates.len() - 1)]
        };
        (0..count).map(|_| one()).collect()
    }
}

/// Chooses members for a slice: the prompted ones in their order, then others, the most similar first; of equally
/// similar ones the earlier. `cosines` are those of the members' image embeddings to the slice's. A draw can choose a
/// member more than once, which then weighs more.
///
/// # Panics
/// Unless there is one cosine for each member.
pub fn retrieve(members: &[Member], cosines: &[f32], draw: Option<&mut Draw>) -> Vec<usize> {
    assert_eq!(members.len(), cosines.len(), "one cosine for each member");
    let all = || members.iter().enumerate();
    let prompted = all().filter(|(_, m)| m.prompted).map(|(i, _)| i);
    let others = all().filter(|(_, m)| !m.prompted);
    let mut others: Vec<(usize, f32)> = others.map(|(i, _)| (i, cosines[i])).collect();
    let count = others.len().min(RETRIEVED);
    if let Some(draw) = draw {
        others = draw.draw(&others, count);
    }
    others.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let others = others.into_iter().take(count).map(|(i, _)| i);
    prompted.chain(others).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn members(prompted: &[bool]) -> Vec<Member> {
        let member = |(slice, &prompted)| Member {
            slice,
            prompted,
            predicted_iou: 0.9,
            object_score: 1.0,
        };
        prompted.iter().enumerate().map(member).collect()
    }

    fn drawing(strategy: Strategy, seed: u64) -> Draw {
        let options = MemoryOptions::new(strategy, None, None, Some(seed)).unwrap();
        Draw::new(&options).unwrap()
    }

    #[test]
    fn prompts_come_first_then_the_most_similar_then_the_earlier() {
        let members = members(&[
            true, false, false, false, true, false, false, false, false, false,
        ]);
        let cosines = [0.0, 0.2, 0.9, 0.5, 0.1, 0.9, 0.3, -0.4, 0.6, 0.7];
        let chosen = retrieve(&members, &cosines, None);
        assert_eq!(chosen, [0, 4, 2, 5, 9, 8, 3, 6]);
    }

    #[test]
    fn without_others_there_are_the_prompts() {
        let mut draw = drawing(Strategy::SelfSorting, 1);
        assert_eq!(retrieve(&members(&[true]), &[0.4], Some(&mut draw)), [0]);
        assert_eq!(retrieve(&members(&[true]), &[0.4], None), [0]);
        assert_eq!(retrieve(&[], &[], None), [0; 0]);
    }

    /// Drawn as often as its weight says: by the cosine, by its softmax, and evenly where nothing is similar.
    #[test]
    fn draws_follow_their_weights() {
        use Strategy::{SelfSorting, SelfSortingReleased};
        let share = |strategy, cosines: [f32; 2]| {
            let mut draw = drawing(strategy, 5);
            let drawn = draw.draw(&[(0, cosines[0]), (1, cosines[1])], 20_000);
            drawn.iter().filter(|d| d.0 == 0).count() as f64 / 20_000.0
        };
        let softmax = 1.0 / (1.0 + (-0.6f64).exp());
        let cases = [
            (SelfSorting, [0.8, 0.2], 0.8),
            (SelfSorting, [0.5, -0.5], 1.0),
            (SelfSorting, [-0.1, -0.9], 0.5),
            (SelfSortingReleased, [0.8, 0.2], softmax),
        ];
        for (strategy, cosines, expected) in cases {
            let found = share(strategy, cosines);
            // Four standard deviations of a share of 20,000 draws are at most 0.0142.
            assert!((found - expected).abs() < 0.0142, "{strategy}: {found}");
        }
    }

    proptest! {
        #[test]
        fn a_seed_repeats_and_bounds_hold(
            all in prop::collection::vec((any::<bool>(), -1.0f32..1.0), 1..30),
            seed in any::<u64>(),
        ) {
            let (prompted, cosines): (Vec<bool>, Vec<f32>) = all.into_iter().unzip();
            let members = members(&prompted);
            let given = prompted.iter().filter(|p| **p).count();
            let others = members.len() - given;
            for strategy in [Strategy::SelfSorting, Strategy::SelfSortingReleased] {
                let (mut a, mut b) = (drawing(strategy, seed), drawing(strategy, seed));
                for _ in 0..3 {
                    let drawn = retrieve(&members, &cosines, Some(&mut a));
                    prop_assert_eq!(&drawn, &retrieve(&members, &cosines, Some(&mut b)));
                    prop_assert_eq!(drawn.len(), given + others.min(RETRIEVED));
                }
            }
            let chosen = retrieve(&members, &cosines, None);
            prop_assert_eq!(chosen.len(), given + others.min(RETRIEVED));
            prop_assert!(chosen[..given].iter().all(|&i| prompted[i]));
            let lowest = chosen[given..].iter().map(|&i| cosines[i]).fold(f32::MAX, f32::min);
            let left = (0..members.len()).filter(|i| !chosen.contains(i));
            for i in left {
                prop_assert!(!prompted[i] && cosines[i] <= lowest);
            }
        }
    }
}
