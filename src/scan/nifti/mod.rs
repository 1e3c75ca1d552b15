//! NIfTI-1. In: the bytes of a .nii or .nii.gz file. Out: its voxels as a [`Volume`] or [`LabelMap`], and the
//! header kept for writing ([`Template`]).
//!
//! The `nifti` crate parses the header and decodes the voxels; what it leaves open (checks, affine, choice of a
//! volume, limits on memory) is done here. Voxels are decoded while they are unpacked: memory holds the file and
//! the result, never the unpacked file.

mod affine;
mod header;
mod source;
mod template;
mod voxels;

pub use template::{HEADER_LEN, Template};

use super::Format;
use super::error::ScanError;
use crate::volume::{LabelMap, Volume};
use header::Header;
use source::Source;

pub(super) fn read_volume(
    bytes: &[u8],
    format: Format,
    chosen: Option<usize>,
) -> Result<(Volume, Template), ScanError> {
    let (mut source, header) = open(bytes, format)?;
    let volume = choose(chosen, header.volumes)?;
    let voxels = voxels::floats(&mut source, &header, volume)?;
    let template = header.template();
    let grid = header.grid;
    Ok((Volume { voxels, grid }, template))
}

pub(super) fn read_labels(bytes: &[u8], format: Format) -> Result<(LabelMap, Template), ScanError> {
    let (mut source, header) = open(bytes, format)?;
    let volume = choose(None, header.volumes)?;
    let labels = voxels::labels(&mut source, &header, volume)?;
    let template = header.template();
    let grid = header.grid;
    Ok((LabelMap { labels, grid }, template))
}

fn open(bytes: &[u8], format: Format) -> Result<(Source<'_>, Header), ScanError> {
    let mut source = match format {
        Format::Nifti => Source::plain(bytes),
        Format::NiftiGz => Source::gzip(bytes),
    };
    let mut raw = [0; HEADER_LEN];
    source.fill(&mut raw, HEADER_LEN as u64)?;
    let header = header::parse(raw)?;
    source.check_room(header.file_len())?;
    Ok((source, header))
}

fn choose(chosen: Option<usize>, count: usize) -> Result<usize, ScanError> {
    match chosen {
        None if count == 1 => Ok(0),
        None => Err(ScanError::choose_volume(count)),
        Some(volume) if volume < count => Ok(volume),
        Some(volume) => Err(ScanError::no_such_volume(volume, count)),
    }
}
