//! Few-shot for JavaScript: supports from masks and files, options, and the choice made on each slice.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::convert::{Failure, MemoryRequest};
use super::session::{Label, Step};
use crate::lpips::Lpips;
use crate::propagate::few_shot::{
    self, AugmentOptions, FewShot, FewShotLabel, FewShotOptions, FewShotSlice, Measure, Measured,
    SupportScan, same_kind,
};
use crate::propagate::{Sam2Frames, Strategy};
use crate::scan::{self, ReadOptions};
use crate::volume::{Axis, LabelMap, Mask, Volume, Window, same_grid};

/// The open scan, and how it is cut and shown.
pub(super) struct Cut {
    pub volume: Arc<Volume>,
    pub axis: Axis,
    pub window: Window,
    /// The window is the scan's own, not one that was asked for.
    pub automatic: bool,
}

/// A labelled slice, and the name of its scan; none for the open one.
pub(super) struct Support {
    scan: Option<String>,
    support: few_shot::Support,
}

/// What `addSupport(..)` takes.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SupportRequest {
    label: Option<u16>,
    slices: Vec<usize>,
    window: Option<[f32; 2]>,
}

/// What `fewShot(..)` takes; its defaults are the library's.
#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FewShotRequest {
    matcher: String,
    copies: usize,
    rotation: f32,
    scale: f32,
    shear: f32,
    translation: f32,
    brightness: f32,
    contrast: f32,
    seed: u64,
    min_object_score: f32,
    /// Carries accepted slices along; `self-sorting` when its strategy is left out.
    carry: Option<MemoryRequest>,
}

/// Few-shot's choice for one label on one slice.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Chosen {
    /// Name of the support's scan; none for the open one.
    scan: Option<String>,
    slice: usize,
    copy: usize,
    /// None when nothing is compared.
    distance: Option<f32>,
    accepted: bool,
}

/// The open scan being segmented by few-shot.
pub(super) struct WebFewShot {
    few_shot: FewShot<Sam2Frames, Measured>,
    /// Name of each support's scan.
    scans: Vec<Option<String>>,
    compares: bool,
    steps: usize,
}

impl Default for FewShotRequest {
    fn default() -> Self {
        let augment = AugmentOptions::default();
        Self {
            matcher: "lpips".into(),
            copies: augment.per_query,
            rotation: augment.rotation,
            scale: augment.scale,
            shear: augment.shear,
            translation: augment.translation,
            brightness: augment.brightness,
            contrast: augment.contrast,
            seed: augment.seed,
            min_object_score: FewShotOptions::default().min_object_score,
            carry: None,
        }
    }
}

impl FewShotRequest {
    fn options(&self) -> Result<FewShotOptions, Failure> {
        let carry = |request: &MemoryRequest| request.options(Strategy::SelfSorting);
        Ok(FewShotOptions {
            augment: AugmentOptions {
                per_query: self.copies,
                rotation: self.rotation,
                scale: self.scale,
                shear: self.shear,
                translation: self.translation,
                brightness: self.brightness,
                contrast: self.contrast,
                seed: self.seed,
            },
            min_object_score: self.min_object_score,
            carry: self.carry.as_ref().map(carry).transpose()?,
        })
    }

    fn measure(&self, lpips: Option<Arc<Lpips>>) -> Result<Measure, Failure> {
        match self.matcher.as_str() {
            "lpips" => {
                let none = || Failure::new("NoLpips", "no LPIPS network is loaded");
                Ok(Measure::Lpips(lpips.ok_or_else(none)?))
            }
            "ssim" => Ok(Measure::Ssim),
            "psnr" => Ok(Measure::Psnr),
            "none" => Ok(Measure::None),
            other => {
                let what = format!("matcher `{other}` is none of lpips, ssim, psnr, none");
                Err(Failure::new("Options", what))
            }
        }
    }
}

impl Cut {
    /// A mask on the open scan: another label of a slice that is a support, or a new support.
    pub fn add_mask(
        &self,
        supports: &mut Vec<Support>,
        label: u16,
        slice: usize,
        mask: Mask,
    ) -> Result<(), Failure> {
        let here = |s: &&mut Support| s.scan.is_none() && s.support.slice == slice;
        if let Some(known) = supports.iter_mut().find(here) {
            known.support.masks.insert(label, mask);
            return Ok(());
        }
        let axis = self.axis.of(&self.volume.grid);
        let masks = BTreeMap::from([(label, mask)]);
        let support = few_shot::Support::new(&self.volume, axis, self.window, slice, masks)?;
        supports.push(Support {
            scan: None,
            support,
        });
        Ok(())
    }

    /// A mask on the open scan is taken back; a support without any is none.
    pub fn remove_mask(supports: &mut Vec<Support>, label: u16, slice: Option<usize>) {
        supports.retain_mut(|known| {
            let here = known.scan.is_none() && slice.is_none_or(|s| s == known.support.slice);
            if here {
                known.support.masks.remove(&label);
            }
            !known.support.masks.is_empty()
        });
    }

    /// Labelled slices of a file.
    pub fn read(
        &self,
        name: &str,
        scan: &[u8],
        mask: &[u8],
        request: SupportRequest,
    ) -> Result<Vec<Support>, Failure> {
        let volume = scan::read(name, scan, &ReadOptions::default())?.volume;
        let mask_name = format!("the mask of {name}");
        let labels = scan::read_label_map(&mask_name, mask)?.labels;
        let grids = same_grid(&volume.grid, &labels.grid);
        grids.map_err(|e| Failure::new("MaskGrid", format!("{mask_name}: {e}")))?;
        let window = match request.window {
            Some([lo, hi]) => Window::new(lo, hi)?,
            None if self.automatic => {
                let window = Window::auto(&volume);
                same_kind(window, self.window)?;
                window
            }
            None => self.window,
        };
        let source = SupportScan::new(&volume, &labels, self.axis, window);
        let supports = match request.slices.as_slice() {
            [] => source.largest(request.label)?,
            slices => {
                let slice = |&slice: &usize| source.slice(slice, request.label);
                slices.iter().map(slice).collect::<Result<_, _>>()?
            }
        };
        let named = |support| Support {
            scan: Some(name.to_owned()),
            support,
        };
        Ok(supports.into_iter().map(named).collect())
    }
}

impl WebFewShot {
    pub fn start(
        model: Sam2Frames,
        cut: &Cut,
        supports: &[Support],
        lpips: Option<Arc<Lpips>>,
        request: FewShotRequest,
    ) -> Result<Self, Failure> {
        let measured = Measured::new(request.measure(lpips)?);
        let known = supports.iter().map(|s| s.support.clone()).collect();
        let mut few_shot = FewShot::new(model, measured, known, request.options()?)?;
        let steps = few_shot.start(Arc::clone(&cut.volume), cut.axis, cut.window)?;
        Ok(Self {
            few_shot,
            scans: supports.iter().map(|s| s.scan.clone()).collect(),
            compares: request.matcher != "none",
            steps,
        })
    }

    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Pictures that are not prepared yet.
    pub fn unprepared(&self) -> usize {
        self.few_shot.unprepared()
    }

    /// Prepares some; how many are left.
    pub fn prepare(&mut self) -> usize {
        self.few_shot.prepare()
    }

    pub async fn next(&mut self) -> Result<Option<Step>, Failure> {
        let found = self.few_shot.next().await?;
        Ok(found.map(|found| self.step(found)))
    }

    pub fn label_map(&self) -> Option<&LabelMap> {
        self.few_shot.label_map()
    }

    fn step(&self, found: FewShotSlice) -> Step {
        Step {
            slice: found.slice,
            step: found.slice + 1,
            steps: self.steps,
            label_map: found.label_map,
            labels: found.labels.iter().map(|l| self.label(l)).collect(),
        }
    }

    fn label(&self, found: &FewShotLabel) -> Label {
        let choice = &found.choice;
        let chosen = Chosen {
            scan: self.scans[choice.support].clone(),
            slice: self.few_shot.supports()[choice.support].slice,
            copy: choice.copy,
            distance: self.compares.then_some(choice.distance),
            accepted: found.accepted,
        };
        Label {
            label: choice.label,
            predicted_iou: found.predicted_iou,
            object_score: found.object_score,
            pixels: if found.accepted { found.mask.area() } else { 0 },
            prompted: false,
            choice: Some(chosen),
            memory: found.memory.clone(),
        }
    }
}
