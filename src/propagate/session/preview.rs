//! Points and a box become a mask. In: a slice and where the object is on it; out: the mask, after one run of the decoder
//! where the slice was looked at last.

use super::super::error::{SessionError, check_size};
use super::super::frame_model::{Before, FrameModel, PointModel, SimilarityModel};
use super::super::points::PointPrompt;
use super::Session;
use crate::volume::Mask;

/// What the model makes of points and a box.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The mask.
    pub mask: Mask,
    /// The model's own estimate of the mask's IoU, 0 to 1.
    pub predicted_iou: f32,
    /// Positive where the model sees the object on the slice (a logit).
    pub object_score: f32,
}

/// Answers on one slice, each to the prompt of the one before it and more clicks.
pub(super) struct Trail<M: FrameModel> {
    slice: usize,
    /// The mask that the first began with.
    start: Option<Mask>,
    answers: Vec<(PointPrompt, M::Output)>,
}

impl<M: SimilarityModel + PointModel> Session<M> {
    /// Asks what object on a slice is meant. Prompts of the session and its results stay as they are: to take the mask, give
    /// it to [`add_mask`](Self::add_mask).
    ///
    /// `start` is a mask to be corrected. All points are given each time: when they are those of an earlier answer on this
    /// slice and more, that answer takes part, as in Meta's predictor.
    ///
    /// # Errors
    /// When the slice or a point does not exist, there is no point and no box, the mask has another size, or the device fails.
    pub async fn preview(
        &mut self,
        slice: usize,
        prompt: &PointPrompt,
        start: Option<&Mask>,
    ) -> Result<Preview, SessionError> {
        let shape = self.shape();
        self.check_slice(slice)?;
        prompt.check(shape)?;
        if let Some(mask) = start {
            check_size(mask, shape, &format!("slice {slice}"))?;
        }
        let features = self.features(slice);
        let known = self.trail.take();
        let known = known.filter(|t| t.slice == slice && t.start.as_ref() == start);
        let mut answers = known.map_or_else(Vec::new, |trail| trail.answers);
        let continued = answers
            .iter()
            .rposition(|(earlier, _)| prompt.continues(earlier));
        answers.truncate(continued.map_or(0, |last| last + 1));
        let before = match (answers.last(), start) {
            (Some((_, answer)), _) => Before::Answer(answer),
            (None, Some(mask)) => Before::Mask(mask),
            (None, None) => Before::Nothing,
        };
        let output = self.model.prompt_points(&features, prompt, shape, before);
        answers.push((prompt.clone(), output.clone()));
        self.trail = Some(Trail {
            slice,
            start: start.cloned(),
            answers,
        });
        let readout = self.model.read(output, shape).await?;
        Ok(Preview {
            mask: readout.mask(shape),
            predicted_iou: readout.predicted_iou,
            object_score: readout.object_score,
        })
    }
}
