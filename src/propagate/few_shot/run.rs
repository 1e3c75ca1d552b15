//! A model, a matcher and supports; query volumes are segmented slice by slice.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::augment::AugmentOptions;
use super::matcher::{Matcher, Measure, Measured};
use super::pool::{Choice, Pool};
use super::support::{GreySlice, Support};
use super::values::{grey_slice, one_grey};
use crate::propagate::error::out_of_range;
use crate::propagate::label_volume::LabelVolume;
use crate::propagate::{FrameModel, Readout, Recall, Sam2Frames, SessionError, SessionErrorKind};
use crate::sam2::{ImageSize, Sam2};
use crate::volume::{Axis, LabelMap, Mask, SlicePlane, Volume, VoxelAxis, Window};

/// How supports are multiplied and results accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FewShotOptions {
    /// Copies of each support.
    pub augment: AugmentOptions,
    /// A label is accepted on a slice if its object score (a logit) is larger than this. Default 0, where the model
    /// itself draws the line: less changes nothing, more refuses slices that it is unsure of.
    pub min_object_score: f32,
}

/// What was found of one label on one slice.
#[derive(Clone, Debug)]
pub struct FewShotLabel {
    /// The support that was chosen.
    pub choice: Choice,
    /// The label's own mask, accepted or not; other labels may overlap it.
    pub mask: Mask,
    /// The model's own estimate of the mask's IoU, 0 to 1.
    pub predicted_iou: f32,
    /// Positive where the model sees the object on the slice (a logit).
    pub object_score: f32,
    /// Whether the mask is in the label map.
    pub accepted: bool,
}

/// What is new on one slice.
#[derive(Clone, Debug)]
pub struct FewShotSlice {
    /// Index of the slice along the axis.
    pub slice: usize,
    /// One for each label, ascending.
    pub labels: Vec<FewShotLabel>,
    /// The slice's accepted labels, row-major, overlaps resolved by the higher logit.
    pub label_map: Vec<u16>,
}

/// What the model remembers of the labels of a picture, by [`Choice`]'s support and copy.
type Shown<M> = BTreeMap<
    (usize, usize),
    BTreeMap<u16, (<M as FrameModel>::Memory, <M as FrameModel>::Pointer)>,
>;

/// Supports that query volumes are segmented with, one after the other.
pub struct FewShot<M: FrameModel, K: Matcher> {
    model: M,
    matcher: K,
    options: FewShotOptions,
    supports: Vec<Support>,
    /// Kept from volume to volume, unless the next one's slices are stored another way round.
    pool: Option<Pool<K>>,
    shown: Shown<M>,
    run: Option<Run>,
}

/// A volume under way.
struct Run {
    volume: Arc<Volume>,
    axis: VoxelAxis,
    window: Window,
    /// Copies of each support.
    copies: usize,
    next: usize,
    /// The next slice, and its supports once they are chosen.
    matched: Option<(GreySlice, Vec<Choice>)>,
    result: LabelVolume,
}

/// A whole query volume.
#[derive(Clone, Debug)]
pub struct FewShotVolume {
    /// The accepted labels.
    pub labels: LabelMap,
    /// What was found on each slice, in order.
    pub slices: Vec<FewShotSlice>,
}

impl FewShot<Sam2Frames, Measured> {
    /// With SAM 2, whose parameters are shared, and one of the measures.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_sam2(
        model: &Sam2,
        image_size: ImageSize,
        measure: Measure,
        supports: Vec<Support>,
        options: FewShotOptions,
    ) -> Result<Self, SessionError> {
        let frames = Sam2Frames::new(model.clone(), image_size);
        Self::new(frames, Measured::new(measure), supports, options)
    }
}

impl<M: FrameModel, K: Matcher> FewShot<M, K> {
    /// Checks the supports and options; nothing is computed yet.
    ///
    /// # Errors
    /// `NoPrompt` without a support, `MaskSize`, `EmptyMask` or `BackgroundLabel` for a support that is none,
    /// `SupportOptions` for impossible options.
    pub fn new(
        model: M,
        matcher: K,
        supports: Vec<Support>,
        options: FewShotOptions,
    ) -> Result<Self, SessionError> {
        options.augment.check()?;
        if supports.iter().all(|support| support.masks.is_empty()) {
            let what = "there is no mask on any slice to compare with";
            return Err(SessionError::new(SessionErrorKind::NoPrompt, what));
        }
        supports.iter().try_for_each(Support::check)?;
        Ok(Self {
            model,
            matcher,
            options,
            supports,
            pool: None,
            shown: BTreeMap::new(),
            run: None,
        })
    }

    /// The supports, as they were given.
    pub fn supports(&self) -> &[Support] {
        &self.supports
    }

    /// The matcher.
    pub fn matcher(&self) -> &K {
        &self.matcher
    }

    /// How many pictures the model has been shown with their masks.
    pub fn pictures_shown(&self) -> usize {
        self.shown.len()
    }

    /// Starts a query volume, forgetting any earlier one's result, and says how many slices it has. What is known of
    /// the supports stays. [`next`](Self::next) takes the slices; not calling it any more is how to cancel.
    ///
    /// # Errors
    /// `ValueRange` when the window shows nothing of the volume.
    pub fn start(
        &mut self,
        volume: Arc<Volume>,
        axis: Axis,
        window: Window,
    ) -> Result<usize, SessionError> {
        self.run = None;
        let axis = axis.of(&volume.grid);
        let slices = volume.slice_count(axis);
        let greys = volume.voxels.iter().map(|&v| window.to_u8(v));
        if let Some(grey) = one_grey(greys) {
            let what = format!(
                "all of it is {grey} in the window {} to {}",
                window.lo, window.hi
            );
            return Err(SessionError::new(SessionErrorKind::ValueRange, what));
        }
        let plane = SlicePlane::of(&volume.grid, axis);
        if self.pool.as_ref().is_none_or(|pool| pool.plane() != plane) {
            self.pool = Some(Pool::new(&self.supports, plane));
            self.shown.clear();
        }
        let copies = match self.matcher.compares() {
            true => self.options.augment.per_query * slices,
            false => 0,
        };
        self.run = Some(Run {
            result: LabelVolume::new(volume.grid.clone(), axis),
            volume,
            axis,
            window,
            copies,
            next: 0,
            matched: None,
        });
        Ok(slices)
    }

    /// How many pictures are to be prepared for matching before the first slice.
    pub fn unprepared(&self) -> usize {
        match (&self.run, &self.pool) {
            (Some(run), Some(pool)) => pool.unprepared(run.copies),
            _ => 0,
        }
    }

    /// Prepares the next few supports for matching; how many are left. Optional: without it, the first slice takes
    /// that time.
    pub fn prepare(&mut self) -> usize {
        match (&self.run, &mut self.pool) {
            (Some(run), Some(pool)) => {
                pool.prepare(&self.matcher, run.copies, &self.options.augment)
            }
            _ => 0,
        }
    }

    /// Chooses the next slice's supports: the first half of [`next`](Self::next), for callers that measure time.
    /// Whether there is a next slice.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn match_next(&mut self) -> Result<bool, SessionError> {
        while self.prepare() > 0 {}
        let (Some(run), Some(pool)) = (&mut self.run, &self.pool) else {
            return Ok(false);
        };
        if run.matched.is_none() && run.next < run.volume.slice_count(run.axis) {
            let image = grey_slice(&run.volume, run.axis, run.next, &run.window)?;
            let choices = pool.nearest(&self.matcher, &image, run.copies).await?;
            run.matched = Some((image, choices));
        }
        Ok(run.matched.is_some())
    }

    /// Takes the next slice; none when the volume is finished or none was started. One run of the image encoder, and
    /// one more for each picture that was never chosen before.
    ///
    /// # Errors
    /// When the device fails. The slices that are done stay in [`label_map`](Self::label_map).
    pub async fn next(&mut self) -> Result<Option<FewShotSlice>, SessionError> {
        self.match_next().await?;
        let Some(run) = &mut self.run else {
            return Ok(None);
        };
        let (slice, Some((image, choices))) = (run.next, run.matched.take()) else {
            return Ok(None);
        };
        run.next += 1;
        for choice in &choices {
            self.show(choice);
        }
        let features = self.model.encode(&image.grey, image.shape);
        let mut labels = Vec::new();
        for choice in choices {
            let known = &self.shown[&(choice.support, choice.copy)];
            let (memory, pointer) = known[&choice.label].clone();
            let recall = Recall {
                memories: vec![(memory, Some(0))],
                pointers: vec![(pointer, 1)],
                max_obj_ptrs: 2,
            };
            let output = self.model.track(&features, recall);
            let readout = self.model.read(output, image.shape).await?;
            labels.push(self.deliver(slice, choice, &image, readout)?);
        }
        Ok(Some(FewShotSlice {
            slice,
            labels,
            label_map: self.finish(slice)?,
        }))
    }

    /// Segments a volume at one go.
    ///
    /// # Errors
    /// Those of [`start`](Self::start) and [`next`](Self::next).
    pub async fn segment_volume(
        &mut self,
        volume: Arc<Volume>,
        axis: Axis,
        window: Window,
    ) -> Result<FewShotVolume, SessionError> {
        let grid = volume.grid.clone();
        let mut slices = Vec::with_capacity(self.start(volume, axis, window)?);
        while let Some(slice) = self.next().await? {
            slices.push(slice);
        }
        let labels = self.label_map().cloned();
        let labels = labels.unwrap_or_else(|| LabelMap::empty(grid));
        Ok(FewShotVolume { labels, slices })
    }

    /// The labels of the whole volume, as far as they are found; none before the first [`start`](Self::start).
    pub fn label_map(&self) -> Option<&LabelMap> {
        self.run.as_ref().map(|run| run.result.labels())
    }

    /// Lets the model look at a picture with all its masks, if it has not yet.
    fn show(&mut self, choice: &Choice) {
        let (model, options) = (&self.model, &self.options.augment);
        let Some(pool) = &self.pool else { return };
        let show = || {
            let Support { image, masks, .. } = pool.picture(choice, options);
            let features = model.encode(&image.grey, image.shape);
            let remember = |(label, mask)| {
                let output = model.prompt_mask(&features, &mask);
                (label, model.remember(&features, &output, true))
            };
            masks.into_iter().map(remember).collect()
        };
        self.shown
            .entry((choice.support, choice.copy))
            .or_insert_with(show);
    }

    fn deliver(
        &mut self,
        slice: usize,
        choice: Choice,
        image: &GreySlice,
        readout: Readout,
    ) -> Result<FewShotLabel, SessionError> {
        let mask = readout.mask(image.shape);
        let accepted = readout.object_score > self.options.min_object_score;
        if let (true, Some(run)) = (accepted, &mut self.run) {
            let added = run.result.add(slice, choice.label, &mask, &readout.logits);
            added.map_err(out_of_range)?;
        }
        Ok(FewShotLabel {
            choice,
            mask,
            predicted_iou: readout.predicted_iou,
            object_score: readout.object_score,
            accepted,
        })
    }

    /// No label will claim this slice any more; its labels.
    fn finish(&mut self, slice: usize) -> Result<Vec<u16>, SessionError> {
        let Some(run) = &mut self.run else {
            return Ok(Vec::new());
        };
        run.result.finish(slice);
        run.result.slice(slice).map_err(out_of_range)
    }
}
