//! What is wrong with DICOM files, worded once. In: figures and names. Out: a [`ScanError`].

use crate::scan::error::{ScanError, ScanErrorKind};

impl ScanError {
    pub(super) fn bad_dicom(what: &str) -> Self {
        Self::new(ScanErrorKind::BadDicom, format!("a DICOM file, but {what}"))
    }

    pub(super) fn not_an_image(what: &str) -> Self {
        let message = format!("{what}, not a scan");
        Self::new(ScanErrorKind::NotAnImage, message)
    }

    pub(super) fn transfer_syntax(name: &str) -> Self {
        let help = match name {
            _ if name.contains("JPEG-LS") || name.contains("JPEG LS") => {
                "; `dcmdjpls` (DCMTK) or `gdcmconv --raw` (GDCM) make uncompressed files of it"
            }
            _ => {
                "; convert the files to Explicit VR Little Endian first, for instance with `gdcmconv --raw` (GDCM)"
            }
        };
        Self::new(
            ScanErrorKind::TransferSyntax,
            format!("DICOM pixels in transfer syntax {name} are not read{help}"),
        )
    }

    pub(super) fn photometric(name: &str, samples: usize) -> Self {
        Self::new(
            ScanErrorKind::UnsupportedType,
            format!(
                "DICOM pixels with PhotometricInterpretation '{name}' and {samples} values each are not read; \
                 grey and RGB ones are"
            ),
        )
    }

    pub(super) fn bits(allocated: u32) -> Self {
        Self::new(
            ScanErrorKind::UnsupportedType,
            format!("DICOM pixels of {allocated} bits are not read; those of 8, 16 and 32 are"),
        )
    }

    pub(super) fn missing_frames(count: usize, there: usize, unit: &str) -> Self {
        Self::new(
            ScanErrorKind::Truncated,
            format!("truncated: it should have {count} frames and has {there} {unit}"),
        )
    }

    pub(super) fn no_grid(what: &str) -> Self {
        let message = format!("its slices do not make a volume: {what}");
        Self::new(ScanErrorKind::NoVolume, message)
    }
}
