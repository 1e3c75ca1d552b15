//! What a label is called and looks like. In: what a person said of some labels. Out: a name and a colour for each.

use serde::{Deserialize, Serialize};

/// Colours of labels that were given none, in turn: far from one another, and readable on grey.
const COLOURS: [[u8; 3]; 8] = [
    [230, 159, 0],
    [86, 180, 233],
    [0, 158, 115],
    [240, 228, 66],
    [0, 114, 178],
    [213, 94, 0],
    [204, 121, 167],
    [148, 103, 189],
];

/// A label's name and colour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// The number in the label map.
    pub label: u16,
    /// For people, and for formats that have names.
    pub name: String,
    /// Red, green and blue (sRGB).
    pub colour: [u8; 3],
}

impl Segment {
    /// What a label is called and looks like that nobody said anything about.
    pub fn unnamed(label: u16) -> Self {
        Self {
            label,
            name: format!("label {label}"),
            colour: COLOURS[usize::from(label.saturating_sub(1)) % COLOURS.len()],
        }
    }

    /// The entry of `label` in `known`, else [`Segment::unnamed`].
    pub fn of(label: u16, known: &[Self]) -> Self {
        let entry = known.iter().find(|segment| segment.label == label);
        entry.cloned().unwrap_or_else(|| Self::unnamed(label))
    }
}
