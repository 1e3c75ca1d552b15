//! What propagation asks of a model, and SAM 2's answer.
//!
//! The trait exists so that order, memory and cancelling can be tested without weights.

use burn::tensor::{Device, Tensor};

use super::error::{SessionError, SessionErrorKind};
use super::held_memory::bytes;
use super::points::PointPrompt;
use crate::sam2::config::BACKBONE_STRIDE;
use crate::sam2::resample::Size;
use crate::sam2::transform::{grey_tensor, logits_on_slice, mask_prompt};
use crate::sam2::{
    Conditioning, FrameOutput, ImageFeatures, ImageSize, MemorySlot, PointerSlot, Sam2, Tables,
};
use crate::volume::{Mask, SliceShape};

/// A frame's result on the host.
#[derive(Clone, Debug)]
pub struct Readout {
    /// Mask logits on the slice's own grid, row-major; positive is inside.
    pub logits: Vec<f32>,
    /// Predicted IoU, 0 to 1.
    pub predicted_iou: f32,
    /// Positive where the object is on the slice (a logit).
    pub object_score: f32,
}

impl Readout {
    /// The pixels inside, of a slice of this shape.
    pub fn mask(&self, shape: SliceShape) -> Mask {
        let pixels = self.logits.iter().map(|&logit| logit > 0.0).collect();
        Mask { shape, pixels }
    }
}

/// What a slice attends to.
#[derive(Clone, Debug)]
pub struct Recall<M: FrameModel + ?Sized> {
    /// Memories with their temporal position, if any, see [`memory_bank`](super::memory_bank).
    pub memories: Vec<(M::Memory, Option<usize>)>,
    /// Pointers with their distance in slices.
    pub pointers: Vec<(M::Pointer, usize)>,
    /// Scale of the distances.
    pub max_obj_ptrs: usize,
}

/// A model that tracks one object from slice to slice.
#[expect(
    async_fn_in_trait,
    reason = "never used as a trait object nor across threads"
)]
pub trait FrameModel {
    /// What all objects share of one slice.
    type Features: Clone;
    /// What the model says of one object on one slice.
    type Output: Clone;
    /// What is remembered of a slice's mask.
    type Memory: Clone;
    /// What is remembered of the object.
    type Pointer: Clone;

    /// Looks at an 8-bit grey slice.
    fn encode(&self, grey: &[u8], shape: SliceShape) -> Self::Features;

    /// Takes a mask as the object on this slice.
    fn prompt_mask(&self, features: &Self::Features, mask: &Mask) -> Self::Output;

    /// Finds the object by what is remembered.
    fn track(&self, features: &Self::Features, recall: Recall<Self>) -> Self::Output;

    /// What to remember of a slice.
    fn remember(
        &self,
        features: &Self::Features,
        output: &Self::Output,
        prompted: bool,
    ) -> (Self::Memory, Self::Pointer);

    /// Brings a result to the host.
    async fn read(&self, output: Self::Output, shape: SliceShape) -> Result<Readout, SessionError>;
}

/// A model whose images and memories can be compared, as self-sorting memories need.
#[expect(
    async_fn_in_trait,
    reason = "never used as a trait object nor across threads"
)]
pub trait SimilarityModel: FrameModel {
    /// What cosines are taken of.
    type Vector: Clone;

    /// A slice's image embedding.
    fn image_vector(&self, features: &Self::Features) -> Self::Vector;

    /// A memory's features.
    fn memory_vector(&self, memory: &Self::Memory) -> Self::Vector;

    /// Cosines of one vector to others, brought to the host at once. Each must depend on its two
    /// vectors only, to the last bit: results must not depend on what else is compared.
    async fn cosines(
        &self,
        one: &Self::Vector,
        others: &[&Self::Vector],
    ) -> Result<Vec<f32>, SessionError>;
}

/// What a model knows of a slice's object before it looks at points.
pub enum Before<'a, M: FrameModel + ?Sized> {
    /// Nothing.
    Nothing,
    /// A mask to start from.
    Mask(&'a Mask),
    /// Its own earlier answer.
    Answer(&'a M::Output),
}

/// A model that takes points and boxes.
pub trait PointModel: FrameModel {
    /// Finds the object that is meant on a slice of this shape: one point has the best of several answers, more points
    /// or a box have one.
    fn prompt_points(
        &self,
        features: &Self::Features,
        prompt: &PointPrompt,
        shape: SliceShape,
        before: Before<'_, Self>,
    ) -> Self::Output;
}

/// A model that tells where it looks.
#[expect(
    async_fn_in_trait,
    reason = "never used as a trait object nor across threads"
)]
pub trait AttentionModel: FrameModel {
    /// Tokens along each side of a slice.
    fn side(&self) -> usize;

    /// Where a token of a slice, counted row by row, looks: the weights of each memory's tokens, one memory after the other.
    async fn weights(
        &self,
        features: &Self::Features,
        recall: Recall<Self>,
        token: usize,
    ) -> Result<Vec<f32>, SessionError>;
}

/// A flattened tensor and its length.
#[derive(Clone, Debug)]
pub struct Normed {
    /// `[n]`.
    values: Tensor<1>,
    /// Euclidean norm, `[1]`, never 0.
    norm: Tensor<1>,
}

impl Normed {
    /// Norms below this count as this, as in `F.normalize`.
    const EPS: f32 = 1e-12;

    fn new(values: Tensor<1>) -> Self {
        let norm = (values.clone() * values.clone()).sum().sqrt();
        let norm = norm.clamp_min(Self::EPS);
        Self { values, norm }
    }

    /// Bytes of its values.
    pub(super) fn bytes(&self) -> u64 {
        bytes(&self.values)
    }

    /// `[1]`.
    fn cosine(&self, other: &Self) -> Tensor<1> {
        let dot = (self.values.clone() * other.values.clone()).sum();
        dot / (self.norm.clone() * other.norm.clone())
    }
}

/// SAM 2 at one image size.
#[derive(Clone, Debug)]
pub struct Sam2Frames {
    model: Sam2,
    tables: Tables,
    device: Device,
}

impl Sam2Frames {
    /// Prepares a model for an image size. Cloning the model shares its parameters.
    pub fn new(model: Sam2, image_size: ImageSize) -> Self {
        let model = model.calibrated(image_size);
        let tables = model.tables(image_size);
        let device = model.device();
        Self {
            model,
            tables,
            device,
        }
    }

    /// The model.
    pub fn model(&self) -> &Sam2 {
        &self.model
    }

    /// The constants of its image size.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }
}

impl From<Recall<Sam2Frames>> for Conditioning {
    fn from(recall: Recall<Sam2Frames>) -> Self {
        let memory = |(features, t_pos)| MemorySlot { features, t_pos };
        let pointer = |(obj_ptr, t_diff)| PointerSlot { obj_ptr, t_diff };
        Self {
            memories: recall.memories.into_iter().map(memory).collect(),
            pointers: recall.pointers.into_iter().map(pointer).collect(),
            max_obj_ptrs: recall.max_obj_ptrs,
        }
    }
}

fn size(shape: SliceShape) -> Size {
    Size {
        rows: shape.rows,
        cols: shape.cols,
    }
}

impl FrameModel for Sam2Frames {
    type Features = ImageFeatures;
    type Output = FrameOutput;
    type Memory = Tensor<3>;
    type Pointer = Tensor<2>;

    fn encode(&self, grey: &[u8], shape: SliceShape) -> ImageFeatures {
        let image = grey_tensor(grey, size(shape), self.tables.image_size, &self.device);
        self.model.forward_image(image, &self.tables)
    }

    fn prompt_mask(&self, features: &ImageFeatures, mask: &Mask) -> FrameOutput {
        let image_size = self.tables.image_size;
        let prompt = mask_prompt(&mask.pixels, size(mask.shape), image_size, &self.device);
        self.model.prompt_mask(features, &prompt, &self.tables)
    }

    fn track(&self, features: &ImageFeatures, recall: Recall<Self>) -> FrameOutput {
        self.model.track(features, &recall.into(), &self.tables)
    }

    fn remember(
        &self,
        features: &ImageFeatures,
        output: &FrameOutput,
        prompted: bool,
    ) -> (Tensor<3>, Tensor<2>) {
        let memory = self
            .model
            .encode_new_memory(features, output, prompted, &self.tables);
        (memory, output.obj_ptr.clone())
    }

    async fn read(&self, output: FrameOutput, shape: SliceShape) -> Result<Readout, SessionError> {
        let mut low_res = to_host(Sam2::pack_output(&output)).await?;
        let scores = low_res.split_off(low_res.len() - 2);
        Ok(Readout {
            logits: logits_on_slice(&low_res, self.tables.image_size, size(shape)),
            predicted_iou: scores[0],
            object_score: scores[1],
        })
    }
}

impl PointModel for Sam2Frames {
    fn prompt_points(
        &self,
        features: &ImageFeatures,
        prompt: &PointPrompt,
        shape: SliceShape,
        before: Before<'_, Self>,
    ) -> FrameOutput {
        let image_size = self.tables.image_size;
        let points = prompt.on_model(shape, image_size);
        let logits = match before {
            Before::Nothing => None,
            Before::Answer(answer) => Some(answer.low_res_masks.clone()),
            Before::Mask(mask) => {
                let given = mask_prompt(&mask.pixels, size(mask.shape), image_size, &self.device);
                Some(given.low_res_logits)
            }
        };
        self.model
            .predict_points(features, &points, logits, &self.tables)
    }
}

impl AttentionModel for Sam2Frames {
    fn side(&self) -> usize {
        self.tables.image_size.pixels() / BACKBONE_STRIDE
    }

    async fn weights(
        &self,
        features: &ImageFeatures,
        recall: Recall<Self>,
        token: usize,
    ) -> Result<Vec<f32>, SessionError> {
        let conditioning = recall.into();
        let tables = &self.tables;
        let weights = self
            .model
            .memory_weights(features, &conditioning, tables, token);
        to_host(weights).await
    }
}

impl SimilarityModel for Sam2Frames {
    type Vector = Normed;

    fn image_vector(&self, features: &ImageFeatures) -> Normed {
        Normed::new(features.embedding.clone().flatten::<1>(0, 3))
    }

    fn memory_vector(&self, memory: &Tensor<3>) -> Normed {
        Normed::new(memory.clone().flatten::<1>(0, 2))
    }

    async fn cosines(&self, one: &Normed, others: &[&Normed]) -> Result<Vec<f32>, SessionError> {
        // One reduction for each, not a matrix product: its blocks, and with them the last bits,
        // would depend on the number of the others.
        let cosines: Vec<Tensor<1>> = others.iter().map(|other| one.cosine(other)).collect();
        match cosines.is_empty() {
            true => Ok(Vec::new()),
            false => to_host(Tensor::cat(cosines, 0)).await,
        }
    }
}

/// Waits for numbers; they must be finite.
pub(super) async fn to_host(tensor: Tensor<1>) -> Result<Vec<f32>, SessionError> {
    let failed = |what: String| SessionError::new(SessionErrorKind::Device, what);
    let data = tensor.into_data_async().await;
    let data = data.map_err(|e| failed(format!("the device failed: {e}")))?;
    let values = data.try_into_vec::<f32>();
    let values = values.map_err(|e| failed(format!("the device answered {e:?}")))?;
    match values.iter().all(|v| v.is_finite()) {
        true => Ok(values),
        false => Err(failed("the model's answer holds NaN or infinity".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As long as an image embedding at 1024 pixels a side, and as alike as neighbouring slices.
    #[test]
    fn cosines_of_long_vectors_are_exact_enough_to_rank_by() {
        const LENGTH: usize = 256 * 64 * 64;
        let wave = |i: usize, shift: f64| (0.37 * i as f64).sin() + 3.0 + shift * (i % 7) as f64;
        let values = |shift| {
            (0..LENGTH)
                .map(|i| wave(i, shift) as f32)
                .collect::<Vec<f32>>()
        };
        let exact = |a: &[f32], b: &[f32]| {
            let dot = |a: &[f32], b: &[f32]| {
                let products = a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b));
                products.sum::<f64>()
            };
            dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
        };
        let device = Device::flex();
        let normed = |v: &[f32]| Normed::new(Tensor::from_floats(v, &device));
        let one = values(0.0);
        for shift in [0.0, 0.01, 0.1, 1.0] {
            let other = values(shift);
            let found = normed(&one).cosine(&normed(&other));
            let found = found.into_data().try_into_vec::<f32>().unwrap()[0];
            let error = (f64::from(found) - exact(&one, &other)).abs();
            assert!(error < 1e-6, "shift {shift}: off by {error:e}");
        }
        let nothing = normed(&[0.0, 0.0]).cosine(&normed(&[1.0, 0.0]));
        assert_eq!(nothing.into_data().try_into_vec::<f32>().unwrap(), [0.0]);
    }
}
