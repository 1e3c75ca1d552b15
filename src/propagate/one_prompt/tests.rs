//! Order, equal images and bad input, with a model that needs no weights but whose answer depends on its memories.

use std::cell::RefCell;

use proptest::prelude::{any, prop, prop_assert_eq, proptest};

use super::*;
use crate::propagate::frame_model::{FrameModel, Readout, Recall};
use crate::propagate::memory::{Strategy, Verdict};

/// Remembers grey values, and finds on an image what is brighter than the memories' weighted mean.
#[derive(Default)]
struct Brightness {
    encoded: RefCell<usize>,
}

impl FrameModel for Brightness {
    type Features = Vec<f32>;
    type Output = Vec<f32>;
    type Memory = Vec<f32>;
    type Pointer = f32;

    fn encode(&self, grey: &[u8], _: SliceShape) -> Vec<f32> {
        *self.encoded.borrow_mut() += 1;
        grey.iter().map(|&v| f32::from(v)).collect()
    }

    fn prompt_mask(&self, features: &Vec<f32>, _: &Mask) -> Vec<f32> {
        features.clone()
    }

    fn track(&self, features: &Vec<f32>, recall: Recall<Self>) -> Vec<f32> {
        // Not symmetric in its memories, so that a wrong order shows.
        let weighted = recall.memories.iter().enumerate();
        let sum: f32 = weighted.map(|(i, (m, _))| m[0] / (i + 1) as f32).sum();
        let mean = sum / recall.memories.len() as f32;
        features.iter().map(|v| v - mean).collect()
    }

    fn remember(&self, features: &Vec<f32>, output: &Vec<f32>, _: bool) -> (Vec<f32>, f32) {
        let sum = features.iter().zip(output).map(|(a, b)| a + 0.5 * b);
        (sum.collect(), output[0])
    }

    async fn read(&self, output: Vec<f32>, _: SliceShape) -> Result<Readout, SessionError> {
        Ok(Readout {
            predicted_iou: (output[0].abs() / 255.0).min(1.0),
            object_score: output[0],
            logits: output,
        })
    }
}

impl SimilarityModel for Brightness {
    type Vector = Vec<f32>;

    fn image_vector(&self, features: &Vec<f32>) -> Vec<f32> {
        features.clone()
    }

    fn memory_vector(&self, memory: &Vec<f32>) -> Vec<f32> {
        memory.clone()
    }

    async fn cosines(
        &self,
        one: &Vec<f32>,
        others: &[&Vec<f32>],
    ) -> Result<Vec<f32>, SessionError> {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
        let cosine = |b: &&Vec<f32>| dot(one, b) / (dot(one, one) * dot(b, b)).sqrt().max(1e-12);
        Ok(others.iter().map(cosine).collect())
    }
}

fn image(grey: [u8; 3]) -> GreySlice {
    let shape = SliceShape { rows: 1, cols: 3 };
    let grey = grey.to_vec();
    GreySlice { grey, shape }
}

fn support() -> (GreySlice, Mask) {
    let shape = SliceShape { rows: 1, cols: 3 };
    let mask = Mask::new(shape, vec![true, false, false]).unwrap();
    (image([200, 100, 50]), mask)
}

fn memory(strategy: Strategy, draw: Option<u64>) -> MemoryOptions {
    MemoryOptions::new(strategy, None, None, draw).unwrap()
}

/// Features of more images than most sets have are kept.
const ROOM: usize = 12;

fn run(memory: MemoryOptions, images: &[[u8; 3]]) -> Vec<OnePromptResult> {
    let images = images.iter().map(|&grey| image(grey)).collect();
    let model = Brightness::default();
    let mut set = OnePrompt::with_model(model, &memory, ROOM, support(), images).unwrap();
    let next = || pollster::block_on(set.next()).unwrap();
    let results: Vec<_> = std::iter::from_fn(next).collect();
    let encoded = *set.model.encoded.borrow();
    let distinct = set.groups.len();
    let expected = match distinct {
        0 => 0,
        _ => 1 + distinct + distinct.saturating_sub(ROOM), // the prompt, and twice what has no room
    };
    assert_eq!(encoded, expected, "{distinct} distinct images");
    results
}

/// All that a result says, but for the index it was given by.
fn said(r: &OnePromptResult) -> (usize, u32, Vec<bool>, u32, u32, MemoryReport) {
    let bits = [r.similarity, r.predicted_iou, r.object_score].map(f32::to_bits);
    let pixels = r.mask.pixels.clone();
    (r.step, bits[0], pixels, bits[1], bits[2], r.memory.clone())
}

proptest! {
    /// Any permutation of any set, equal images among them: every image has the same result.
    #[test]
    fn the_order_of_the_set_does_not_matter(
        set in prop::collection::vec(prop::array::uniform3(0u8..6), 0..24),
        keys in prop::collection::vec(any::<u32>(), 24),
        seed in any::<u64>(),
    ) {
        let mut permuted: Vec<usize> = (0..set.len()).collect();
        permuted.sort_by_key(|&i| keys[i]);
        let other: Vec<[u8; 3]> = permuted.iter().map(|&i| set[i]).collect();
        for strategy in Strategy::ALL {
            for draw in [None, Some(seed)] {
                if strategy == Strategy::Fifo && draw.is_some() {
                    continue;
                }
                let (a, b) = (run(memory(strategy, draw), &set), run(memory(strategy, draw), &other));
                prop_assert_eq!(a.len(), set.len());
                for found in &b {
                    let original = permuted[found.image];
                    let same = a.iter().find(|r| r.image == original).expect("every image");
                    prop_assert_eq!(said(same), said(found), "{}", strategy);
                }
            }
        }
    }
}

#[test]
fn the_most_similar_come_first_and_equal_ones_share_a_step() {
    let images = [[0, 0, 200], [100, 50, 25], [201, 100, 50], [100, 50, 25]];
    for strategy in Strategy::ALL {
        let results = run(memory(strategy, None), &images);
        let order: Vec<(usize, usize)> = results.iter().map(|r| (r.image, r.step)).collect();
        assert_eq!(order, [(1, 1), (3, 1), (2, 2), (0, 3)], "{strategy}");
        assert!(results.is_sorted_by(|a, b| a.similarity >= b.similarity));
        let prompt = &results[0].memory.used;
        assert_eq!((prompt.len(), prompt[0].slice), (1, 0), "{strategy}");
        assert!(prompt[0].prompted);
        assert_ne!(results[0].memory.decision, Verdict::Prompted);
    }
}

#[test]
fn looking_counts_down_and_is_optional() {
    let images: Vec<GreySlice> = [[1, 2, 3], [3, 2, 1], [1, 2, 3]].map(image).to_vec();
    let memory = memory(Strategy::SelfSorting, None);
    let model = Brightness::default();
    let mut set = OnePrompt::with_model(model, &memory, ROOM, support(), images).unwrap();
    assert_eq!(set.left_to_look(), 2);
    let left = [(); 3].map(|()| pollster::block_on(set.look()).unwrap());
    assert_eq!(left, [1, 0, 0]);
    assert!(pollster::block_on(set.next()).unwrap().is_some());
}

#[test]
fn the_prompt_is_seen_as_the_model_sees_it() {
    let memory = memory(Strategy::Fifo, None);
    let model = Brightness::default();
    let mut set = OnePrompt::with_model(model, &memory, 0, support(), Vec::new()).unwrap();
    let seen = pollster::block_on(set.prompt_seen()).unwrap();
    assert_eq!(seen.pixels, [true; 3], "this model sees what is not black");
    pollster::block_on(set.prompt_seen()).unwrap();
    assert_eq!(*set.model.encoded.borrow(), 1);
}

#[test]
fn an_empty_set_has_no_result() {
    assert!(run(memory(Strategy::Fifo, None), &[]).is_empty());
}

#[test]
fn bad_images_and_masks_are_refused() {
    use SessionErrorKind::{EmptyMask, ImageSize, MaskSize};
    let memory = MemoryOptions::default();
    let refused = |(support, mask): (GreySlice, Mask), images: Vec<GreySlice>| {
        let set = OnePrompt::with_model(Brightness::default(), &memory, 0, (support, mask), images);
        set.err().expect("refused").kind()
    };
    let shape = SliceShape { rows: 2, cols: 2 };
    let none = SliceShape { rows: 0, cols: 9 };
    let all = [vec![], vec![0; 3], vec![0; 5]].map(|grey| (shape, grey));
    for (shape, grey) in all.into_iter().chain([(none, vec![])]) {
        let bad = GreySlice { grey, shape };
        assert_eq!(
            refused(support(), vec![image([1, 2, 3]), bad.clone()]),
            ImageSize
        );
        let (_, mask) = support();
        assert_eq!(refused((bad, mask), Vec::new()), ImageSize);
    }
    let wide = Mask::new(shape, vec![true; 4]).unwrap();
    let (image, _) = support();
    assert_eq!(refused((image.clone(), wide), Vec::new()), MaskSize);
    let empty = Mask::new(image.shape, vec![false; 3]).unwrap();
    assert_eq!(refused((image, empty), Vec::new()), EmptyMask);
}
