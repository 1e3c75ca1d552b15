//! Memory strategies in a session: what is used, kept and explained.

use super::*;

/// What label 1 used on each slice, and what became of its memories.
fn reports(memory: MemoryOptions, labels: &[(u16, usize)]) -> Vec<(usize, MemoryReport)> {
    let mut session = session(40);
    session.set_memory(memory);
    for &(label, slice) in labels {
        session.add_mask(label, slice, mask([1, 1, 0, 0])).unwrap();
    }
    let results = run(&mut session, Direction::Both);
    let report = |r: SliceResult| {
        let label = r.labels.into_iter().find(|l| l.label == 1)?;
        Some((r.slice, label.memory))
    };
    results.into_iter().filter_map(report).collect()
}

#[test]
fn every_slice_says_what_it_used_and_what_became_of_it() {
    let all = reports(memory(Strategy::Fifo, None, None), &[(1, 10)]);
    assert_eq!(all.len(), 40);
    assert_eq!(all[0].1.decision, Verdict::Prompted);
    assert!(all[0].1.used.is_empty());
    let used: Vec<_> = all[2]
        .1
        .used
        .iter()
        .map(|u| (u.slice, u.position))
        .collect();
    assert_eq!(all[2].0, 12);
    assert_eq!(used, [(10, Some(0)), (11, Some(6))]);
    assert!(all[1..].iter().all(|(_, r)| r.decision == Verdict::Queued));
}

#[test]
fn a_bank_of_one_is_the_prompt_alone() {
    for strategy in [Strategy::SelfSorting, Strategy::SelfSortingReleased] {
        for (slice, report) in &reports(memory(strategy, Some(1), None), &[(1, 10)])[1..] {
            let used: Vec<usize> = report.used.iter().map(|u| u.slice).collect();
            assert_eq!(used, [10], "{strategy}, slice {slice}");
            assert_eq!(report.decision, Verdict::NoneToReplace);
        }
    }
}

#[test]
fn sorted_memories_are_ranked_by_similarity_or_have_no_place_in_time() {
    let sorted = reports(memory(Strategy::SelfSorting, None, None), &[(1, 10)]);
    let (slice, report) = &sorted[4];
    let used: Vec<_> = report.used.iter().map(|u| (u.slice, u.position)).collect();
    assert_eq!(*slice, 14);
    let ranked = [(10, Some(0)), (13, Some(6)), (12, Some(5)), (11, Some(4))];
    assert_eq!(used, ranked);
    assert_eq!(report.decision, Verdict::Room { members: 5 });

    let released = reports(
        memory(Strategy::SelfSortingReleased, None, None),
        &[(1, 10)],
    );
    let used: Vec<_> = released[8]
        .1
        .used
        .iter()
        .map(|u| (u.slice, u.position))
        .collect();
    let nearest = [10, 17, 16, 15, 14, 13, 12].map(|slice| (slice, None));
    assert_eq!(used, nearest, "the prompt and the six most similar");
}

#[test]
fn pointers_go_with_ranks_or_not_at_all() {
    for (strategy, expected) in [
        (
            Strategy::SelfSorting,
            vec![(13, 1), (12, 2), (11, 3), (10, 4)],
        ),
        (Strategy::SelfSortingReleased, vec![]),
    ] {
        let mut session = session(40);
        session.set_memory(memory(strategy, None, None));
        session.add_mask(1, 10, mask([1, 0, 0, 0])).unwrap();
        run(&mut session, Direction::Forward);
        let asked = session.model.asked.borrow();
        let on_14 = asked.iter().find_map(|a| match a {
            Asked::Track {
                slice: 14,
                pointers,
                ..
            } => Some(pointers),
            _ => None,
        });
        assert_eq!(*on_14.unwrap(), expected, "{strategy}");
    }
}

/// On an arc, memories spread over all that was seen instead of following the latest slices.
#[test]
fn a_sorted_bank_keeps_what_is_far_apart() {
    let sorted = reports(memory(Strategy::SelfSorting, None, None), &[(1, 10)]);
    let (slice, last) = &sorted[29];
    assert_eq!(*slice, 39);
    let used: Vec<usize> = last.used.iter().map(|u| u.slice).collect();
    assert_eq!((used[0], used.len()), (10, 7));
    assert!(used[1..].iter().any(|&s| s <= 14), "{used:?}");
    let actions = sorted
        .iter()
        .filter(|(_, r)| r.decision.action() == "replaced");
    assert!(actions.count() > 0);
}

#[test]
fn draws_are_repeated_by_their_seed_and_do_not_depend_on_other_labels() {
    for strategy in [Strategy::SelfSorting, Strategy::SelfSortingReleased] {
        let drawn = |seed, labels: &[_]| reports(memory(strategy, Some(12), Some(seed)), labels);
        let one = drawn(1, &[(1, 10)]);
        assert_eq!(one, drawn(1, &[(1, 10)]));
        assert_ne!(one, drawn(2, &[(1, 10)]));
        assert_eq!(one, drawn(1, &[(1, 10), (2, 10), (3, 30)]));
    }
}
