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

    pub(super) fn compression(error: &std::io::Error) -> Self {
        Self::new(
            ExportErrorKind::Compression,
            format!("compression failed: {error}"),
        )
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ExportError {}
