//! `--memory` and its numbers, and what `--explain` writes of them.

use clap::Args;
use oneslice::propagate::{MemoryOptions, MemoryReport, SessionError, SliceResult, Strategy};
use serde::Serialize;

#[derive(Args)]
pub struct MemoryArguments {
    /// Which memories are used: fifo, self-sorting or self-sorting-released [default: fifo; of one-prompt and few-shot --carry self-sorting]
    #[arg(long, value_name = "STRATEGY", value_parser = str::parse::<Strategy>)]
    memory: Option<Strategy>,
    /// Most memories that a self-sorting bank keeps, prompts of the same scan or set included [default: 7, released 16]
    #[arg(long, value_name = "K", allow_negative_numbers = true)]
    memory_size: Option<usize>,
    /// Predicted IoU that a memory must exceed, with --memory self-sorting [default: 0.5]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    memory_threshold: Option<f32>,
    /// Draw memories at random, by similarity, with this seed [default: take the most similar]
    #[arg(long, value_name = "SEED", allow_negative_numbers = true)]
    memory_seed: Option<u64>,
}

impl MemoryArguments {
    /// Whether any of them was given.
    pub fn given(&self) -> bool {
        let numbers = self.memory_size.is_some() || self.memory_seed.is_some();
        numbers || self.memory.is_some() || self.memory_threshold.is_some()
    }

    /// The options, with a default strategy.
    pub fn options(&self, default: Strategy) -> Result<MemoryOptions, SessionError> {
        let strategy = self.memory.unwrap_or(default);
        MemoryOptions::new(
            strategy,
            self.memory_size,
            self.memory_threshold,
            self.memory_seed,
        )
    }
}

/// What `--explain` writes.
#[derive(Serialize)]
pub struct Explanation {
    pub memory: MemoryOptions,
    pub slices: Vec<Explained>,
}

/// The memory's part in one label on one slice.
#[derive(Serialize)]
pub struct Explained {
    slice: usize,
    label: u16,
    predicted_iou: f32,
    object_score: f32,
    #[serde(flatten)]
    report: MemoryReport,
}

/// The reports of a slice's labels.
pub fn of_slice(result: &SliceResult) -> impl Iterator<Item = Explained> {
    result.labels.iter().map(|l| Explained {
        slice: result.slice,
        label: l.label,
        predicted_iou: l.predicted_iou,
        object_score: l.object_score,
        report: l.memory.clone(),
    })
}
