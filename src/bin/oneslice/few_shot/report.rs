//! What few-shot found, as tables and JSON.

use std::fmt::Write;
use std::time::Duration;

use oneslice::propagate::{MemoryOptions, MemoryReport};
use serde::Serialize;

use super::super::failed::Failed;
use super::Failure;
use super::supports::SupportName;

/// One label on one slice.
#[derive(Serialize)]
pub struct Row {
    pub slice: usize,
    pub label: u16,
    /// Place of the chosen support's scan in `--support`, from 0.
    pub support: usize,
    pub support_slice: usize,
    /// Which copy of that slice; 0 is the slice itself.
    pub copy: usize,
    /// None when nothing is compared.
    pub distance: Option<f32>,
    pub predicted_iou: f32,
    pub object_score: f32,
    pub accepted: bool,
    /// Of the label's own mask, accepted or not.
    pub pixels: usize,
    /// Which carried slices were used, and whether this one is carried on; with `--carry` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryReport>,
}

/// One scan.
#[derive(Serialize)]
pub struct QueryReport {
    pub query: String,
    pub out: String,
    pub slices: usize,
    pub window: [f32; 2],
    pub image_size: usize,
    /// Labels on slices that are in the segmentation.
    pub accepted: usize,
    /// Labels on slices that are not, because of their object score.
    pub refused: usize,
    /// Pictures that were prepared for comparing: supports, their copies, and the scan's slices. With LPIPS, runs of its
    /// network.
    pub compared: usize,
    pub seconds: Seconds,
}

/// Where the time went.
#[derive(Serialize)]
pub struct Seconds {
    /// Making the supports' copies and their features; nothing when an earlier scan needed as many.
    pub preparing: f64,
    /// Finding each slice's support.
    pub matching: f64,
    /// All of it.
    pub total: f64,
}

/// What is printed at the end.
#[derive(Serialize)]
pub struct Summary {
    pub model: String,
    pub config: String,
    pub matcher: String,
    /// How accepted slices are carried along, if they are.
    pub carry: Option<MemoryOptions>,
    pub supports: Vec<SupportName>,
    pub queries: Vec<QueryReport>,
    pub failed: Vec<Failed>,
}

/// A scan's JSON file.
#[derive(Serialize)]
pub struct Details<'a> {
    #[serde(flatten)]
    pub report: &'a QueryReport,
    pub matcher: &'a str,
    pub carry: Option<MemoryOptions>,
    pub supports: &'a [SupportName],
    pub labels: &'a [Row],
}

impl Seconds {
    pub fn new(preparing: Duration, matching: Duration, total: Duration) -> Self {
        Self {
            preparing: preparing.as_secs_f64(),
            matching: matching.as_secs_f64(),
            total: total.as_secs_f64(),
        }
    }
}

impl Summary {
    /// For people.
    pub fn text(&self) -> Result<String, Failure> {
        let mut text =
            String::from("slices  pixels  accepted  refused    seconds  matching  scan\n");
        for query in &self.queries {
            writeln!(
                text,
                "{:6}  {:6}  {:8}  {:7}  {:9.1}  {:8.1}  {}",
                query.slices,
                query.image_size,
                query.accepted,
                query.refused,
                query.seconds.total,
                query.seconds.preparing + query.seconds.matching,
                query.out
            )?;
        }
        let supports = self.supports.len();
        let slices = if supports == 1 { "slice" } else { "slices" };
        writeln!(
            text,
            "{supports} labelled {slices}, matched by {}{}; {}",
            self.matcher,
            self.carried(),
            self.model
        )?;
        Ok(text)
    }

    fn carried(&self) -> String {
        let carried = |carry: MemoryOptions| format!(", slices carried by {}", carry.strategy());
        self.carry.map_or_else(String::new, carried)
    }
}

/// The rows as a table for other programs.
pub fn csv(rows: &[Row]) -> Result<String, Failure> {
    let mut text = String::from(
        "slice,label,support,support_slice,copy,distance,predicted_iou,object_score,accepted,pixels\n",
    );
    for r in rows {
        let distance = r.distance.map_or(String::new(), |d| d.to_string());
        writeln!(
            text,
            "{},{},{},{},{},{distance},{},{},{},{}",
            r.slice,
            r.label,
            r.support,
            r.support_slice,
            r.copy,
            r.predicted_iou,
            r.object_score,
            r.accepted,
            r.pixels
        )?;
    }
    Ok(text)
}
