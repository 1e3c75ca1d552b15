//! A scan and its true labels. In: an [`Item`]. Out: a [`Case`]: both on one grid, the labels numbered as in the protocol.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use oneslice::volume::{Affine, Grid, LabelMap, Mask, Volume, VoxelAxis, Window, same_grid};

use super::dicom;
use super::find::Item;
use super::protocol::{PromptSlice, Protocol};
use crate::{Failure, files};

/// A scan in memory.
pub struct Case {
    pub id: String,
    pub volume: Arc<Volume>,
    /// The protocol's first label is 1, the second 2, and so on.
    pub truth: LabelMap,
    pub axis: VoxelAxis,
    pub window: Window,
}

impl Case {
    /// Reads a scan and its labels.
    pub fn read(item: &Item, protocol: &Protocol) -> Result<Self, Failure> {
        let (volume, mut truth) = match item.scan.is_dir() {
            true => series(&item.scan, &item.labels)?,
            false => {
                let volume = files::read_scan(&item.scan, None)?.volume;
                (volume, files::read_label_map(&item.labels)?.labels)
            }
        };
        same_grid(&volume.grid, &truth.grid).map_err(|e| {
            let (labels, scan) = (item.labels.display(), item.scan.display());
            format!("{labels}: not on the grid of {scan}: {e}")
        })?;
        let numbers = numbers(protocol);
        for label in &mut truth.labels {
            *label = numbers[usize::from(*label)];
        }
        if truth.labels.iter().all(|&label| label == 0) {
            return Err(format!("{}: none of the protocol's labels", item.labels.display()).into());
        }
        Ok(Self {
            id: item.id.clone(),
            axis: protocol.axis.of(&volume.grid),
            window: protocol.window().unwrap_or_else(|| Window::auto(&volume)),
            volume: Arc::new(volume),
            truth,
        })
    }

    /// From the first slice that has a label to the last; empty for a label that is not there.
    pub fn extent(&self, label: u16) -> Range<usize> {
        let has = |slice: &usize| !self.mask(label, *slice).is_empty();
        let mut slices = 0..self.volume.slice_count(self.axis);
        let first = slices.clone().find(has).unwrap_or(0);
        first..slices.rfind(has).map_or(first, |last| last + 1)
    }

    /// The true mask on a slice of the scan.
    pub fn mask(&self, label: u16, slice: usize) -> Mask {
        let mask = self.truth.slice_mask(self.axis, slice, label);
        mask.expect("a slice of this scan")
    }

    /// The slice whose mask is given; none when the scan does not have the label.
    pub fn prompt_slice(&self, label: u16, choice: PromptSlice) -> Option<usize> {
        if choice == PromptSlice::Largest {
            return self.truth.largest_slice(self.axis, label);
        }
        let extent = self.extent(label);
        let from = match choice {
            PromptSlice::Middle => extent.start + extent.len().saturating_sub(1) / 2,
            _ => extent.start,
        };
        (from..extent.end).find(|&slice| !self.mask(label, slice).is_empty())
    }
}

/// The protocol's number of each value in the files, 0 for those it does not name.
fn numbers(protocol: &Protocol) -> Vec<u16> {
    let number = |value: u16| {
        let at = protocol.labels.iter().position(|label| label.has(value));
        at.map_or(0, |at| at as u16 + 1)
    };
    (0..=u16::MAX).map(number).collect()
}

/// A DICOM series and one PNG for each of its files, in the order of their names.
fn series(scan: &Path, labels: &Path) -> Result<(Volume, LabelMap), Failure> {
    let (pictures, masks) = (listed(scan, "dcm")?, listed(labels, "png")?);
    if pictures.len() != masks.len() || pictures.is_empty() {
        let (scan, labels) = (scan.display(), labels.display());
        let counts = format!("{} DICOM files and {} PNGs", pictures.len(), masks.len());
        return Err(format!("{scan} and {labels}: {counts}, not one of each").into());
    }
    let mut slices = Vec::new();
    for (picture, mask) in pictures.iter().zip(&masks) {
        let named = |path: &Path, what: String| format!("{}: {what}", path.display());
        let slice = dicom::read(&files::read(picture)?).map_err(|e| named(picture, e))?;
        let decoded = image::load_from_memory(&files::read(mask)?);
        let decoded = decoded
            .map_err(|e| named(mask, e.to_string()))?
            .into_luma8();
        let (cols, rows) = decoded.dimensions();
        if (rows as usize, cols as usize) != (slice.rows, slice.cols) {
            let sizes = format!(
                "{cols} x {rows} pixels, its slice {} x {}",
                slice.cols, slice.rows
            );
            return Err(named(mask, sizes).into());
        }
        slices.push((slice, decoded.into_raw()));
    }
    Ok(stacked(slices).map_err(|e| format!("{}: {e}", scan.display()))?)
}

/// Files of a folder by their extension, sorted by name.
fn listed(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, Failure> {
    let failed = |e: std::io::Error| format!("{}: {e}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let fits = path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case(extension));
        if fits && !hidden {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Slices and their masks as a volume: columns along i, rows along j, slices along k by their position.
fn stacked(mut slices: Vec<(dicom::Slice, Vec<u8>)>) -> Result<(Volume, LabelMap), String> {
    let origin = slices[0].0.position;
    let away = |s: &dicom::Slice| [0, 1, 2].map(|axis| s.position[axis] - origin[axis]);
    let square = |v: [f64; 3]| v.map(|x| x * x).iter().sum::<f64>();
    let farthest = slices.iter().map(|(slice, _)| away(slice));
    let line = farthest.max_by(|a, b| square(*a).total_cmp(&square(*b)));
    let line = line.filter(|line| square(*line) > 0.0);
    let line = line.ok_or("all slices lie in the same place")?;
    let length = square(line).sqrt();
    let height = |s: &dicom::Slice| {
        let along = away(s).into_iter().zip(line).map(|(a, b)| a * b);
        along.sum::<f64>() / length
    };
    slices.sort_by(|a, b| height(&a.0).total_cmp(&height(&b.0)));
    check_even(&slices, height)?;
    let (first, last) = (&slices[0].0, &slices[slices.len() - 1].0);
    let [along_row, down] = first.orientation;
    let [between_rows, between_cols] = first.spacing;
    let gaps = (slices.len() - 1) as f64;
    let step = [0, 1, 2].map(|axis| (last.position[axis] - first.position[axis]) / gaps);
    let row = |axis: usize| {
        let (i, j) = (along_row[axis] * between_cols, down[axis] * between_rows);
        [i, j, step[axis], first.position[axis]]
    };
    // DICOM's x and y point the other way than those of the volume.
    let (x, y) = (row(0).map(|v| -v), row(1).map(|v| -v));
    let affine = Affine([x, y, row(2), [0.0, 0.0, 0.0, 1.0]]);
    let dims = [first.cols, first.rows, slices.len()];
    let grid = Grid::new(dims, affine).map_err(|e| e.to_string())?;
    let voxels = slices.iter().flat_map(|(slice, _)| &slice.values);
    let volume = Volume::new(voxels.copied().collect(), grid.clone());
    let labels = slices.iter().flat_map(|(_, labels)| labels);
    let labels = LabelMap::new(labels.map(|&v| u16::from(v)).collect(), grid);
    Ok((
        volume.map_err(|e| e.to_string())?,
        labels.map_err(|e| e.to_string())?,
    ))
}

/// Slices, sorted by `height`, that are all alike and equally far apart.
fn check_even(
    slices: &[(dicom::Slice, Vec<u8>)],
    height: impl Fn(&dicom::Slice) -> f64,
) -> Result<(), String> {
    let (first, last) = (&slices[0].0, &slices[slices.len() - 1].0);
    let mean = (height(last) - height(first)) / (slices.len() - 1) as f64;
    for pair in slices.windows(2) {
        let (a, b) = (&pair[0].0, &pair[1].0);
        if (a.rows, a.cols, a.spacing) != (b.rows, b.cols, b.spacing)
            || a.orientation != b.orientation
        {
            return Err("the slices differ in size, spacing or orientation".into());
        }
        let gap = height(b) - height(a);
        // Positions are decimal text: a few digits are all there is.
        if (gap - mean).abs() > 0.01 * mean {
            let what = format!("two slices are {gap:.3} mm apart, on average {mean:.3}");
            return Err(format!("{what}: one is missing or twice there"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use oneslice::volume::Millimetre;

    use super::*;

    fn slice(z: f64) -> (dicom::Slice, Vec<u8>) {
        let slice = dicom::Slice {
            rows: 2,
            cols: 3,
            values: vec![z as f32; 6],
            position: [10.0, 20.0, z],
            orientation: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
            spacing: [1.5, 1.25],
        };
        (slice, vec![z as u8; 6])
    }

    /// Files come in the order of their names, which need not be that of their places; labels stay with their slices.
    #[test]
    fn slices_are_stacked_by_their_place() {
        let (volume, labels) = stacked([8.0, 2.0, 5.0].map(slice).to_vec()).unwrap();
        assert_eq!(volume.grid.dims, [3, 2, 3]);
        assert_eq!(volume.grid.spacing, [1.25, 1.5, 3.0].map(Millimetre));
        let bottom = volume.grid.affine.0.map(|row| row[3]);
        let rises = volume.grid.affine.0[2][2] > 0.0;
        assert_eq!(bottom, [-10.0, -20.0, if rises { 2.0 } else { 8.0 }, 1.0]);
        let firsts: Vec<f32> = volume.voxels.chunks(6).map(|s| s[0]).collect();
        let expected = if rises {
            [2.0, 5.0, 8.0]
        } else {
            [8.0, 5.0, 2.0]
        };
        assert_eq!(firsts, expected);
        let labels: Vec<f32> = labels.labels.iter().map(|&l| f32::from(l)).collect();
        assert_eq!(labels, volume.voxels);
    }

    #[test]
    fn uneven_series_are_refused() {
        let gap = stacked([2.0, 5.0, 11.0].map(slice).to_vec()).unwrap_err();
        assert!(gap.contains("3.000 mm apart, on average 4.500"), "{gap}");
        let same = stacked([2.0, 2.0].map(slice).to_vec()).unwrap_err();
        assert!(same.contains("same place"), "{same}");
        let mut turned = [2.0, 5.0].map(slice).to_vec();
        turned[1].0.orientation[0] = [0.0, 0.0, 1.0];
        let turned = stacked(turned).unwrap_err();
        assert!(turned.contains("orientation"), "{turned}");
    }
}
