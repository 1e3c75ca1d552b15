//! Where a place looks: which memories are made, and of which masks.

use super::*;
use crate::propagate::SlicePoint;
use crate::propagate::frame_model::{AttentionModel, Recall};
use crate::propagate::memory::Used;

/// It looks at the pixels that a memory knows the object at, whatever the place.
impl AttentionModel for Copying {
    fn side(&self) -> usize {
        2
    }

    async fn weights(
        &self,
        _: &usize,
        recall: Recall<Self>,
        token: usize,
    ) -> Result<Vec<f32>, SessionError> {
        assert!(recall.pointers.is_empty() && token < 4);
        let of = |(memory, _): &(Seen, _)| memory.logits.clone();
        Ok(recall.memories.iter().flat_map(of).collect())
    }
}

const AT: SlicePoint = SlicePoint { col: 1.0, row: 0.0 };

fn used(slice: usize, prompted: bool, position: usize) -> Used {
    Used {
        slice,
        prompted,
        similarity: None,
        position: Some(position),
    }
}

#[test]
fn memories_are_made_of_prompts_and_results() {
    let mut session = session(8);
    session.add_mask(3, 2, mask([1, 0, 0, 0])).unwrap();
    let results = run(&mut session, Direction::Both);
    let report = results[2].labels[0].memory.used.clone();
    assert_eq!(report.iter().map(|u| u.slice).collect::<Vec<_>>(), [2, 3]);
    session.model.asked.take();
    let found = pollster::block_on(session.attention(3, 4, AT, &report)).unwrap();
    assert_eq!(found.side, 2);
    let map = vec![1.0, -1.0, -1.0, -1.0];
    assert_eq!(found.memories, [(2, map.clone()), (3, map)]);
    let expected = [2, 3, 4].map(Asked::Encode);
    assert_eq!(*session.model.asked.borrow(), expected);
}

#[test]
fn what_is_not_there_is_refused() {
    use SessionErrorKind::{MemoryOptions, NoPrompt, Point, SliceOutOfRange};
    let mut session = session(8);
    session.add_mask(3, 2, mask([1, 0, 0, 0])).unwrap();
    let one = used(2, true, 0);
    let outside = SlicePoint { col: 3.0, row: 0.0 };
    for (slice, at, used, kind) in [
        (8, AT, vec![one.clone()], SliceOutOfRange),
        (4, AT, vec![used(9, true, 0)], SliceOutOfRange),
        (4, AT, vec![used(2, true, 7)], MemoryOptions),
        (4, AT, Vec::new(), NoPrompt),
        (4, outside, vec![one], Point),
    ] {
        let refused = pollster::block_on(session.attention(3, slice, at, &used));
        assert_eq!(refused.unwrap_err().kind(), kind);
    }
}
