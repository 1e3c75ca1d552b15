//! Both rules by tables, and against the formulas written out over a plain matrix.

use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};

use super::*;

fn member(slice: usize, predicted_iou: f32) -> Member {
    Member {
        slice,
        prompted: false,
        predicted_iou,
        object_score: 1.0,
    }
}

fn prompt(slice: usize) -> Member {
    Member {
        prompted: true,
        ..member(slice, 1.0)
    }
}

fn ledger(strategy: Strategy, size: usize) -> Ledger {
    let options = MemoryOptions::new(strategy, Some(size), None, None).unwrap();
    Ledger::new(&options).unwrap()
}

fn slices(ledger: &Ledger) -> Vec<usize> {
    ledger.members().iter().map(|m| m.slice).collect()
}

#[test]
fn fifo_has_no_ledger() {
    assert!(Ledger::new(&MemoryOptions::default()).is_none());
}

#[test]
fn both_fill_until_full() {
    for strategy in [Strategy::SelfSorting, Strategy::SelfSortingReleased] {
        let mut ledger = ledger(strategy, 3);
        ledger.add_prompted(prompt(5));
        let verdict = ledger.consider(member(6, 0.6), &[1.0]);
        assert_eq!(verdict, Verdict::Room { members: 2 });
        let verdict = ledger.consider(member(7, 0.6), &[1.0, 1.0]);
        assert_eq!(verdict, Verdict::Room { members: 3 });
        assert_eq!(slices(&ledger), [5, 6, 7]);
    }
}

#[test]
fn only_the_formula_has_a_threshold_and_it_must_be_exceeded() {
    let mut sorting = ledger(Strategy::SelfSorting, 3);
    sorting.add_prompted(prompt(0));
    let refused = Verdict::NotConfident {
        predicted_iou: 0.5,
        threshold: 0.5,
    };
    assert_eq!(sorting.consider(member(1, 0.5), &[0.1]), refused);
    assert_eq!(
        sorting.consider(member(2, 0.501), &[0.1]).action(),
        "kept",
        "just above"
    );
    let mut released = ledger(Strategy::SelfSortingReleased, 3);
    released.add_prompted(prompt(0));
    assert_eq!(released.consider(member(1, 0.0), &[0.1]).action(), "kept");
}

#[test]
fn a_bank_full_of_prompts_takes_nothing_and_keeps_them_all() {
    for strategy in [Strategy::SelfSorting, Strategy::SelfSortingReleased] {
        let mut ledger = ledger(strategy, 1);
        ledger.add_prompted(prompt(2));
        ledger.add_prompted(prompt(8));
        let verdict = ledger.consider(member(3, 0.9), &[0.1, 0.2]);
        assert_eq!(verdict, Verdict::NoneToReplace);
        assert_eq!(slices(&ledger), [2, 8]);
    }
}

/// The prompt p, members a and b, the candidate c. Distances: p-a 0.1, p-b 0.5, a-b 0.4.
fn full(strategy: Strategy) -> Ledger {
    let mut ledger = ledger(strategy, 3);
    ledger.add_prompted(prompt(10));
    ledger.consider(member(11, 0.9), &[0.9]);
    ledger.consider(member(12, 0.8), &[0.5, 0.6]);
    ledger
}

#[test]
fn the_least_dissimilar_leaves() {
    // D(a) = 0.1 + 0.4 + (a-c), D(b) = 0.5 + 0.4 + (b-c), D(c) = (p-c) + (a-c) + (b-c).
    let cases = [
        // 1.2, 1.8 and 2.4: a leaves.
        ([0.2, 0.3, 0.1], "replaced", Some(11), [10, 13, 12]),
        // 1.4, 1.1 and 1.6: b leaves.
        ([0.5, 0.1, 0.8], "replaced", Some(12), [10, 11, 13]),
        // 0.6, 1.3 and 0.5: c is the prompt over again and is refused.
        ([1.0, 0.9, 0.6], "refused", None, [10, 11, 12]),
    ];
    for (cosines, action, replaced, left) in cases {
        let mut ledger = full(Strategy::SelfSorting);
        let verdict = ledger.consider(member(13, 0.7), &cosines);
        let found = (verdict.action(), verdict.replaced());
        assert_eq!(found, (action, replaced), "{verdict}");
        assert_eq!(slices(&ledger), left);
    }
}

#[test]
fn a_copy_of_a_member_changes_nothing() {
    let mut ledger = full(Strategy::SelfSorting);
    let verdict = ledger.consider(member(13, 0.9), &[0.9, 1.0, 0.6]);
    assert_eq!(verdict.action(), "refused", "{verdict}");
}

/// i* = argmin of the cosines to c, j* = the unprompted member most similar to i*.
#[test]
fn the_released_rule_by_table() {
    let new = |replaced, to, cosine, nearest_cosine| Verdict::New {
        replaced,
        to,
        cosine,
        nearest_cosine,
    };
    let cases = [
        // i* = p, j* = a (0.9): c is less similar to p than a is, and confident enough.
        ([0.2, 0.3, 0.4], 0.81, new(11, 10, 0.2, 0.9)),
        // The same, but 0.8 is not above 0.9 - 0.1.
        (
            [0.2, 0.3, 0.4],
            0.9 - IOU_MARGIN,
            Verdict::LessConfident {
                predicted_iou: 0.9 - IOU_MARGIN,
                than: 11,
                than_iou: 0.9,
            },
        ),
        // i* = b, j* = a (0.6; the prompt is never j*).
        ([0.9, 0.8, 0.5], 0.95, new(11, 12, 0.5, 0.6)),
        // i* = b, and c is as similar to it as a is.
        (
            [0.9, 0.8, 0.6],
            0.95,
            Verdict::NotNew {
                to: 12,
                cosine: 0.6,
                nearest: 11,
                nearest_cosine: 0.6,
            },
        ),
        // i* = a, j* = b, not the prompt, though that is more similar to a.
        ([0.9, 0.1, 0.5], 0.71, new(12, 11, 0.1, 0.6)),
    ];
    for (cosines, iou, expected) in cases {
        let mut ledger = full(Strategy::SelfSortingReleased);
        let verdict = ledger.consider(member(13, iou), &cosines);
        assert_eq!(verdict, expected, "{verdict}");
    }
}

#[test]
#[should_panic(expected = "prompted slices come before the others")]
fn prompts_come_first() {
    full(Strategy::SelfSorting).add_prompted(prompt(1));
}

#[test]
fn reasons_are_words_with_the_numbers() {
    let mut ledger = full(Strategy::SelfSortingReleased);
    let verdict = ledger.consider(member(13, 0.95), &[0.9, 0.8, 0.5]);
    assert_eq!(
        verdict.to_string(),
        "cosine 0.5000 to memory 12 is below that of memory 11, 0.6000"
    );
    assert_eq!(
        (verdict.action(), verdict.replaced()),
        ("replaced", Some(11))
    );
}

/// A walk: for each slice a memory in three dimensions and a predicted IoU.
fn walk() -> impl proptest::strategy::Strategy<Value = Vec<([f32; 3], f32)>> {
    let memory = prop::array::uniform3(-1.0f32..1.0);
    prop::collection::vec((memory, 0.0f32..1.0), 1..40)
}

fn cosine(a: &[f32; 3], b: &[f32; 3]) -> f32 {
    let dot = |a: &[f32; 3], b: &[f32; 3]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(1e-12)
}

/// A bank as the formulas have it: whole vectors, all cosines computed anew.
type Plain = Vec<(usize, [f32; 3], f32)>;

/// The formula: all K + 1, then the K of the largest sums, prompts whatever their sums.
fn by_formula(bank: &mut Plain, prompts: usize, size: usize, new: (usize, [f32; 3], f32)) {
    if new.2 <= MemoryOptions::THRESHOLD {
        return;
    }
    bank.push(new);
    if bank.len() > size {
        let sum = |i: usize| -> f64 {
            let others = (0..bank.len()).filter(|&j| j != i);
            others
                .map(|j| 1.0 - f64::from(cosine(&bank[i].1, &bank[j].1)))
                .sum()
        };
        // Members first to last: the candidate, the last, loses a tie.
        let sums: Vec<f64> = (0..bank.len()).map(sum).collect();
        let last = bank.len() - 1;
        let mut leaves = last;
        for i in prompts..last {
            if sums[i] < sums[leaves] {
                leaves = i;
            }
        }
        bank.swap_remove(leaves); // puts the candidate in the place of the one that leaves
    }
}

/// The released rule, literally.
fn by_code(bank: &mut Plain, prompts: usize, size: usize, new: (usize, [f32; 3], f32)) {
    if bank.len() < size {
        bank.push(new);
        return;
    }
    let to_new: Vec<f32> = bank.iter().map(|m| cosine(&m.1, &new.1)).collect();
    let argmin = (0..bank.len()).fold(0, |best, i| if to_new[i] < to_new[best] { i } else { best });
    let mut nearest: Option<(usize, f32)> = None;
    for j in (prompts..bank.len()).filter(|&j| j != argmin) {
        let s = cosine(&bank[argmin].1, &bank[j].1);
        if nearest.is_none_or(|n| s > n.1) {
            nearest = Some((j, s));
        }
    }
    let Some((j, s)) = nearest else { return };
    if to_new[argmin] < s && new.2 > bank[j].2 - IOU_MARGIN {
        bank[j] = new;
    }
}

proptest! {
    #[test]
    fn members_are_those_of_the_formulas(walk in walk(), prompts in 0usize..4, size in 1usize..9) {
        type Rule = fn(&mut Plain, usize, usize, (usize, [f32; 3], f32));
        let rules: [(Strategy, Rule); 2] = [
            (Strategy::SelfSorting, by_formula),
            (Strategy::SelfSortingReleased, by_code),
        ];
        for (strategy, rule) in rules {
            let (mut ledger, mut bank, mut vectors) = (ledger(strategy, size), Plain::new(), Vec::new());
            let prompts = prompts.min(walk.len());
            for (slice, &(vector, iou)) in walk.iter().enumerate() {
                if slice < prompts {
                    ledger.add_prompted(prompt(slice));
                    bank.push((slice, vector, 1.0));
                    vectors.push(vector);
                    continue;
                }
                let before = slices(&ledger);
                let cosines: Vec<f32> = vectors.iter().map(|v| cosine(v, &vector)).collect();
                let ruling = ledger.rule(member(slice, iou), &cosines);
                if bank.len() >= size && bank.len() == prompts {
                    // Full of prompts: nothing is taken, which the formulas do not foresee.
                    prop_assert!(ruling.place.is_none());
                } else {
                    rule(&mut bank, prompts, size, (slice, vector, iou));
                }
                match ruling.place {
                    Some(place) if place == vectors.len() => vectors.push(vector),
                    Some(place) => {
                        prop_assert_eq!(ruling.verdict.replaced(), Some(before[place]));
                        vectors[place] = vector;
                    }
                    None => prop_assert_eq!(ruling.verdict.action(), "refused"),
                }
                let expected: Vec<usize> = bank.iter().map(|m| m.0).collect();
                prop_assert_eq!(slices(&ledger), expected, "{} at {}", strategy, slice);
                prop_assert!(ledger.members().len() <= size.max(prompts));
                let kept: Vec<usize> = slices(&ledger)[..prompts].to_vec();
                prop_assert_eq!(kept, (0..prompts).collect::<Vec<_>>());
            }
        }
    }
}
