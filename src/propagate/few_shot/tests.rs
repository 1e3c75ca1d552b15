//! Matching, prompting and the number of runs, with a model and a matcher that need no weights.

mod carry;
mod measures;

use std::cell::Cell;
use std::sync::Arc;

use super::*;
use crate::propagate::{
    FrameModel, Readout, Recall, SessionError, SessionErrorKind, SimilarityModel,
};
use crate::volume::{
    Affine, Axis, Grid, Mask, Millimetre, SlicePlane, SliceShape, Volume, VoxelAxis, Window,
};

const SHAPE: SliceShape = SliceShape { rows: 2, cols: 2 };

/// Gives back the prompt it was last conditioned on, and counts what it is shown.
#[derive(Default)]
struct Echo {
    encoded: Cell<usize>,
    score: f32,
}

impl FrameModel for &Echo {
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
            object_score: self.score,
        })
    }
}

impl SimilarityModel for &Echo {
    type Vector = ();

    fn image_vector(&self, _: &u8) {}

    fn memory_vector(&self, _: &Vec<bool>) {}

    async fn cosines(&self, _: &(), others: &[&()]) -> Result<Vec<f32>, SessionError> {
        assert!(others.is_empty(), "nothing is carried, so nothing compared");
        Ok(Vec::new())
    }
}

/// Compares the first grey value.
#[derive(Default)]
struct First {
    pictures: Cell<usize>,
    blind: bool,
}

impl Matcher for &First {
    type Features = Vec<u8>;

    fn features(&self, slices: &[GreySlice]) -> Vec<u8> {
        self.pictures.set(self.pictures.get() + slices.len());
        slices.iter().map(|slice| slice.grey[0]).collect()
    }

    async fn distances(
        &self,
        query: &Vec<u8>,
        supports: &[Vec<u8>],
    ) -> Result<Vec<f32>, SessionError> {
        let distance = |&s: &u8| f32::from(s.abs_diff(query[0]));
        Ok(supports.iter().flatten().map(distance).collect())
    }

    fn compares(&self) -> bool {
        !self.blind
    }
}

fn echo() -> Echo {
    Echo {
        score: 1.0,
        ..Echo::default()
    }
}

fn affine(steps: [f64; 3]) -> Affine {
    let mut affine = Affine::diagonal([Millimetre(1.0); 3]);
    for (axis, step) in steps.into_iter().enumerate() {
        affine.0[axis][axis] = step;
    }
    affine
}

fn plane(steps: [f64; 3]) -> SlicePlane {
    let grid = Grid::new([2, 2, 1], affine(steps)).expect("a grid");
    SlicePlane::of(&grid, VoxelAxis::K)
}

/// A slice of one grey, with one pixel of each label.
fn support(grey: u8, slice: usize, labels: &[(u16, usize)]) -> Support {
    let mask = |&(label, inside): &(u16, usize)| {
        let pixels = (0..4).map(|i| i == inside).collect();
        (
            label,
            Mask {
                shape: SHAPE,
                pixels,
            },
        )
    };
    Support {
        image: GreySlice {
            grey: vec![grey; 4],
            shape: SHAPE,
        },
        masks: labels.iter().map(mask).collect(),
        slice,
        plane: plane([1.0; 3]),
        pixel: [Millimetre(1.0); 2],
    }
}

/// A volume with a slice of each grey.
fn query(greys: &[u8]) -> Arc<Volume> {
    let grid = Grid::new([2, 2, greys.len()], affine([1.0; 3])).expect("a grid");
    let voxels = greys.iter().flat_map(|&g| [f32::from(g); 4]).collect();
    Arc::new(Volume::new(voxels, grid).expect("as many values as voxels"))
}

fn no_copies() -> FewShotOptions {
    copies(0)
}

fn copies(per_query: usize) -> FewShotOptions {
    let augment = AugmentOptions {
        per_query,
        ..AugmentOptions::default()
    };
    FewShotOptions {
        augment,
        ..FewShotOptions::default()
    }
}

fn window() -> Window {
    Window::new(0.0, 255.0).expect("a window")
}

fn segment<M: SimilarityModel, K: Matcher>(
    few_shot: &mut FewShot<M, K>,
    volume: &Arc<Volume>,
) -> Vec<FewShotSlice> {
    let started = few_shot.start(Arc::clone(volume), Axis::Axial, window());
    let slices = started.expect("a volume with contrast");
    let mut found = Vec::new();
    while let Some(slice) = pollster::block_on(few_shot.next()).expect("no device") {
        assert_eq!(slice.slice, found.len());
        found.push(slice);
    }
    assert_eq!(found.len(), slices);
    found
}

#[test]
fn each_slice_is_prompted_with_its_nearest_support() {
    let supports = [(10, 0), (100, 1), (200, 2)].map(|(grey, i)| support(grey, i, &[(5, i)]));
    let (model, matcher) = (echo(), First::default());
    let few_shot = FewShot::new(&model, &matcher, supports.to_vec(), no_copies());
    let mut few_shot = few_shot.expect("supports");
    let expected = [(90, 1, 10.0), (12, 0, 2.0), (250, 2, 50.0), (55, 0, 45.0)];
    let found = segment(&mut few_shot, &query(&expected.map(|(grey, ..)| grey)));
    for (slice, (grey, chosen, distance)) in found.iter().zip(expected) {
        let label = &slice.labels[0];
        let choice = Choice {
            label: 5,
            support: chosen,
            copy: 0,
            distance,
        };
        assert_eq!((label.choice, label.accepted), (choice, true), "{grey}");
        let inside = slice.label_map.iter().position(|&l| l == 5);
        assert_eq!(inside, Some(chosen));
    }
    let map = few_shot.label_map().expect("started");
    let whole: Vec<u16> = found.into_iter().flat_map(|s| s.label_map).collect();
    assert_eq!(map.labels, whole);
}

#[test]
fn a_label_takes_only_supports_that_have_it() {
    let supports = vec![
        support(10, 0, &[(1, 0)]),
        support(100, 1, &[(1, 1), (2, 2)]),
    ];
    let chosen = |supports: &[Support], label: u16| -> Vec<Choice> {
        let (model, matcher) = (echo(), First::default());
        let few_shot = FewShot::new(&model, &matcher, supports.to_vec(), no_copies());
        let found = segment(&mut few_shot.expect("supports"), &query(&[0, 60, 120]));
        let labels = found.into_iter().flat_map(|s| s.labels);
        let choices = labels.map(|l| l.choice);
        choices.filter(|choice| choice.label == label).collect()
    };
    let supports_of = |label| chosen(&supports, label).into_iter().map(|c| c.support);
    assert!(supports_of(1).eq([0, 1, 1]));
    assert!(supports_of(2).eq([1, 1, 1]));
}

/// One run of the matcher for each picture and slice; one of the image encoder for each slice and each picture that was
/// chosen, whatever the number of labels and of volumes.
#[test]
fn nothing_is_looked_at_twice() {
    let labels = [(1, 0), (2, 1), (3, 2)];
    let supports: Vec<Support> = (0..5).map(|i| support(50 * i, i.into(), &labels)).collect();
    let (model, matcher) = (echo(), First::default());
    let few_shot = FewShot::new(&model, &matcher, supports, copies(1));
    let mut few_shot = few_shot.expect("supports");
    let volume = query(&[0, 3, 52, 49, 0, 210, 205]);
    let (pictures, slices) = (5 * (7 + 1), 7);
    let started = few_shot.start(Arc::clone(&volume), Axis::Axial, window());
    assert_eq!(started.expect("a volume with contrast"), slices);
    assert_eq!(few_shot.unprepared(), pictures);
    let left = few_shot.prepare();
    assert!((1..pictures).contains(&left), "{left}: more than one batch");
    assert_eq!(
        (few_shot.unprepared(), matcher.pictures.get()),
        (left, pictures - left)
    );
    segment(&mut few_shot, &volume);
    assert_eq!(matcher.pictures.get(), pictures + slices);
    let shown = few_shot.pictures_shown();
    assert!((1..=slices).contains(&shown), "{shown}");
    assert_eq!(model.encoded.get(), slices + shown);

    // The same volume again needs no support again; one of one slice more needs a copy more of each.
    segment(&mut few_shot, &volume);
    assert_eq!(matcher.pictures.get(), pictures + 2 * slices);
    assert_eq!(
        (few_shot.pictures_shown(), model.encoded.get()),
        (shown, 2 * slices + shown)
    );
    segment(&mut few_shot, &query(&[0, 3, 52, 49, 0, 210, 205, 9]));
    assert_eq!(matcher.pictures.get(), pictures + 2 * slices + 5 + 8);
}

/// A volume's result does not depend on those before it, not even on longer ones, which need more copies.
#[test]
fn volumes_do_not_depend_on_one_another() {
    let (long, short) = (query(&[0, 90, 40, 200, 30, 7]), query(&[40, 90]));
    let choices = |volumes: &[&Arc<Volume>]| -> Vec<Choice> {
        let (model, matcher) = (echo(), First::default());
        let supports = vec![support(120, 3, &[(1, 0)])];
        let few_shot = FewShot::new(&model, &matcher, supports, copies(3));
        let mut few_shot = few_shot.expect("supports");
        let found = volumes.iter().map(|v| segment(&mut few_shot, v)).last();
        let labels = found.into_iter().flatten().flat_map(|s| s.labels);
        labels.map(|l| l.choice).collect()
    };
    let alone = choices(&[&short]);
    assert_eq!(choices(&[&long, &short]), alone);
    assert!(alone.iter().any(|choice| choice.copy > 0));
    assert!(alone.iter().all(|choice| choice.copy <= 6));
}

#[test]
fn an_unsure_model_is_not_believed() {
    for (score, min, accepted) in [
        (1.0, 0.0, true),
        (0.0, 0.0, false),
        (1.0, 2.0, false),
        (3.0, 2.0, true),
    ] {
        let model = Echo { score, ..echo() };
        let matcher = First::default();
        let options = FewShotOptions {
            min_object_score: min,
            ..no_copies()
        };
        let few_shot = FewShot::new(&model, &matcher, vec![support(10, 0, &[(1, 0)])], options);
        let found = segment(&mut few_shot.expect("supports"), &query(&[1, 9]));
        for slice in found {
            let label = &slice.labels[0];
            assert_eq!((label.accepted, label.object_score), (accepted, score));
            assert!(!label.mask.is_empty());
            assert_eq!(slice.label_map.contains(&1), accepted);
        }
    }
}

#[test]
fn without_comparing_the_first_support_serves_all_and_no_copy_is_made() {
    let matcher = First {
        blind: true,
        ..First::default()
    };
    let model = echo();
    let supports = vec![support(10, 4, &[(1, 0)]), support(100, 5, &[(1, 1)])];
    let few_shot = FewShot::new(&model, &matcher, supports, copies(4));
    let mut few_shot = few_shot.expect("supports");
    segment(&mut few_shot, &query(&[1, 9, 30]));
    assert_eq!(matcher.pictures.get(), 2 + 3);
}

/// A query that is stored the other way round gets supports that are, too.
#[test]
fn supports_are_turned_as_the_query_is_stored() {
    let (model, matcher) = (echo(), First::default());
    let supports = vec![support(10, 0, &[(1, 0)])];
    let few_shot = FewShot::new(&model, &matcher, supports, no_copies());
    let mut few_shot = few_shot.expect("supports");
    for (steps, place) in [
        ([1.0; 3], 0),
        ([-1.0, 1.0, 1.0], 1),
        ([1.0, -1.0, 1.0], 2),
        ([-1.0, -1.0, 1.0], 3),
    ] {
        let mut volume = Arc::unwrap_or_clone(query(&[3, 4]));
        volume.grid = Grid::new(volume.grid.dims, affine(steps)).expect("a grid");
        for slice in segment(&mut few_shot, &Arc::new(volume)) {
            assert_eq!(
                slice.label_map.iter().position(|&l| l == 1),
                Some(place),
                "{steps:?}"
            );
        }
    }
}

#[test]
fn what_cannot_be_done_is_said() {
    let refused = |supports: Vec<Support>, options| {
        let (model, matcher) = (echo(), First::default());
        let few_shot = FewShot::new(&model, &matcher, supports, options);
        few_shot.err().expect("refused").kind()
    };
    use SessionErrorKind::*;
    let good = support(10, 0, &[(1, 0)]);
    assert_eq!(refused(vec![], no_copies()), NoPrompt);
    assert_eq!(refused(vec![support(10, 0, &[])], no_copies()), NoPrompt);
    assert_eq!(
        refused(vec![good.clone(), support(10, 0, &[(1, 9)])], no_copies()),
        EmptyMask
    );
    assert_eq!(
        refused(vec![support(10, 0, &[(0, 1)])], no_copies()),
        BackgroundLabel
    );
    assert_eq!(refused(vec![good.clone()], copies(1000)), SupportOptions);
    let mut other_size = good.clone();
    other_size.image.shape.rows = 1;
    assert_eq!(refused(vec![other_size], no_copies()), MaskSize);

    let (model, matcher) = (echo(), First::default());
    let few_shot = FewShot::new(&model, &matcher, vec![good], no_copies());
    let mut few_shot = few_shot.expect("a support");
    assert!(few_shot.label_map().is_none());
    assert!(
        pollster::block_on(few_shot.next())
            .expect("no device")
            .is_none()
    );
    let dark = Window::new(300.0, 900.0).expect("a window");
    let error = few_shot.start(query(&[1, 2]), Axis::Axial, dark);
    assert_eq!(error.expect_err("nothing to see").kind(), ValueRange);
}
