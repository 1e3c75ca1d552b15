//! A clip and one object in it, driven as Meta's video predictor is.

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use oneslice::propagate::{
    Before, FrameModel, ObjectTrack, Pass, PointModel, PointPrompt, Sam2Frames,
};
use oneslice::sam2::resample::Size;
use oneslice::sam2::transform::logits_on_slice;
use oneslice::sam2::{Conditioning, FrameOutput, ImageFeatures, ImageSize, Sam2};
use oneslice::volume::{Mask, SliceShape};

use super::picture::Picture;
use super::{Golden, values};

/// Frames of a clip, all of one size.
pub struct Clip {
    pub size: Size,
    pub frames: Vec<Picture>,
}

impl Clip {
    /// A clip of `clips.safetensors`.
    pub fn open(name: &str) -> Self {
        Self::from_golden(&Golden::open("clips.safetensors"), name)
    }

    /// `[t, h, w, 3]` or `[t, h, w]` bytes.
    pub fn from_golden(golden: &Golden, key: &str) -> Self {
        let (shape, bytes) = (golden.shape(key), golden.u8(key));
        let channels = shape.get(3).copied().unwrap_or(1);
        let size = Size {
            rows: shape[1],
            cols: shape[2],
        };
        let frames = bytes.chunks_exact(size.area() * channels);
        let frames = frames.map(|frame| Picture::new(size, frame, channels));
        Self {
            size,
            frames: frames.collect(),
        }
    }
}

/// One object in a clip.
pub struct Video {
    frames: Sam2Frames,
    clip: Clip,
    image_size: ImageSize,
    track: ObjectTrack<Sam2Frames>,
    memories: BTreeMap<usize, Vec<f32>>,
}

impl Video {
    pub fn new(model: &Sam2, clip: Clip, image_size: usize) -> Self {
        let image_size = ImageSize::new(image_size).unwrap();
        Self {
            frames: Sam2Frames::new(model.clone(), image_size),
            track: ObjectTrack::new(clip.frames.len()),
            clip,
            image_size,
            memories: BTreeMap::new(),
        }
    }

    pub fn features(&self, frame: usize) -> ImageFeatures {
        let model = self.frames.model();
        let image = self.clip.frames[frame].video_input(self.image_size, &model.device());
        model.forward_image(image, self.frames.tables())
    }

    fn shape(&self) -> SliceShape {
        SliceShape {
            rows: self.clip.size.rows,
            cols: self.clip.size.cols,
        }
    }

    pub fn prompt_mask(&mut self, frame: usize, mask: &[u8]) {
        let mask = Mask::new(self.shape(), mask.iter().map(|&v| v > 0).collect()).unwrap();
        let features = self.features(frame);
        self.track
            .prompt_mask(&self.frames, frame, &features, &mask);
        let output = self.track.prompted(frame).unwrap().clone();
        self.note_memory(frame, &features, &output, true);
    }

    /// Points in picture pixels, on a frame without any result.
    pub fn prompt_points(&mut self, frame: usize, prompt: &PointPrompt) -> FrameOutput {
        let (features, shape) = (self.features(frame), self.shape());
        let nothing = Before::Nothing;
        let output = self.frames.prompt_points(&features, prompt, shape, nothing);
        self.track
            .prompt(&self.frames, frame, &features, output.clone());
        output
    }

    /// Points on a frame that was tracked before: memory and the earlier logits take part.
    pub fn correct(
        &self,
        frame: usize,
        pass: Pass,
        prompt: &PointPrompt,
        previous: Tensor<4>,
    ) -> FrameOutput {
        let points = prompt.on_model(self.shape(), self.image_size);
        let (features, recall) = (self.features(frame), self.conditioning(frame, pass));
        let (model, tables) = (self.frames.model(), self.frames.tables());
        model.prompt_points(&features, &points, Some(previous), Some(&recall), tables)
    }

    /// What the frame would attend to now.
    pub fn conditioning(&self, frame: usize, pass: Pass) -> Conditioning {
        self.track.recall(frame, pass).into()
    }

    pub fn is_prompted(&self, frame: usize) -> bool {
        self.track.prompted(frame).is_some()
    }

    /// Model and constants.
    pub fn model(&self) -> &Sam2Frames {
        &self.frames
    }

    /// One pass from `start`, inclusive; prompted frames are given back as they are.
    pub fn run(&mut self, pass: Pass, start: usize) -> BTreeMap<usize, FrameOutput> {
        let frames: Vec<usize> = match pass {
            Pass::Forward => (start..self.clip.frames.len()).collect(),
            Pass::Reverse => (0..=start).rev().collect(),
        };
        let mut outputs = BTreeMap::new();
        for frame in frames {
            let output = match self.track.prompted(frame) {
                Some(output) => output.clone(),
                None => {
                    let features = self.features(frame);
                    let found = self.track.find(&self.frames, frame, pass, &features);
                    let (output, _) = pollster::block_on(found).expect("the device answers");
                    self.note_memory(frame, &features, &output, false);
                    output
                }
            };
            outputs.insert(frame, output);
        }
        outputs
    }

    fn note_memory(
        &mut self,
        frame: usize,
        features: &ImageFeatures,
        output: &FrameOutput,
        prompted: bool,
    ) {
        let (memory, _) = self.frames.remember(features, output, prompted);
        // Meta keeps memories as [1, mem_dim, n, n].
        self.memories.insert(frame, values(memory.swap_dims(1, 2)));
    }

    pub fn memory(&self, frame: usize) -> Vec<f32> {
        self.memories[&frame].clone()
    }

    /// Logits at the clip's own size.
    pub fn on_picture(&self, output: &FrameOutput) -> Vec<f32> {
        let low_res = values(output.low_res_masks.clone());
        logits_on_slice(&low_res, self.image_size, self.clip.size)
    }
}
