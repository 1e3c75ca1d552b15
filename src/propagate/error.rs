//! What can go wrong while propagating, in words.

use std::fmt;

use crate::volume::{Mask, SliceShape, VolumeError};

/// A session that cannot go on. Shown as one line that names the slice or the label.
#[derive(Debug, Clone)]
pub struct SessionError {
    kind: SessionErrorKind,
    what: String,
}

/// The kinds of [`SessionError`].
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionErrorKind {
    /// A slice index beyond the axis.
    SliceOutOfRange,
    /// A mask of another size than the slice.
    MaskSize,
    /// A mask without a single pixel.
    EmptyMask,
    /// Label 0, which is the background.
    BackgroundLabel,
    /// Propagation without a prompt.
    NoPrompt,
    /// A point beyond the slice, or no point where there must be one.
    Point,
    /// Slices to visit that the volume does not have.
    Range,
    /// A result of another grid than the volume's.
    ResultGrid,
    /// Numbers that a memory strategy does not have or take.
    MemoryOptions,
    /// An image whose pixels are not rows x columns, or that has none.
    ImageSize,
    /// A support set cannot be made with these numbers.
    SupportOptions,
    /// A slice or scan of another range of values than it is shown or compared with.
    ValueRange,
    /// The device failed: lost, out of memory, or a result that is no number.
    Device,
}

impl SessionErrorKind {
    /// The kind's name, as JavaScript sees it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SliceOutOfRange => "SessionSliceOutOfRange",
            Self::MaskSize => "SessionMaskSize",
            Self::EmptyMask => "SessionEmptyMask",
            Self::BackgroundLabel => "SessionBackgroundLabel",
            Self::NoPrompt => "SessionNoPrompt",
            Self::Point => "SessionPoint",
            Self::Range => "SessionRange",
            Self::ResultGrid => "SessionResultGrid",
            Self::MemoryOptions => "SessionMemoryOptions",
            Self::ImageSize => "SessionImageSize",
            Self::SupportOptions => "SessionSupportOptions",
            Self::ValueRange => "SessionValueRange",
            Self::Device => "SessionDevice",
        }
    }
}

impl SessionError {
    pub(super) fn new(kind: SessionErrorKind, what: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
        }
    }

    /// What is wrong.
    pub fn kind(&self) -> SessionErrorKind {
        self.kind
    }
}

/// A slice that the volume does not have.
pub(super) fn out_of_range(error: VolumeError) -> SessionError {
    SessionError::new(SessionErrorKind::SliceOutOfRange, error.to_string())
}

/// A mask must have the size of the picture it lies on; `of` names that picture.
pub(super) fn check_size(mask: &Mask, shape: SliceShape, of: &str) -> Result<(), SessionError> {
    let (m, s) = (mask.shape, shape);
    if m == s {
        return Ok(());
    }
    let what = format!(
        "the mask has {} x {} pixels, {of} has {} x {}",
        m.rows, m.cols, s.rows, s.cols
    );
    Err(SessionError::new(SessionErrorKind::MaskSize, what))
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for SessionError {}
