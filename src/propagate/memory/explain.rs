//! What was remembered for a slice and what became of its own memory, for people and programs. In: decisions; out:
//! values to serialize.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::Verdict;

/// A memory that a slice attended to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Used {
    /// Its slice, or its step in an unordered set, where 0 is the prompted image.
    pub slice: usize,
    /// Whether that was prompted.
    pub prompted: bool,
    /// Cosine of the two slices' image embeddings; none for `fifo`, which does not look.
    pub similarity: Option<f32>,
    /// SAM 2's temporal position: 0 for prompted slices, 6 for the nearest to 1; none where there is none.
    pub position: Option<usize>,
}

/// The memory's part in one label on one slice.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MemoryReport {
    /// What the slice attended to, in the model's order; empty for a prompted slice.
    pub used: Vec<Used>,
    /// What became of the slice's own memory.
    pub decision: Verdict,
}

impl Serialize for Verdict {
    /// `{ action, replaced, why }`: `kept`, `replaced` or `refused`; the slice that left, or null; words.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut verdict = serializer.serialize_struct("Verdict", 3)?;
        verdict.serialize_field("action", self.action())?;
        verdict.serialize_field("replaced", &self.replaced())?;
        verdict.serialize_field("why", &self.to_string())?;
        verdict.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_what_and_why() {
        let report = MemoryReport {
            used: vec![Used {
                slice: 4,
                prompted: true,
                similarity: None,
                position: Some(0),
            }],
            decision: Verdict::MoreDissimilar {
                replaced: 7,
                dissimilarity: 1.25,
                lowest: 0.5,
            },
        };
        let expected = serde_json::json!({
            "used": [{ "slice": 4, "prompted": true, "similarity": null, "position": 0 }],
            "decision": {
                "action": "replaced",
                "replaced": 7,
                "why": "dissimilarity 1.2500 is above that of memory 7, 0.5000",
            },
        });
        assert_eq!(serde_json::to_value(report).unwrap(), expected);
    }
}
