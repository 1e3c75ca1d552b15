//! What a file is, by its first bytes. In: all bytes of a file. Out: NIfTI, or a name for what it looks like
//! instead, to say in a message.

use std::io::Read;

use flate2::read::MultiGzDecoder;

/// What a file looks like.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    Nifti,
    NiftiGz,
    Nifti2,
    Other(String),
}

const GZIP: &[u8] = &[0x1f, 0x8b];
/// Enough to see past DICOM's preamble and a tar header.
const PREFIX: u64 = 512;

/// Beginnings of other formats: place, bytes, name.
const OTHERS: [(usize, &[u8], &str); 18] = [
    (128, b"DICM", "a DICOM file"),
    (0, b"NRRD", "an NRRD file"),
    (0, b"ObjectType", "a MetaImage header"),
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (4, b"jP  ", "a JPEG 2000 picture"),
    (0, b"GIF8", "a GIF picture"),
    (0, b"II*\0", "a TIFF picture"),
    (0, b"MM\0*", "a TIFF picture"),
    (0, b"\x89HDF", "an HDF5 file (MINC?)"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\xfd7zXZ", "an xz archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (0, b"%PDF", "a PDF document"),
    (257, b"ustar", "a tar archive"),
    (0, b"<", "a web page or XML file"),
];

pub(super) fn content(bytes: &[u8]) -> Content {
    if !bytes.starts_with(GZIP) {
        return plain(bytes).unwrap_or_else(|| Content::Other(other(bytes)));
    }
    let mut prefix = Vec::new();
    // An error ends the prefix early; the reader meets it again and reports it with its place.
    let unpacked = MultiGzDecoder::new(bytes)
        .take(PREFIX)
        .read_to_end(&mut prefix);
    match plain(&prefix) {
        Some(Content::Nifti) => Content::NiftiGz,
        Some(content) => content,
        // Cut or damaged before the format shows: the reader of the likeliest format says so.
        None if unpacked.is_err() && prefix.len() < 4 => Content::NiftiGz,
        None => Content::Other(format!("gzip of {}", other(&prefix))),
    }
}

/// NIfTI of either version, from the size of its header in either byte order.
fn plain(bytes: &[u8]) -> Option<Content> {
    let size: [u8; 4] = bytes.get(..4)?.try_into().ok()?;
    match (i32::from_le_bytes(size), i32::from_be_bytes(size)) {
        (348, _) | (_, 348) => Some(Content::Nifti),
        (540, _) | (_, 540) => Some(Content::Nifti2),
        _ => None,
    }
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

    fn name(bytes: &[u8]) -> String {
        match content(bytes) {
            Content::Other(name) => name,
            content => format!("{content:?}"),
        }
    }

    #[test]
    fn tells_formats_by_content() {
        let mut dicom = vec![0; 128];
        dicom.extend(b"DICM");
        let nifti = 348i32.to_be_bytes();
        let nifti2 = 540i32.to_le_bytes();
        assert_eq!(content(&nifti), Content::Nifti);
        assert_eq!(content(&gzip(&nifti)), Content::NiftiGz);
        assert_eq!(content(&nifti2), Content::Nifti2);
        assert_eq!(content(&gzip(&nifti2)), Content::Nifti2);
        assert_eq!(name(&dicom), "a DICOM file");
        assert_eq!(name(&gzip(&dicom)), "gzip of a DICOM file");
        assert_eq!(name(b"\x89PNG\r\n"), "a PNG picture");
        assert_eq!(name(&gzip(&gzip(b"x"))), "gzip of another gzip stream");
        assert_eq!(name(b""), "an empty file");
        assert_eq!(name(&gzip(b"")), "gzip of an empty file");
        assert_eq!(name(b"hello"), "plain text");
        assert_eq!(name(&[7; 9]), "something unknown");
    }

    #[test]
    fn a_cut_gzip_stream_is_left_to_the_reader() {
        for len in 2..12 {
            assert_eq!(content(&gzip(&[0; 400])[..len]), Content::NiftiGz);
        }
    }
}
