//! FILE -> VOLUME. In: the bytes of a scan or of a label map, and a name for messages. Out: a
//! [`Volume`] or a [`LabelMap`] in patient space, with what is needed to write a file that lies on top.
//!
//! No paths and no tensors. The format is told by content, never by name. One module per format.

mod error;
pub mod nifti;
mod sniff;

pub use error::{ScanError, ScanErrorKind};

use crate::volume::{LabelMap, Volume};
use sniff::Content;

/// Choices for [`read`].
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Which volume of a file with several (a time series), from 0; `None` accepts only a single one.
    pub volume: Option<usize>,
}

/// How a file is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// NIfTI-1, one uncompressed file.
    Nifti,
    /// NIfTI-1 in gzip.
    NiftiGz,
}

/// A scan that was read.
#[derive(Debug, Clone)]
pub struct Scan {
    /// Its values and their place.
    pub volume: Volume,
    /// The file's header, to write results on the same grid.
    pub header: nifti::Template,
    /// How it was stored.
    pub format: Format,
}

/// A label map that was read.
#[derive(Debug, Clone)]
pub struct LabelScan {
    /// Its labels and their place.
    pub labels: LabelMap,
    /// The file's header.
    pub header: nifti::Template,
    /// How it was stored.
    pub format: Format,
}

/// Reads a scan. `name` appears in messages only.
///
/// # Errors
/// See [`ScanErrorKind`]; among others `NotNifti` for any other format, `Truncated`, `VolumeChoice` when the
/// file has several volumes and none was chosen, `NotFinite` for a NaN or infinite voxel.
pub fn read(name: &str, bytes: &[u8], options: &ReadOptions) -> Result<Scan, ScanError> {
    let in_file = |error: ScanError| error.in_file(name);
    let format = format_of(bytes).map_err(in_file)?;
    let (volume, header) = nifti::read_volume(bytes, format, options.volume).map_err(in_file)?;
    Ok(Scan {
        volume,
        header,
        format,
    })
}

/// Reads a label map: whole numbers from 0 to 65535, stored as any number type. `name` appears in messages
/// only.
///
/// # Errors
/// As [`read`], and `NotALabel` for a value that is no label.
pub fn read_label_map(name: &str, bytes: &[u8]) -> Result<LabelScan, ScanError> {
    let in_file = |error: ScanError| error.in_file(name);
    let format = format_of(bytes).map_err(in_file)?;
    let (labels, header) = nifti::read_labels(bytes, format).map_err(in_file)?;
    Ok(LabelScan {
        labels,
        header,
        format,
    })
}

fn format_of(bytes: &[u8]) -> Result<Format, ScanError> {
    match sniff::content(bytes) {
        Content::Nifti => Ok(Format::Nifti),
        Content::NiftiGz => Ok(Format::NiftiGz),
        Content::Nifti2 => Err(ScanError::nifti2()),
        Content::Other(what) => Err(ScanError::not_nifti(&what)),
    }
}
