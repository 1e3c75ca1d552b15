//! Order, memory, overlaps and cancelling, with a model that needs no weights.

use std::cell::{Cell, RefCell};

use super::*;
use crate::propagate::frame_model::{FrameModel, Readout, Recall};
use crate::propagate::memory::Verdict;
use crate::propagate::{Strategy, WarmUp};
use crate::volume::{Affine, Grid, Millimetre};

mod attention;
mod corrections;
mod memory;
mod points;
mod restored;

/// Copies the prompt's pixels and writes down what it was asked. A "memory" is the slice it was
/// made of, and so is a "pointer".
#[derive(Default)]
struct Copying {
    asked: RefCell<Vec<Asked>>,
    alive: Arc<()>,
    /// Mixes all that is remembered instead, so that a result depends on each memory, its place and its order.
    mixes: bool,
    /// What comes of reading a result.
    reading: Cell<Reading>,
}

#[derive(Clone, Copy, Default)]
enum Reading {
    #[default]
    Answers,
    Fails,
    /// It never answers.
    Hangs,
}

#[derive(Clone, Debug, PartialEq)]
enum Asked {
    Encode(usize),
    Track {
        slice: usize,
        memories: Vec<(usize, Option<usize>)>,
        pointers: Vec<(usize, usize)>,
    },
    Points {
        points: usize,
        /// Pixels inside of what it started from, if anything.
        before: Option<usize>,
    },
}

#[derive(Clone)]
struct Seen {
    slice: usize,
    logits: Vec<f32>,
    _alive: Arc<()>,
}

/// The test volumes hold their slice's index in every voxel, so a slice tells which it is.
fn index_of(grey: &[u8]) -> usize {
    usize::from(grey[0])
}

impl FrameModel for Copying {
    type Features = usize;
    type Output = Seen;
    type Memory = Seen;
    type Pointer = usize;

    fn encode(&self, grey: &[u8], _: SliceShape) -> usize {
        let slice = index_of(grey);
        self.asked.borrow_mut().push(Asked::Encode(slice));
        slice
    }

    fn prompt_mask(&self, &slice: &usize, mask: &Mask) -> Seen {
        // A larger mask is surer of itself, so that overlaps have a winner.
        let sure = mask.area() as f32;
        let logits = mask
            .pixels
            .iter()
            .map(|&inside| if inside { sure } else { -1.0 })
            .collect();
        Seen {
            slice,
            logits,
            _alive: Arc::clone(&self.alive),
        }
    }

    fn track(&self, &slice: &usize, recall: Recall<Self>) -> Seen {
        let memories = recall
            .memories
            .iter()
            .map(|(m, t_pos)| (m.slice, *t_pos))
            .collect();
        let pointers = recall.pointers.clone();
        self.asked.borrow_mut().push(Asked::Track {
            slice,
            memories,
            pointers,
        });
        let logits = match self.mixes {
            true => mixed(&recall),
            false => recall.memories[0].0.logits.clone(),
        };
        Seen {
            slice,
            logits,
            _alive: Arc::clone(&self.alive),
        }
    }

    fn remember(&self, _: &usize, output: &Seen, _: bool) -> (Seen, usize) {
        (output.clone(), output.slice)
    }

    async fn read(&self, output: Seen, _: SliceShape) -> Result<Readout, SessionError> {
        match self.reading.get() {
            Reading::Answers => {}
            Reading::Fails => return Err(SessionError::new(SessionErrorKind::Device, "lost")),
            Reading::Hangs => std::future::pending().await,
        }
        Ok(Readout {
            logits: output.logits,
            predicted_iou: 0.75,
            object_score: 1.0,
        })
    }
}

fn mixed(recall: &Recall<Copying>) -> Vec<f32> {
    let mut logits = vec![0.0; 4];
    for (order, (memory, t_pos)) in recall.memories.iter().enumerate() {
        let weight = 1.0 + t_pos.unwrap_or(9) as f32 + 0.25 * order as f32;
        for (logit, of_memory) in logits.iter_mut().zip(&memory.logits) {
            *logit += weight * of_memory / 64.0;
        }
    }
    for (order, (slice, distance)) in recall.pointers.iter().enumerate() {
        logits[order % 4] += (slice + 3 * distance) as f32 / 4096.0;
    }
    logits
}

/// Slices lie on an arc: the farther apart, the less similar.
impl SimilarityModel for Copying {
    type Vector = f32;

    fn image_vector(&self, &slice: &usize) -> f32 {
        slice as f32 * 0.01
    }

    fn memory_vector(&self, memory: &Seen) -> f32 {
        memory.slice as f32 * 0.01
    }

    async fn cosines(&self, one: &f32, others: &[&f32]) -> Result<Vec<f32>, SessionError> {
        Ok(others.iter().map(|&other| (one - other).cos()).collect())
    }
}

fn memory(strategy: Strategy, size: Option<usize>, draw: Option<u64>) -> MemoryOptions {
    MemoryOptions::new(strategy, size, None, draw).unwrap()
}

fn session(slices: usize) -> Session<Copying> {
    session_of(Copying::default(), slices)
}

fn session_of(model: Copying, slices: usize) -> Session<Copying> {
    let grid = Grid::new([2, 2, slices], Affine::diagonal([Millimetre(1.0); 3])).unwrap();
    let voxels = (0..slices).flat_map(|k| [k as f32; 4]).collect();
    let volume = Volume::new(voxels, grid).unwrap();
    let window = Window::new(0.0, 255.0).unwrap();
    Session::with_model(model, Arc::new(volume), VoxelAxis::K, window)
}

fn mask(pixels: [u8; 4]) -> Mask {
    let shape = SliceShape { rows: 2, cols: 2 };
    Mask::new(shape, pixels.map(|p| p > 0).to_vec()).unwrap()
}

fn run(session: &mut Session<Copying>, course: impl Into<Course>) -> Vec<SliceResult> {
    let steps = session.start(course).unwrap();
    let results = rest(session);
    assert_eq!(results.len(), steps);
    results
}

fn rest(session: &mut Session<Copying>) -> Vec<SliceResult> {
    std::iter::from_fn(|| pollster::block_on(session.next()).unwrap()).collect()
}

#[test]
fn every_slice_is_delivered_once_in_order() {
    let mut session = session(6);
    session.add_mask(3, 2, mask([1, 0, 0, 0])).unwrap();
    let results = run(&mut session, Direction::Both);
    let slices: Vec<usize> = results.iter().map(|r| r.slice).collect();
    assert_eq!(slices, [2, 3, 4, 5, 1, 0]);
    assert!(results.iter().all(|r| r.label_map == [3, 0, 0, 0]));
    assert!(results[0].labels[0].prompted && !results[1].labels[0].prompted);
    assert_eq!(session.label_map().labels_present(), [3]);
}

#[test]
fn labels_share_the_image_encoder() {
    let mut session = session(5);
    session.add_mask(1, 1, mask([1, 0, 0, 0])).unwrap();
    session.add_mask(2, 1, mask([0, 1, 0, 0])).unwrap();
    run(&mut session, Direction::Both);
    let asked = session.model.asked.borrow();
    let encoded: Vec<&Asked> = asked
        .iter()
        .filter(|a| matches!(a, Asked::Encode(_)))
        .collect();
    assert_eq!(
        encoded,
        [1, 2, 3, 4, 0]
            .map(Asked::Encode)
            .iter()
            .collect::<Vec<_>>()
    );
}

#[test]
fn a_label_does_not_depend_on_the_others() {
    let tracked = |labels: &[(u16, usize)]| {
        let mut session = session(9);
        for &(label, slice) in labels {
            session.add_mask(label, slice, mask([1, 1, 0, 0])).unwrap();
        }
        let results = run(&mut session, Direction::Both);
        let of_label_1 = |r: &SliceResult| r.labels.iter().any(|l| l.label == 1).then_some(r.slice);
        results.iter().filter_map(of_label_1).collect::<Vec<_>>()
    };
    assert_eq!(tracked(&[(1, 4)]), tracked(&[(1, 4), (2, 7), (3, 0)]));
}

#[test]
fn overlaps_go_to_the_higher_logit_whatever_comes_first() {
    for (small, large) in [(1, 2), (2, 1)] {
        let mut session = session(4);
        session.add_mask(small, 0, mask([1, 0, 0, 0])).unwrap();
        session.add_mask(large, 3, mask([1, 1, 0, 0])).unwrap();
        run(&mut session, Direction::Both);
        for slice in 0..4 {
            let labels = session.label_map().slice(VoxelAxis::K, slice).unwrap();
            assert_eq!(labels, [large, large, 0, 0], "slice {slice}");
        }
    }
}

#[test]
fn memory_does_not_grow_with_the_number_of_slices() {
    let alive_at_most = |slices: usize, memory: MemoryOptions| {
        let mut session = session(slices);
        session.set_memory(memory);
        session.add_mask(1, slices / 2, mask([1, 0, 0, 0])).unwrap();
        session.start(Direction::Both).unwrap();
        let mut most = 0;
        while pollster::block_on(session.next()).unwrap().is_some() {
            most = most.max(Arc::strong_count(&session.model.alive));
        }
        most
    };
    for strategy in Strategy::ALL {
        let memory = memory(strategy, None, None);
        let (short, long) = (alive_at_most(60, memory), alive_at_most(200, memory));
        assert_eq!(short, long, "{strategy}");
    }
}

#[test]
fn the_reverse_pass_remembers_the_slices_after_the_prompt() {
    let mut session = session(30);
    session.add_mask(1, 15, mask([1, 0, 0, 0])).unwrap();
    run(&mut session, Direction::Both);
    let asked = session.model.asked.borrow();
    let first_back = asked.iter().find_map(|a| match a {
        Asked::Track {
            slice: 14,
            memories,
            pointers,
        } => Some((memories, pointers)),
        _ => None,
    });
    let (memories, pointers) = first_back.unwrap();
    assert_eq!(
        *memories,
        [(15, 0), (20, 1), (19, 2), (18, 3), (17, 4), (16, 5)].map(|(s, t_pos)| (s, Some(t_pos)))
    );
    assert_eq!(pointers.len(), 15);
}

#[test]
fn stopping_keeps_what_is_done_and_starting_again_begins_afresh() {
    let mut session = session(6);
    session.add_mask(1, 0, mask([1, 0, 0, 0])).unwrap();
    session.start(Direction::Both).unwrap();
    for _ in 0..2 {
        pollster::block_on(session.next()).unwrap().unwrap();
    }
    let labelled = |s: &Session<Copying>| s.label_map().labels.iter().filter(|&&l| l > 0).count();
    assert_eq!(labelled(&session), 2);
    assert_eq!(run(&mut session, Direction::Both).len(), 6);
    assert_eq!(labelled(&session), 6);
}

#[test]
fn bad_prompts_are_refused_each_in_its_own_words() {
    use SessionErrorKind::{BackgroundLabel, EmptyMask, MaskSize, NoPrompt, SliceOutOfRange};
    let mut session = session(3);
    let wide = Mask::new(SliceShape { rows: 1, cols: 4 }, vec![true; 4]).unwrap();
    let cases = [
        (
            1,
            3,
            mask([1, 0, 0, 0]),
            SliceOutOfRange,
            "slice 3 does not exist",
        ),
        (1, 0, wide, MaskSize, "1 x 4"),
        (0, 0, mask([1, 0, 0, 0]), BackgroundLabel, "background"),
        (7, 1, mask([0; 4]), EmptyMask, "label 7 on slice 1 is empty"),
    ];
    for (label, slice, mask, kind, words) in cases {
        let error = session.add_mask(label, slice, mask).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(session.start(Direction::Both).unwrap_err().kind(), NoPrompt);
}

#[test]
fn a_warm_up_goes_through_every_part_and_leaves_no_trace() {
    let session = session(4);
    let shape = session.shape();
    let mut warm_up = WarmUp::new(shape);
    let parts: Vec<usize> = std::iter::repeat_with(|| {
        pollster::block_on(warm_up.next(session.model())).expect("it answers")
    })
    .take_while(|&left| left > 0)
    .collect();
    assert_eq!(parts, [1]);
    assert_eq!(warm_up.left(), 0);
    let asked = session.model.asked.borrow().clone();
    assert!(
        matches!(asked[..], [Asked::Encode(0), Asked::Track { .. }]),
        "{asked:?}"
    );
    assert!(session.label_map().labels.iter().all(|&label| label == 0));
}
