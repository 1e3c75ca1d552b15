//! Files as they come, unpacked. In: files, some of which may be archives or compressed. Out: the files in them, with what each
//! looks like.

use std::borrow::Cow;
use std::io::{Cursor, Read};

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;

use super::error::ScanError;
use super::series::InputFile;
use super::sniff::{self, Content};

/// Bytes that archives may unpack to, all together.
const MOST_UNPACKED: u64 = 1 << 33;
/// Archives in archives, at most.
const DEPTH: usize = 3;

/// A file to read.
pub(super) struct File<'a> {
    pub(super) name: String,
    pub(super) bytes: Cow<'a, [u8]>,
    pub(super) content: Content,
}

impl<'a> File<'a> {
    /// The folder and the name in it.
    pub(super) fn folder_and_name(&self) -> (&str, &str) {
        self.name.rsplit_once('/').unwrap_or(("", &self.name))
    }
}

/// The files in files.
pub(super) fn unpacked(files: &[InputFile]) -> Result<Vec<File<'_>>, ScanError> {
    let mut found = Vec::new();
    let mut left = MOST_UNPACKED;
    for file in files {
        let name = file.name.replace('\\', "/");
        add(name, Cow::Borrowed(&file.bytes), 0, &mut left, &mut found)?;
    }
    match found.is_empty() {
        true => Err(ScanError::no_scan()),
        false => Ok(found),
    }
}

/// The same for a single file, which may not be an archive of several.
pub(super) fn single<'a>(name: &str, bytes: &'a [u8]) -> Result<Vec<File<'a>>, ScanError> {
    let (mut found, mut left) = (Vec::new(), MOST_UNPACKED);
    let bytes = Cow::Borrowed(bytes);
    add(name.to_owned(), bytes, 0, &mut left, &mut found)?;
    Ok(found)
}

fn add<'a>(
    name: String,
    bytes: Cow<'a, [u8]>,
    depth: usize,
    left: &mut u64,
    found: &mut Vec<File<'a>>,
) -> Result<(), ScanError> {
    let content = sniff::content(&bytes);
    if depth > DEPTH {
        let error = ScanError::bad_archive(&"there are archives in archives in archives");
        return Err(error.in_file(&name));
    }
    match content {
        Content::Zip => {
            let in_file = |e: ScanError| e.in_file(&name);
            for (entry, bytes) in entries(&bytes, left).map_err(in_file)? {
                add(
                    format!("{name}/{entry}"),
                    bytes.into(),
                    depth + 1,
                    left,
                    found,
                )?;
            }
        }
        Content::Gzip => {
            let unpacked = read(MultiGzDecoder::new(&*bytes), left);
            let unpacked = unpacked.map_err(|e| e.in_file(&name))?;
            add(name, unpacked.into(), depth + 1, left, found)?;
        }
        content => found.push(File {
            name,
            bytes,
            content,
        }),
    }
    Ok(())
}

/// The files of a zip archive, without those that operating systems leave there.
fn entries(bytes: &[u8], left: &mut u64) -> Result<Vec<(String, Vec<u8>)>, ScanError> {
    let mut archive =
        ZipArchive::new(Cursor::new(bytes)).map_err(|e| ScanError::bad_archive(&e))?;
    let mut found = Vec::new();
    for number in 0..archive.len() {
        let entry = archive.by_index(number);
        let entry = entry.map_err(|e| ScanError::bad_archive(&e))?;
        let name = entry.name().map_err(|e| ScanError::bad_archive(&e))?;
        let name = name.replace('\\', "/");
        if entry.is_dir() || is_litter(&name) {
            continue;
        }
        found.push((name, read(entry, left)?));
    }
    Ok(found)
}

/// Whether a file is an operating system's own.
fn is_litter(name: &str) -> bool {
    let mut parts = name.split('/');
    parts.any(|part| part.starts_with('.') || part == "__MACOSX" || part == "Thumbs.db")
}

/// All that a decompressor gives, unless it is more than there is room for.
fn read(packed: impl Read, left: &mut u64) -> Result<Vec<u8>, ScanError> {
    let mut unpacked = Vec::new();
    let read = packed.take(*left).read_to_end(&mut unpacked);
    read.map_err(|e| ScanError::bad_archive(&e))?;
    *left -= unpacked.len() as u64;
    match *left {
        0 => Err(ScanError::bad_archive(&"it unpacks to more than 8 GiB")),
        _ => Ok(unpacked),
    }
}
