//! `oneslice sample`: the scan that the page opens with, as files to try the command line on.

use std::path::Path;

use oneslice::export::nifti;
use oneslice::volume::phantom;
use serde::Serialize;

use super::Failure;
use super::files;

#[derive(Serialize)]
struct Written {
    scan: String,
    mask: String,
}

/// Writes the scan and a mask of its liver on one slice.
pub fn run(folder: &Path, json: bool) -> Result<(), Failure> {
    let (volume, organs) = phantom::phantom(phantom::DEFAULT_DIMS);
    let header = nifti::template(&volume.grid)?;
    let (scan, mask) = (
        folder.join("sample.nii.gz"),
        folder.join("sample-mask.nii.gz"),
    );
    files::make_folder(folder)?;
    files::write(&scan, &nifti::write_volume(&volume, &header)?)?;
    files::write(&mask, &nifti::write(&phantom::prompt(&organs), &header)?)?;
    let written = Written {
        scan: scan.display().to_string(),
        mask: mask.display().to_string(),
    };
    match json {
        true => files::print_json(&written),
        false => files::print(&format!("{}\n{}\n", written.scan, written.mask)),
    }
}
