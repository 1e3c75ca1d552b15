//! A volume, a model and prompts; slices with masks come out one after the other.
//!
//! Prompts may come, change and go at any time. A session knows for each label which slices are wanted (`subject`), walks
//! to those and to no others (`walk`), and lays the labels over one another again (`label_volume`).

mod attention;
mod preview;
mod walk;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::preview::Trail;
use self::walk::Run;
use super::error::{SessionError, SessionErrorKind, check_size, out_of_range};
use super::frame_model::{Sam2Frames, SimilarityModel};
use super::held_memory::{DeviceMemory, HeldMemory};
use super::held_memory::{features_bytes, tables_bytes, weights_bytes};
use super::label_volume::LabelVolume;
use super::memory::{MemoryOptions, MemoryReport};
use super::order::{Course, Direction};
use super::subject::Subject;
use crate::sam2::{ImageSize, Sam2};
use crate::volume::{LabelMap, Mask, SliceShape, Volume, VoxelAxis, Window};

pub use self::attention::Attention;
pub use self::preview::Preview;

/// How a volume is cut and shown to the model.
#[derive(Clone, Copy, Debug)]
pub struct SessionOptions {
    /// Slices are taken across this voxel axis.
    pub axis: VoxelAxis,
    /// Values shown from black to white.
    pub window: Window,
    /// Side of the model's square.
    pub image_size: ImageSize,
}

/// One label on one slice.
#[derive(Clone, Debug)]
pub struct LabelResult {
    /// The label.
    pub label: u16,
    /// The label's own mask; other labels may overlap it.
    pub mask: Mask,
    /// The model's own estimate of the mask's IoU, 0 to 1.
    pub predicted_iou: f32,
    /// Positive where the model sees the object on the slice (a logit).
    pub object_score: f32,
    /// Whether this slice was prompted for this label.
    pub prompted: bool,
    /// Which memories were used, and what became of this slice's own.
    pub memory: MemoryReport,
}

/// What is new on one slice.
#[derive(Clone, Debug)]
pub struct SliceResult {
    /// Index of the slice along the axis.
    pub slice: usize,
    /// This is step number `step`, from 1, of the count that [`Session::start`] or [`Session::resume`] gave.
    pub step: usize,
    /// The labels that were followed on this slice in this step.
    pub labels: Vec<LabelResult>,
    /// The slice's labels so far, row-major, overlaps resolved by the higher logit.
    pub label_map: Vec<u16>,
}

/// How far a session has come, to go on with it later: [`Session::state`] gives it, [`Session::restore`] takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunState {
    /// Of the latest propagation.
    pub direction: Direction,
    /// First slice of its range.
    pub first: usize,
    /// Last slice of its range.
    pub last: usize,
    /// Slices whose result is wanted.
    #[serde(default)]
    pub pending: Vec<Pending>,
}

/// A label's slices whose result is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pending {
    /// The label.
    pub label: u16,
    /// Ascending.
    pub slices: Vec<usize>,
}

/// Which slices a propagation visits.
#[derive(Clone)]
struct Extent {
    direction: Direction,
    range: RangeInclusive<usize>,
}

/// One volume being segmented by one model.
///
/// Generic so that it can be tested without weights; see [`Session::new`] for the real one.
pub struct Session<M: SimilarityModel = Sam2Frames> {
    model: M,
    volume: Arc<Volume>,
    axis: VoxelAxis,
    window: Window,
    memory: MemoryOptions,
    subjects: BTreeMap<u16, Subject>,
    /// Of the latest propagation; none before the first.
    extent: Option<Extent>,
    run: Option<Run<M>>,
    result: LabelVolume,
    /// Features of the slice that was looked at last.
    seen: Option<(usize, M::Features)>,
    /// What was made of points on a slice.
    trail: Option<Trail<M>>,
}

impl Session {
    /// A session with SAM 2. Cloning the model shares its parameters.
    pub fn new(model: &Sam2, volume: Arc<Volume>, options: SessionOptions) -> Self {
        let frames = Sam2Frames::new(model.clone(), options.image_size);
        Self::with_model(frames, volume, options.axis, options.window)
    }

    /// What is in the device's memory now, by purpose.
    pub fn held_memory(&self) -> HeldMemory {
        let features = self.seen.as_ref();
        HeldMemory {
            weights: weights_bytes(self.model.model()),
            tables: tables_bytes(self.model.tables()),
            features: features.map_or(0, |(_, features)| features_bytes(features)),
            memory_bank: self.run.as_ref().map_or(0, Run::bytes),
            device: DeviceMemory::of(&self.model.model().device()),
        }
    }
}

impl<M: SimilarityModel> Session<M> {
    /// A session with any model.
    pub fn with_model(model: M, volume: Arc<Volume>, axis: VoxelAxis, window: Window) -> Self {
        let result = LabelVolume::new(volume.grid.clone(), axis);
        Self {
            model,
            volume,
            axis,
            window,
            memory: MemoryOptions::default(),
            subjects: BTreeMap::new(),
            extent: None,
            run: None,
            result,
            seen: None,
            trail: None,
        }
    }

    /// Rows and columns of a slice.
    pub fn shape(&self) -> SliceShape {
        self.volume.slice_shape(self.axis)
    }

    /// Number of slices along the axis.
    pub fn slices(&self) -> usize {
        self.volume.slice_count(self.axis)
    }

    /// The model.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// Chooses how memories are chosen, for labels that are not being followed yet.
    pub fn set_memory(&mut self, memory: MemoryOptions) {
        self.memory = memory;
    }

    /// Gives a label's mask on a slice, in place of an earlier one there.
    ///
    /// After a propagation, the label's slices between the prompted slices on either side of it are wanted again, or as far
    /// as the propagation went; for a label that is new, all. [`resume`](Self::resume) takes them.
    ///
    /// A mask without a pixel says that the object is not on the slice, once it is on another.
    ///
    /// # Errors
    /// When the slice does not exist, the mask has another size, the label is 0, or it has no pixel on any slice.
    pub fn add_mask(&mut self, label: u16, slice: usize, mask: Mask) -> Result<(), SessionError> {
        use SessionErrorKind::{BackgroundLabel, EmptyMask};
        let refuse = |kind, what: String| Err(SessionError::new(kind, what));
        self.check_slice(slice)?;
        check_size(&mask, self.shape(), &format!("slice {slice}"))?;
        if label == 0 {
            return refuse(BackgroundLabel, "label 0 is the background".into());
        }
        let known = self.subjects.get(&label);
        if mask.is_empty() && !known.is_some_and(|known| known.is_on_another(slice)) {
            let what = format!("the mask of label {label} on slice {slice} is empty");
            return refuse(EmptyMask, what);
        }
        let subject = self.subjects.entry(label).or_default();
        subject.give(slice, mask);
        self.changed(label, slice);
        Ok(())
    }

    /// Takes a label's mask on a slice back; whether there was one. What it decided is wanted again, as in
    /// [`add_mask`](Self::add_mask). A label that is on no slice any more is removed.
    pub fn remove_mask(&mut self, label: u16, slice: usize) -> bool {
        let Some(subject) = self.subjects.get_mut(&label) else {
            return false;
        };
        if !subject.take(slice) {
            return false;
        }
        if subject.is_nowhere() {
            return self.remove_label(label);
        }
        self.changed(label, slice);
        true
    }

    /// Removes a label's masks and results; whether there was any.
    pub fn remove_label(&mut self, label: u16) -> bool {
        let known = self.subjects.remove(&label).is_some();
        if let Some(run) = &mut self.run {
            run.interrupt(label);
        }
        let cleared = self.result.clear_label(label);
        known | cleared.expect("results lie on the volume")
    }

    /// Starts a propagation from the prompts, forgetting any earlier one, and says how many steps
    /// it has. [`next`](Self::next) takes them; not calling it any more is how to cancel.
    ///
    /// # Errors
    /// Without a prompt, or for a range that the volume does not have.
    pub fn start(&mut self, course: impl Into<Course>) -> Result<usize, SessionError> {
        let course = course.into();
        let range = course.range(self.slices())?;
        if self.subjects.is_empty() {
            let what = "there is no mask on any slice to start from";
            return Err(SessionError::new(SessionErrorKind::NoPrompt, what));
        }
        for subject in self.subjects.values_mut() {
            subject.want_all(&range);
        }
        let direction = course.direction;
        self.extent = Some(Extent { direction, range });
        self.result = LabelVolume::new(self.volume.grid.clone(), self.axis);
        self.run = None;
        Ok(self.set_out())
    }

    /// Goes on with what is wanted and not there: after a cancel, an error, or a change of prompts. How many steps there are
    /// to come, for [`next`](Self::next) to take; 0 when nothing is wanted. Before the first [`start`](Self::start) it is that.
    ///
    /// A label whose prompts did not change goes on where it was. One whose prompts did begins at its prompted slices.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn resume(&mut self) -> Result<usize, SessionError> {
        match self.extent {
            None => self.start(Direction::default()),
            Some(_) => Ok(self.set_out()),
        }
    }

    /// How far the latest propagation has come; none before the first.
    pub fn state(&self) -> Option<RunState> {
        let Extent { direction, range } = self.extent.clone()?;
        let wanted = self.subjects.iter().map(|(&label, subject)| Pending {
            label,
            slices: subject.pending().iter().copied().collect(),
        });
        Some(RunState {
            direction,
            first: *range.start(),
            last: *range.end(),
            pending: wanted.filter(|p| !p.slices.is_empty()).collect(),
        })
    }

    /// Takes a result over, as if it had come from the masks that were given before. Where labels overlapped, the result
    /// says which of them won: what the others had there is gone.
    ///
    /// # Errors
    /// When the result is not of the volume's dimensions, or the state is of another volume or of labels without a mask.
    pub fn restore(&mut self, labels: LabelMap, state: &RunState) -> Result<(), SessionError> {
        let (dims, of) = (self.volume.grid.dims, labels.grid.dims);
        if dims != of {
            let what = format!("a result of {of:?} voxels is not of a volume of {dims:?}");
            return Err(SessionError::new(SessionErrorKind::ResultGrid, what));
        }
        let course = Course {
            direction: state.direction,
            first: Some(state.first),
            last: Some(state.last),
        };
        let range = course.range(self.slices())?;
        for Pending { label, slices } in &state.pending {
            if !self.subjects.contains_key(label) {
                let what = format!("slices of label {label} are wanted, which has no mask");
                return Err(SessionError::new(SessionErrorKind::NoPrompt, what));
            }
            slices.iter().try_for_each(|&s| self.check_slice(s))?;
        }
        self.result = LabelVolume::of(labels, self.axis).map_err(out_of_range)?;
        for (label, subject) in &mut self.subjects {
            let of_label = state.pending.iter().filter(|p| p.label == *label);
            subject.want(of_label.flat_map(|p| p.slices.iter().copied()).collect());
        }
        let direction = state.direction;
        self.extent = Some(Extent { direction, range });
        self.run = None;
        Ok(())
    }

    /// The labels of the whole volume, as far as the propagation has come.
    pub fn label_map(&self) -> &LabelMap {
        self.result.labels()
    }

    /// A label's own mask on a slice, as far as the propagation has come; other labels may overlap it.
    ///
    /// # Errors
    /// When the slice does not exist.
    pub fn label_mask(&self, label: u16, slice: usize) -> Result<Mask, SessionError> {
        self.check_slice(slice)?;
        Ok(self.result.mask(slice, label))
    }

    fn check_slice(&self, slice: usize) -> Result<(), SessionError> {
        let exists = self.volume.grid.check_slice(self.axis, slice);
        exists.map_err(out_of_range)
    }

    /// A label's mask on a slice came, changed or went.
    fn changed(&mut self, label: u16, slice: usize) {
        let subject = self.subjects.get_mut(&label);
        if let (Some(subject), Some(extent)) = (subject, &self.extent) {
            subject.want_around(slice, &extent.range);
            if !subject.pending().contains(&slice) {
                // The mask is gone, and the range does not reach its slice.
                let cleared = self.result.clear(slice, label);
                cleared.expect("the slice was prompted, so that it exists");
            }
        }
        if let Some(run) = &mut self.run {
            run.interrupt(label);
        }
    }

    /// A slice's features, made unless it was looked at last.
    fn features(&mut self, slice: usize) -> M::Features {
        match &self.seen {
            Some((at, features)) if *at == slice => features.clone(),
            _ => {
                self.seen = None; // free the old ones before making the new ones
                let grey = self.volume.slice_u8(self.axis, slice, &self.window);
                let grey = grey.expect("steps and prompts lie on the axis");
                let features = self.model.encode(&grey, self.shape());
                self.seen = Some((slice, features.clone()));
                features
            }
        }
    }
}

#[cfg(test)]
mod tests;
