//! A checkpoint file as a table of named tensors, whatever its format. Only the table is in memory: values are read
//! from the source when they are asked for, one tensor at a time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use half::{bf16, f16};
use safetensors::Dtype;

use super::error::{CheckpointError, CheckpointErrorKind as Kind};
use super::safetensors_file::{self, SafetensorsFile};
use super::scheme::PackedShape;
use super::torch_file::TorchFile;
use super::torch_legacy::{LegacyFile, is_legacy};

/// Where a checkpoint's bytes come from: a file, memory, or what a browser calls a file.
pub trait Source: Read + Seek {}

impl<T: Read + Seek> Source for T {}

/// Named tensors of one file.
pub struct TensorFile {
    name: String,
    values: RefCell<Values>,
    tensors: BTreeMap<String, StoredTensor>,
    packed: BTreeMap<String, PackedShape>,
}

/// The format's way to a tensor's bytes.
enum Values {
    Safetensors(SafetensorsFile),
    Torch(TorchFile),
    Legacy(LegacyFile),
}

/// One tensor of a file.
#[derive(Clone, Debug)]
pub struct StoredTensor {
    pub(super) shape: Vec<usize>,
    pub(super) dtype: Dtype,
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

impl fmt::Debug for TensorFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.tensors.len();
        write!(f, "TensorFile({}, {count} tensors)", self.name)
    }
}

impl TensorFile {
    /// Reads a `.safetensors` file. `name` stands in error messages.
    ///
    /// # Errors
    /// When the bytes are no safetensors file.
    pub fn from_safetensors(name: &str, bytes: Vec<u8>) -> Result<Self, CheckpointError> {
        Self::safetensors(name, Box::new(Cursor::new(bytes)))
    }

    /// Reads a checkpoint: `.safetensors`, or what `torch.save` writes for a state dict or for a dict with one under
    /// `model`. The format is told from the content. `name` stands in error messages.
    ///
    /// # Errors
    /// When the source cannot be read or is neither.
    pub fn from_source(name: &str, mut source: Box<dyn Source>) -> Result<Self, CheckpointError> {
        let unreadable = |e: io::Error| CheckpointError::new(Kind::Unreadable, name, e.to_string());
        let mut head = Vec::with_capacity(9);
        source
            .by_ref()
            .take(9)
            .read_to_end(&mut head)
            .map_err(unreadable)?;
        source.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        let is_safetensors = head.get(8) == Some(&b'{') && !head.starts_with(b"PK");
        if is_safetensors {
            return Self::safetensors(name, source);
        }
        let (values, tensors) = match is_legacy(&head) {
            true => {
                let (file, tensors) = LegacyFile::open(name, source)?;
                (Values::Legacy(file), tensors)
            }
            false => {
                let (file, tensors) = TorchFile::open(name, source)?;
                (Values::Torch(file), tensors)
            }
        };
        Ok(Self {
            name: name.to_owned(),
            values: RefCell::new(values),
            tensors,
            packed: BTreeMap::new(),
        })
    }

    fn safetensors(name: &str, source: Box<dyn Source>) -> Result<Self, CheckpointError> {
        let opened = safetensors_file::open(name, source)?;
        Ok(Self {
            name: name.to_owned(),
            values: RefCell::new(Values::Safetensors(opened.file)),
            tensors: opened.tensors,
            packed: opened.packed,
        })
    }

    /// Reads a checkpoint from disk, as [`from_source`](Self::from_source) does.
    ///
    /// # Errors
    /// When the file cannot be read or is no checkpoint.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn open(path: &std::path::Path) -> Result<Self, CheckpointError> {
        let name = path.display().to_string();
        let file = std::fs::File::open(path)
            .map_err(|e| CheckpointError::new(Kind::Unreadable, &name, e.to_string()))?;
        Self::from_source(&name, Box::new(io::BufReader::new(file)))
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

    /// What a packed weight is; none for a tensor of floats.
    pub fn packed(&self, key: &str) -> Option<PackedShape> {
        self.packed.get(key).copied()
    }

    /// Sum of the elements of all tensors; a packed weight counts as the floats it stands for.
    pub fn parameters(&self) -> usize {
        let scales = self.packed.keys().map(|key| scales_key(key));
        let scales: std::collections::BTreeSet<String> = scales.collect();
        let count = |(key, tensor): (&String, &StoredTensor)| match self.packed(key) {
            Some(packed) => packed.d_input * packed.d_output,
            None if scales.contains(key) => 0,
            None => tensor.shape.iter().product(),
        };
        self.tensors.iter().map(count).sum()
    }

    /// Values of a tensor, in row-major order.
    ///
    /// # Errors
    /// When the key is missing, is no float tensor, cannot be read, or holds NaN or infinity.
    pub fn read_f32(&self, key: &str) -> Result<Vec<f32>, CheckpointError> {
        let error = |kind, what: String| CheckpointError::new(kind, &self.name, what);
        let tensor = self.stored(key)?;
        if let Some(packed) = self.packed(key) {
            let bits = packed.bits.count();
            let what = format!("key `{key}` is packed in {bits} bits and has no float values");
            return Err(error(Kind::Dtype, what));
        }
        let is_float = matches!(
            tensor.dtype,
            Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16
        );
        if !is_float {
            let what = format!("key `{key}` is {:?}, not a float tensor", tensor.dtype);
            return Err(error(Kind::Dtype, what));
        }
        let values = decode(tensor.dtype, &self.bytes(key)?);
        match values.iter().all(|v| v.is_finite()) {
            true => Ok(values),
            false => {
                let what = format!("key `{key}` holds NaN or infinity");
                Err(error(Kind::NotFinite, what))
            }
        }
    }

    /// Words of a packed weight, as the bit patterns that go to the device.
    ///
    /// # Errors
    /// When the key is missing or cannot be read.
    pub(super) fn read_words(&self, key: &str) -> Result<Vec<i32>, CheckpointError> {
        let bytes = self.bytes(key)?;
        let words = bytes.as_chunks::<4>().0.iter();
        Ok(words.map(|&word| i32::from_le_bytes(word)).collect())
    }

    /// Scales of a packed weight.
    ///
    /// # Errors
    /// When they cannot be read, or one is not above zero and finite.
    pub(super) fn read_scales(&self, key: &str) -> Result<Vec<f32>, CheckpointError> {
        let key = scales_key(key);
        let scales = self.read_f32(&key)?;
        match scales.iter().find(|&&scale| scale <= 0.0) {
            None => Ok(scales),
            Some(bad) => {
                let what = format!("key `{key}` holds {bad}, and a scale is above zero");
                Err(CheckpointError::new(Kind::Packing, &self.name, what))
            }
        }
    }

    fn stored(&self, key: &str) -> Result<&StoredTensor, CheckpointError> {
        self.get(key).ok_or_else(|| {
            let what = format!("key `{key}` is missing");
            CheckpointError::new(Kind::MissingKey, &self.name, what)
        })
    }

    /// Little-endian values of a tensor, in row-major order.
    fn bytes(&self, key: &str) -> Result<Vec<u8>, CheckpointError> {
        self.stored(key)?;
        let read = match &mut *self.values.borrow_mut() {
            Values::Safetensors(file) => file.read(key),
            Values::Torch(file) => file.read(key),
            Values::Legacy(file) => file.read(key),
        };
        read.map_err(|e| {
            let what = format!("key `{key}` cannot be read ({e})");
            CheckpointError::new(Kind::Format, &self.name, what)
        })
    }
}

/// Key of a packed weight's scales.
pub(super) fn scales_key(key: &str) -> String {
    format!("{key}_scales")
}

/// Little-endian floats; the caller has seen to it that they are.
fn decode(dtype: Dtype, bytes: &[u8]) -> Vec<f32> {
    fn each<const N: usize>(bytes: &[u8], value: fn([u8; N]) -> f32) -> Vec<f32> {
        let chunks = bytes.as_chunks::<N>().0;
        chunks.iter().map(|&chunk| value(chunk)).collect()
    }
    match dtype {
        Dtype::F64 => each(bytes, |b| f64::from_le_bytes(b) as f32),
        Dtype::F16 => each(bytes, |b| f16::from_le_bytes(b).to_f32()),
        Dtype::BF16 => each(bytes, |b| bf16::from_le_bytes(b).to_f32()),
        _ => each(bytes, f32::from_le_bytes),
    }
}
