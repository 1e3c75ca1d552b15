//! A volume, a model and prompts; slices with masks come out one after the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::{SessionError, SessionErrorKind, check_size, out_of_range};
use super::frame_model::{FrameModel, Sam2Frames, SimilarityModel};
use super::held_memory::{DeviceMemory, HeldMemory};
use super::held_memory::{features_bytes, tables_bytes, weights_bytes};
use super::label_volume::LabelVolume;
use super::memory::{MemoryOptions, MemoryReport, Used, Verdict};
use super::object_track::ObjectTrack;
use super::order::{Direction, Pass, Prompted, Step, steps, takes_part};
use crate::sam2::{ImageSize, Sam2};
use crate::volume::{LabelMap, Mask, SliceShape, Volume, VoxelAxis, Window};

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
    /// This is step number `step`, from 1, of [`Session::start`]'s count.
    pub step: usize,
    /// The labels that were followed on this slice in this step.
    pub labels: Vec<LabelResult>,
    /// The slice's labels so far, row-major, overlaps resolved by the higher logit.
    pub label_map: Vec<u16>,
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
    prompts: BTreeMap<u16, BTreeMap<usize, Mask>>,
    run: Option<Run<M>>,
    result: LabelVolume,
}

/// A propagation under way.
struct Run<M: SimilarityModel> {
    direction: Direction,
    steps: Vec<Step>,
    done: usize,
    labels: Vec<Followed<M>>,
    /// Features of the slice that was looked at last.
    features: Option<(usize, M::Features)>,
}

struct Followed<M: SimilarityModel> {
    label: u16,
    prompted: Prompted,
    track: ObjectTrack<M>,
}

/// One label on one slice, still on the device.
struct Found<M: FrameModel> {
    output: M::Output,
    prompted: bool,
    used: Vec<Used>,
}

impl Session {
    /// A session with SAM 2. Cloning the model shares its parameters.
    pub fn new(model: &Sam2, volume: Arc<Volume>, options: SessionOptions) -> Self {
        let frames = Sam2Frames::new(model.clone(), options.image_size);
        Self::with_model(frames, volume, options.axis, options.window)
    }

    /// What is in the device's memory now, by purpose.
    pub fn held_memory(&self) -> HeldMemory {
        let run = self.run.as_ref();
        let features = run.and_then(|run| run.features.as_ref());
        let tracks = run.into_iter().flat_map(|run| &run.labels);
        HeldMemory {
            weights: weights_bytes(self.model.model()),
            tables: tables_bytes(self.model.tables()),
            features: features.map_or(0, |(_, features)| features_bytes(features)),
            memory_bank: tracks.map(|followed| followed.track.bytes()).sum(),
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
            prompts: BTreeMap::new(),
            run: None,
            result,
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

    /// Chooses how memories are chosen, from the next [`start`](Self::start) on.
    pub fn set_memory(&mut self, memory: MemoryOptions) {
        self.memory = memory;
    }

    /// Gives a label's mask on a slice, in place of an earlier one there.
    ///
    /// # Errors
    /// When the slice does not exist, the mask has another size or no pixel, or the label is 0.
    pub fn add_mask(&mut self, label: u16, slice: usize, mask: Mask) -> Result<(), SessionError> {
        use SessionErrorKind::{BackgroundLabel, EmptyMask};
        let refuse = |kind, what: String| Err(SessionError::new(kind, what));
        let exists = self.volume.grid.check_slice(self.axis, slice);
        exists.map_err(out_of_range)?;
        check_size(&mask, self.shape(), &format!("slice {slice}"))?;
        if label == 0 {
            return refuse(BackgroundLabel, "label 0 is the background".into());
        }
        if mask.is_empty() {
            let what = format!("the mask of label {label} on slice {slice} is empty");
            return refuse(EmptyMask, what);
        }
        self.prompts.entry(label).or_default().insert(slice, mask);
        Ok(())
    }

    /// Starts a propagation from the prompts, forgetting any earlier one, and says how many steps
    /// it has. [`next`](Self::next) takes them; not calling it any more is how to cancel.
    ///
    /// # Errors
    /// Without a prompt.
    pub fn start(&mut self, direction: Direction) -> Result<usize, SessionError> {
        let slices = self.slices();
        let followed = |(&label, masks): (&u16, &BTreeMap<usize, Mask>)| {
            let (first, last) = (masks.first_key_value()?, masks.last_key_value()?);
            let prompted = Prompted {
                first: *first.0,
                last: *last.0,
            };
            let track = ObjectTrack::with_memory(slices, &self.memory);
            Some(Followed {
                label,
                prompted,
                track,
            })
        };
        let labels: Vec<Followed<M>> = self.prompts.iter().filter_map(followed).collect();
        if labels.is_empty() {
            let what = "there is no mask on any slice to start from";
            return Err(SessionError::new(SessionErrorKind::NoPrompt, what));
        }
        let prompted: Vec<Prompted> = labels.iter().map(|l| l.prompted).collect();
        let steps = steps(&prompted, slices, direction);
        let count = steps.len();
        self.result = LabelVolume::new(self.volume.grid.clone(), self.axis);
        self.run = Some(Run {
            direction,
            steps,
            done: 0,
            labels,
            features: None,
        });
        Ok(count)
    }

    /// Takes the next step; none when the propagation is finished or was never started.
    ///
    /// # Errors
    /// When the device fails. The slices that are done stay in [`label_map`](Self::label_map).
    pub async fn next(&mut self) -> Result<Option<SliceResult>, SessionError> {
        let Some(mut run) = self.run.take() else {
            return Ok(None);
        };
        let Some(&step) = run.steps.get(run.done) else {
            return Ok(None);
        };
        if run.done == 0 {
            self.prompt(&mut run);
        }
        let features = self.features(&mut run, step.slice);
        let mut found = Vec::new();
        for (index, followed) in run.labels.iter_mut().enumerate() {
            if takes_part(followed.prompted, step, run.direction) {
                let on_slice = self.follow(followed, step, run.direction, &features);
                found.push((index, on_slice.await?));
            }
        }
        run.done += 1;
        let mut labels = Vec::new();
        for (index, found) in found {
            let delivered = self.deliver(step.slice, &mut run.labels[index], found);
            labels.push(delivered.await?);
        }
        if !run.steps[run.done..]
            .iter()
            .any(|later| later.slice == step.slice)
        {
            self.result.finish(step.slice);
        }
        let label_map = self.result.slice(step.slice).map_err(out_of_range)?;
        let result = SliceResult {
            slice: step.slice,
            step: run.done,
            labels,
            label_map,
        };
        self.run = Some(run);
        Ok(Some(result))
    }

    /// The labels of the whole volume, as far as the propagation has come.
    pub fn label_map(&self) -> &LabelMap {
        self.result.labels()
    }

    /// Looks at all prompted slices before the first step: a prompt serves slices on either side.
    /// The first step's slice comes last, so that its features are at hand.
    fn prompt(&self, run: &mut Run<M>) {
        let start = run.steps[0].slice;
        let mut slices: Vec<usize> = self
            .prompts
            .values()
            .flat_map(|m| m.keys().copied())
            .collect();
        slices.sort_by_key(|&s| (s == start, s));
        slices.dedup();
        for slice in slices {
            let features = self.features(run, slice);
            for followed in &mut run.labels {
                if let Some(mask) = self.prompts[&followed.label].get(&slice) {
                    followed
                        .track
                        .prompt_mask(&self.model, slice, &features, mask);
                }
            }
        }
    }

    fn features(&self, run: &mut Run<M>, slice: usize) -> M::Features {
        match &run.features {
            Some((at, features)) if *at == slice => features.clone(),
            _ => {
                run.features = None; // free the old ones before making the new ones
                let grey = self.volume.slice_u8(self.axis, slice, &self.window);
                let grey = grey.expect("steps and prompts lie on the axis");
                let features = self.model.encode(&grey, self.shape());
                run.features = Some((slice, features.clone()));
                features
            }
        }
    }

    /// Looks for one label on one slice.
    async fn follow(
        &self,
        followed: &mut Followed<M>,
        step: Step,
        direction: Direction,
        features: &M::Features,
    ) -> Result<Found<M>, SessionError> {
        let track = &mut followed.track;
        if let Some(output) = track.prompted(step.slice) {
            return Ok(Found {
                output: output.clone(),
                prompted: true,
                used: Vec::new(),
            });
        }
        let found = track.find(&self.model, step.slice, step.pass, features);
        let (output, used) = found.await?;
        let reverse_to_come = direction == Direction::Both && step.pass == Pass::Forward;
        let reverse_from = reverse_to_come.then_some(followed.prompted.first);
        track.forget(step.slice, step.pass, reverse_from);
        Ok(Found {
            output,
            prompted: false,
            used,
        })
    }

    /// Brings what was found to the host, and decides on its memory by its scores.
    async fn deliver(
        &mut self,
        slice: usize,
        followed: &mut Followed<M>,
        found: Found<M>,
    ) -> Result<LabelResult, SessionError> {
        let (label, shape) = (followed.label, self.shape());
        let readout = self.model.read(found.output, shape).await?;
        let decision = match found.prompted {
            true => Verdict::Prompted,
            false => followed.track.settle(&self.model, &readout).await?,
        };
        let mask = readout.mask(shape);
        self.result
            .add(slice, label, &mask, &readout.logits)
            .map_err(out_of_range)?;
        Ok(LabelResult {
            label,
            mask,
            predicted_iou: readout.predicted_iou,
            object_score: readout.object_score,
            prompted: found.prompted,
            memory: MemoryReport {
                used: found.used,
                decision,
            },
        })
    }
}

#[cfg(test)]
mod tests;
