//! Scans with true masks, and what a model makes of them. In: the folder that `accuracy_cases.py` wrote. Out: masks of every
//! slice of every label.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use oneslice::propagate::{Direction, Session, SessionOptions};
use oneslice::sam2::{ImageSize, Sam2};
use oneslice::scan::{self, ReadOptions};
use oneslice::volume::{Axis, LabelMap, Mask, Volume, Window};
use serde::Deserialize;

const IMAGE_SIZE: usize = 256;

/// A line of `cases.json`.
#[derive(Deserialize)]
struct Case {
    set: String,
    name: String,
    image: PathBuf,
    labels_file: PathBuf,
    labels: Vec<u16>,
    window: Option<[f32; 2]>,
}

/// A case in memory.
pub struct Scan {
    /// What the tables put it under.
    pub set: String,
    pub name: String,
    pub volume: Arc<Volume>,
    pub truth: LabelMap,
    pub labels: Vec<u16>,
    window: Window,
}

/// All cases, or those of the given names.
pub fn cases(folder: &Path, only: &[&String]) -> Vec<Scan> {
    let read =
        |path: &Path| std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let list = read(&folder.join("cases.json"));
    let cases: Vec<Case> = serde_json::from_slice(&list).expect("cases.json");
    let chosen = |case: &Case| only.is_empty() || only.contains(&&case.name);
    let open = |case: Case| {
        let scan = scan::read(&case.name, &read(&case.image), &ReadOptions::default());
        let volume = scan.expect("a scan").volume;
        let truth = scan::read_label_map(&case.name, &read(&case.labels_file));
        let window = match case.window {
            Some([lo, hi]) => Window::new(lo, hi).expect("a window"),
            None => Window::auto(&volume),
        };
        Scan {
            set: case.set,
            name: case.name,
            volume: Arc::new(volume),
            truth: truth.expect("a label map").labels,
            labels: case.labels,
            window,
        }
    };
    cases.into_iter().filter(chosen).map(open).collect()
}

impl Scan {
    pub fn options(&self) -> SessionOptions {
        SessionOptions {
            axis: Axis::Axial.of(&self.volume.grid),
            window: self.window,
            image_size: ImageSize::new(IMAGE_SIZE).expect("an image size"),
        }
    }

    /// The slice of the label's largest area, and its true mask there.
    pub fn prompt(&self, label: u16) -> (usize, Mask) {
        let axis = self.options().axis;
        let slice = self.truth.largest_slice(axis, label);
        let slice = slice.expect("a label that is there");
        let mask = self.truth.slice_mask(axis, slice, label);
        (slice, mask.expect("a slice of the scan"))
    }

    /// The label map of each label alone, in the order of the case's labels: what a model makes of the true mask on one
    /// slice, followed both ways.
    pub fn segment(&self, model: &Sam2) -> Vec<LabelMap> {
        let mut session = Session::new(model, Arc::clone(&self.volume), self.options());
        for &label in &self.labels {
            let (slice, mask) = self.prompt(label);
            session.add_mask(label, slice, mask).expect("a mask");
        }
        let mut found = vec![LabelMap::empty(self.truth.grid.clone()); self.labels.len()];
        session.start(Direction::Both).expect("a prompt");
        while let Some(result) = pollster::block_on(session.next()).expect("the CPU") {
            for one in result.labels {
                let at = self.labels.iter().position(|label| *label == one.label);
                let values: Vec<u16> = one
                    .mask
                    .pixels
                    .iter()
                    .map(|&inside| if inside { one.label } else { 0 })
                    .collect();
                found[at.expect("a label that was asked for")]
                    .set_slice(self.options().axis, result.slice, &values)
                    .expect("a slice of the scan");
            }
        }
        found
    }
}
