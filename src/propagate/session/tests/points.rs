//! Points and boxes on a slice: what the model is asked, and how often.

use super::*;
use crate::propagate::frame_model::{Before, PointModel};
use crate::propagate::{Click, PointPrompt, SlicePoint};

/// Each click is a pixel of its kind; the rest is outside.
impl PointModel for Copying {
    fn prompt_points(
        &self,
        &slice: &usize,
        prompt: &PointPrompt,
        shape: SliceShape,
        before: Before<'_, Self>,
    ) -> Seen {
        let inside = |logits: &[f32]| logits.iter().filter(|&&l| l > 0.0).count();
        self.asked.borrow_mut().push(Asked::Points {
            points: prompt.clicks.len(),
            before: match before {
                Before::Nothing => None,
                Before::Mask(mask) => Some(mask.area()),
                Before::Answer(answer) => Some(inside(&answer.logits)),
            },
        });
        let mut logits = vec![-1.0; shape.area()];
        for click in &prompt.clicks {
            let pixel = click.at.row as usize * shape.cols + click.at.col as usize;
            logits[pixel] = if click.include { 1.0 } else { -2.0 };
        }
        Seen {
            slice,
            logits,
            _alive: Arc::clone(&self.alive),
        }
    }
}

fn clicks(at: &[(f32, f32, bool)]) -> PointPrompt {
    let click = |&(col, row, include): &(f32, f32, bool)| Click {
        at: SlicePoint { col, row },
        include,
    };
    PointPrompt {
        clicks: at.iter().map(click).collect(),
        corners: None,
    }
}

fn preview(session: &mut Session<Copying>, slice: usize, prompt: &PointPrompt) -> Preview {
    pollster::block_on(session.preview(slice, prompt, None)).unwrap()
}

fn encoded(session: &Session<Copying>) -> Vec<usize> {
    let asked = session.model.asked.borrow();
    let encoded = asked.iter().filter_map(|asked| match asked {
        Asked::Encode(slice) => Some(*slice),
        _ => None,
    });
    encoded.collect()
}

/// Number of points of each question, and the pixels inside of what it started from.
fn questions(session: &Session<Copying>) -> Vec<(usize, Option<usize>)> {
    let asked = session.model.asked.borrow();
    let questions = asked.iter().filter_map(|asked| match asked {
        Asked::Points { points, before } => Some((*points, *before)),
        _ => None,
    });
    questions.collect()
}

const ONE: (f32, f32, bool) = (0.0, 0.0, true);
const TWO: (f32, f32, bool) = (1.0, 0.0, true);
const NOT: (f32, f32, bool) = (0.0, 1.0, false);

#[test]
fn a_slice_is_looked_at_once_for_many_clicks() {
    let mut session = session(6);
    for count in 0..30 {
        let at = if count % 2 == 0 { ONE } else { TWO };
        let found = preview(&mut session, 3, &clicks(&[at]));
        assert_eq!(found.mask.area(), 1);
        assert_eq!((found.predicted_iou, found.object_score), (0.75, 1.0));
    }
    assert_eq!(encoded(&session), [3]);
    preview(&mut session, 4, &clicks(&[ONE]));
    assert_eq!(encoded(&session), [3, 4]);
    // The slice is at hand when it is propagated from.
    session.add_mask(1, 4, mask([1, 0, 0, 0])).unwrap();
    run(&mut session, Direction::Forward);
    assert_eq!(encoded(&session), [3, 4, 5]);
}

#[test]
fn an_answer_takes_part_in_that_to_more_points_and_only_there() {
    let mut session = session(6);
    let asked = |session: &mut Session<Copying>, slice, at: &[(f32, f32, bool)]| {
        session.model.asked.take();
        preview(session, slice, &clicks(at));
        questions(session)[0].1
    };
    assert_eq!(asked(&mut session, 2, &[ONE]), None);
    assert_eq!(asked(&mut session, 2, &[ONE, TWO]), Some(1));
    assert_eq!(asked(&mut session, 2, &[ONE, TWO, NOT]), Some(2));
    // One click is dragged, then undone, then another is added.
    assert_eq!(
        asked(&mut session, 2, &[ONE, TWO, (1.0, 1.0, true)]),
        Some(2)
    );
    assert_eq!(asked(&mut session, 2, &[ONE, TWO]), Some(1));
    assert_eq!(asked(&mut session, 2, &[ONE, NOT]), Some(1));
    assert_eq!(
        asked(&mut session, 2, &[TWO, NOT]),
        None,
        "another first click"
    );
    assert_eq!(
        asked(&mut session, 3, &[TWO, NOT, ONE]),
        None,
        "another slice"
    );
    let mut boxed = clicks(&[TWO, NOT, ONE, ONE]);
    boxed.corners = Some([
        SlicePoint { col: 0.0, row: 0.0 },
        SlicePoint { col: 2.0, row: 2.0 },
    ]);
    session.model.asked.take();
    preview(&mut session, 3, &boxed);
    assert_eq!(questions(&session), [(4, None)], "another box");
}

#[test]
fn a_mask_can_be_what_is_corrected() {
    let mut session = session(6);
    let start = mask([1, 1, 1, 0]);
    for (at, before) in [(&[NOT][..], 3), (&[NOT, ONE][..], 0), (&[ONE][..], 3)] {
        session.model.asked.take();
        let prompt = clicks(at);
        pollster::block_on(session.preview(2, &prompt, Some(&start))).unwrap();
        assert_eq!(questions(&session)[0].1, Some(before));
    }
    session.model.asked.take();
    preview(&mut session, 2, &clicks(&[ONE, TWO]));
    assert_eq!(
        questions(&session)[0].1,
        None,
        "without the mask it is another question"
    );
}

#[test]
fn a_look_during_a_run_does_not_disturb_it() {
    let with = |looks: bool| {
        let mut session = session(12);
        session.add_mask(1, 4, mask([1, 0, 0, 0])).unwrap();
        session.start(Direction::Both).unwrap();
        let mut results = Vec::new();
        while let Some(result) = pollster::block_on(session.next()).unwrap() {
            results.push((result.slice, result.labels[0].memory.clone()));
            if looks {
                preview(&mut session, 9, &clicks(&[ONE]));
            }
        }
        (results, session.label_map().clone())
    };
    assert_eq!(with(false), with(true));
}

#[test]
fn what_cannot_be_asked_is_refused() {
    use SessionErrorKind::{MaskSize, Point, SliceOutOfRange};
    let mut session = session(3);
    let wide = Mask::new(SliceShape { rows: 1, cols: 4 }, vec![true; 4]).unwrap();
    let outside = clicks(&[(2.5, 0.0, true)]);
    for (slice, prompt, start, kind) in [
        (3, clicks(&[ONE]), None, SliceOutOfRange),
        (0, PointPrompt::default(), None, Point),
        (0, outside, None, Point),
        (0, clicks(&[ONE]), Some(&wide), MaskSize),
    ] {
        let refused = pollster::block_on(session.preview(slice, &prompt, start));
        assert_eq!(refused.unwrap_err().kind(), kind);
    }
    assert!(session.model.asked.borrow().is_empty());
    session.model.reading.set(Reading::Fails);
    let lost = pollster::block_on(session.preview(0, &clicks(&[ONE]), None));
    assert_eq!(lost.unwrap_err().kind(), SessionErrorKind::Device);
}
