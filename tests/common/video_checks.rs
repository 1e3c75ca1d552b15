//! A video of ours against a golden of Meta's video predictor.

use std::collections::BTreeMap;

use oneslice::propagate::Pass::{self, Forward, Reverse};
use oneslice::propagate::{Click, PointPrompt, SlicePoint};
use oneslice::sam2::{FrameOutput, Sam2};

use super::encoder::as_tokens;
use super::video::{Clip, Video};
use super::{
    BLOCK, Golden, MASK_LOGITS, MEMORY, POINTERS, SCORES, Tolerance, VIDEO_IOU, assert_close,
    assert_overlap, values,
};

/// The latest result of each frame.
pub type Outputs = BTreeMap<usize, FrameOutput>;

/// One object's part of a golden, and what we found.
struct Checker<'a> {
    golden: &'a Golden,
    prefix: &'a str,
    video: &'a Video,
    outputs: &'a Outputs,
}

impl Checker<'_> {
    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Compares one kind of value, frame after frame.
    fn gathered(
        &self,
        name: &str,
        frames: &[usize],
        tolerance: Tolerance,
        value: impl Fn(&FrameOutput) -> Vec<f32>,
    ) -> Vec<f32> {
        let found: Vec<f32> = frames
            .iter()
            .flat_map(|f| value(&self.outputs[f]))
            .collect();
        let key = self.key(name);
        assert_close(&key, &found, &self.golden.f32(&key), tolerance);
        found
    }

    /// Masks at the clip's size on the frames that Meta's predictor gave back.
    fn shown(&self, frames: &[usize]) {
        let on_picture = |o: &FrameOutput| self.video.on_picture(o);
        let logits = self.gathered("mask_logits", frames, MASK_LOGITS, on_picture);
        let key = self.key("mask_logits");
        assert_overlap(&key, &logits, &self.golden.f32(&key), VIDEO_IOU);
    }

    /// Everything that Meta's predictor has stored of the object, on every frame.
    fn stored(&self) {
        let (golden, frames) = (self.golden, self.golden.indices(&self.key("frames")));
        let found: Vec<usize> = self.outputs.keys().copied().collect();
        assert_eq!(found, frames, "frames with a result");
        let prompted: Vec<usize> = frames
            .iter()
            .map(|&f| usize::from(self.video.is_prompted(f)))
            .collect();
        assert_eq!(
            prompted,
            golden.indices(&self.key("is_cond")),
            "prompted frames"
        );
        self.gathered("obj_ptr", &frames, POINTERS, |o| values(o.obj_ptr.clone()));
        let score = |o: &FrameOutput| values(o.object_score_logits.clone());
        self.gathered("object_score_logits", &frames, SCORES, score);
        if golden.has(&self.key("low_res_masks")) {
            let low_res = |o: &FrameOutput| values(o.low_res_masks.clone());
            self.gathered("low_res_masks", &frames, MASK_LOGITS, low_res);
        }
        if golden.has(&self.key("ious")) {
            let best = |three: &[f32]| three.iter().copied().fold(f32::MIN, f32::max);
            let expected = golden.f32(&self.key("ious"));
            let expected: Vec<f32> = expected.chunks(3).map(best).collect();
            let ious = frames
                .iter()
                .flat_map(|f| values(self.outputs[f].iou.clone()));
            let ious: Vec<f32> = ious.collect();
            assert_close(&self.key("ious"), &ious, &expected, SCORES);
        }
        if golden.has(&self.key("maskmem_features")) {
            let frames = golden.indices(&self.key("maskmem_frames"));
            let found: Vec<f32> = frames.iter().flat_map(|&f| self.video.memory(f)).collect();
            let expected = golden.f32(&self.key("maskmem_features"));
            assert_close(&self.key("memory"), &found, &expected, MEMORY);
        }
    }
}

/// Compares every stored frame of an object with the golden's.
pub fn check(golden: &Golden, prefix: &str, video: &Video, outputs: &Outputs) {
    let checker = Checker {
        golden,
        prefix,
        video,
        outputs,
    };
    checker.shown(&golden.indices(&checker.key("frames")));
    checker.stored();
}

/// One mask prompt, then passes on the same state.
pub fn mask_video(golden: &Golden, clip: Clip, size: usize, model: &Sam2, passes: &[Pass]) {
    let (video, outputs) = run_mask_video(golden, clip, size, model, passes);
    check(golden, "", &video, &outputs);
}

/// The same without comparing.
pub fn run_mask_video(
    golden: &Golden,
    clip: Clip,
    size: usize,
    model: &Sam2,
    passes: &[Pass],
) -> (Video, Outputs) {
    let mut video = Video::new(model, clip, size);
    let prompt = golden.indices("prompt_frame")[0];
    video.prompt_mask(prompt, &golden.u8("prompt_mask"));
    let mut outputs = Outputs::new();
    for &pass in passes {
        outputs.extend(video.run(pass, prompt));
    }
    (video, outputs)
}

/// What the frames 7 (forward) and 1 (then in reverse) of `video8` attend to, and the result.
pub fn check_attention(golden: &Golden, clip: Clip, size: usize, model: &Sam2) {
    let (mut video, _) = run_mask_video(golden, clip, size, model, &[Forward]);
    check_attention_of(golden, &video, 7, Forward);
    video.run(Reverse, golden.indices("prompt_frame")[0]);
    check_attention_of(golden, &video, 1, Reverse);
}

fn check_attention_of(golden: &Golden, video: &Video, frame: usize, pass: Pass) {
    let key = |name: &str| format!("t{frame}.{name}");
    let check = |name: &str, found: Vec<f32>, tolerance: Tolerance| {
        assert_close(&key(name), &found, &golden.f32(&key(name)), tolerance);
    };
    let (model, tables) = (video.model().model(), video.model().tables());
    let conditioning = video.conditioning(frame, pass);
    let tokens = model.memory_tokens(&conditioning, tables);
    let pointers = golden.indices(&key("num_obj_ptr_tokens"))[0];
    assert_eq!(tokens.num_obj_ptr_tokens, pointers);
    check("memory", values(tokens.memory), MEMORY);
    check("memory_pos", values(tokens.pos), BLOCK);
    let attended = model.condition(&video.features(frame), &conditioning, tables);
    check("memory_attention", values(as_tokens(attended)), MEMORY);
}

/// `video_points`: a box and a click start two objects, two clicks correct the first one.
///
/// Meta keeps a correction beside the tracked frames, so the second pass tracks frame 5 anew and
/// comes to what it had before.
pub fn check_points(golden: &Golden, clip: impl Fn() -> Clip, size: usize, model: &Sam2) {
    let at = |col: f32, row: f32| SlicePoint { col, row };
    let corners = golden.f32("obj1.box_frame0");
    let corners = PointPrompt {
        clicks: Vec::new(),
        corners: Some([at(corners[0], corners[1]), at(corners[2], corners[3])]),
    };
    let clicks = |coordinates: &[f32], labels: &[i32]| {
        let places = coordinates.as_chunks::<2>().0.iter().zip(labels);
        let click = |(&[x, y], &label): (&[f32; 2], &i32)| Click {
            at: at(x, y),
            include: label > 0,
        };
        PointPrompt {
            clicks: places.map(click).collect(),
            corners: None,
        }
    };
    let click = clicks(&golden.f32("obj2.point_frame2"), &[1]);
    for (object, frame, prompt) in [("obj1", 0, corners), ("obj2", 2, click)] {
        let mut video = Video::new(model, clip(), size);
        let added = video.prompt_points(frame, &prompt);
        let close = |name: &str, output: &FrameOutput| {
            let key = format!("added.{name}");
            assert_close(
                &key,
                &video.on_picture(output),
                &golden.f32(&key),
                MASK_LOGITS,
            );
        };
        close(object, &added);
        let mut outputs = video.run(Forward, 0);
        check(golden, &format!("pass1.{object}."), &video, &outputs);

        if object == "obj1" {
            let labels = golden.i32("obj1.click_labels_frame5");
            let clicks = clicks(&golden.f32("obj1.clicks_frame5"), &labels);
            let previous = outputs[&5].low_res_masks.clone();
            let corrected = video.correct(5, Forward, &clicks, previous);
            let key = "added.obj1_correction";
            let found = video.on_picture(&corrected);
            assert_close(key, &found, &golden.f32(key), MASK_LOGITS);
        }
        outputs.extend(video.run(Forward, 5));
        let checker = Checker {
            golden,
            prefix: &format!("pass2.{object}."),
            video: &video,
            outputs: &outputs,
        };
        checker.shown(&golden.indices("pass2.frames"));
        checker.stored();
    }
}
