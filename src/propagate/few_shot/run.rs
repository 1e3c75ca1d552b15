//! A model, a matcher and supports; query volumes are segmented slice by slice.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::carry::{Carried, Shown, video};
use super::found::{FewShotLabel, FewShotOptions, FewShotSlice, FewShotVolume};
use super::lay::Frame;
use super::matcher::{Matcher, Measure, Measured};
use super::pool::{Choice, Pool};
use super::support::{GreySlice, Support};
use super::values::{grey_slice, one_grey};
use crate::propagate::error::out_of_range;
use crate::propagate::label_volume::LabelVolume;
use crate::propagate::memory::Verdict;
use crate::propagate::{MemoryReport, Sam2Frames, SessionError, SessionErrorKind, SimilarityModel};
use crate::sam2::{ImageSize, Sam2};
use crate::volume::{Axis, LabelMap, Volume, VoxelAxis, Window};

/// What the model remembers of the labels of each picture it was shown, by [`Choice`]'s support and copy.
type Pictures<M> = BTreeMap<(usize, usize), BTreeMap<u16, Shown<M>>>;

/// Supports that query volumes are segmented with, one after the other.
pub struct FewShot<M: SimilarityModel, K: Matcher> {
    model: M,
    matcher: K,
    options: FewShotOptions,
    supports: Vec<Support>,
    /// Kept from volume to volume, unless the next one's slices lie otherwise.
    pool: Option<Pool<K>>,
    shown: Pictures<M>,
    run: Option<Run<M>>,
}

/// A volume under way.
struct Run<M: SimilarityModel> {
    volume: Arc<Volume>,
    axis: VoxelAxis,
    window: Window,
    /// Copies of each support.
    copies: usize,
    next: usize,
    /// The next slice, and its supports once they are chosen.
    matched: Option<(GreySlice, Vec<Choice>)>,
    result: LabelVolume,
    /// None unless slices are carried.
    carried: Option<Carried<M>>,
}

/// A slice and what the model sees on it.
struct Look<M: SimilarityModel> {
    slice: usize,
    image: GreySlice,
    features: M::Features,
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

impl<M: SimilarityModel, K: Matcher> FewShot<M, K> {
    /// Checks the supports and options; nothing is computed yet.
    ///
    /// # Errors
    /// `NoPrompt` without a support, `MaskSize`, `EmptyMask` or `BackgroundLabel` for a support that is none,
    /// `SupportOptions` and `MemoryOptions` for impossible options.
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
        options.carry.map(Carried::<M>::new).transpose()?;
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
        let frame = Frame::of(&volume, axis);
        let fits = |pool: &Pool<K>| *pool.frame() == frame;
        if !self.pool.as_ref().is_some_and(fits) {
            self.pool = Some(Pool::new(&self.supports, frame));
            self.shown.clear();
        }
        let copies = match self.matcher.compares() {
            true => self.options.augment.per_query * slices,
            false => 0,
        };
        self.run = Some(Run {
            result: LabelVolume::new(volume.grid.clone(), axis),
            carried: self.options.carry.map(Carried::new).transpose()?,
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
        let Self {
            model,
            options,
            pool: Some(pool),
            shown,
            run: Some(run),
            ..
        } = self
        else {
            return Ok(None);
        };
        let (slice, Some((image, choices))) = (run.next, run.matched.take()) else {
            return Ok(None);
        };
        run.next += 1;
        for choice in &choices {
            let look = || show(model, pool.picture(choice, &options.augment));
            let picture = (choice.support, choice.copy);
            shown.entry(picture).or_insert_with(look);
        }
        let features = model.encode(&image.grey, image.shape);
        let look = Look {
            slice,
            image,
            features,
        };
        let mut labels = Vec::new();
        for choice in choices {
            let support = shown[&(choice.support, choice.copy)][&choice.label].clone();
            let found = run.find(model, options, &look, choice, support);
            labels.push(found.await?);
        }
        run.result.finish(slice);
        let label_map = run.result.slice(slice).map_err(out_of_range)?;
        Ok(Some(FewShotSlice {
            slice,
            labels,
            label_map,
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
}

/// Lets the model look at a picture with all its masks.
fn show<M: SimilarityModel>(model: &M, picture: Support) -> BTreeMap<u16, Shown<M>> {
    let Support { image, masks, .. } = picture;
    let features = model.encode(&image.grey, image.shape);
    let remember = |(label, mask)| {
        let output = model.prompt_mask(&features, &mask);
        (label, model.remember(&features, &output, true))
    };
    masks.into_iter().map(remember).collect()
}

impl<M: SimilarityModel> Run<M> {
    /// Looks for one label on one slice.
    async fn find(
        &mut self,
        model: &M,
        options: &FewShotOptions,
        look: &Look<M>,
        choice: Choice,
        support: Shown<M>,
    ) -> Result<FewShotLabel, SessionError> {
        let (slice, features, label) = (look.slice, &look.features, choice.label);
        let (recall, used) = match &mut self.carried {
            Some(carried) => carried.recall(model, features, label, support).await?,
            None => (video(support, None), Vec::new()),
        };
        let output = model.track(features, recall);
        let readout = model.read(output.clone(), look.image.shape).await?;
        let (object_score, least) = (readout.object_score, options.min_object_score);
        let accepted = object_score > least;
        let mut memory = None;
        if let Some(carried) = &mut self.carried {
            let decision = match accepted {
                true => {
                    let found = (&output, &readout);
                    let settled = carried.settle(model, (slice, features), label, found);
                    settled.await?
                }
                false => Verdict::NotAccepted {
                    object_score,
                    least,
                },
            };
            memory = Some(MemoryReport { used, decision });
        }
        let mask = readout.mask(look.image.shape);
        if accepted {
            let added = self.result.add(slice, label, &mask, &readout.logits);
            added.map_err(out_of_range)?;
        }
        Ok(FewShotLabel {
            choice,
            mask,
            predicted_iou: readout.predicted_iou,
            object_score,
            accepted,
            memory,
        })
    }
}
