//! What a slice remembers, as a pure function on slice indices: stock SAM 2's rule, first in,
//! first out (`SAM2Base._prepare_memory_conditioned_features`, the choice without the tensors).

use super::order::Pass;
use crate::sam2::config::{MAX_OBJ_PTRS, NUM_MASKMEM};

/// Which slices' memories and pointers a slice attends to, in the order the model takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Slice and temporal position: 0 for prompted slices, 1 (six slices away) to 6 (next to it).
    pub memories: Vec<(usize, usize)>,
    /// Slice and distance in slices.
    pub pointers: Vec<(usize, usize)>,
}

/// Chooses for `slice`.
///
/// `prompted` are the prompted slices in the order they were given; they serve at any distance
/// and on either side, their pointers only where they lie behind. `is_tracked` tells which other
/// slices have a result; a missing one is skipped, not replaced.
pub fn select(
    slice: usize,
    pass: Pass,
    slices: usize,
    prompted: &[usize],
    is_tracked: impl Fn(usize) -> bool,
) -> Selection {
    let behind = |distance: usize| match pass {
        Pass::Forward => slice.checked_sub(distance),
        Pass::Reverse => slice.checked_add(distance).filter(|&s| s < slices),
    };
    let usable = |s: &usize| !prompted.contains(s) && is_tracked(*s);

    let previous = (1..NUM_MASKMEM).filter_map(|t_pos| {
        let neighbour = behind(NUM_MASKMEM - t_pos).filter(usable)?;
        Some((neighbour, t_pos))
    });
    let memories = prompted.iter().map(|&s| (s, 0)).chain(previous).collect();

    let distance = |s: usize| match pass {
        Pass::Forward => slice.checked_sub(s),
        Pass::Reverse => s.checked_sub(slice),
    };
    let prompts = prompted.iter().filter_map(|&s| Some((s, distance(s)?)));
    let recent = (1..max_obj_ptrs(slices)).filter_map(|d| Some((behind(d).filter(usable)?, d)));
    let pointers = prompts.chain(recent).collect();
    Selection { memories, pointers }
}

/// Number of pointers of unprompted slices plus one; also the scale of their distances. It
/// depends on the volume's length, as in Meta's code.
pub fn max_obj_ptrs(slices: usize) -> usize {
    slices.min(MAX_OBJ_PTRS)
}

/// What of a tracked slice can still be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needed {
    /// Its memory.
    pub memory: bool,
    /// Its pointer.
    pub pointer: bool,
}

/// Whether `tracked` can still be asked for once `done` is finished in `pass`; `reverse_from` is
/// where a reverse pass over the same state will start, if one is to come.
pub fn needed(tracked: usize, done: usize, pass: Pass, reverse_from: Option<usize>) -> Needed {
    let within = |reach: usize| {
        // The next slice of this pass is one further.
        let now = match pass {
            Pass::Forward => tracked + reach > done,
            Pass::Reverse => tracked < done + reach,
        };
        // A reverse pass looks back at the slices it starts from.
        let later = reverse_from.is_some_and(|from| tracked < from + reach);
        now || later
    };
    Needed {
        memory: within(NUM_MASKMEM - 1),
        pointer: within(MAX_OBJ_PTRS - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompt_and_six_neighbours_are_remembered() {
        let selection = select(20, Pass::Forward, 40, &[3], |s| s > 3 && s < 20);
        let expected = [(3, 0), (14, 1), (15, 2), (16, 3), (17, 4), (18, 5), (19, 6)];
        assert_eq!(selection.memories, expected);
        assert_eq!(selection.pointers[0], (3, 17));
        assert_eq!(selection.pointers[1], (19, 1));
        assert_eq!(selection.pointers.last(), Some(&(5, 15)));
    }

    #[test]
    fn on_the_way_back_the_slices_after_the_prompt_serve_too() {
        let selection = select(4, Pass::Reverse, 40, &[5], |s| s > 5);
        let expected = [(5, 0), (10, 1), (9, 2), (8, 3), (7, 4), (6, 5)];
        assert_eq!(selection.memories, expected);
        assert_eq!(selection.pointers[..2], [(5, 1), (6, 2)]);
    }

    #[test]
    fn a_prompt_ahead_lends_its_memory_but_not_its_pointer() {
        let selection = select(2, Pass::Forward, 40, &[7], |_| false);
        assert_eq!(selection.memories, [(7, 0)]);
        assert_eq!(selection.pointers, []);
    }

    #[test]
    fn short_volumes_have_fewer_pointers() {
        let selection = select(7, Pass::Forward, 8, &[0], |s| s < 7);
        assert_eq!(selection.pointers.len(), 1 + 6); // distance 7 is the prompt itself
        assert_eq!(max_obj_ptrs(8), 8);
        assert_eq!(max_obj_ptrs(400), 16);
    }

    /// Forgetting must never change a selection: walk with and without it.
    #[test]
    fn what_is_forgotten_is_never_asked_for() {
        for (slices, prompt) in [(60, 20), (60, 0), (60, 59), (12, 5)] {
            let forward = (prompt + 1..slices).map(|s| (s, Pass::Forward));
            let reverse = (0..prompt).rev().map(|s| (s, Pass::Reverse));
            let mut all = Vec::new();
            let mut kept: Vec<(usize, Needed)> = Vec::new();
            for (slice, pass) in forward.chain(reverse) {
                let full = select(slice, pass, slices, &[prompt], |s| all.contains(&s));
                for &(s, _) in &full.memories[1..] {
                    assert!(
                        kept.iter().any(|k| k.0 == s && k.1.memory),
                        "memory {s} at {slice}"
                    );
                }
                for &(s, _) in full.pointers.iter().filter(|p| p.0 != prompt) {
                    assert!(
                        kept.iter().any(|k| k.0 == s && k.1.pointer),
                        "pointer {s} at {slice}"
                    );
                }
                all.push(slice);
                kept.push((
                    slice,
                    Needed {
                        memory: true,
                        pointer: true,
                    },
                ));
                let reverse_from = (pass == Pass::Forward).then_some(prompt);
                for entry in &mut kept {
                    let still = needed(entry.0, slice, pass, reverse_from);
                    entry.1.memory &= still.memory;
                    entry.1.pointer &= still.pointer;
                }
                kept.retain(|k| k.1.memory || k.1.pointer);
                assert!(
                    kept.len() <= 2 * MAX_OBJ_PTRS,
                    "{} entries are kept",
                    kept.len()
                );
            }
        }
    }
}
