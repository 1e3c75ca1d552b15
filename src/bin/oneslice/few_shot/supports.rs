//! Labelled scans to supports. In: `--support`, `--mask`, `--slice` and `--label`. Out: the supports that could be read.

use std::path::Path;

use oneslice::propagate::few_shot::{Support, SupportScan, same_kind};
use oneslice::propagate::{SessionError, SessionErrorKind};
use oneslice::volume::{Window, same_grid};
use serde::Serialize;

use super::super::failed::{Failed, fail};
use super::{Failure, args, files};

/// What is learnt from.
pub struct Known {
    pub supports: Vec<Support>,
    /// For each support the place of its scan in `--support`.
    pub scan_of: Vec<usize>,
    /// The first scan's automatic window, if windows are automatic.
    pub automatic: Option<Window>,
    scans: Vec<String>,
}

/// A support, by its file.
#[derive(Clone, Serialize)]
pub struct SupportName {
    scan: String,
    slice: usize,
    labels: Vec<u16>,
}

impl Known {
    /// The supports by their files.
    pub fn names(&self) -> Vec<SupportName> {
        let name = |(support, &scan): (&Support, &usize)| SupportName {
            scan: self.scans[scan].clone(),
            slice: support.slice,
            labels: support.masks.keys().copied().collect(),
        };
        self.supports.iter().zip(&self.scan_of).map(name).collect()
    }
}

/// Reads every labelled scan.
pub fn read(arguments: &args::FewShot, failed: &mut Vec<Failed>) -> Result<Known, Failure> {
    let (scans, masks) = (&arguments.support, &arguments.mask);
    if scans.len() != masks.len() {
        let (scans, masks) = (scans.len(), masks.len());
        return Err(format!("{scans} --support and {masks} --mask: each needs the other").into());
    }
    let mut known = Known {
        supports: Vec::new(),
        scan_of: Vec::new(),
        automatic: None,
        scans: scans.iter().map(|s| s.display().to_string()).collect(),
    };
    for (number, (scan, mask)) in scans.iter().zip(masks).enumerate() {
        if let Err(error) = read_scan(arguments, scan, mask, &mut known, number, failed) {
            fail(failed, scan.display().to_string(), error);
        }
    }
    match known.supports.is_empty() {
        true => Err("there is no support to learn from".into()),
        false => Ok(known),
    }
}

fn read_scan(
    arguments: &args::FewShot,
    scan: &Path,
    mask: &Path,
    known: &mut Known,
    number: usize,
    failed: &mut Vec<Failed>,
) -> Result<(), Failure> {
    let volume = files::read_scan(scan, arguments.volume)?.volume;
    let labels = files::read_label_map(mask)?.labels;
    let mask_name = mask.display();
    let grids = same_grid(&volume.grid, &labels.grid);
    grids.map_err(|e| format!("{mask_name}: not on the grid of {}: {e}", scan.display()))?;
    let window = match arguments.support_window.or(arguments.window) {
        Some(window) => window,
        None => {
            let window = Window::auto(&volume);
            same_kind(*known.automatic.get_or_insert(window), window).map_err(hint)?;
            window
        }
    };
    let source = SupportScan::new(&volume, &labels, arguments.axis, window);
    let named = |e: SessionError| match e.kind() {
        SessionErrorKind::EmptyMask => format!("{mask_name}: {e}"),
        _ => e.to_string(),
    };
    let mut take = |support: Support| {
        known.supports.push(support);
        known.scan_of.push(number);
    };
    if arguments.slice.is_empty() {
        let supports = source.largest(arguments.label).map_err(named)?;
        supports.into_iter().for_each(&mut take);
    }
    for &slice in &arguments.slice {
        match source.slice(slice, arguments.label) {
            Ok(support) => take(support),
            Err(error) => fail(failed, scan.display().to_string(), named(error)),
        }
    }
    Ok(())
}

/// What to do about scans of two kinds.
pub fn hint(error: SessionError) -> Failure {
    format!("{error}; --window and --support-window make them alike on purpose").into()
}
