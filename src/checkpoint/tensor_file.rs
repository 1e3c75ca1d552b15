//! A checkpoint file as a table of named tensors, whatever its format.

use std::collections::BTreeMap;
use std::ops::Range;

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};

use super::error::{CheckpointError, CheckpointErrorKind as Kind};

/// Named tensors of one file. Values are decoded when they are asked for.
#[derive(Debug)]
pub struct TensorFile {
    name: String,
    bytes: Vec<u8>,
    tensors: BTreeMap<String, StoredTensor>,
}

/// One tensor of a file.
#[derive(Debug)]
pub struct StoredTensor {
    shape: Vec<usize>,
    dtype: Dtype,
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// Where in the file's bytes.
    Bytes(Range<usize>),
    #[cfg(not(target_arch = "wasm32"))]
    Pytorch(pytorch_reader::Tensor),
}

impl StoredTensor {
    /// Sizes, outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Type on disk.
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }
}

impl TensorFile {
    /// Reads a `.safetensors` file. `name` stands in error messages.
    ///
    /// # Errors
    /// When the bytes are no safetensors file.
    pub fn from_safetensors(name: &str, bytes: Vec<u8>) -> Result<Self, CheckpointError> {
        let mut tensors = BTreeMap::new();
        {
            let parsed = SafeTensors::deserialize(&bytes).map_err(|e| {
                let what = format!("not a complete safetensors file ({e})");
                CheckpointError::new(Kind::Format, name, what)
            })?;
            for (key, view) in parsed.iter() {
                // The view borrows from `bytes`; remember where it lies instead.
                let start = view.data().as_ptr() as usize - bytes.as_ptr() as usize;
                let tensor = StoredTensor {
                    shape: view.shape().to_vec(),
                    dtype: view.dtype(),
                    source: Source::Bytes(start..start + view.data().len()),
                };
                tensors.insert(key.to_owned(), tensor);
            }
        }
        Ok(Self {
            name: name.to_owned(),
            bytes,
            tensors,
        })
    }

    /// Reads a checkpoint from disk: `.safetensors`, or a PyTorch file that is a state dict or
    /// has one under `model`. The format is told from the content.
    ///
    /// # Errors
    /// When the file cannot be read or is neither.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn open(path: &std::path::Path) -> Result<Self, CheckpointError> {
        let name = path.display().to_string();
        let unreadable = |e| CheckpointError::new(Kind::Unreadable, &name, format!("{e}"));
        let mut head = [0; 9];
        let mut file = std::fs::File::open(path).map_err(unreadable)?;
        let is_safetensors = std::io::Read::read_exact(&mut file, &mut head).is_ok()
            && head[8] == b'{'
            && !head.starts_with(b"PK");
        match is_safetensors {
            true => Self::from_safetensors(&name, std::fs::read(path).map_err(unreadable)?),
            false => Self::open_pytorch(path, &name),
        }
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn open_pytorch(path: &std::path::Path, name: &str) -> Result<Self, CheckpointError> {
        use pytorch_reader::PytorchReader;
        let reader = PytorchReader::with_top_level_key(path, "model")
            .or_else(|_| PytorchReader::new(path))
            .map_err(|e| {
                let what = format!("neither a safetensors nor a PyTorch checkpoint ({e})");
                CheckpointError::new(Kind::Format, name, what.replace('\n', " "))
            })?;
        let mut tensors = BTreeMap::new();
        for (key, tensor) in reader.into_tensors() {
            let dtype = pytorch_dtype(&tensor).ok_or_else(|| {
                let what = format!("key `{key}` is {:?}, not a float tensor", tensor.dtype());
                CheckpointError::new(Kind::Dtype, name, what)
            })?;
            let shape = tensor.shape().to_vec();
            let source = Source::Pytorch(tensor);
            tensors.insert(
                key,
                StoredTensor {
                    shape,
                    dtype,
                    source,
                },
            );
        }
        Ok(Self {
            name: name.to_owned(),
            bytes: Vec::new(),
            tensors,
        })
    }

    /// Name for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// One tensor.
    pub fn get(&self, key: &str) -> Option<&StoredTensor> {
        self.tensors.get(key)
    }

    /// Sum of all tensors' elements.
    pub fn parameters(&self) -> usize {
        let count = |t: &StoredTensor| t.shape.iter().product::<usize>();
        self.tensors.values().map(count).sum()
    }

    /// Values of a tensor, in row-major order.
    ///
    /// # Errors
    /// When the key is missing, is no float tensor, cannot be read, or holds NaN or infinity.
    pub fn read_f32(&self, key: &str) -> Result<Vec<f32>, CheckpointError> {
        let error = |kind, what: String| CheckpointError::new(kind, &self.name, what);
        let tensor = self
            .get(key)
            .ok_or_else(|| error(Kind::MissingKey, format!("key `{key}` is missing")))?;
        let values = match &tensor.source {
            Source::Bytes(range) => decode(tensor.dtype, &self.bytes[range.clone()]),
            #[cfg(not(target_arch = "wasm32"))]
            Source::Pytorch(stored) => {
                let bytes = stored.read().map_err(|e| {
                    error(Kind::Format, format!("key `{key}` cannot be read ({e})"))
                })?;
                decode(tensor.dtype, &bytes)
            }
        };
        let values = values.ok_or_else(|| {
            error(
                Kind::Dtype,
                format!("key `{key}` is {:?}, not a float tensor", tensor.dtype),
            )
        })?;
        match values.iter().all(|v| v.is_finite()) {
            true => Ok(values),
            false => Err(error(
                Kind::NotFinite,
                format!("key `{key}` holds NaN or infinity"),
            )),
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn pytorch_dtype(tensor: &pytorch_reader::Tensor) -> Option<Dtype> {
    use pytorch_reader::DType;
    Some(match tensor.dtype() {
        DType::F64 => Dtype::F64,
        DType::F32 => Dtype::F32,
        DType::F16 => Dtype::F16,
        DType::BF16 => Dtype::BF16,
        _ => return None,
    })
}

/// Little-endian floats, or none for another type.
fn decode(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    fn each<const N: usize>(bytes: &[u8], value: fn([u8; N]) -> f32) -> Vec<f32> {
        let chunks = bytes.as_chunks::<N>().0;
        chunks.iter().map(|&chunk| value(chunk)).collect()
    }
    Some(match dtype {
        Dtype::F32 => each(bytes, f32::from_le_bytes),
        Dtype::F16 => each(bytes, |b| f16::from_le_bytes(b).to_f32()),
        Dtype::BF16 => each(bytes, |b| bf16::from_le_bytes(b).to_f32()),
        Dtype::F64 => each(bytes, |b| f64::from_le_bytes(b) as f32),
        _ => return None,
    })
}
