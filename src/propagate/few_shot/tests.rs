//! Matching, prompting and the number of runs, with a model and a matcher that need no weights.

use std::cell::Cell;

use super::*;
use crate::volume::Mask;

const SHAPE: SliceShape = SliceShape { rows: 2, cols: 2 };

/// Gives back the prompt it was last conditioned on, and counts what it is shown.
#[derive(Default)]
struct Echo {
    encoded: Cell<usize>,
}

impl FrameModel for Echo {
    type Features = u8;
    type Output = Vec<bool>;
    type Memory = Vec<bool>;
    type Pointer = ();

    fn encode(&self, grey: &[u8], _: SliceShape) -> u8 {
        self.encoded.set(self.encoded.get() + 1);
        grey[0]
    }

    fn prompt_mask(&self, _: &u8, mask: &Mask) -> Vec<bool> {
        mask.pixels.clone()
    }

    fn track(&self, _: &u8, recall: Recall<Self>) -> Vec<bool> {
        assert_eq!((recall.memories.len(), recall.pointers.len()), (1, 1));
        assert_eq!((recall.memories[0].1, recall.pointers[0].1), (Some(0), 1));
        recall.memories[0].0.clone()
    }

    fn remember(&self, _: &u8, output: &Vec<bool>, prompted: bool) -> (Vec<bool>, ()) {
        assert!(prompted);
        (output.clone(), ())
    }

    async fn read(&self, output: Vec<bool>, _: SliceShape) -> Result<Readout, SessionError> {
        Ok(Readout {
            logits: output.iter().map(|&p| if p { 1.0 } else { -1.0 }).collect(),
            predicted_iou: 0.9,
            object_score: 1.0,
        })
    }
}

/// Compares the first grey value.
#[derive(Default)]
struct First {
    runs: Cell<usize>,
}

impl Matcher for First {
    type Features = u8;

    fn features(&self, grey: &[u8], _: SliceShape) -> u8 {
        self.runs.set(self.runs.get() + 1);
        grey[0]
    }

    async fn distances(&self, query: &u8, supports: &[u8]) -> Result<Vec<f32>, SessionError> {
        Ok(supports
            .iter()
            .map(|&s| f32::from(s.abs_diff(*query)))
            .collect())
    }
}

fn support(grey: u8, inside: usize) -> Support {
    let pixels = (0..4).map(|i| i == inside).collect();
    Support {
        grey: vec![grey; 4],
        mask: Mask {
            shape: SHAPE,
            pixels,
        },
    }
}

fn query(grey: u8) -> Query {
    Query {
        grey: vec![grey; 4],
        shape: SHAPE,
    }
}

#[test]
fn each_slice_is_prompted_with_its_nearest_support() {
    let supports = vec![support(10, 0), support(100, 1), support(200, 2)];
    let mut few_shot = FewShot::new(Echo::default(), First::default(), supports);
    for (grey, chosen, distance) in [(90, 1, 10.0), (12, 0, 2.0), (250, 2, 50.0), (55, 0, 45.0)] {
        let found = pollster::block_on(few_shot.segment(&query(grey))).expect("no device");
        assert_eq!((found.support, found.distance), (chosen, distance));
        let inside = found.readout.logits.iter().position(|&l| l > 0.0);
        assert_eq!(inside, Some(chosen));
    }
}

/// |S'| + N_q runs of the matcher; one of the image encoder for each query and each support that was chosen.
#[test]
fn nothing_is_looked_at_twice() {
    let supports = (0..5).map(|i| support(50 * i, 0)).collect();
    let mut few_shot = FewShot::new(Echo::default(), First::default(), supports);
    let queries = [0, 3, 52, 49, 0, 210, 205];
    for grey in queries {
        pollster::block_on(few_shot.segment(&query(grey))).expect("no device");
    }
    assert_eq!(few_shot.matcher.runs.get(), 5 + queries.len());
    assert_eq!(few_shot.supports_shown(), 3);
    assert_eq!(few_shot.model.encoded.get(), queries.len() + 3);
}

#[test]
fn without_support_there_is_an_error() {
    let mut few_shot = FewShot::new(Echo::default(), First::default(), Vec::new());
    let error = pollster::block_on(few_shot.segment(&query(0))).expect_err("nothing to match");
    assert_eq!(error.kind(), SessionErrorKind::NoPrompt);
}
