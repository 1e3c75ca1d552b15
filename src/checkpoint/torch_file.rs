//! A file of `torch.save`: a zip archive with a pickle and one file of elements for each storage.

use std::collections::BTreeMap;
use std::io::{self, Read};

use safetensors::Dtype;
use zip::ZipArchive;

use super::error::{CheckpointError, CheckpointErrorKind as Kind};
use super::pickle::{self, Id, Pickle, TorchTensor, Value};
use super::tensor_file::{Source, StoredTensor};

/// Where training programs put the state dict, beside the optimiser and the like.
const NESTED: &str = "model";

/// An open file: which storage each tensor looks into, and how.
pub(super) struct TorchFile {
    archive: ZipArchive<Box<dyn Source>>,
    /// Folder of the archive, with its slash.
    folder: String,
    tensors: BTreeMap<String, TorchTensor>,
}

impl TorchFile {
    /// Reads the archive's directory and pickle.
    pub fn open(
        name: &str,
        source: Box<dyn Source>,
    ) -> Result<(Self, BTreeMap<String, StoredTensor>), CheckpointError> {
        let format = |what: String| CheckpointError::new(Kind::Format, name, what);
        let opened = open_archive(source).map_err(|e| format(neither(e)))?;
        let (archive, folder, pickle) = opened;
        let mut file = Self {
            archive,
            folder,
            tensors: BTreeMap::new(),
        };
        let (tensors, stored) = table(name, &pickle, |tensor| file.check(tensor))?;
        file.tensors = tensors;
        Ok((file, stored))
    }

    /// Whether all elements of a tensor are in a file of the archive.
    fn check(&mut self, tensor: &TorchTensor) -> Result<(), String> {
        let entry = self.entry(tensor);
        let there = self.archive.by_name(&entry).map(|file| file.size());
        let there = there.map_err(|_| format!("has no storage `{entry}`"))?;
        let bytes = tensor.storage.len.checked_mul(width(tensor.storage.dtype));
        if bytes.is_none_or(|bytes| bytes as u64 > there) {
            let len = tensor.storage.len;
            return Err(format!("has {there} bytes for {len} elements"));
        }
        let count = tensor
            .shape
            .iter()
            .try_fold(1usize, |n, &size| n.checked_mul(size));
        // More elements than are stored: a tensor that repeats itself, which could be of any size.
        if count.is_none_or(|count| count > tensor.storage.len)
            || end(tensor).is_none_or(|end| end > tensor.storage.len)
        {
            return Err("reaches beyond its storage".into());
        }
        Ok(())
    }

    fn entry(&self, tensor: &TorchTensor) -> String {
        format!("{}data/{}", self.folder, tensor.storage.name)
    }

    /// Little-endian elements of a tensor, in row-major order.
    pub fn read(&mut self, key: &str) -> io::Result<Vec<u8>> {
        let tensor = self.tensors.get(key).ok_or(io::ErrorKind::NotFound)?;
        let width = width(tensor.storage.dtype);
        let entry = self.entry(tensor);
        let (start, end) = (tensor.offset, end(tensor).unwrap_or(0).max(tensor.offset));
        let mut file = self.archive.by_name(&entry).map_err(io::Error::other)?;
        io::copy(
            &mut file.by_ref().take((start * width) as u64),
            &mut io::sink(),
        )?;
        let span = (end - start) * width;
        // Not all at once: a damaged archive may claim more than it has.
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(span).map_err(io::Error::other)?;
        file.by_ref().take(span as u64).read_to_end(&mut bytes)?;
        // The archive's checksum is compared at the end of the file.
        io::copy(&mut file, &mut io::sink())?;
        match bytes.len() == span {
            true => Ok(gather(bytes, tensor, width)),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// Tensors by name: how each looks into its storage, and what is told of it.
pub(super) type Table = (
    BTreeMap<String, TorchTensor>,
    BTreeMap<String, StoredTensor>,
);

/// The tensors of a state dict that `check` takes, and what is told of them.
pub(super) fn table(
    name: &str,
    pickle: &Pickle,
    mut check: impl FnMut(&TorchTensor) -> Result<(), String>,
) -> Result<Table, CheckpointError> {
    let format = |what: String| CheckpointError::new(Kind::Format, name, what);
    let (mut tensors, mut stored) = (BTreeMap::new(), BTreeMap::new());
    for (key, value) in state_dict(pickle).map_err(|e| format(neither(e)))? {
        let Value::Tensor(tensor) = value else {
            return Err(format(format!("key `{key}` is no tensor")));
        };
        let dtype = tensor.storage.dtype;
        if !matches!(dtype, Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16) {
            let what = format!("key `{key}` is {dtype:?}, not a float tensor");
            return Err(CheckpointError::new(Kind::Dtype, name, what));
        }
        check(tensor).map_err(|what| format(format!("key `{key}` {what}")))?;
        let shape = tensor.shape.clone();
        stored.insert(key.to_owned(), StoredTensor { shape, dtype });
        tensors.insert(key.to_owned(), tensor.clone());
    }
    Ok((tensors, stored))
}

fn neither(e: String) -> String {
    format!("neither a safetensors nor a PyTorch checkpoint ({e})").replace('\n', " ")
}

type Opened = (ZipArchive<Box<dyn Source>>, String, Pickle);

fn open_archive(source: Box<dyn Source>) -> Result<Opened, String> {
    let mut archive = ZipArchive::new(source).map_err(|e| e.to_string())?;
    let names = archive.file_names().filter_map(Result::ok);
    let pickles: Vec<String> = names
        .filter_map(|name| Some(name.strip_suffix("data.pkl")?.to_owned()))
        .filter(|folder| folder.ends_with('/'))
        .collect();
    let [folder] = pickles.as_slice() else {
        return Err(format!("a zip archive with {} data.pkl", pickles.len()));
    };
    // Before PyTorch 2.1 there was no such file, and little-endian machines only.
    if let Some(order) = read_entry(&mut archive, &format!("{folder}byteorder"))?
        && order != b"little"
    {
        return Err("its numbers are not little-endian".into());
    }
    let bytes = read_entry(&mut archive, &format!("{folder}data.pkl"))?;
    let pickle = Pickle::read(&bytes.unwrap_or_default())?;
    let folder = folder.clone();
    Ok((archive, folder, pickle))
}

/// A small file of the archive, or none when it is not there.
fn read_entry(
    archive: &mut ZipArchive<Box<dyn Source>>,
    name: &str,
) -> Result<Option<Vec<u8>>, String> {
    if archive.index_for_name(name).is_none() {
        return Ok(None);
    }
    let file = archive.by_name(name).map_err(|e| e.to_string())?;
    let mut bytes = Vec::new();
    let read = file.take(pickle::LONGEST + 1).read_to_end(&mut bytes);
    let read = read.map_err(|e| format!("{name}: {e}"))?;
    match read as u64 <= pickle::LONGEST {
        true => Ok(Some(bytes)),
        false => Err(format!("{name} is too long")),
    }
}

/// Names and values of the state dict: the dict itself, or the one it has under [`NESTED`].
fn state_dict(pickle: &Pickle) -> Result<Vec<(&str, &Value)>, String> {
    let Value::Dict(top) = pickle.root() else {
        return Err("its pickle is no dict".into());
    };
    let is_nested = |key: Id| matches!(pickle.get(key), Value::Text(text) if text == NESTED);
    let nested = top.iter().find(|(key, _)| is_nested(*key));
    let nested = nested.map(|(_, value)| pickle.get(*value));
    let items = match nested {
        Some(Value::Dict(items)) => items,
        _ => top,
    };
    let mut named = Vec::with_capacity(items.len());
    for (key, value) in items {
        match pickle.get(*key) {
            Value::Text(text) => named.push((text.as_str(), pickle.get(*value))),
            _ => return Err("a key of its state dict is no text".into()),
        }
    }
    Ok(named)
}

/// Bytes of an element.
pub(super) fn width(dtype: Dtype) -> usize {
    dtype.bitsize() / 8
}

/// One past the last element that a tensor looks at, none when that is no number.
pub(super) fn end(tensor: &TorchTensor) -> Option<usize> {
    if tensor.shape.len() != tensor.strides.len() {
        return None;
    }
    if tensor.shape.contains(&0) {
        return Some(tensor.offset);
    }
    let axes = tensor.shape.iter().zip(&tensor.strides);
    let mut steps = axes.map(|(size, stride)| (size - 1).checked_mul(*stride));
    let last = steps.try_fold(tensor.offset, |end, steps| end.checked_add(steps?))?;
    last.checked_add(1)
}

/// The elements in row-major order, from those of the storage that begin with the tensor's first.
pub(super) fn gather(bytes: Vec<u8>, tensor: &TorchTensor, width: usize) -> Vec<u8> {
    let mut expected = 1;
    let axes = tensor.shape.iter().zip(&tensor.strides).rev();
    let contiguous = axes.into_iter().all(|(&size, &stride)| {
        let fits = size <= 1 || stride == expected;
        expected *= size;
        fits
    });
    if contiguous {
        return bytes;
    }
    let count = tensor.shape.iter().product::<usize>();
    let mut out = Vec::with_capacity(count * width);
    let mut index = vec![0; tensor.shape.len()];
    for _ in 0..count {
        let at: usize = index.iter().zip(&tensor.strides).map(|(i, s)| i * s).sum();
        out.extend_from_slice(&bytes[at * width..(at + 1) * width]);
        for axis in (0..index.len()).rev() {
            index[axis] += 1;
            if index[axis] < tensor.shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    out
}
