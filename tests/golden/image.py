"""Goldens of `SAM2ImagePredictor`: one picture, seven prompts.

In: a model (SAM2Base), a picture uint8 [h,w,3] and the object's mask.  Out: one dict of tensors, keys `<case>.*`.
"""
import numpy as np
import torch

from files import as_u8
from sam2.sam2_image_predictor import SAM2ImagePredictor


def prompts(mask, image_size):
    """The seven cases, in picture pixels (x, y)."""
    h, w = mask.shape
    n = image_size // 4
    ys, xs = np.nonzero(mask)
    centre = [float(xs.mean()), float(ys.mean())]
    box = [xs.min() - 3.0, ys.min() - 2.0, xs.max() + 2.0, ys.max() + 4.0]
    gx, gy = np.meshgrid(np.linspace(-1, 1, n), np.linspace(-1, 1, n))
    low = 9 - 30 * ((gx + 0.3) ** 2 + (gy + 0.1) ** 2) + 2 * np.sin(9 * gx) * np.cos(7 * gy)
    three = [centre, [centre[0] + 0.06 * w, centre[1] - 0.03 * h], [0.9 * w, 0.1 * h]]
    click = dict(point_coords=[centre], point_labels=[1])
    return {
        "point1_multi": dict(click, multimask_output=True),
        "point1_single": dict(click, multimask_output=False),
        "points3_single": dict(point_coords=three, point_labels=[1, 1, 0], multimask_output=False),
        "box_single": dict(box=box, multimask_output=False),
        "box_point_single": dict(box=box, point_coords=[[0.05 * w, 0.9 * h]], point_labels=[0],
                                 multimask_output=False),
        "mask_single": dict(mask_input=low[None], multimask_output=False),
        "mask_point_multi": dict(click, mask_input=low[None], multimask_output=True),
    }


def predictor_for(model):
    """Meta's class fixes the feature sizes of a 1024-pixel image; give it ours."""
    made, n = SAM2ImagePredictor(model), model.image_size // 16
    made._bb_feat_sizes = [(4 * n, 4 * n), (2 * n, 2 * n), (n, n)]
    return made


class _Decoder:
    """Keeps what the prompt encoder and `predict_masks` returned last."""

    def __init__(self, model):
        model.sam_prompt_encoder.register_forward_hook(self._keep_prompt)
        inner = model.sam_mask_decoder.predict_masks

        def predict_masks(**kw):
            self.raw = inner(**kw)
            return self.raw

        model.sam_mask_decoder.predict_masks = predict_masks

    def _keep_prompt(self, _module, _args, out):
        self.sparse, self.dense = out


def _case(predictor, decoder, prompt, at_picture_size):
    arrays = {k: np.array(v, np.float32) for k, v in prompt.items() if k != "multimask_output"}
    masks, ious, low = predictor.predict(
        return_logits=True, multimask_output=prompt["multimask_output"], **arrays)
    out = {f"in.{k}": torch.from_numpy(v) for k, v in arrays.items()}
    all_masks, all_ious, tokens, score = decoder.raw
    out.update({
        "all_masks": all_masks, "all_ious": all_ious, "mask_tokens": tokens, "object_score_logits": score,
        "low_res_masks": torch.from_numpy(low), "ious": torch.from_numpy(ious),
        "stability": predictor.model.sam_mask_decoder._get_stability_scores(all_masks[:, 0:1])})
    if decoder.sparse.numel():  # without a point or a box there is no token at all
        out["sparse_embeddings"] = decoder.sparse
    if "mask_input" in arrays:
        out["dense_embeddings"] = decoder.dense
    if at_picture_size:
        out["mask_logits"] = torch.from_numpy(masks)
    return out


def goldens(model, picture, mask, at_picture_size=()):
    """`at_picture_size`: the cases whose masks are also kept at the picture's own size."""
    predictor, decoder = predictor_for(model), _Decoder(model)
    predictor.set_image(picture)
    out = {"picture": as_u8(picture), "input": predictor._transforms(picture)[None],
           "image_embed": predictor.get_image_embedding()}
    for name, prompt in prompts(mask, model.image_size).items():
        case = _case(predictor, decoder, prompt, name in at_picture_size)
        raw = case["all_masks"]
        ious = " ".join(f"{iou:.3f}" for iou in case["all_ious"][0].tolist())
        print(f"  {name}: ious {ious} | score {case['object_score_logits'].item():.2f} | "
              f"stability {case['stability'].item():.4f} | logits {raw.min():.1f}..{raw.max():.1f}", flush=True)
        out.update({f"{name}.{key}": value for key, value in case.items()})
    return out
