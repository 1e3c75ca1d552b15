//! What goes into the readers and what a person chooses from. In: files as they come. Out: the series that are in
//! them, each with what must be known before it is opened.

use std::fmt;

use serde::Serialize;

use super::Format;

/// A file: its bytes, and a name.
///
/// The name (a path within a folder or an archive) is for messages, for the order of pictures and to find the other half of
/// a file in two parts; what a file is follows from its content alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    /// With forward slashes.
    pub name: String,
    /// All of them.
    pub bytes: Vec<u8>,
}

/// Choices for [`open`](super::open).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OpenOptions {
    /// The series' [`SeriesInfo::id`]; `None` takes the only one that opens.
    pub series: Option<String>,
    /// Which volume of a series with several (a time series), from 0; `None` accepts only a single one.
    pub volume: Option<usize>,
    /// Millimetres between pixels along a row, between rows, and between pictures, which have none of their own; else 1.
    pub spacing: Option<[f64; 3]>,
}

/// One series of the files given.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeriesInfo {
    /// To choose it by: DICOM's SeriesInstanceUID (with `#2`, `#3` where a series holds several stacks), else the file's name.
    pub id: String,
    /// How it is stored.
    pub format: Format,
    /// DICOM's SeriesDescription, else the file's name.
    pub description: String,
    /// `CT`, `MR`, ...; empty when the format does not say.
    pub modality: String,
    /// Voxels of one volume.
    pub dims: [usize; 3],
    /// More than one for a time series.
    pub volumes: usize,
    /// Millimetres.
    pub spacing: [f64; 3],
    /// The files it is read from.
    pub files: Vec<String>,
    /// What to know although it opens.
    pub warnings: Vec<ScanWarning>,
    /// Why it does not open; none when it does.
    pub error: Option<String>,
}

/// Something about a scan that opens, but not quite as its files say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScanWarning {
    /// For a program to act on.
    pub kind: WarningKind,
    /// For a person, in one line.
    pub message: String,
}

impl ScanWarning {
    pub(super) fn new(kind: WarningKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind, message }
    }
}

impl fmt::Display for ScanWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What a [`ScanWarning`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub enum WarningKind {
    /// Slices are not there; the volume has blank ones in their places.
    MissingSlices,
    /// Slices are there twice; the first is taken.
    DuplicateSlices,
    /// Slices are not equally far apart; the volume has their average distance.
    UnevenSlices,
    /// Slices are not stacked along their normal; the volume's third axis is oblique, as they are.
    GantryTilt,
    /// A series with slices of several orientations or sizes; each is a series here.
    MixedStacks,
    /// The files do not say where the slices lie or how large a pixel is.
    NoGeometry,
    /// Low values were stored as white; they have been turned over.
    Inverted,
    /// Colours became grey.
    Colour,
    /// Values were compressed with losses.
    Lossy,
    /// Files that belong to no series.
    OtherFiles,
}
