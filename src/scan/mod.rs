//! FILE -> VOLUME. In: the bytes of a scan or of a label map, and names for messages. Out: a
//! [`Volume`] or a [`LabelMap`] in patient space, with what is needed to write a file that lies on top.
//!
//! No paths and no tensors. Formats are told by content, never by name. One module per format; `open` finds the series
//! in any number of files.

mod block;
#[cfg(feature = "formats")]
pub mod dicom;
mod error;
mod found;
mod input;
mod meta_image;
mod natural;
pub mod nifti;
mod nrrd;
mod open;
#[cfg(feature = "formats")]
mod pictures;
mod series;
mod sniff;
mod source;
mod text;
mod volumes;
mod voxels;

pub use error::{ScanError, ScanErrorKind};
pub use open::{companions, inspect, needs_formats, open};
pub use series::{InputFile, OpenOptions, ScanWarning, SeriesInfo, WarningKind};

use std::fmt;

use serde::Serialize;

use crate::volume::{LabelMap, Volume};

/// Choices for [`read`].
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Which volume of a file with several (a time series), from 0; `None` accepts only a single one.
    pub volume: Option<usize>,
}

/// How a scan is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum Format {
    /// NIfTI-1, one uncompressed file.
    Nifti,
    /// NIfTI-1 in gzip.
    NiftiGz,
    /// NIfTI-1 or -2 in two files.
    NiftiPair,
    /// NIfTI-2.
    Nifti2,
    /// NRRD, with its data in the same file or another.
    Nrrd,
    /// MetaImage, with its data in the same file or another.
    MetaImage,
    /// A series of DICOM objects.
    Dicom,
    /// PNG, JPEG or TIFF pictures.
    Pictures,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nifti | Self::NiftiGz => "NIfTI-1",
            Self::NiftiPair => "NIfTI in two files",
            Self::Nifti2 => "NIfTI-2",
            Self::Nrrd => "NRRD",
            Self::MetaImage => "MetaImage",
            Self::Dicom => "DICOM",
            Self::Pictures => "pictures",
        })
    }
}

/// A scan that was read.
#[derive(Debug, Clone)]
pub struct Scan {
    /// Its values and their place.
    pub volume: Volume,
    /// The file's header, or one made for the volume, to write results on the same grid.
    pub header: nifti::Template,
    /// How it was stored.
    pub format: Format,
    /// `CT`, `MR`, ...; empty when the format does not say.
    pub modality: String,
    /// What to know of it.
    pub warnings: Vec<ScanWarning>,
    /// Of a DICOM series: what a result must refer to.
    #[cfg(feature = "formats")]
    pub source: Option<dicom::DicomSource>,
}

impl Scan {
    fn new(volume: Volume, header: nifti::Template, format: Format) -> Self {
        Self {
            volume,
            header,
            format,
            modality: String::new(),
            warnings: Vec::new(),
            #[cfg(feature = "formats")]
            source: None,
        }
    }
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

/// Reads a scan that is one file. `name` appears in messages only.
///
/// # Errors
/// See [`ScanErrorKind`]; among others `UnknownFormat`, `Truncated`, `VolumeChoice` when the
/// file has several volumes and none was chosen, `NotFinite` for a NaN or infinite voxel.
pub fn read(name: &str, bytes: &[u8], options: &ReadOptions) -> Result<Scan, ScanError> {
    let options = OpenOptions {
        volume: options.volume,
        ..OpenOptions::default()
    };
    open::open_one(name, bytes, &options)
}

/// Reads a label map: whole numbers from 0 to 65535, stored as any number type. `name` appears in messages
/// only.
///
/// # Errors
/// As [`read`], and `NotALabel` for a value that is no label.
pub fn read_label_map(name: &str, bytes: &[u8]) -> Result<LabelScan, ScanError> {
    open::label_map(name, bytes)
}
