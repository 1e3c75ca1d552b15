//! Every message of the readers, worded once. In: what is wrong with a file, with its figures. Out: a
//! [`ScanError`] with a kind for programs and one line for people that names the file.

use std::fmt;

use crate::volume::VolumeError;

/// What is wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScanErrorKind {
    /// A format that is not read, or none that is known.
    UnknownFormat,
    /// A format that this build leaves to another (the browser's engine, for DICOM and pictures).
    NeedsFormats,
    /// A NIfTI-1 sized header without NIfTI's magic bytes.
    BadMagic,
    /// A header whose voxels are in another file, which was not given.
    MissingPart,
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
    /// Nothing to read among the files.
    NoScan,
    /// There are several series and none, or one that does not exist, was chosen.
    SeriesChoice,
    /// A damaged archive, or one that unpacks to too much.
    BadArchive,
    /// A DICOM file that contradicts itself or the standard.
    BadDicom,
    /// DICOM pixels compressed in a way that is not read.
    TransferSyntax,
    /// A DICOM object that holds no scan.
    NotAnImage,
    /// Slices that do not make a volume.
    NoVolume,
    /// An NRRD header that makes no sense.
    BadNrrd,
    /// A MetaImage header that makes no sense.
    BadMetaImage,
    /// A damaged picture, or pictures that do not belong together.
    BadPicture,
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

    /// What is wrong, without the file's name.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Names the file, unless it has been named where more was known.
    pub(super) fn in_file(mut self, name: &str) -> Self {
        if self.file.is_empty() {
            self.file = name.to_owned();
        }
        self
    }

    pub(in crate::scan) fn new(kind: ScanErrorKind, message: String) -> Self {
        // Values of a damaged file are quoted in it, and it is one line.
        let message = message.replace(char::is_control, " ");
        Self {
            kind,
            file: String::new(),
            message,
        }
    }

    pub(super) fn unknown_format(what: &str) -> Self {
        Self::new(
            ScanErrorKind::UnknownFormat,
            format!(
                "not a scan that can be read; it looks like {what}. DICOM, NIfTI, NRRD, MetaImage, PNG, JPEG and TIFF are read"
            ),
        )
    }

    pub(super) fn no_label_map(what: &str) -> Self {
        Self::new(
            ScanErrorKind::UnknownFormat,
            format!(
                "not a label map that can be read; it looks like {what}. NIfTI, NRRD and MetaImage are read"
            ),
        )
    }

    #[cfg(not(feature = "formats"))]
    pub(super) fn needs_formats(what: &str) -> Self {
        let message = format!("{what} is read by another module");
        Self::new(ScanErrorKind::NeedsFormats, message)
    }

    pub(super) fn missing_part(name: &str) -> Self {
        Self::new(
            ScanErrorKind::MissingPart,
            format!("the voxels are in another file, {name}: give both"),
        )
    }

    pub(super) fn no_scan() -> Self {
        let message = "no file was given";
        Self::new(ScanErrorKind::NoScan, message.to_owned())
    }

    pub(super) fn choose_series(series: &[String]) -> Self {
        Self::new(
            ScanErrorKind::SeriesChoice,
            format!(
                "there are {} series; choose one: {}",
                series.len(),
                series.join("; ")
            ),
        )
    }

    pub(super) fn no_such_series(chosen: &str, series: &[String]) -> Self {
        Self::new(
            ScanErrorKind::SeriesChoice,
            format!(
                "there is no series '{chosen}'; there are: {}",
                series.join("; ")
            ),
        )
    }

    pub(super) fn bad_archive(what: &dyn fmt::Display) -> Self {
        let message = format!("an archive that cannot be unpacked: {what}");
        Self::new(ScanErrorKind::BadArchive, message)
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
            format!("damaged compressed stream after {place} unpacked bytes: {reason}"),
        )
    }

    pub(super) fn too_long(dims: [usize; 3]) -> Self {
        Self::new(
            ScanErrorKind::TooLarge,
            format!("{dims:?} voxels: NIfTI-1 counts to 32767 along each axis"),
        )
    }

    pub(super) fn bad_rank(rank: i64) -> Self {
        Self::new(
            ScanErrorKind::BadRank,
            format!("header field dim[0] is {rank}; the number of dimensions must be 1 to 7"),
        )
    }

    pub(super) fn bad_dimension(index: usize, size: i64) -> Self {
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
                "header field vox_offset is {offset}; voxels of a single file start at byte 352 (NIfTI-2: 544) or later"
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

    pub(super) fn not_a_number(word: &str) -> Self {
        let word: String = word.chars().take(40).collect();
        Self::new(
            ScanErrorKind::NotFinite,
            format!("'{}' stands where a number should", word.escape_debug()),
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
