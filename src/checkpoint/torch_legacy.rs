//! A file that `torch.save` wrote before PyTorch 1.6, as the heads of LPIPS are: pickles one after another, then the storages.
//!
//! ```text
//! magic number, protocol, machine          three pickles
//! state dict, names of the storages        two pickles
//! for each name: number of elements (i64), elements
//! ```

use std::collections::BTreeMap;
use std::io::{self, Read, SeekFrom};

use super::error::{CheckpointError, CheckpointErrorKind as Kind};
use super::pickle::{self, Pickle, TorchTensor, Value};
use super::tensor_file::{Source, StoredTensor};
use super::torch_file::{end, gather, table, width};

/// The pickle of the magic number, and the beginning of every such file.
const MAGIC: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e";
/// The pickle of the protocol's number, 1001.
const PROTOCOL: &[u8] = b"\x80\x02\x4d\xe9\x03\x2e";

/// Whether a file begins as these do.
pub(super) fn is_legacy(head: &[u8]) -> bool {
    head.len() >= 9 && MAGIC.starts_with(&head[..9])
}

/// An open file: where each storage begins, and how each tensor looks into its storage.
pub(super) struct LegacyFile {
    source: Box<dyn Source>,
    /// First byte of the elements of each storage.
    starts: BTreeMap<String, u64>,
    tensors: BTreeMap<String, TorchTensor>,
}

impl LegacyFile {
    /// Reads the pickles and the storages' lengths.
    pub fn open(
        name: &str,
        mut source: Box<dyn Source>,
    ) -> Result<(Self, BTreeMap<String, StoredTensor>), CheckpointError> {
        let format = |what: String| {
            let what = format!("not a complete PyTorch checkpoint ({what})");
            CheckpointError::new(Kind::Format, name, what.replace('\n', " "))
        };
        let mut bytes = Vec::new();
        let head = source
            .by_ref()
            .take(pickle::LONGEST)
            .read_to_end(&mut bytes);
        head.map_err(|e| format(e.to_string()))?;
        let head = Head::read(&bytes).map_err(format)?;
        let (tensors, stored) = table(name, &head.state, check)?;
        let starts = storages(&mut source, &head, &tensors).map_err(format)?;
        let file = Self {
            source,
            starts,
            tensors,
        };
        Ok((file, stored))
    }

    /// Little-endian elements of a tensor, in row-major order.
    pub fn read(&mut self, key: &str) -> io::Result<Vec<u8>> {
        let tensor = self.tensors.get(key).ok_or(io::ErrorKind::NotFound)?;
        let start = self.starts.get(&tensor.storage.name);
        let start = *start.ok_or(io::ErrorKind::NotFound)?;
        let width = width(tensor.storage.dtype);
        let first = start + (tensor.offset * width) as u64;
        self.source.seek(SeekFrom::Start(first))?;
        // `check` has seen that the tensor is within its storage, `storages` that the file is as long.
        let elements = end(tensor).unwrap_or(0).max(tensor.offset) - tensor.offset;
        let mut bytes = vec![0; elements * width];
        self.source.read_exact(&mut bytes)?;
        Ok(gather(bytes, tensor, width))
    }
}

/// What stands before the storages.
struct Head {
    state: Pickle,
    /// In the file's order.
    names: Vec<String>,
    /// Bytes of it all.
    length: usize,
}

impl Head {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        let rest = bytes.strip_prefix(MAGIC);
        let rest = rest.and_then(|rest| rest.strip_prefix(PROTOCOL));
        let rest = rest.ok_or("its protocol is not known")?;
        let (_machine, rest) = Pickle::read_first(rest)?;
        let (state, rest) = Pickle::read_first(rest)?;
        let (names, rest) = Pickle::read_first(rest)?;
        let Value::List(ids) = names.root() else {
            return Err("its storages have no list".into());
        };
        let name = |&id| match names.get(id) {
            Value::Text(name) => Ok(name.clone()),
            _ => Err("a storage's name is no text"),
        };
        Ok(Self {
            names: ids.iter().map(name).collect::<Result<_, _>>()?,
            state,
            length: bytes.len() - rest.len(),
        })
    }
}

/// Whether a tensor is within its storage.
fn check(tensor: &TorchTensor) -> Result<(), String> {
    let sizes = tensor.shape.iter();
    let count = sizes.copied().try_fold(1usize, usize::checked_mul);
    let len = tensor.storage.len;
    match count.is_some_and(|count| count <= len) && end(tensor).is_some_and(|end| end <= len) {
        true => Ok(()),
        false => Err("reaches beyond its storage".into()),
    }
}

/// First byte of each storage's elements. All of them are in the file.
fn storages(
    source: &mut Box<dyn Source>,
    head: &Head,
    tensors: &BTreeMap<String, TorchTensor>,
) -> Result<BTreeMap<String, u64>, String> {
    let length = source.seek(SeekFrom::End(0)).map_err(|e| e.to_string())?;
    let used = tensors.values().map(|tensor| &tensor.storage);
    let used: BTreeMap<&str, _> = used
        .map(|storage| (storage.name.as_str(), storage))
        .collect();
    let mut starts = BTreeMap::new();
    let mut at = head.length as u64;
    for name in &head.names {
        let storage = used.get(name.as_str());
        let storage = storage.ok_or_else(|| format!("nothing uses its storage `{name}`"))?;
        let mut count = [0; 8];
        let read = source.seek(SeekFrom::Start(at));
        let read = read.and_then(|_| source.read_exact(&mut count));
        read.map_err(|e| format!("storage `{name}`: {e}"))?;
        if u64::from_le_bytes(count) != storage.len as u64 {
            let found = i64::from_le_bytes(count);
            return Err(format!(
                "storage `{name}` has {found} elements, not {}",
                storage.len
            ));
        }
        starts.insert(name.clone(), at + 8);
        let bytes = storage.len.checked_mul(width(storage.dtype));
        let end = bytes.and_then(|bytes| (at + 8).checked_add(bytes as u64));
        at = end.filter(|&end| end <= length).ok_or("it is cut short")?;
    }
    match used.keys().find(|name| !starts.contains_key(**name)) {
        None => Ok(starts),
        Some(name) => Err(format!("its storage `{name}` is missing")),
    }
}
