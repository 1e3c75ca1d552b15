//! The result as it grows: one label for each voxel, the higher logit where labels overlap.
//!
//! In: each label's mask and logits on a slice, in any order and again when they change; out: labels. What each label
//! claims is kept, two bytes for a pixel inside, so that one label can change or go and the others come out as before.

use std::collections::BTreeMap;

use crate::volume::{Grid, LabelMap, Mask, VolumeError, VoxelAxis};

/// Strength of a pixel whose logit is not known: that of a mask prompt.
const GIVEN: f32 = 10.0;

/// What one label claims of one slice.
struct Claim {
    /// First pixel and length of each run of pixels inside, row-major.
    runs: Vec<(u32, u32)>,
    /// Of all pixels inside, in order.
    strengths: Vec<u16>,
}

/// Labels of the volume, and each label's claims.
pub(super) struct LabelVolume {
    labels: LabelMap,
    axis: VoxelAxis,
    /// By slice and label.
    claims: BTreeMap<usize, BTreeMap<u16, Claim>>,
}

/// A logit above 0 in steps of a 1024th, never 0.
fn strength(logit: f32) -> u16 {
    (logit * 1024.0).ceil().clamp(1.0, f32::from(u16::MAX)) as u16
}

impl Claim {
    /// Of the pixels inside, with their logits.
    fn new(pixels: impl Iterator<Item = (usize, f32)>) -> Self {
        let mut claim = Self {
            runs: Vec::new(),
            strengths: Vec::new(),
        };
        for (pixel, logit) in pixels {
            let pixel = pixel as u32;
            match claim.runs.last_mut() {
                Some((first, length)) if *first + *length == pixel => *length += 1,
                _ => claim.runs.push((pixel, 1)),
            }
            claim.strengths.push(strength(logit));
        }
        claim
    }

    fn pixels(&self) -> impl Iterator<Item = usize> {
        let run = |&(first, length): &(u32, u32)| first..first + length;
        self.runs.iter().flat_map(run).map(|pixel| pixel as usize)
    }
}

impl LabelVolume {
    pub fn new(grid: Grid, axis: VoxelAxis) -> Self {
        Self {
            labels: LabelMap::empty(grid),
            axis,
            claims: BTreeMap::new(),
        }
    }

    /// The claims of a result that is there already. Its logits are not known: they count as a mask prompt's.
    pub fn of(labels: LabelMap, axis: VoxelAxis) -> Result<Self, VolumeError> {
        let mut claims = BTreeMap::new();
        for slice in 0..labels.grid.slice_count(axis) {
            let mut inside: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
            for (pixel, label) in labels.slice(axis, slice)?.into_iter().enumerate() {
                if label > 0 {
                    inside.entry(label).or_default().push(pixel);
                }
            }
            let given = |(label, pixels): (u16, Vec<usize>)| {
                (label, Claim::new(pixels.into_iter().map(|p| (p, GIVEN))))
            };
            if !inside.is_empty() {
                claims.insert(slice, inside.into_iter().map(given).collect());
            }
        }
        Ok(Self {
            labels,
            axis,
            claims,
        })
    }

    /// Gives a label's mask on a slice, in place of an earlier one there.
    pub fn add(
        &mut self,
        slice: usize,
        label: u16,
        mask: &Mask,
        logits: &[f32],
    ) -> Result<(), VolumeError> {
        let pixels = logits.iter().copied().enumerate();
        let claim = Claim::new(pixels.filter(|&(pixel, _)| mask.pixels[pixel]));
        if claim.runs.is_empty() {
            return self.clear(slice, label);
        }
        self.claims.entry(slice).or_default().insert(label, claim);
        self.lay_out(slice)
    }

    /// Takes a label from a slice.
    pub fn clear(&mut self, slice: usize, label: u16) -> Result<(), VolumeError> {
        let Some(claims) = self.claims.get_mut(&slice) else {
            return Ok(());
        };
        if claims.remove(&label).is_none() {
            return Ok(());
        }
        if claims.is_empty() {
            self.claims.remove(&slice);
        }
        self.lay_out(slice)
    }

    /// Takes a label from all slices; whether it was on any.
    pub fn clear_label(&mut self, label: u16) -> Result<bool, VolumeError> {
        let on = |(&slice, claims): (&usize, &BTreeMap<u16, Claim>)| {
            claims.contains_key(&label).then_some(slice)
        };
        let slices: Vec<usize> = self.claims.iter().filter_map(on).collect();
        for &slice in &slices {
            self.clear(slice, label)?;
        }
        Ok(!slices.is_empty())
    }

    /// A label's own mask on a slice, whatever others claim of it.
    pub fn mask(&self, slice: usize, label: u16) -> Mask {
        let shape = self.labels.grid.slice_shape(self.axis);
        let mut pixels = vec![false; shape.area()];
        let claim = self.claims.get(&slice).and_then(|c| c.get(&label));
        for pixel in claim.into_iter().flat_map(Claim::pixels) {
            pixels[pixel] = true;
        }
        Mask { shape, pixels }
    }

    /// No label will change on this slice any more.
    pub fn finish(&mut self, slice: usize) {
        self.claims.remove(&slice);
    }

    /// Gives each pixel to the strongest claim, of equals to the lower label.
    fn lay_out(&mut self, slice: usize) -> Result<(), VolumeError> {
        let area = self.labels.grid.slice_shape(self.axis).area();
        let (mut labels, mut strongest) = (vec![0; area], vec![0; area]);
        for (&label, claim) in self.claims.get(&slice).into_iter().flatten() {
            for (pixel, &strength) in claim.pixels().zip(&claim.strengths) {
                if strength > strongest[pixel] {
                    (labels[pixel], strongest[pixel]) = (label, strength);
                }
            }
        }
        self.labels.set_slice(self.axis, slice, &labels)
    }

    pub fn slice(&self, slice: usize) -> Result<Vec<u16>, VolumeError> {
        self.labels.slice(self.axis, slice)
    }

    pub fn labels(&self) -> &LabelMap {
        &self.labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::{Affine, Millimetre, SliceShape};

    fn volume() -> LabelVolume {
        let grid = Grid::new([4, 2, 3], Affine::diagonal([Millimetre(1.0); 3])).unwrap();
        LabelVolume::new(grid, VoxelAxis::K)
    }

    fn put(volume: &mut LabelVolume, label: u16, logits: [f32; 8]) {
        let shape = SliceShape { rows: 2, cols: 4 };
        let mask = Mask::new(shape, logits.map(|l| l > 0.0).to_vec()).unwrap();
        volume.add(1, label, &mask, &logits).unwrap();
    }

    const LOW: [f32; 8] = [1.0, 1.0, 1.0, -1.0, -1.0, 1.0, -1.0, -1.0];
    const HIGH: [f32; 8] = [-1.0, 2.0, 0.5, 2.0, -1.0, -1.0, -1.0, 2.0];

    #[test]
    fn the_order_of_claims_does_not_matter() {
        let expected = [1, 2, 1, 2, 0, 1, 0, 2];
        for order in [[(1, LOW), (2, HIGH)], [(2, HIGH), (1, LOW)]] {
            let mut volume = volume();
            for (label, logits) in order {
                put(&mut volume, label, logits);
            }
            assert_eq!(volume.slice(1).unwrap(), expected);
        }
    }

    #[test]
    fn a_label_that_changes_or_goes_gives_back_what_it_had() {
        let mut volume = volume();
        put(&mut volume, 1, LOW);
        let alone = volume.slice(1).unwrap();
        put(&mut volume, 2, HIGH);
        put(
            &mut volume,
            2,
            [-1.0, -1.0, 9.0, -1.0, -1.0, -1.0, -1.0, -1.0],
        );
        assert_eq!(volume.slice(1).unwrap(), [1, 1, 2, 0, 0, 1, 0, 0]);
        assert_eq!(volume.mask(1, 1).pixels, LOW.map(|l| l > 0.0));
        assert!(volume.clear_label(2).unwrap());
        assert!(!volume.clear_label(2).unwrap());
        assert_eq!(volume.slice(1).unwrap(), alone);
        put(&mut volume, 1, [-1.0; 8]);
        assert_eq!(volume.slice(1).unwrap(), [0; 8]);
        assert!(volume.claims.is_empty(), "nothing is kept of what is gone");
    }

    #[test]
    fn a_result_that_is_there_can_be_changed() {
        let mut first = volume();
        put(&mut first, 1, LOW);
        put(&mut first, 2, HIGH);
        let mut volume = LabelVolume::of(first.labels().clone(), VoxelAxis::K).unwrap();
        assert_eq!(volume.labels(), first.labels());
        volume.clear_label(2).unwrap();
        assert_eq!(volume.slice(1).unwrap(), [1, 0, 1, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn equal_strengths_go_to_the_lower_label_and_faint_ones_count() {
        let mut volume = volume();
        put(&mut volume, 9, [1e-9; 8]);
        assert_eq!(volume.slice(1).unwrap(), [9; 8]);
        put(&mut volume, 3, [1e-9; 8]);
        assert_eq!(volume.slice(1).unwrap(), [3; 8]);
    }
}
