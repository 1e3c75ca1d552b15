//! A scan and its true labels. In: an [`Item`]. Out: a [`Case`]: both on one grid, the labels numbered as in the protocol.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use oneslice::scan::{ScanWarning, WarningKind};
use oneslice::volume::{LabelMap, Mask, Volume, VoxelAxis, Window, same_grid};

use super::find::Item;
use super::protocol::{PromptSlice, Protocol};
use crate::scans::{self, Choice};
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
    let read = scans::read(&pictures, &Choice::default())?;
    let incomplete = |w: &&ScanWarning| {
        use WarningKind::{DuplicateSlices, MissingSlices, UnevenSlices};
        matches!(w.kind, DuplicateSlices | MissingSlices | UnevenSlices)
    };
    if let Some(warning) = read.warnings.iter().find(incomplete) {
        return Err(format!("{}: {warning}", scan.display()).into());
    }
    let source = read.source.ok_or("a DICOM series has a source")?;
    let grid = &read.volume.grid;
    let mut truth = LabelMap::empty(grid.clone());
    for (picture, mask) in pictures.iter().zip(&masks) {
        let name = picture.display().to_string().replace('\\', "/");
        let slice = source.slices.iter().find(|slice| slice.file == name);
        let slice = slice.ok_or_else(|| format!("{name}: not a slice of its series"))?;
        let named = |what: &dyn std::fmt::Display| format!("{}: {what}", mask.display());
        let decoded = image::load_from_memory(&files::read(mask)?);
        let decoded = decoded.map_err(|e| named(&e))?.into_luma8();
        let (cols, rows) = decoded.dimensions();
        if [cols as usize, rows as usize] != grid.dims[..2] {
            let [i, j, _] = grid.dims;
            let sizes = format!("{cols} x {rows} pixels, its slice {i} x {j}");
            return Err(named(&sizes).into());
        }
        let values: Vec<u16> = decoded.iter().map(|v| u16::from(*v)).collect();
        truth.set_slice(VoxelAxis::K, slice.slice, &values)?;
    }
    Ok((read.volume, truth))
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
