//! The walk through the slices that are wanted. In: a session's prompts and what is wanted; out: slice after slice.

use std::collections::BTreeSet;

use super::super::error::{SessionError, out_of_range};
use super::super::frame_model::{FrameModel, Sam2Frames, SimilarityModel};
use super::super::memory::{MemoryReport, Used, Verdict};
use super::super::object_track::ObjectTrack;
use super::super::order::{Direction, Part, Pass, Prompted, Step, reaches, steps, takes_part};
use super::{Extent, LabelResult, Session, SliceResult};

/// A propagation under way.
pub(super) struct Run<M: SimilarityModel> {
    direction: Direction,
    steps: Vec<Step>,
    done: usize,
    labels: Vec<Followed<M>>,
}

/// A label and what is remembered of it.
struct Followed<M: SimilarityModel> {
    label: u16,
    prompted: Prompted,
    track: ObjectTrack<M>,
    /// Its prompted slices were looked at.
    begun: bool,
}

/// One label on one slice, still on the device.
struct Found<M: FrameModel> {
    output: M::Output,
    prompted: bool,
    used: Vec<Used>,
}

impl<M: SimilarityModel> Run<M> {
    /// A label's prompts have changed: there are no more steps, and what is remembered of it is void.
    pub fn interrupt(&mut self, label: u16) {
        self.steps.truncate(self.done);
        self.labels.retain(|followed| followed.label != label);
    }

    fn follows(&self, label: u16) -> bool {
        self.labels.iter().any(|followed| followed.label == label)
    }
}

impl Run<Sam2Frames> {
    /// Bytes of all that is remembered.
    pub fn bytes(&self) -> u64 {
        self.labels.iter().map(|f| f.track.bytes()).sum()
    }
}

/// A label to follow.
struct Wanted {
    label: u16,
    prompted: Prompted,
    pending: BTreeSet<usize>,
}

impl Wanted {
    fn part(&self) -> Part<'_> {
        Part {
            prompted: self.prompted,
            pending: &self.pending,
        }
    }
}

impl<M: SimilarityModel> Session<M> {
    /// How many steps [`resume`](Self::resume) would have.
    pub fn outstanding(&self) -> usize {
        let extent = self.extent.as_ref();
        extent.map_or(0, |extent| self.route(extent, &self.wanted(extent)).len())
    }

    /// Labels with something to do. One that is not being followed begins at its prompts.
    fn wanted(&self, extent: &Extent) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        for (&label, subject) in &self.subjects {
            let Some(prompted) = subject.prompted() else {
                continue;
            };
            let mut pending = match self.run.as_ref().is_some_and(|run| run.follows(label)) {
                true => subject.pending().clone(),
                false => subject.walk(&extent.range),
            };
            pending.retain(|&slice| reaches(prompted, slice, extent.direction));
            if !pending.is_empty() {
                wanted.push(Wanted {
                    label,
                    prompted,
                    pending,
                });
            }
        }
        wanted
    }

    fn route(&self, extent: &Extent, wanted: &[Wanted]) -> Vec<Step> {
        let parts: Vec<Part<'_>> = wanted.iter().map(Wanted::part).collect();
        steps(&parts, self.slices(), extent.direction)
    }

    /// Plans a run to all that is wanted; the number of its steps. Labels that are being followed are followed on.
    pub(super) fn set_out(&mut self) -> usize {
        let Some(extent) = self.extent.clone() else {
            return 0;
        };
        self.give_up_out_of_reach(extent.direction);
        let wanted = self.wanted(&extent);
        let steps = self.route(&extent, &wanted);
        let mut followed = self.run.take().map_or_else(Vec::new, |run| run.labels);
        let slices = self.slices();
        let mut labels = Vec::new();
        for Wanted {
            label,
            prompted,
            pending,
        } in wanted
        {
            let known = followed.iter().position(|f| f.label == label);
            labels.push(match known {
                Some(known) => followed.swap_remove(known),
                None => Followed {
                    label,
                    prompted,
                    track: ObjectTrack::with_memory(slices, &self.memory),
                    begun: false,
                },
            });
            if let Some(subject) = self.subjects.get_mut(&label) {
                subject.want(pending);
            }
        }
        let count = steps.len();
        self.run = (count > 0).then_some(Run {
            direction: extent.direction,
            steps,
            done: 0,
            labels,
        });
        count
    }

    /// Slices that the prompts of now cannot reach have no result.
    fn give_up_out_of_reach(&mut self, direction: Direction) {
        for (&label, subject) in &mut self.subjects {
            for slice in subject.out_of_reach(direction) {
                subject.done(slice);
                let cleared = self.result.clear(slice, label);
                cleared.expect("wanted slices lie on the volume");
            }
        }
    }

    /// Takes the next step; none when the propagation is finished or was never started, or when prompts have changed since:
    /// [`resume`](Self::resume) takes that up.
    ///
    /// # Errors
    /// When the device fails. The slices that are done stay in [`label_map`](Self::label_map), and
    /// [`resume`](Self::resume) goes on, as it does when this call is given up half-way.
    pub async fn next(&mut self) -> Result<Option<SliceResult>, SessionError> {
        // A step that fails or is given up takes with it what its labels remember, which may be half a slice's.
        let Some(mut run) = self.run.take() else {
            return Ok(None);
        };
        let Some(&step) = run.steps.get(run.done) else {
            let on = |f: &Followed<M>| !self.subjects[&f.label].pending().is_empty();
            self.run = run.labels.iter().any(on).then_some(run);
            return Ok(None);
        };
        self.look_at_prompts(&mut run);
        let features = self.features(step.slice);
        let mut found = Vec::new();
        for (index, followed) in run.labels.iter_mut().enumerate() {
            let wanted = self.subjects[&followed.label].pending();
            if takes_part(followed.prompted, step, run.direction) && wanted.contains(&step.slice) {
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

    /// Looks at the prompted slices of labels that begin: a prompt serves slices on either side.
    fn look_at_prompts(&mut self, run: &mut Run<M>) {
        let begins = run.labels.iter().filter(|followed| !followed.begun);
        let slices = begins.flat_map(|f| self.subjects[&f.label].masks().keys().copied());
        let slices: BTreeSet<usize> = slices.collect();
        for slice in slices {
            let features = self.features(slice);
            for followed in run.labels.iter_mut().filter(|f| !f.begun) {
                if let Some(mask) = self.subjects[&followed.label].masks().get(&slice) {
                    let track = &mut followed.track;
                    track.prompt_mask(&self.model, slice, &features, mask);
                }
            }
        }
        for followed in &mut run.labels {
            followed.begun = true;
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
        if let Some(subject) = self.subjects.get_mut(&label) {
            subject.done(slice);
        }
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
