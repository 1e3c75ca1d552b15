//! A session that ended and goes on in another one.

use super::*;

const SLICES: usize = 16;
const PROMPTS: [(u16, usize, [u8; 4]); 3] = [
    (1, 5, [1, 0, 0, 0]),
    (1, 11, [1, 1, 0, 0]),
    (2, 3, [0, 0, 1, 1]),
];

fn prompted() -> Session<Copying> {
    let mut session = session(SLICES);
    for (label, slice, pixels) in PROMPTS {
        session.add_mask(label, slice, mask(pixels)).unwrap();
    }
    session
}

fn reopened(session: &Session<Copying>) -> Session<Copying> {
    // By way of text, as in a file.
    let state = serde_json::to_string(&session.state().unwrap()).unwrap();
    let mut again = prompted();
    let state = serde_json::from_str(&state).unwrap();
    again.restore(session.label_map().clone(), &state).unwrap();
    again
}

#[test]
fn a_finished_result_is_taken_over_and_can_be_corrected() {
    let mut session = prompted();
    assert_eq!(session.state(), None);
    run(&mut session, Direction::Both);
    let state = session.state().unwrap();
    assert_eq!(
        (state.first, state.last, state.pending.len()),
        (0, SLICES - 1, 0)
    );

    let mut again = reopened(&session);
    assert_eq!(again.label_map(), session.label_map());
    assert_eq!(again.resume().unwrap(), 0);
    for session in [&mut session, &mut again] {
        session.add_mask(1, 8, mask([0, 1, 0, 0])).unwrap();
        assert_eq!(session.resume().unwrap(), 5);
        let slices: Vec<usize> = rest(session).iter().map(|r| r.slice).collect();
        assert_eq!(slices, [6, 7, 8, 9, 10]);
    }
    assert_eq!(again.label_map(), session.label_map());
}

#[test]
fn a_run_that_was_cut_off_goes_on_from_its_prompts() {
    let mut session = prompted();
    let mut expected = prompted();
    run(&mut expected, Direction::Both);
    session.start(Direction::Both).unwrap();
    for _ in 0..6 {
        pollster::block_on(session.next()).unwrap().unwrap();
    }
    let state = serde_json::to_value(session.state().unwrap()).unwrap();
    assert_eq!(state["direction"], "both");
    assert_eq!(state["pending"][1]["label"], 2);
    let mut again = reopened(&session);
    let steps = again.resume().unwrap();
    // Slices 9 to 15 and 4 to 0 were left; 6 to 8 of label 1 and 4 to 8 of label 2 lie behind them on the way.
    assert_eq!(steps, (SLICES - 4) + 5);
    assert_eq!(rest(&mut again).len(), steps);
    assert_eq!(again.label_map(), expected.label_map());
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_changes() {
    let mut session = prompted();
    run(&mut session, Direction::Both);
    let (result, state) = (session.label_map().clone(), session.state().unwrap());
    let grid = Grid::new([2, 2, 3], Affine::diagonal([Millimetre(1.0); 3])).unwrap();
    let pending = |label, slice| RunState {
        pending: vec![Pending {
            label,
            slices: vec![slice],
        }],
        ..state.clone()
    };
    let beyond = RunState {
        last: SLICES,
        ..state.clone()
    };
    let empty = || LabelMap::empty(result.grid.clone());
    for (labels, state, kind) in [
        (
            LabelMap::empty(grid),
            state.clone(),
            SessionErrorKind::ResultGrid,
        ),
        (empty(), beyond, SessionErrorKind::Range),
        (empty(), pending(7, 2), SessionErrorKind::NoPrompt),
        (
            empty(),
            pending(1, SLICES),
            SessionErrorKind::SliceOutOfRange,
        ),
    ] {
        assert_eq!(session.restore(labels, &state).unwrap_err().kind(), kind);
        assert_eq!(session.label_map(), &result);
    }
    // A label without a mask stays as it is.
    let mut bare = self::session(SLICES);
    bare.restore(result.clone(), &state).unwrap();
    assert_eq!(bare.resume().unwrap(), 0);
    assert_eq!(bare.label_map(), &result);
    assert!(bare.remove_label(2));
    assert_eq!(bare.label_map().labels_present(), [1]);
}
