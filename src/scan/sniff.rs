//! What a file is, by its first bytes. In: all bytes of a file. Out: its format, or a name for what it looks like
//! instead, to say in a message.

use std::io::Read;

use flate2::read::MultiGzDecoder;

/// What a file looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// Of either version, as it is or in gzip.
    Nifti,
    Nrrd,
    MetaImage,
    Dicom,
    Picture(PictureKind),
    Zip,
    /// Another of these in gzip.
    Gzip,
    Other(String),
}

/// What kind of picture a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PictureKind {
    Png,
    Jpeg,
    Tiff,
}

impl Content {
    /// In words.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Nifti => "a NIfTI file",
            Self::Nrrd => "an NRRD file",
            Self::MetaImage => "a MetaImage file",
            Self::Dicom => "a DICOM file",
            Self::Picture(PictureKind::Png) => "a PNG picture",
            Self::Picture(PictureKind::Jpeg) => "a JPEG picture",
            Self::Picture(PictureKind::Tiff) => "a TIFF picture",
            Self::Zip => "a ZIP archive",
            Self::Gzip => "a gzip stream",
            Self::Other(name) => name,
        }
        .to_owned()
    }
}

const GZIP: &[u8] = &[0x1f, 0x8b];
/// Enough to see past DICOM's preamble and a tar header.
const PREFIX: u64 = 512;

/// Beginnings of formats that are read, but for those that need a closer look.
const KNOWN: [(&[u8], Content); 9] = [
    (b"NRRD0", Content::Nrrd),
    (b"ObjectType", Content::MetaImage),
    (b"NDims", Content::MetaImage),
    (b"\x89PNG", Content::Picture(PictureKind::Png)),
    (b"\xff\xd8\xff", Content::Picture(PictureKind::Jpeg)),
    (b"II*\0", Content::Picture(PictureKind::Tiff)),
    (b"MM\0*", Content::Picture(PictureKind::Tiff)),
    (b"PK\x03\x04", Content::Zip),
    (b"PK\x05\x06", Content::Zip),
];

/// Beginnings of other formats: place, bytes, name.
const OTHERS: [(usize, &[u8], &str); 16] = [
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (4, b"jP  ", "a JPEG 2000 picture"),
    (0, b"GIF8", "a GIF picture"),
    (0, b"BM", "a BMP picture"),
    (8, b"WEBP", "a WebP picture"),
    (4, b"ftyp", "a video or HEIF picture"),
    (0, b"\x1a\x45\xdf\xa3", "a WebM or Matroska video"),
    (0, b"II+\0", "a BigTIFF picture"),
    (0, b"\x89HDF", "an HDF5 file (MINC?)"),
    (0, b"\xfd7zXZ", "an xz archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (0, b"%PDF", "a PDF document"),
    (257, b"ustar", "a tar archive"),
    (0, b"<", "a web page or XML file"),
];

pub(super) fn content(bytes: &[u8]) -> Content {
    if !bytes.starts_with(GZIP) {
        return plain(bytes);
    }
    let mut prefix = Vec::new();
    // An error ends the prefix early; the reader meets it again and reports it with its place.
    let unpacked = MultiGzDecoder::new(bytes)
        .take(PREFIX)
        .read_to_end(&mut prefix);
    match plain(&prefix) {
        // This is unpacked while it is read.
        Content::Nifti => Content::Nifti,
        // Cut or damaged before the format shows: the reader of the likeliest format says so.
        _ if unpacked.is_err() && prefix.len() < 4 => Content::Nifti,
        Content::Other(_) if prefix.starts_with(GZIP) => Content::Gzip,
        Content::Other(name) => Content::Other(format!("gzip of {name}")),
        _ => Content::Gzip,
    }
}

fn plain(bytes: &[u8]) -> Content {
    if nifti(bytes) {
        return Content::Nifti;
    }
    let mut known = KNOWN.iter();
    if let Some((_, content)) = known.find(|(start, _)| bytes.starts_with(start)) {
        return content.clone();
    }
    if dicom(bytes) {
        return Content::Dicom;
    }
    Content::Other(other(bytes))
}

/// A DICOM file: with a preamble, without one, or with the first elements of a bare data set, in one of two encodings.
pub(super) fn dicom(bytes: &[u8]) -> bool {
    bytes.get(128..132) == Some(b"DICM") || bytes.starts_with(b"DICM") || bare_dicom(bytes)
}

/// A data set without anything before it, as old archives hold them: it begins with group 8.
pub(super) fn bare_dicom(bytes: &[u8]) -> bool {
    let [8, 0, element, 0, a, b, c, d, ..] = *bytes else {
        return false;
    };
    let known = matches!(element, 0x00 | 0x01 | 0x05 | 0x08 | 0x12 | 0x16);
    let implicit = u32::from_le_bytes([a, b, c, d]) <= 64;
    let explicit = matches!(&[a, b], b"UL" | b"CS" | b"DA" | b"UI");
    known && (implicit || explicit)
}

/// NIfTI of either version, from the size of its header in either byte order.
fn nifti(bytes: &[u8]) -> bool {
    let Some(size) = bytes.first_chunk::<4>() else {
        return false;
    };
    let sizes = [i32::from_le_bytes(*size), i32::from_be_bytes(*size)];
    sizes.contains(&348) || sizes.contains(&540)
}

fn other(bytes: &[u8]) -> String {
    let known = OTHERS.iter().find(|(place, start, _)| {
        bytes
            .get(*place..)
            .is_some_and(|rest| rest.starts_with(start))
    });
    match known {
        Some((_, _, name)) => (*name).to_owned(),
        None if bytes.is_empty() => "an empty file".to_owned(),
        None if bytes.starts_with(GZIP) => "another gzip stream".to_owned(),
        None if bytes
            .iter()
            .take(256)
            .all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace()) =>
        {
            "plain text".to_owned()
        }
        None => "something unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("in memory");
        encoder.finish().expect("in memory")
    }

    #[test]
    fn tells_formats_by_content() {
        let mut dicom = vec![0; 128];
        dicom.extend(b"DICM");
        let nifti = 348i32.to_be_bytes();
        let nifti2 = 540i32.to_le_bytes();
        for bytes in [nifti, nifti2] {
            assert_eq!(content(&bytes), Content::Nifti);
            assert_eq!(content(&gzip(&bytes)), Content::Nifti);
        }
        assert_eq!(content(&dicom), Content::Dicom);
        assert_eq!(content(b"DICM\x02\0"), Content::Dicom);
        assert_eq!(content(b"\x08\0\x05\0\x0a\0\0\0ISO_IR 100"), Content::Dicom);
        assert_eq!(content(b"\x08\0\x05\0CS\x0a\0ISO_IR 100"), Content::Dicom);
        assert_eq!(content(&gzip(&dicom)), Content::Gzip);
        assert_eq!(content(b"NRRD0004\n"), Content::Nrrd);
        assert_eq!(content(b"ObjectType = Image\n"), Content::MetaImage);
        assert_eq!(content(b"PK\x03\x04"), Content::Zip);
        let png = Content::Picture(PictureKind::Png);
        assert_eq!(content(b"\x89PNG\r\n"), png);
        assert_eq!(content(&gzip(&gzip(b"x"))), Content::Gzip);
        let other = |bytes: &[u8]| match content(bytes) {
            Content::Other(name) => name,
            content => format!("{content:?}"),
        };
        assert_eq!(other(b""), "an empty file");
        assert_eq!(other(&gzip(b"")), "gzip of an empty file");
        assert_eq!(other(b"hello"), "plain text");
        assert_eq!(other(&[7; 9]), "something unknown");
    }

    #[test]
    fn a_cut_gzip_stream_is_left_to_the_reader() {
        for len in 2..12 {
            assert_eq!(content(&gzip(&[0; 400])[..len]), Content::Nifti);
        }
    }
}
