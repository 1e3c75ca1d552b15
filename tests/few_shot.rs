//! Few-shot with the networks of the repository: LPIPS as the matcher, and what it costs.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use oneslice::checkpoint::{self, TensorFile, load_lpips};
use oneslice::eval::dice;
use oneslice::lpips::Lpips;
use oneslice::propagate::few_shot::{
    AugmentOptions, FewShot, FewShotOptions, FewShotVolume, Measure, Support, SupportScan,
};
use oneslice::propagate::{MemoryOptions, Strategy};
use oneslice::sam2::{ImageSize, Sam2};
use oneslice::volume::phantom::{LIVER, phantom};
use oneslice::volume::{Axis, LabelMap, Mask, Volume, Window};

const SPINE: u16 = 4;
const SLICES: usize = 6;

fn weights(name: &str) -> TensorFile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("weights")
        .join(name);
    TensorFile::open(&path).unwrap()
}

struct Case {
    sam2: Sam2,
    lpips: Arc<Lpips>,
    volume: Arc<Volume>,
    organs: LabelMap,
}

impl Case {
    fn new() -> Self {
        let device = Device::flex();
        let sam2 = weights("nano/sam2-nano.safetensors");
        let lpips = weights("lpips-tiny/lpips-tiny.safetensors");
        let (volume, organs) = phantom([48, 40, SLICES]);
        Self {
            sam2: checkpoint::load(&sam2, &device).unwrap().1,
            lpips: Arc::new(load_lpips(&lpips, &device).unwrap().1),
            volume: Arc::new(volume),
            organs,
        }
    }

    /// Segments the scan that the supports are from.
    fn segment(&self, measure: Measure, per_query: usize, only: Option<u16>) -> FewShotVolume {
        self.segment_with(measure, copies(per_query), |scan| {
            scan.largest(only).unwrap()
        })
    }

    fn segment_with(
        &self,
        measure: Measure,
        options: FewShotOptions,
        supports: impl Fn(SupportScan) -> Vec<Support>,
    ) -> FewShotVolume {
        let window = Window::auto(&self.volume);
        let scan = SupportScan::new(&self.volume, &self.organs, Axis::Axial, window);
        let supports = supports(scan);
        let size = ImageSize::new(128).unwrap();
        let few_shot = FewShot::with_sam2(&self.sam2, size, measure, supports, options);
        let mut few_shot = few_shot.unwrap();
        let volume = Arc::clone(&self.volume);
        let found = few_shot.segment_volume(volume, Axis::Axial, window);
        pollster::block_on(found).unwrap()
    }

    fn lpips(&self) -> Measure {
        Measure::Lpips(Arc::clone(&self.lpips))
    }
}

fn copies(per_query: usize) -> FewShotOptions {
    let augment = AugmentOptions {
        per_query,
        ..AugmentOptions::default()
    };
    FewShotOptions {
        augment,
        ..FewShotOptions::default()
    }
}

/// |S'| + N_q, not |S'| x N_q; more than one batch of supports.
#[test]
fn lpips_looks_at_each_picture_once() {
    let case = Case::new();
    let found = case.segment(case.lpips(), 3, Some(LIVER));
    assert_eq!(found.slices.len(), SLICES);
    let supports = 3 * SLICES + 1;
    assert_eq!(case.lpips.backbone_runs(), supports + SLICES);

    // The support's own slice is nearest to itself, and the mask comes back.
    let axis = Axis::Axial.of(&case.volume.grid);
    let own = case.organs.largest_slice(axis, LIVER).unwrap();
    let choice = found.slices[own].labels[0].choice;
    assert_eq!((choice.copy, choice.distance), (0, 0.0));
    let mut copied = LabelMap::empty(case.volume.grid.clone());
    let prompt = case.organs.slice(axis, own).unwrap();
    copied.set_slice(axis, own, &prompt).unwrap();
    let mut result = LabelMap::empty(case.volume.grid.clone());
    let slice = found.labels.slice(axis, own).unwrap();
    result.set_slice(axis, own, &slice).unwrap();
    let agreement = dice(&result, &copied, LIVER, None).unwrap();
    assert!(agreement.coefficient().unwrap() > 0.85, "{agreement:?}");
}

/// The other labels change neither the choice of a label nor its mask.
#[test]
fn a_label_does_not_depend_on_the_others() {
    let case = Case::new();
    let all = case.segment(case.lpips(), 1, None);
    for label in [LIVER, SPINE] {
        let alone = case.segment(case.lpips(), 1, Some(label));
        for (all, alone) in all.slices.iter().zip(&alone.slices) {
            let among = all.labels.iter().find(|l| l.choice.label == label).unwrap();
            let alone = &alone.labels[0];
            let what = |l: &oneslice::propagate::few_shot::FewShotLabel| {
                (l.choice.copy, l.choice.distance, l.accepted, l.mask.clone())
            };
            assert_eq!(
                what(among),
                what(alone),
                "label {label}, slice {}",
                alone.mask.area()
            );
        }
    }
}

/// Carrying begins as few-shot without it, then changes what is found; it can be repeated, and a label is still its own.
#[test]
fn accepted_slices_are_carried_along() {
    let case = Case::new();
    for strategy in [Strategy::SelfSorting, Strategy::SelfSortingReleased] {
        let carry = MemoryOptions::new(strategy, Some(3), None, None);
        let options = FewShotOptions {
            carry: Some(carry.unwrap()),
            ..copies(0)
        };
        let carried = |only: Option<u16>| {
            case.segment_with(case.lpips(), options, |scan| scan.largest(only).unwrap())
        };
        let (found, plain) = (
            carried(Some(LIVER)),
            case.segment(case.lpips(), 0, Some(LIVER)),
        );
        let masks = |found: &FewShotVolume| -> Vec<Mask> {
            let labels = found.slices.iter().flat_map(|s| &s.labels);
            let of_liver = labels.filter(|l| l.choice.label == LIVER);
            of_liver.map(|l| l.mask.clone()).collect()
        };
        let first = found.slices.iter().position(|s| s.labels[0].accepted);
        let first = first.unwrap();
        assert_eq!(masks(&found)[..=first], masks(&plain)[..=first]);
        assert_ne!(masks(&found), masks(&plain), "{strategy}: nothing changed");
        assert_eq!(masks(&carried(Some(LIVER))), masks(&found));
        assert_eq!(masks(&carried(None)), masks(&found), "{strategy}");
        for slice in &found.slices {
            let label = &slice.labels[0];
            let report = label.memory.as_ref().unwrap();
            assert_eq!(report.used.is_empty(), slice.slice <= first);
            if !label.accepted {
                assert_eq!(report.decision.action(), "refused");
            }
        }
        assert!(plain.slices.iter().all(|s| s.labels[0].memory.is_none()));
    }
}

/// Of several supports each slice takes one that is like it; without matching the first.
#[test]
fn each_measure_finds_a_slice_among_its_supports() {
    let case = Case::new();
    let slices = [4, 1, 3];
    let supports_chosen = |measure| {
        let found = case.segment_with(measure, copies(1), |scan| {
            slices.map(|k| scan.slice(k, Some(SPINE)).unwrap()).to_vec()
        });
        let choices = found.slices.iter().map(|slice| slice.labels[0].choice);
        choices.map(|c| (c.support, c.copy)).collect::<Vec<_>>()
    };
    for measure in [case.lpips(), Measure::Ssim, Measure::Psnr] {
        let chosen = supports_chosen(measure.clone());
        for (support, slice) in slices.into_iter().enumerate() {
            assert_eq!(chosen[slice], (support, 0), "{measure:?}");
        }
    }
    assert_eq!(supports_chosen(Measure::None), [(0, 0); SLICES]);
}
