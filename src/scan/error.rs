//! Every message of the readers, worded once. In: what is wrong with a file, with its figures. Out: a
//! [`ScanError`] with a kind for programs and one line for people that names the file.

use std::fmt;

use crate::volume::VolumeError;

/// What is wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScanErrorKind {
    /// Another format, or none that is known.
    NotNifti,
    /// NIfTI-2, which is not read.
    Nifti2,
    /// A NIfTI-1 sized header without NIfTI's magic bytes.
    BadMagic,
    /// The header of a .hdr/.img pair, whose voxels are in another file.
    HeaderOnly,
    /// The file ends before its header says.
    Truncated,
    /// The gzip stream is damaged.
    CorruptGzip,
    /// `dim[0]`, the number of dimensions, is not 1 to 7.
    BadRank,
    /// A dimension is zero.
    ZeroDimension,
    /// A dimension is negative.
    NegativeDimension,
    /// The voxels do not start at a possible place.
    BadOffset,
    /// The slope or intercept of the voxel values is not a number.
    BadScaling,
    /// Voxels of a type that is not read: complex, colour, 128-bit.
    UnsupportedType,
    /// No transform that places the voxels in space.
    BadAffine,
    /// More voxels than memory can hold.
    TooLarge,
    /// The file has several volumes and none, or one that does not exist, was chosen.
    VolumeChoice,
    /// A voxel is NaN or infinite.
    NotFinite,
    /// A value of a label map is not a whole number from 0 to 65535.
    NotALabel,
}

/// A file that cannot be read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanError {
    kind: ScanErrorKind,
    file: String,
    message: String,
}

impl ScanError {
    /// The kind, for a program to act on.
    pub fn kind(&self) -> ScanErrorKind {
        self.kind
    }

    /// The name of the file, as it was given to the reader.
    pub fn file(&self) -> &str {
        &self.file
    }

    pub(super) fn in_file(mut self, name: &str) -> Self {
        self.file = name.to_owned();
        self
    }

    fn new(kind: ScanErrorKind, message: String) -> Self {
        Self {
            kind,
            file: String::new(),
            message,
        }
    }

    pub(super) fn not_nifti(what: &str) -> Self {
        Self::new(
            ScanErrorKind::NotNifti,
            format!("not a NIfTI-1 file; it looks like {what}"),
        )
    }

    pub(super) fn nifti2() -> Self {
        let message = "NIfTI-2 is not supported; convert the file to NIfTI-1";
        Self::new(ScanErrorKind::Nifti2, message.to_owned())
    }

    pub(super) fn bad_magic(magic: &[u8]) -> Self {
        Self::new(
            ScanErrorKind::BadMagic,
            format!(
                "the header has NIfTI-1's size but its magic is \"{}\" instead of \"n+1\\0\"; \
                 it may be Analyze 7.5",
                magic.escape_ascii()
            ),
        )
    }

    pub(super) fn header_only() -> Self {
        let message = "the header of a .hdr/.img pair; give a single .nii or .nii.gz file instead";
        Self::new(ScanErrorKind::HeaderOnly, message.to_owned())
    }

    pub(super) fn truncated(expected: u64, found: u64) -> Self {
        Self::new(
            ScanErrorKind::Truncated,
            format!("truncated: {expected} bytes expected, {found} found"),
        )
    }

    pub(super) fn cannot_hold(expected: u64, packed: u64) -> Self {
        Self::new(
            ScanErrorKind::Truncated,
            format!(
                "truncated: {expected} bytes expected, which {packed} bytes of gzip cannot hold"
            ),
        )
    }

    pub(super) fn checksum_missing() -> Self {
        let message = "truncated: the gzip stream ends before its checksum";
        Self::new(ScanErrorKind::Truncated, message.to_owned())
    }

    pub(super) fn corrupt_gzip(place: u64, reason: &dyn fmt::Display) -> Self {
        Self::new(
            ScanErrorKind::CorruptGzip,
            format!("damaged gzip stream after {place} unpacked bytes: {reason}"),
        )
    }

    pub(super) fn bad_rank(rank: i16) -> Self {
        Self::new(
            ScanErrorKind::BadRank,
            format!("header field dim[0] is {rank}; the number of dimensions must be 1 to 7"),
        )
    }

    pub(super) fn bad_dimension(index: usize, size: i16) -> Self {
        let (kind, word) = match size {
            0 => (ScanErrorKind::ZeroDimension, "zero"),
            _ => (ScanErrorKind::NegativeDimension, "negative"),
        };
        Self::new(
            kind,
            format!("header field dim[{index}] is {word} ({size})"),
        )
    }

    pub(super) fn bad_offset(offset: f32) -> Self {
        Self::new(
            ScanErrorKind::BadOffset,
            format!(
                "header field vox_offset is {offset}; voxels of a single file start at byte 352 or later"
            ),
        )
    }

    pub(super) fn bad_scaling(slope: f32, inter: f32) -> Self {
        Self::new(
            ScanErrorKind::BadScaling,
            format!("header fields scl_slope and scl_inter are {slope} and {inter}"),
        )
    }

    pub(super) fn unsupported_type(code: i16, name: &str) -> Self {
        Self::new(
            ScanErrorKind::UnsupportedType,
            format!(
                "voxel type {name} (datatype {code}) is not supported; convert to one number per voxel"
            ),
        )
    }

    pub(super) fn bad_affine(source: &str, error: &VolumeError) -> Self {
        Self::new(ScanErrorKind::BadAffine, format!("{source}: {error}"))
    }

    pub(super) fn too_large(voxels: u128) -> Self {
        Self::new(
            ScanErrorKind::TooLarge,
            format!("{voxels} voxels do not fit in memory"),
        )
    }

    pub(super) fn choose_volume(count: usize) -> Self {
        Self::new(
            ScanErrorKind::VolumeChoice,
            format!(
                "the file has {count} volumes; choose one, 0 to {}",
                count - 1
            ),
        )
    }

    pub(super) fn no_such_volume(chosen: usize, count: usize) -> Self {
        let message = match count {
            1 => format!("volume {chosen} does not exist; the file has one, volume 0"),
            _ => format!(
                "volume {chosen} does not exist; the file has {count}, 0 to {}",
                count - 1
            ),
        };
        Self::new(ScanErrorKind::VolumeChoice, message)
    }

    pub(super) fn not_finite(count: usize, first: [usize; 3]) -> Self {
        let voxels = if count == 1 { "voxel is" } else { "voxels are" };
        Self::new(
            ScanErrorKind::NotFinite,
            format!(
                "{count} {voxels} NaN or infinite, the first at {}",
                place(first)
            ),
        )
    }

    pub(super) fn not_a_label(value: f64, at: [usize; 3]) -> Self {
        Self::new(
            ScanErrorKind::NotALabel,
            format!(
                "not a label map: voxel {} is {value}, not a whole number from 0 to 65535",
                place(at)
            ),
        )
    }
}

fn place([i, j, k]: [usize; 3]) -> String {
    format!("({i}, {j}, {k})")
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.message)
    }
}

impl std::error::Error for ScanError {}
