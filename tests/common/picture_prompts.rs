//! `SAM2ImagePredictor` on one picture, put together from the model's parts: seven prompts.

use burn::tensor::{Device, Tensor};
use oneslice::sam2::config::PREV_LOGITS_CLAMP;
use oneslice::sam2::mask_decoder::{AllMasks, DecoderInput};
use oneslice::sam2::resample::Size;
use oneslice::sam2::transform::logits_on_slice;
use oneslice::sam2::{ImageFeatures, ImageSize, ModelPoint, PointLabel, Sam2, Tables};

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
        let encoder = &self.model.sam_prompt_encoder;
        let points = self.points(golden, case);
        // Without a point or a box the image predictor makes no token at all.
        let tokens = || encoder.embed_points(&points, self.size.pixels());
        let sparse = (!points.is_empty()).then(tokens);
        let dense = encoder.embed_mask(mask_input(golden, case, &self.model.device()));
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

    /// A box's corners, then the points, from picture pixels to model pixels.
    fn points(&self, golden: &Golden, case: &str) -> Vec<ModelPoint> {
        let read = |name: &str| {
            let key = format!("{case}.in.{name}");
            golden.has(&key).then(|| golden.f32(&key))
        };
        let mut coordinates = read("box").unwrap_or_default();
        let mut labels = match coordinates.is_empty() {
            true => vec![],
            false => vec![PointLabel::BoxTopLeft, PointLabel::BoxBottomRight],
        };
        coordinates.extend(read("point_coords").unwrap_or_default());
        let label = |v: f32| match v > 0.0 {
            true => PointLabel::Include,
            false => PointLabel::Exclude,
        };
        labels.extend(
            read("point_labels")
                .unwrap_or_default()
                .into_iter()
                .map(label),
        );
        let s = self.size.pixels() as f32;
        let points = coordinates.as_chunks::<2>().0.iter().zip(labels);
        let scaled = |(&[x, y], label): (&[f32; 2], PointLabel)| ModelPoint {
            x: x / self.source.cols as f32 * s,
            y: y / self.source.rows as f32 * s,
            label,
        };
        points.map(scaled).collect()
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
    let returned = found.masks.clamp(-PREV_LOGITS_CLAMP, PREV_LOGITS_CLAMP);
    check("low_res_masks", values(returned), MASK_LOGITS);
    check("ious", values(found.ious), SCORES);
}
