//! Every message of the writers, worded once. In: why something cannot be written. Out: an [`ExportError`] with
//! a kind for programs and one line for people.

use std::fmt;

/// Why something cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExportErrorKind {
    /// The array has other dimensions than the header it should be written with.
    OtherGrid,
    /// A dimension beyond what the format can count.
    TooLarge,
    /// The compressor failed.
    Compression,
    /// The encoder of the format failed.
    Encoding,
    /// No voxel carries the label, or any label.
    Empty,
    /// The format refers to a DICOM series, and the scan is none.
    NoSourceSeries,
    /// The DICOM files do not say in which space they lie.
    NoFrameOfReference,
    /// The date and time cannot be read.
    BadTime,
}

/// Something that cannot be written, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportError {
    kind: ExportErrorKind,
    message: String,
}

impl ExportError {
    /// The kind, for a program to act on.
    pub fn kind(&self) -> ExportErrorKind {
        self.kind
    }

    fn new(kind: ExportErrorKind, message: String) -> Self {
        Self { kind, message }
    }

    pub(super) fn other_grid(dims: [usize; 3], values: usize, header: [usize; 3]) -> Self {
        Self::new(
            ExportErrorKind::OtherGrid,
            format!("{values} values on a grid of {dims:?} voxels, but the header has {header:?}"),
        )
    }

    pub(super) fn too_large(dims: [usize; 3]) -> Self {
        Self::new(
            ExportErrorKind::TooLarge,
            format!("{dims:?} voxels: NIfTI-1 counts to 32767 along each axis"),
        )
    }

    pub(super) fn other_scan(dims: [usize; 3], scan: [usize; 3]) -> Self {
        Self::new(
            ExportErrorKind::OtherGrid,
            format!("labels of {dims:?} voxels, but the scan has {scan:?}"),
        )
    }

    pub(super) fn empty(label: Option<u16>) -> Self {
        Self::new(
            ExportErrorKind::Empty,
            match label {
                Some(label) => format!("no voxel carries label {label}"),
                None => "no voxel carries a label".to_owned(),
            },
        )
    }

    pub(super) fn encoding(what: &str, error: &dyn fmt::Display) -> Self {
        Self::new(ExportErrorKind::Encoding, format!("{what}: {error}"))
    }

    pub(super) fn compression(error: &std::io::Error) -> Self {
        Self::new(
            ExportErrorKind::Compression,
            format!("compression failed: {error}"),
        )
    }
}

#[cfg(feature = "formats")]
impl ExportError {
    pub(super) fn no_source_series(what: &str) -> Self {
        Self::new(
            ExportErrorKind::NoSourceSeries,
            format!(
                "a {what} refers to the images of a DICOM series, and this scan is not one: open the DICOM files themselves, or \
                 choose another format"
            ),
        )
    }

    pub(super) fn no_frame_of_reference(what: &str) -> Self {
        Self::new(
            ExportErrorKind::NoFrameOfReference,
            format!(
                "a {what} repeats the series' FrameOfReferenceUID (0020,0052), and the DICOM files have none"
            ),
        )
    }

    pub(super) fn bad_time(text: &str) -> Self {
        Self::new(
            ExportErrorKind::BadTime,
            format!("`{text}` is no date and time like 2026-11-25T09:30:00"),
        )
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ExportError {}
