//! A `.safetensors` source: its header as a table, and a tensor's bytes when they are asked for.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};

use safetensors::{SafeTensorError, tensor::Metadata};

use super::error::{CheckpointError, CheckpointErrorKind as Kind};
use super::scheme::{self, PackedShape};
use super::tensor_file::{Source, StoredTensor};

/// A header longer than this is refused, so that a wrong length cannot ask for all memory; ours have 100 kB.
const LONGEST_HEADER: u64 = 16 << 20;

/// An open file: where each tensor's bytes are.
pub(super) struct SafetensorsFile {
    source: Box<dyn Source>,
    /// First byte and length of each tensor.
    places: BTreeMap<String, (u64, usize)>,
}

/// What the header says.
pub(super) struct Opened {
    pub file: SafetensorsFile,
    pub tensors: BTreeMap<String, StoredTensor>,
    pub packed: BTreeMap<String, PackedShape>,
}

impl SafetensorsFile {
    pub fn read(&mut self, key: &str) -> io::Result<Vec<u8>> {
        let &(start, len) = self.places.get(key).ok_or(io::ErrorKind::NotFound)?;
        self.source.seek(SeekFrom::Start(start))?;
        let mut bytes = vec![0; len];
        self.source.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// Reads and checks the header.
pub(super) fn open(name: &str, mut source: Box<dyn Source>) -> Result<Opened, CheckpointError> {
    let header = read_header(&mut source).map_err(|e| {
        let what = format!("not a complete safetensors file ({e})");
        CheckpointError::new(Kind::Format, name, what)
    })?;
    let (mut tensors, mut places) = (BTreeMap::new(), BTreeMap::new());
    for (key, info) in header.metadata.tensors() {
        let (start, end) = info.data_offsets;
        places.insert(key.clone(), (header.end + start as u64, end - start));
        let (shape, dtype) = (info.shape.clone(), info.dtype);
        tensors.insert(key, StoredTensor { shape, dtype });
    }
    let packed = match header.metadata.metadata() {
        Some(metadata) => scheme::read(name, metadata, &tensors)?,
        None => BTreeMap::new(),
    };
    let file = SafetensorsFile { source, places };
    Ok(Opened {
        file,
        tensors,
        packed,
    })
}

struct Header {
    metadata: Metadata,
    /// Where it ends and the tensors begin.
    end: u64,
}

/// The header, with its claims about the file's length checked.
fn read_header(source: &mut impl Source) -> Result<Header, SafeTensorError> {
    let total = source.seek(SeekFrom::End(0))?;
    source.seek(SeekFrom::Start(0))?;
    let mut length = [0; 8];
    if source.read_exact(&mut length).is_err() {
        return Err(SafeTensorError::HeaderTooSmall);
    }
    let length = u64::from_le_bytes(length);
    if length > LONGEST_HEADER {
        return Err(SafeTensorError::HeaderTooLarge);
    }
    let end = 8 + length;
    if end > total {
        return Err(SafeTensorError::InvalidHeaderLength);
    }
    let mut json = Vec::new();
    source.take(length).read_to_end(&mut json)?;
    // Parsing checks that the tensors' places agree with their shapes and follow one another without a gap.
    let metadata: Metadata =
        serde_json::from_slice(&json).map_err(SafeTensorError::InvalidHeaderDeserialization)?;
    match end.checked_add(metadata.data_len() as u64) == Some(total) {
        true => Ok(Header { metadata, end }),
        false => Err(SafeTensorError::MetadataIncompleteBuffer),
    }
}
