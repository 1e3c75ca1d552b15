//! `oneslice sample`: the scan that the page opens with, as files to try the command line on.

use std::path::Path;

use oneslice::export::nifti;
use oneslice::volume::phantom;

use super::Failure;
use super::files;

/// Writes the scan and a mask of its liver on one slice.
pub fn run(folder: &Path) -> Result<(), Failure> {
    let (volume, organs) = phantom::phantom(phantom::DEFAULT_DIMS);
    let header = nifti::template(&volume.grid)?;
    let (scan, mask) = (
        folder.join("sample.nii.gz"),
        folder.join("sample-mask.nii.gz"),
    );
    std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    files::write(&scan, &nifti::write_volume(&volume, &header)?)?;
    files::write(&mask, &nifti::write(&phantom::prompt(&organs), &header)?)?;
    println!("{}\n{}", scan.display(), mask.display());
    Ok(())
}
