//! NIfTI, versions 1 and 2. In: the bytes of a .nii or .nii.gz file, or of a header and its voxels in two files. Out: its
//! voxels as a [`Volume`] or [`LabelMap`], and the header kept for writing ([`Template`]).
//!
//! The `nifti` crate parses version 1 and decodes the voxels; what it leaves open (version 2, checks, affine, choice of a
//! volume, limits on memory) is done here. Voxels are decoded while they are unpacked: memory holds the file and the result,
//! never the unpacked file.

mod affine;
mod header;
mod template;
mod version2;

pub use template::{HEADER_LEN, Template};

use super::error::ScanError;
use super::source::Source;
use super::volumes::choose;
use crate::volume::{LabelMap, Volume};
pub(super) use header::Header;

/// A file, and the one with its voxels if they are in another.
pub(super) struct Bytes<'a> {
    pub(super) header: &'a [u8],
    pub(super) voxels: Option<&'a [u8]>,
}

/// Everything but the voxels.
pub(super) fn header(bytes: &[u8]) -> Result<Header, ScanError> {
    header::read(&mut source(bytes))
}

pub(super) fn read_volume(
    bytes: &Bytes<'_>,
    chosen: Option<usize>,
) -> Result<(Volume, Template), ScanError> {
    let (mut source, header) = open(bytes)?;
    let volume = choose(chosen, header.stored.volumes)?;
    let voxels = header.stored.floats(&mut source, volume)?;
    let grid = header.stored.grid;
    Ok((Volume { voxels, grid }, header.template))
}

pub(super) fn read_labels(bytes: &Bytes<'_>) -> Result<(LabelMap, Template), ScanError> {
    let (mut source, header) = open(bytes)?;
    let volume = choose(None, header.stored.volumes)?;
    let labels = header.stored.labels(&mut source, volume)?;
    let grid = header.stored.grid;
    Ok((LabelMap { labels, grid }, header.template))
}

fn open<'a>(bytes: &Bytes<'a>) -> Result<(Source<'a>, Header), ScanError> {
    let mut first = source(bytes.header);
    let header = header::read(&mut first)?;
    let source = match (header.apart, bytes.voxels) {
        (false, _) => first,
        (true, Some(voxels)) => source(voxels),
        (true, None) => return Err(ScanError::missing_part("the .img file of the pair")),
    };
    source.check_room(header.stored.file_len())?;
    Ok((source, header))
}

fn source(bytes: &[u8]) -> Source<'_> {
    match bytes.starts_with(&[0x1f, 0x8b]) {
        true => Source::gzip(bytes),
        false => Source::plain(bytes),
    }
}
