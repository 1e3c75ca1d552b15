//! What was found in the folder, as a table and as JSON.

use std::fmt::Write;

use oneslice::propagate::{MemoryOptions, OnePromptResult};
use serde::Serialize;

use super::super::Failure;
use super::super::failed::Failed;
use super::inputs::{Kind, Query};

/// All of it.
#[derive(Serialize)]
pub struct Report {
    pub support: String,
    /// Slice of the support, if that is a scan.
    pub slice: Option<usize>,
    pub label: u16,
    pub model: String,
    pub config: String,
    pub image_size: usize,
    pub memory: MemoryOptions,
    pub seconds: f64,
    pub images: Vec<Row>,
    pub failed: Vec<Failed>,
}

/// One picture, or one slice of a scan.
#[derive(Serialize)]
pub struct Row {
    query: String,
    slice: Option<usize>,
    out: String,
    /// Place in the order of the walk, from 1; pictures with equal pixels share it.
    step: usize,
    similarity: f32,
    predicted_iou: f32,
    object_score: f32,
    pixels: usize,
    used: Vec<Used>,
    decision: Decision,
}

/// A memory, by the step of its picture; 0 is the prompted one.
#[derive(Serialize)]
struct Used {
    step: usize,
    prompted: bool,
    similarity: Option<f32>,
    position: Option<usize>,
}

#[derive(Serialize)]
struct Decision {
    action: &'static str,
    /// A step.
    replaced: Option<usize>,
    why: String,
}

impl Row {
    pub fn new(query: &Query, slice: usize, result: &OnePromptResult) -> Self {
        let used = result.memory.used.iter().map(|used| Used {
            step: used.slice,
            prompted: used.prompted,
            similarity: used.similarity,
            position: used.position,
        });
        let decision = &result.memory.decision;
        Self {
            query: query.path.display().to_string(),
            slice: matches!(query.kind, Kind::Scan { .. }).then_some(slice),
            out: query.out.display().to_string(),
            step: result.step,
            similarity: result.similarity,
            predicted_iou: result.predicted_iou,
            object_score: result.object_score,
            pixels: result.mask.area(),
            used: used.collect(),
            decision: Decision {
                action: decision.action(),
                replaced: decision.replaced(),
                why: decision.to_string(),
            },
        }
    }
}

impl Report {
    /// For people.
    pub fn text(&self) -> Result<String, Failure> {
        let mut text = String::from("step  similarity  predicted IoU    pixels  picture\n");
        for row in &self.images {
            let slice = row.slice.map_or(String::new(), |s| format!(", slice {s}"));
            writeln!(
                text,
                "{:4}  {:10.4}  {:13.3}  {:8}  {}{slice}",
                row.step, row.similarity, row.predicted_iou, row.pixels, row.query
            )?;
        }
        writeln!(
            text,
            "{} pictures in {:.1} s with {} at {} pixels, memory {}",
            self.images.len(),
            self.seconds,
            self.model,
            self.image_size,
            self.memory.strategy()
        )?;
        Ok(text)
    }
}
