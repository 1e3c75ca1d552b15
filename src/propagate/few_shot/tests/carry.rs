//! What is carried from slice to slice, with a model that writes down what it attends to.

use std::cell::RefCell;

use super::*;
use crate::propagate::{MemoryOptions, MemoryReport, Strategy};

/// A slice is its first grey value, and so is all that is known of it.
#[derive(Default)]
struct Diary {
    /// What each look attended to.
    attended: RefCell<Vec<Attended>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Attended {
    slice: u8,
    memories: Vec<(u8, Option<usize>)>,
    pointers: Vec<(u8, usize)>,
    max_obj_ptrs: usize,
}

/// Below this a slice is refused.
const DARK: u8 = 20;

impl FrameModel for &Diary {
    type Features = u8;
    type Output = u8;
    type Memory = u8;
    type Pointer = u8;

    fn encode(&self, grey: &[u8], _: SliceShape) -> u8 {
        grey[0]
    }

    fn prompt_mask(&self, features: &u8, _: &Mask) -> u8 {
        *features
    }

    fn track(&self, features: &u8, recall: Recall<Self>) -> u8 {
        self.attended.borrow_mut().push(Attended {
            slice: *features,
            memories: recall.memories,
            pointers: recall.pointers,
            max_obj_ptrs: recall.max_obj_ptrs,
        });
        *features
    }

    fn remember(&self, features: &u8, _: &u8, _: bool) -> (u8, u8) {
        (*features, *features)
    }

    async fn read(&self, output: u8, shape: SliceShape) -> Result<Readout, SessionError> {
        Ok(Readout {
            logits: vec![1.0; shape.area()],
            predicted_iou: 0.9,
            object_score: if output < DARK { -1.0 } else { 1.0 },
        })
    }
}

impl SimilarityModel for &Diary {
    type Vector = u8;

    fn image_vector(&self, features: &u8) -> u8 {
        *features
    }

    fn memory_vector(&self, memory: &u8) -> u8 {
        *memory
    }

    async fn cosines(&self, one: &u8, others: &[&u8]) -> Result<Vec<f32>, SessionError> {
        let cosine = |other: &&u8| 1.0 - f32::from(one.abs_diff(**other)) / 255.0;
        Ok(others.iter().map(cosine).collect())
    }
}

fn carrying(strategy: Strategy, size: usize) -> FewShotOptions {
    let memory = MemoryOptions::new(strategy, Some(size), None, None);
    FewShotOptions {
        carry: Some(memory.expect("possible")),
        ..no_copies()
    }
}

/// Of the last volume: what was attended to, and what was said of it.
fn run(
    options: FewShotOptions,
    labels: &[(u16, usize)],
    volumes: &[&[u8]],
) -> (Vec<Attended>, Vec<Option<MemoryReport>>) {
    let (model, matcher) = (Diary::default(), First::default());
    let few_shot = FewShot::new(&model, &matcher, vec![support(100, 0, labels)], options);
    let mut few_shot = few_shot.expect("a support");
    let mut reports = Vec::new();
    for greys in volumes {
        model.attended.borrow_mut().clear();
        let found = segment(&mut few_shot, &query(greys));
        let labels = found.into_iter().flat_map(|slice| slice.labels);
        reports = labels.map(|label| label.memory).collect();
    }
    (model.attended.take(), reports)
}

#[test]
fn a_slice_attends_to_its_support_and_to_slices_like_it() {
    let options = carrying(Strategy::SelfSorting, 7);
    let (attended, reports) = run(options, &[(1, 0)], &[&[90, 130, 10, 95]]);
    // The first is as without carrying: the video <support, slice>.
    let first = Attended {
        slice: 90,
        memories: vec![(100, Some(0))],
        pointers: vec![(100, 1)],
        max_obj_ptrs: 2,
    };
    assert_eq!(attended[0], first);
    assert_eq!(run(no_copies(), &[(1, 0)], &[&[90, 130]]).0[0], first);
    // The last attends to both accepted slices, the more similar one as its neighbour, and not to the dark one.
    let last = Attended {
        slice: 95,
        memories: vec![(100, Some(0)), (90, Some(6)), (130, Some(5))],
        pointers: vec![(100, 3), (90, 1), (130, 2)],
        max_obj_ptrs: 4,
    };
    assert_eq!(attended[3], last);
    let actions = |reports: &[Option<MemoryReport>]| -> Vec<&str> {
        let said = reports.iter().flatten().map(|r| r.decision.action());
        said.collect()
    };
    assert_eq!(actions(&reports), ["kept", "kept", "refused", "kept"]);
    let refused = reports[2].as_ref().expect("carrying").decision;
    assert_eq!(
        refused.to_string(),
        "the object score -1.000 does not exceed 0.000"
    );
    let used = &reports[3].as_ref().expect("carrying").used;
    let used: Vec<_> = used.iter().map(|u| (u.slice, u.prompted)).collect();
    assert_eq!(used, [(0, false), (1, false)]);
}

#[test]
fn the_released_rule_carries_memories_without_a_place_in_time() {
    let options = carrying(Strategy::SelfSortingReleased, 16);
    let (attended, _) = run(options, &[(1, 0)], &[&[90, 130, 95]]);
    let last = Attended {
        slice: 95,
        memories: vec![(100, Some(0)), (90, None), (130, None)],
        pointers: vec![(100, 1)],
        max_obj_ptrs: 2,
    };
    assert_eq!(attended[2], last);
}

/// The support has its place beside the bank's.
#[test]
fn no_more_are_carried_than_the_bank_holds() {
    let greys: Vec<u8> = (0..40).map(|i| 30 + (i * 37 % 200) as u8).collect();
    for strategy in [Strategy::SelfSorting, Strategy::SelfSortingReleased] {
        for size in [1, 3, 7] {
            let (attended, reports) = run(carrying(strategy, size), &[(1, 0)], &[&greys]);
            let most = attended.iter().map(|a| a.memories.len()).max();
            assert_eq!(most, Some(1 + size.min(6)), "{strategy} of {size}");
            let kept = reports.iter().flatten();
            let kept = kept.filter(|r| r.decision.action() == "kept").count();
            assert_eq!(kept, size);
        }
    }
}

#[test]
fn nothing_is_carried_from_volume_to_volume_or_label_to_label() {
    let options = carrying(Strategy::SelfSorting, 3);
    let (long, short): (&[u8], &[u8]) = (&[200, 30, 120, 60, 99], &[90, 130, 95, 40]);
    let alone = run(options, &[(1, 0)], &[short]);
    assert_eq!(run(options, &[(1, 0)], &[long, short]), alone);
    let (both, reports) = run(options, &[(1, 0), (2, 1)], &[short]);
    let of_first: Vec<Attended> = both.iter().step_by(2).cloned().collect();
    assert_eq!(of_first, alone.0);
    let reports: Vec<_> = reports.into_iter().step_by(2).collect();
    assert_eq!(reports, alone.1);
}

#[test]
fn draws_can_be_repeated() {
    let greys: Vec<u8> = (0..30).map(|i| 30 + (i * 53 % 200) as u8).collect();
    let drawn = |seed| {
        let memory = MemoryOptions::new(Strategy::SelfSorting, Some(12), None, Some(seed));
        let options = FewShotOptions {
            carry: Some(memory.expect("possible")),
            ..no_copies()
        };
        run(options, &[(1, 0)], &[&greys]).0
    };
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
}

#[test]
fn what_goes_by_time_carries_nothing() {
    let (model, matcher) = (Diary::default(), First::default());
    let options = FewShotOptions {
        carry: Some(MemoryOptions::default()),
        ..no_copies()
    };
    let few_shot = FewShot::new(&model, &matcher, vec![support(9, 0, &[(1, 0)])], options);
    let error = few_shot.err().expect("refused");
    assert_eq!(error.kind(), SessionErrorKind::MemoryOptions);
    assert!(error.to_string().contains("fifo goes by time"), "{error}");
}
