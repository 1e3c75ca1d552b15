//! One-Prompt: one image with a mask, and a set of images to find the same in. In: 8-bit grey images of any sizes,
//! in any order; out: a mask for each.
//!
//! **The order in which the images are given does not matter**, whatever the memory strategy. They are walked in an
//! order that is a function of their content: by the cosine of their image embedding to the prompted image's, the most
//! similar first, equal ones by their pixels. Images with equal pixels are looked at once and share a result. So a set
//! has one result on one device, bit for bit, and a seeded draw is repeated too. What does matter is the set: another
//! image in it can change what is remembered when its less similar fellows are looked at.

use super::error::{SessionError, SessionErrorKind, check_size};
use super::few_shot::GreySlice;
use super::frame_model::{Sam2Frames, SimilarityModel};
use super::memory::{MemoryOptions, MemoryReport};
use super::object_track::ObjectTrack;
use super::order::Pass;
use crate::sam2::{ImageSize, Sam2};
use crate::volume::{Mask, SliceShape};

/// How a set is looked at.
#[derive(Clone, Copy, Debug)]
pub struct OnePromptOptions {
    /// Side of the model's square.
    pub image_size: ImageSize,
    /// How memories are chosen.
    pub memory: MemoryOptions,
}

/// The object on one image.
#[derive(Clone, Debug)]
pub struct OnePromptResult {
    /// Index of the image, as it was given.
    pub image: usize,
    /// Place in the order of the walk, from 1; images with equal pixels share it. The memory's report names images by
    /// it, with 0 for the prompted one.
    pub step: usize,
    /// Cosine of the image's embedding to that of the prompted image.
    pub similarity: f32,
    /// The mask, of the image's size.
    pub mask: Mask,
    /// The model's own estimate of the mask's IoU, 0 to 1.
    pub predicted_iou: f32,
    /// Positive where the model sees the object on the image (a logit).
    pub object_score: f32,
    /// Which memories were used, and what became of this image's own.
    pub memory: MemoryReport,
}

/// The prompted image's step.
const PROMPTED: usize = 0;

/// Images with equal pixels.
struct Group<M: SimilarityModel> {
    /// As they were given.
    images: Vec<usize>,
    similarity: f32,
    /// From the look until the walk, where there was room.
    features: Option<M::Features>,
}

/// Room for features between look and walk, in bytes: an image that finds none is encoded twice.
const FEATURES_ROOM: usize = 256 << 20;
/// Bytes for a pixel of the model's square: 256 channels at a sixteenth of the side, 64 at an eighth and 32 at a quarter
/// are 1, 1 and 2 numbers of 4 bytes.
const FEATURES_PER_PIXEL: usize = 4 * (1 + 1 + 2);

/// A set being segmented by one model.
///
/// [`look`](Self::look) at every image, then take the results by [`next`](Self::next).
pub struct OnePrompt<M: SimilarityModel = Sam2Frames> {
    model: M,
    support: GreySlice,
    mask: Mask,
    images: Vec<GreySlice>,
    track: ObjectTrack<M>,
    /// The prompted image's embedding, once it was looked at.
    prompted: Option<M::Vector>,
    /// Sorted by content, then, once all were looked at, by similarity.
    groups: Vec<Group<M>>,
    /// Number of images whose features are kept between look and walk.
    room: usize,
    looked: usize,
    walked: usize,
    /// Results of the latest group that are still to be given.
    ready: Vec<OnePromptResult>,
}

impl OnePrompt {
    /// A set for SAM 2. Cloning the model shares its parameters.
    ///
    /// # Errors
    /// `ImageSize` when an image has not rows x columns pixels, or none; `MaskSize` and `EmptyMask` when the mask has
    /// another size than the prompted image, or no pixel inside.
    pub fn new(
        model: &Sam2,
        options: &OnePromptOptions,
        (support, mask): (GreySlice, Mask),
        images: Vec<GreySlice>,
    ) -> Result<Self, SessionError> {
        let frames = Sam2Frames::new(model.clone(), options.image_size);
        let pixels = options.image_size.pixels().pow(2);
        let room = FEATURES_ROOM / (pixels * FEATURES_PER_PIXEL);
        Self::with_model(frames, &options.memory, room, (support, mask), images)
    }
}

impl<M: SimilarityModel> OnePrompt<M> {
    /// A set for any model, with room for the features of so many images.
    ///
    /// # Errors
    /// As [`OnePrompt::new`].
    pub fn with_model(
        model: M,
        memory: &MemoryOptions,
        room: usize,
        (support, mask): (GreySlice, Mask),
        images: Vec<GreySlice>,
    ) -> Result<Self, SessionError> {
        for image in images.iter().chain([&support]) {
            check_pixels(image)?;
        }
        check_size(&mask, support.shape, "the prompted image")?;
        if mask.is_empty() {
            let what = "the mask of the prompted image is empty";
            return Err(SessionError::new(SessionErrorKind::EmptyMask, what));
        }
        let groups = groups(&images);
        Ok(Self {
            model,
            support,
            mask,
            track: ObjectTrack::with_memory(groups.len() + 1, memory),
            images,
            prompted: None,
            groups,
            room,
            looked: 0,
            walked: 0,
            ready: Vec::new(),
        })
    }

    /// Number of images, equal ones counted each.
    pub fn images(&self) -> usize {
        self.images.len()
    }

    /// Number of images that [`look`](Self::look) has left; equal ones count once.
    pub fn left_to_look(&self) -> usize {
        self.groups.len() - self.looked
    }

    /// The prompt as the model sees it, on the prompted image: empty when it is too small for the model's resolution, and
    /// then there is nothing to be found on the others.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn prompt_seen(&mut self) -> Result<Mask, SessionError> {
        self.prompted();
        let output = self.track.prompted(PROMPTED).cloned();
        let output = output.expect("the image has just been prompted");
        let readout = self.model.read(output, self.support.shape).await?;
        Ok(readout.mask(self.support.shape))
    }

    /// Looks at the next image, to find the order of the walk; how many are left. Optional: without it,
    /// [`next`](Self::next) looks at all of them first.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn look(&mut self) -> Result<usize, SessionError> {
        let prompted = self.prompted();
        if let Some(group) = self.groups.get_mut(self.looked) {
            let image = &self.images[group.images[0]];
            let features = self.model.encode(&image.grey, image.shape);
            let vector = self.model.image_vector(&features);
            let cosine = self.model.cosines(&prompted, &[&vector]).await?;
            group.similarity = cosine[0];
            group.features = (self.looked < self.room).then_some(features);
            self.looked += 1;
            if self.left_to_look() == 0 {
                // Stable, so that equal ones stay in the order of their pixels.
                self.groups
                    .sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
            }
        }
        Ok(self.left_to_look())
    }

    /// The next result, the most similar image first; none when every image has its result.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn next(&mut self) -> Result<Option<OnePromptResult>, SessionError> {
        while self.left_to_look() > 0 {
            self.look().await?;
        }
        if self.ready.is_empty() && self.walked < self.groups.len() {
            self.ready = self.walk().await?;
        }
        Ok(self.ready.pop())
    }

    /// The prompted image's embedding; the first call takes its mask as the prompt.
    fn prompted(&mut self) -> M::Vector {
        if let Some(vector) = &self.prompted {
            return vector.clone();
        }
        let features = self.model.encode(&self.support.grey, self.support.shape);
        self.track
            .prompt_mask(&self.model, PROMPTED, &features, &self.mask);
        let vector = self.model.image_vector(&features);
        self.prompted.insert(vector).clone()
    }

    /// Segments the next group; its images' results, the last of them first.
    async fn walk(&mut self) -> Result<Vec<OnePromptResult>, SessionError> {
        let group = &mut self.groups[self.walked];
        let image = &self.images[group.images[0]];
        let kept = group.features.take();
        let features = kept.unwrap_or_else(|| self.model.encode(&image.grey, image.shape));
        self.walked += 1;
        let step = self.walked;
        let found = self.track.find(&self.model, step, Pass::Forward, &features);
        let (output, used) = found.await?;
        self.track.forget(step, Pass::Forward, None);
        let readout = self.model.read(output, image.shape).await?;
        let decision = self.track.settle(&self.model, &readout).await?;
        let mask = readout.mask(image.shape);
        let memory = MemoryReport { used, decision };
        let result = |&image: &usize| OnePromptResult {
            image,
            step,
            similarity: group.similarity,
            mask: mask.clone(),
            predicted_iou: readout.predicted_iou,
            object_score: readout.object_score,
            memory: memory.clone(),
        };
        Ok(group.images.iter().rev().map(result).collect())
    }
}

fn check_pixels(image: &GreySlice) -> Result<(), SessionError> {
    let SliceShape { rows, cols } = image.shape;
    let found = image.grey.len();
    if found > 0 && rows.checked_mul(cols) == Some(found) {
        return Ok(());
    }
    let what = format!("an image of {rows} x {cols} pixels has {found} of them");
    Err(SessionError::new(SessionErrorKind::ImageSize, what))
}

/// A total order of contents.
fn content(image: &GreySlice) -> (usize, usize, &[u8]) {
    (image.shape.rows, image.shape.cols, &image.grey)
}

/// Images with equal pixels together, in an order that depends on pixels only.
fn groups<M: SimilarityModel>(images: &[GreySlice]) -> Vec<Group<M>> {
    let mut by_content: Vec<usize> = (0..images.len()).collect();
    by_content.sort_by_key(|&i| content(&images[i])); // stable: equal ones as they were given
    let equal = by_content.chunk_by(|&a, &b| images[a] == images[b]);
    let group = |images: &[usize]| Group {
        images: images.to_vec(),
        similarity: 0.0,
        features: None,
    };
    equal.map(group).collect()
}

#[cfg(test)]
mod tests;
