//! `SAM2ImagePredictor` on one picture, put together from the model's parts: seven prompts.

use burn::tensor::{Device, Tensor};
use oneslice::propagate::{Before, Click, PointModel, PointPrompt, Sam2Frames, SlicePoint};
use oneslice::sam2::config::PREV_LOGITS_CLAMP;
use oneslice::sam2::mask_decoder::{AllMasks, DecoderInput};
use oneslice::sam2::resample::Size;
use oneslice::sam2::transform::logits_on_slice;
use oneslice::sam2::{FrameOutput, ImageFeatures, ImageSize, Sam2, Tables};
use oneslice::volume::SliceShape;

use super::picture::Picture;
use super::{
    BLOCK, Golden, IMAGE_INPUT, MASK_LOGITS, SCORES, STABILITY, Tolerance, assert_close, values,
};

/// All prompts of the generator; the last word says how many masks are asked for.
pub const CASES: [&str; 7] = [
    "point1_multi",
    "point1_single",
    "points3_single",
    "box_single",
    "box_point_single",
    "mask_single",
    "mask_point_multi",
];

/// A picture that a model has looked at.
pub struct Predictor<'a> {
    model: &'a Sam2,
    tables: Tables,
    size: ImageSize,
    source: Size,
    features: ImageFeatures,
}

/// A prompt's embeddings and what the decoder makes of it.
pub struct Prediction {
    sparse: Option<Tensor<3>>,
    dense: Tensor<4>,
    /// Four masks.
    pub all: AllMasks,
    /// The mask or masks that are asked for, bounded only in what the predictor returns.
    pub masks: Tensor<4>,
    /// Their predicted IoU.
    pub ious: Tensor<2>,
}

impl<'a> Predictor<'a> {
    pub fn new(golden: &Golden, model: &'a Sam2, size: ImageSize) -> Self {
        let tables = model.tables(size);
        let input = golden.tensor("input", &model.device());
        Self {
            features: model.forward_image(input, &tables),
            source: Picture::from_golden(golden, "picture").size,
            model,
            tables,
            size,
        }
    }

    /// Features with `no_mem_embed`, as the image predictor keeps them.
    pub fn image_embed(&self) -> Tensor<4> {
        self.model.without_memory(&self.features)
    }

    pub fn predict(&self, golden: &Golden, case: &str) -> Prediction {
        let mask = mask_input(golden, case, &self.model.device());
        self.predict_from(golden, case, mask)
    }

    /// The same from another mask.
    fn predict_from(&self, golden: &Golden, case: &str, mask: Option<Tensor<4>>) -> Prediction {
        let encoder = &self.model.sam_prompt_encoder;
        let points = prompt(golden, case).on_model(self.shape(), self.size);
        // Without a point or a box the image predictor makes no token at all.
        let tokens = || encoder.embed_points(&points, self.size.pixels());
        let sparse = (!points.is_empty()).then(tokens);
        let dense = encoder.embed_mask(mask);
        let all = self.model.sam_mask_decoder.predict_masks(DecoderInput {
            image_embeddings: self.image_embed(),
            image_pe: self.tables.dense_pe.clone(),
            sparse: sparse.clone(),
            dense: dense.clone(),
            high_res_features: self.features.high_res.clone(),
        });
        let (masks, ious) = match case.ends_with("_multi") {
            true => {
                let masks = all.masks.clone().narrow(1, 1, 3);
                (masks, all.ious.clone().narrow(1, 1, 3))
            }
            false => {
                let best = all.stable_single_mask();
                (best.mask, best.iou)
            }
        };
        Prediction {
            sparse,
            dense,
            all,
            masks,
            ious,
        }
    }

    fn shape(&self) -> SliceShape {
        SliceShape {
            rows: self.source.rows,
            cols: self.source.cols,
        }
    }

    /// The same by the library's own way for a slice; its choice of how many masks to ask for is fixed.
    pub fn by_session(&self, golden: &Golden, case: &str) -> FrameOutput {
        let frames = Sam2Frames::new(self.model.clone(), self.size);
        let prompt = prompt(golden, case);
        let ask = |before| frames.prompt_points(&self.features, &prompt, self.shape(), before);
        let nothing = ask(Before::Nothing);
        match mask_input(golden, case, &self.model.device()) {
            None => nothing,
            Some(low_res_masks) => ask(Before::Answer(&FrameOutput {
                low_res_masks,
                ..nothing
            })),
        }
    }

    /// Masks at the picture's size.
    fn on_picture(&self, masks: &Tensor<4>) -> Vec<f32> {
        let [_, count, h, w] = masks.dims();
        let planes = values(masks.clone());
        assert_eq!(planes.len(), count * h * w);
        let planes = planes.chunks_exact(h * w);
        planes
            .flat_map(|p| logits_on_slice(p, self.size, self.source))
            .collect()
    }
}

/// In picture pixels.
fn prompt(golden: &Golden, case: &str) -> PointPrompt {
    let read = |name: &str| {
        let key = format!("{case}.in.{name}");
        let values = golden.has(&key).then(|| golden.f32(&key));
        values.unwrap_or_default()
    };
    let place = |&[col, row]: &[f32; 2]| SlicePoint { col, row };
    let (corners, places) = (read("box"), read("point_coords"));
    let clicks = places.as_chunks().0.iter().zip(read("point_labels"));
    let click = |(at, label)| Click {
        at: place(at),
        include: label > 0.0,
    };
    PointPrompt {
        clicks: clicks.map(click).collect(),
        corners: match corners.as_chunks().0 {
            [a, b] => Some([place(a), place(b)]),
            _ => None,
        },
    }
}

fn mask_input(golden: &Golden, case: &str, device: &Device) -> Option<Tensor<4>> {
    let key = format!("{case}.in.mask_input");
    golden
        .has(&key)
        .then(|| golden.tensor::<3>(&key, device).unsqueeze::<4>())
}

/// Every prompt of a golden, and the picture's way to the features.
pub fn check_prompts(golden: &Golden, model: &Sam2, size: ImageSize) {
    let picture = Picture::from_golden(golden, "picture");
    let input = picture.image_input(size);
    assert_close("input", &input, &golden.f32("input"), IMAGE_INPUT);
    let predictor = Predictor::new(golden, model, size);
    let embed = values(predictor.image_embed());
    assert_close("image_embed", &embed, &golden.f32("image_embed"), BLOCK);
    for case in CASES {
        check_case(golden, &predictor, case);
    }
    for case in [
        "point1_multi",
        "points3_single",
        "box_single",
        "box_point_single",
    ] {
        let key = |name: &str| golden.f32(&format!("{case}.{name}"));
        let expected = (key("ious"), key("low_res_masks"));
        check_by_session(golden, &predictor, case, expected);
    }
    // The golden's mask goes below what a session takes of an earlier answer, so the predictor is asked again within these bounds.
    let case = "mask_point_multi";
    let mask = mask_input(golden, case, &model.device());
    let found = predictor.predict_from(golden, case, mask.map(bounded));
    let expected = (values(found.ious), values(bounded(found.masks)));
    check_by_session(golden, &predictor, case, expected);
}

/// As the predictor returns logits, and a session gives them back to the model.
fn bounded(logits: Tensor<4>) -> Tensor<4> {
    logits.clamp(-PREV_LOGITS_CLAMP, PREV_LOGITS_CLAMP)
}

/// What a session shows of the same prompt: the best of the masks that Meta's predictor returns.
fn check_by_session(
    golden: &Golden,
    predictor: &Predictor<'_>,
    case: &str,
    (ious, masks): (Vec<f32>, Vec<f32>),
) {
    let output = predictor.by_session(golden, case);
    let best = (0..ious.len()).max_by(|&a, &b| ious[a].total_cmp(&ious[b]));
    let best = best.expect("at least one mask");
    let area = masks.len() / ious.len();
    assert_close(
        &format!("{case} by a session"),
        &values(bounded(output.low_res_masks)),
        &masks[best * area..][..area],
        MASK_LOGITS,
    );
    assert_close(
        &format!("{case}: its IoU"),
        &values(output.iou),
        &ious[best..=best],
        SCORES,
    );
}

fn check_case(golden: &Golden, predictor: &Predictor<'_>, case: &str) {
    let found = predictor.predict(golden, case);
    let key = |name: &str| format!("{case}.{name}");
    let check = |name: &str, found: Vec<f32>, tolerance: Tolerance| {
        assert_close(&key(name), &found, &golden.f32(&key(name)), tolerance);
    };
    assert_eq!(
        found.sparse.is_some(),
        golden.has(&key("sparse_embeddings"))
    );
    if let Some(sparse) = found.sparse {
        check("sparse_embeddings", values(sparse), BLOCK);
    }
    if golden.has(&key("dense_embeddings")) {
        check("dense_embeddings", values(found.dense), BLOCK);
    }
    if golden.has(&key("mask_logits")) {
        check(
            "mask_logits",
            predictor.on_picture(&found.masks),
            MASK_LOGITS,
        );
    }
    check("stability", values(found.all.stability_score()), STABILITY);
    check("all_masks", values(found.all.masks), MASK_LOGITS);
    check("all_ious", values(found.all.ious), SCORES);
    check("mask_tokens", values(found.all.tokens), BLOCK);
    let score = values(found.all.object_score_logits);
    check("object_score_logits", score, SCORES);
    let returned = bounded(found.masks);
    check("low_res_masks", values(returned), MASK_LOGITS);
    check("ious", values(found.ious), SCORES);
}
