//! Prompts that come, change and go: what is computed again, and what is not.

use std::pin::pin;
use std::task::{Context, Waker};

use super::*;

const SLICES: usize = 20;

/// A session whose results depend on all that is remembered.
fn mixing(prompts: &[(u16, usize, [u8; 4])]) -> Session<Copying> {
    let model = Copying {
        mixes: true,
        ..Copying::default()
    };
    let mut session = session_of(model, SLICES);
    for &(label, slice, pixels) in prompts {
        session.add_mask(label, slice, mask(pixels)).unwrap();
    }
    session
}

fn fresh(prompts: &[(u16, usize, [u8; 4])], course: impl Into<Course>) -> Session<Copying> {
    let mut session = mixing(prompts);
    run(&mut session, course);
    session
}

fn resume(session: &mut Session<Copying>) -> Vec<SliceResult> {
    let outstanding = session.outstanding();
    assert_eq!(session.resume().unwrap(), outstanding);
    let results = rest(session);
    assert_eq!(results.len(), outstanding);
    assert_eq!(session.outstanding(), 0);
    results
}

fn visited(results: &[SliceResult]) -> Vec<usize> {
    results.iter().map(|r| r.slice).collect()
}

fn slice(session: &Session<Copying>, slice: usize) -> Vec<u16> {
    session.label_map().slice(VoxelAxis::K, slice).unwrap()
}

/// What was asked of the model for slices it tracked.
fn tracked(session: &Session<Copying>) -> BTreeMap<usize, Asked> {
    let asked = session.model.asked.borrow();
    let of_slice = |asked: &Asked| match asked {
        Asked::Track { slice, .. } => Some((*slice, asked.clone())),
        _ => None,
    };
    asked.iter().filter_map(of_slice).collect()
}

const A: [u8; 4] = [1, 0, 0, 0];
const B: [u8; 4] = [0, 1, 1, 0];

#[test]
fn a_correction_recomputes_what_it_decides_and_no_more() {
    let others = [(1, 5, A), (1, 12, A), (2, 3, [0, 0, 1, 1])];
    let mut session = fresh(&others, Direction::Both);
    let before = session.label_map().clone();
    let of_2 = |s: &Session<Copying>| {
        (0..SLICES)
            .map(|i| s.label_mask(2, i).unwrap())
            .collect::<Vec<_>>()
    };
    let (untouched, done) = (of_2(&session), session.model.asked.take().len());
    assert!(done > SLICES);

    session.add_mask(1, 8, mask(B)).unwrap();
    assert_eq!(
        session.label_map(),
        &before,
        "nothing changes before it is computed"
    );
    let results = resume(&mut session);
    assert_eq!(visited(&results), [6, 7, 8, 9, 10, 11]);
    assert!(
        results
            .iter()
            .all(|r| r.labels.len() == 1 && r.labels[0].label == 1)
    );
    let prompted: Vec<usize> = results
        .iter()
        .filter(|r| r.labels[0].prompted)
        .map(|r| r.slice)
        .collect();
    assert_eq!(prompted, [8]);

    // Three prompted slices are looked at, then the six between; 8 among both.
    let asked = session.model.asked.borrow().clone();
    let encoded = asked
        .iter()
        .filter(|a| matches!(a, Asked::Encode(_)))
        .count();
    assert_eq!((encoded, tracked(&session).len()), (3 + 6, 5));

    let alone = fresh(&[(1, 5, A), (1, 8, B), (1, 12, A)], Direction::Both);
    let memories = tracked(&alone);
    let expected = fresh(&[&others[..], &[(1, 8, B)]].concat(), Direction::Both);
    for (index, of_slice) in tracked(&session) {
        assert_eq!(of_slice, memories[&index]);
    }
    for index in 0..SLICES {
        match (6..=11).contains(&index) {
            true => assert_eq!(slice(&session, index), slice(&expected, index), "{index}"),
            false => assert_eq!(
                slice(&session, index),
                before.slice(VoxelAxis::K, index).unwrap()
            ),
        }
    }
    assert_ne!(session.label_map(), &before);
    assert_eq!(of_2(&session), untouched);
}

#[test]
fn beyond_the_last_prompt_a_correction_is_as_good_as_a_fresh_run() {
    let mut session = fresh(&[(1, 5, A)], Direction::Both);
    session.add_mask(1, 9, mask(B)).unwrap();
    assert_eq!(
        visited(&resume(&mut session)),
        (6..SLICES).collect::<Vec<_>>()
    );
    let expected = fresh(&[(1, 5, A), (1, 9, B)], Direction::Both);
    for index in 5..SLICES {
        assert_eq!(slice(&session, index), slice(&expected, index), "{index}");
    }
    let first = fresh(&[(1, 5, A)], Direction::Both);
    for index in 0..5 {
        assert_eq!(slice(&session, index), slice(&first, index), "{index}");
    }
}

#[test]
fn before_the_first_prompt_it_goes_both_ways() {
    let mut session = fresh(&[(1, 15, A)], Direction::Both);
    session.add_mask(1, 9, mask(B)).unwrap();
    let order = (9..15).chain((0..9).rev());
    assert_eq!(visited(&resume(&mut session)), order.collect::<Vec<_>>());
    // Forward only, the label now begins at 9; and when that is taken back, it ends there again.
    let mut session = fresh(&[(1, 15, A)], Direction::Forward);
    session.add_mask(1, 9, mask(B)).unwrap();
    assert_eq!(visited(&resume(&mut session)), [9, 10, 11, 12, 13, 14]);
    assert!(session.remove_mask(1, 9));
    assert_eq!(resume(&mut session).len(), 0);
    let expected = fresh(&[(1, 15, A)], Direction::Forward);
    assert_eq!(session.label_map(), expected.label_map());
}

#[test]
fn a_label_that_comes_late_is_followed_alone() {
    let mut session = fresh(&[(2, 5, A)], Direction::Both);
    let before = (0..SLICES).map(|i| session.label_mask(2, i).unwrap());
    let before: Vec<Mask> = before.collect();
    session.add_mask(1, 12, mask(B)).unwrap();
    let results = resume(&mut session);
    assert_eq!(
        visited(&results),
        (12..SLICES).chain((0..12).rev()).collect::<Vec<_>>()
    );
    assert!(
        results
            .iter()
            .all(|r| r.labels.len() == 1 && r.labels[0].label == 1)
    );
    let after: Vec<Mask> = (0..SLICES)
        .map(|i| session.label_mask(2, i).unwrap())
        .collect();
    assert_eq!(after, before);
    let expected = fresh(&[(2, 5, A), (1, 12, B)], Direction::Both);
    assert_eq!(session.label_map(), expected.label_map());
}

#[test]
fn a_change_during_a_run_leaves_the_other_labels_where_they_were() {
    let start = [(1, 4, A), (2, 6, B)];
    let mut session = mixing(&start);
    session.start(Direction::Both).unwrap();
    for _ in 0..7 {
        pollster::block_on(session.next()).unwrap().unwrap();
    }
    session.add_mask(1, 8, mask(B)).unwrap();
    assert!(pollster::block_on(session.next()).unwrap().is_none());
    let results = resume(&mut session);
    let of = |label| {
        let of_label = |r: &&SliceResult| r.labels.iter().any(|l| l.label == label);
        let slices = results.iter().filter(of_label).map(|r| r.slice);
        slices.collect::<Vec<_>>()
    };
    assert_eq!(of(1), (5..SLICES).chain((0..4).rev()).collect::<Vec<_>>());
    assert_eq!(of(2), (11..SLICES).chain((0..6).rev()).collect::<Vec<_>>());
    let expected = fresh(&[(1, 4, A), (2, 6, B), (1, 8, B)], Direction::Both);
    assert_eq!(session.label_map(), expected.label_map());
}

#[test]
fn what_is_taken_back_is_as_if_it_had_never_been() {
    let kept = [(1, 5, A), (1, 12, A), (2, 3, B)];
    let mut session = fresh(&[&kept[..], &[(1, 8, B)]].concat(), Direction::Both);
    assert!(!session.remove_mask(1, 9) && !session.remove_mask(7, 8));
    assert!(session.remove_mask(1, 8));
    assert_eq!(visited(&resume(&mut session)), [6, 7, 8, 9, 10, 11]);
    let expected = fresh(&kept, Direction::Both);
    for index in 5..=12 {
        assert_eq!(slice(&session, index), slice(&expected, index), "{index}");
    }
    // A label goes with its last mask, or as a whole.
    assert!(session.remove_mask(2, 3) && !session.remove_label(2));
    assert_eq!(session.label_map().labels_present(), [1]);
    assert!(session.remove_label(1));
    assert!(session.label_map().labels_present().is_empty());
    assert_eq!(session.resume().unwrap(), 0);
}

#[test]
fn an_object_can_be_said_not_to_be_on_a_slice() {
    let nothing = || mask([0; 4]);
    let mut session = fresh(&[(1, 5, A)], Direction::Both);
    for refused in [
        session.add_mask(1, 5, nothing()),
        session.add_mask(2, 9, nothing()),
    ] {
        assert_eq!(refused.unwrap_err().kind(), SessionErrorKind::EmptyMask);
    }
    session.add_mask(1, 9, nothing()).unwrap();
    assert_eq!(
        visited(&resume(&mut session)),
        (6..SLICES).collect::<Vec<_>>()
    );
    assert_eq!(slice(&session, 9), [0; 4]);
    let expected = fresh(&[(1, 5, A), (1, 9, [0; 4])], Direction::Both);
    assert_eq!(slice(&session, 12), slice(&expected, 12));
    // Alone it says nothing.
    assert!(session.remove_mask(1, 5));
    assert!(session.label_map().labels_present().is_empty());
    assert!(!session.remove_mask(1, 9));
}

#[test]
fn a_range_is_kept_to_and_prompted_slices_are_delivered_anyway() {
    let course = |first, last| Course {
        direction: Direction::Both,
        first,
        last,
    };
    let mut session = mixing(&[(1, 8, A)]);
    let results = run(&mut session, course(Some(6), Some(11)));
    assert_eq!(visited(&results), [8, 9, 10, 11, 7, 6]);
    session.add_mask(1, 15, mask(B)).unwrap();
    assert_eq!(visited(&resume(&mut session)), [9, 10, 11, 15]);
    assert!(session.remove_mask(1, 15));
    resume(&mut session);
    assert_eq!(slice(&session, 15), [0; 4], "no mask, and out of range");
    let expected = fresh(&[(1, 8, A)], course(Some(6), Some(11)));
    assert_eq!(session.label_map(), expected.label_map());
    for (first, last) in [(9, 8), (0, SLICES)] {
        let refused = session.start(course(Some(first), Some(last))).unwrap_err();
        assert_eq!(refused.kind(), SessionErrorKind::Range);
        assert!(refused.to_string().contains("slices 0 to 19"), "{refused}");
    }
    assert_eq!(
        session.label_map(),
        expected.label_map(),
        "a refused start changes nothing"
    );
}

#[test]
fn a_step_given_up_half_way_or_failed_leaves_a_session_that_goes_on() {
    let prompts = [(1, 5, A), (2, 9, B)];
    let expected = fresh(&prompts, Direction::Both);
    for reading in [Reading::Hangs, Reading::Fails] {
        let mut session = mixing(&prompts);
        session.start(Direction::Both).unwrap();
        for _ in 0..8 {
            pollster::block_on(session.next()).unwrap().unwrap();
        }
        session.model.reading.set(reading);
        {
            let mut step = pin!(session.next());
            let polled = step.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            let failed = matches!(polled, std::task::Poll::Ready(Err(_)));
            assert!(polled.is_pending() || failed);
        }
        session.model.reading.set(Reading::Answers);
        assert!(pollster::block_on(session.next()).unwrap().is_none());
        assert!(session.outstanding() > 0);
        resume(&mut session);
        assert_eq!(session.label_map(), expected.label_map());
    }
}

#[test]
fn every_memory_strategy_begins_again_at_the_prompts() {
    for strategy in Strategy::ALL {
        let begin = |prompts: &[(u16, usize, [u8; 4])]| {
            let mut session = mixing(prompts);
            session.set_memory(memory(strategy, None, None));
            run(&mut session, Direction::Both);
            session
        };
        let mut session = begin(&[(1, 5, A)]);
        session.add_mask(1, 9, mask(B)).unwrap();
        assert_eq!(resume(&mut session).len(), SLICES - 6, "{strategy}");
        let expected = begin(&[(1, 5, A), (1, 9, B)]);
        for index in 5..SLICES {
            assert_eq!(
                slice(&session, index),
                slice(&expected, index),
                "{strategy} {index}"
            );
        }
    }
}
