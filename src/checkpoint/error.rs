//! What can be wrong with a checkpoint, in words.

use std::fmt;

/// A checkpoint that cannot be used. Shown as one line that names the file and the key.
#[derive(Debug, Clone)]
pub struct CheckpointError {
    kind: CheckpointErrorKind,
    file: String,
    what: String,
}

/// The kinds of [`CheckpointError`].
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckpointErrorKind {
    /// The file could not be read from disk.
    Unreadable,
    /// The bytes are no checkpoint of a known format.
    Format,
    /// No known configuration has these shapes.
    UnknownConfig,
    /// A key of the model is not in the file.
    MissingKey,
    /// A key of the file is not in the model.
    ExtraKey,
    /// A tensor has another shape than the model's.
    Shape,
    /// A tensor is not of a float type.
    Dtype,
    /// A tensor holds NaN or infinity.
    NotFinite,
    /// Packed weights of a version that is not known.
    Version,
    /// Packed weights that break the rules of their format.
    Packing,
    /// The manifest cannot be used, or lacks a model.
    Manifest,
}

impl CheckpointErrorKind {
    /// The kind's name, as JavaScript sees it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "CheckpointUnreadable",
            Self::Format => "CheckpointFormat",
            Self::UnknownConfig => "CheckpointUnknownConfig",
            Self::MissingKey => "CheckpointMissingKey",
            Self::ExtraKey => "CheckpointExtraKey",
            Self::Shape => "CheckpointShape",
            Self::Dtype => "CheckpointDtype",
            Self::NotFinite => "CheckpointNotFinite",
            Self::Version => "CheckpointVersion",
            Self::Packing => "CheckpointPacking",
            Self::Manifest => "CheckpointManifest",
        }
    }
}

impl CheckpointError {
    pub(super) fn new(
        kind: CheckpointErrorKind,
        file: impl Into<String>,
        what: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            file: file.into(),
            what: what.into(),
        }
    }

    /// What is wrong.
    pub fn kind(&self) -> CheckpointErrorKind {
        self.kind
    }
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.what)
    }
}

impl std::error::Error for CheckpointError {}
