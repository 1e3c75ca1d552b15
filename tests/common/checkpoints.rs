//! Checkpoint files made for a test: as they are, or with one thing wrong. In: named tensors. Out: the bytes of
//! a `.safetensors` file, or of the zip archive that `torch.save` writes.

#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeMap;

use flate2::Crc;
use half::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

/// Tensors by key.
#[derive(Clone)]
pub struct Tensors(pub BTreeMap<String, Stored>);

/// A tensor as a file holds it.
#[derive(Clone)]
pub struct Stored {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

impl Stored {
    pub fn f32(shape: &[usize], values: &[f32]) -> Self {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let shape = shape.to_vec();
        Self {
            dtype: Dtype::F32,
            shape,
            bytes,
        }
    }

    pub fn zeros(shape: &[usize]) -> Self {
        Self::f32(shape, &vec![0.0; shape.iter().product()])
    }

    /// The values of an f32 or f16 tensor.
    pub fn values(&self) -> Vec<f32> {
        let floats = || self.bytes.as_chunks().0.iter();
        let halves = || self.bytes.as_chunks().0.iter();
        match self.dtype {
            Dtype::F32 => floats().map(|b| f32::from_le_bytes(*b)).collect(),
            Dtype::F16 => halves().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
            other => panic!("{other:?}"),
        }
    }

    /// The same values as another float type.
    pub fn cast(&self, dtype: Dtype) -> Self {
        let encode = |v: f32| match dtype {
            Dtype::F16 => f16::from_f32(v).to_le_bytes().to_vec(),
            Dtype::BF16 => bf16::from_f32(v).to_le_bytes().to_vec(),
            Dtype::F64 => f64::from(v).to_le_bytes().to_vec(),
            _ => v.to_le_bytes().to_vec(),
        };
        let bytes = self.values().into_iter().flat_map(encode).collect();
        let shape = self.shape.clone();
        Self {
            dtype,
            shape,
            bytes,
        }
    }
}

impl Tensors {
    /// Those of a `.safetensors` file of this repository.
    pub fn open(path: &str) -> Self {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let parsed = SafeTensors::deserialize(&bytes).expect("a good file");
        let stored = parsed.iter().map(|(key, view)| {
            let (dtype, shape) = (view.dtype(), view.shape().to_vec());
            let bytes = view.data().to_vec();
            (
                key.to_owned(),
                Stored {
                    dtype,
                    shape,
                    bytes,
                },
            )
        });
        Self(stored.collect())
    }

    pub fn cast(&self, dtype: Dtype) -> Self {
        let cast = |(key, tensor): (&String, &Stored)| (key.clone(), tensor.cast(dtype));
        Self(self.0.iter().map(cast).collect())
    }

    pub fn without(mut self, key: &str) -> Self {
        self.0.remove(key).expect("a key of the file");
        self
    }

    pub fn with(mut self, key: &str, tensor: Stored) -> Self {
        self.0.insert(key.to_owned(), tensor);
        self
    }

    pub fn safetensors(&self) -> Vec<u8> {
        let views = self.0.iter().map(|(key, t)| {
            let view = TensorView::new(t.dtype, t.shape.clone(), &t.bytes);
            (key.as_str(), view.expect("as many bytes as the shape says"))
        });
        safetensors::serialize(views, None).expect("in memory")
    }

    /// As `torch.save` writes it: `{"model": state_dict}`, or the bare state dict.
    pub fn torch(&self, nested: bool) -> Vec<u8> {
        let mut pickle = b"\x80\x02".to_vec();
        if nested {
            pickle.extend(b"}(");
            text(&mut pickle, "model");
        }
        pickle.extend(b"}(");
        for (number, (key, tensor)) in self.0.iter().enumerate() {
            text(&mut pickle, key);
            rebuild(&mut pickle, number, tensor);
        }
        pickle.extend(if nested { &b"uu."[..] } else { b"u." });
        let mut entries = vec![("archive/data.pkl".to_owned(), pickle.as_slice())];
        for (number, tensor) in self.0.values().enumerate() {
            entries.push((format!("archive/data/{number}"), &tensor.bytes));
        }
        entries.push(("archive/version".to_owned(), b"3\n"));
        zip(&entries)
    }
}

/// A string in a pickle.
fn text(pickle: &mut Vec<u8>, text: &str) {
    pickle.push(b'X');
    pickle.extend((text.len() as u32).to_le_bytes());
    pickle.extend(text.bytes());
}

fn number(pickle: &mut Vec<u8>, number: usize) {
    pickle.push(b'J');
    pickle.extend((number as u32).to_le_bytes());
}

/// A call of `torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)`.
fn rebuild(pickle: &mut Vec<u8>, storage: usize, tensor: &Stored) {
    let class = match tensor.dtype {
        Dtype::F32 => "Float",
        Dtype::F16 => "Half",
        Dtype::BF16 => "BFloat16",
        Dtype::F64 => "Double",
        Dtype::I64 => "Long",
        other => panic!("no storage for {other:?}"),
    };
    pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
    text(pickle, "storage");
    pickle.extend(format!("ctorch\n{class}Storage\n").bytes());
    text(pickle, &storage.to_string());
    text(pickle, "cpu");
    number(pickle, tensor.shape.iter().product());
    pickle.extend(b"tQ");
    number(pickle, 0);
    pickle.push(b'(');
    tensor.shape.iter().for_each(|size| number(pickle, *size));
    pickle.extend(b"t(");
    let stride = |axis: usize| tensor.shape[axis + 1..].iter().product();
    (0..tensor.shape.len()).for_each(|axis| number(pickle, stride(axis)));
    pickle.extend(b"t\x89ccollections\nOrderedDict\n)RtR");
}

/// A zip archive of uncompressed files.
pub fn zip(entries: &[(String, &[u8])]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let mut crc = Crc::new();
        crc.update(content);
        // Version, flags, method, time, date; checksum, both sizes; length of the name and of extra fields.
        let mut fields = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        for value in [crc.sum(), content.len() as u32, content.len() as u32] {
            fields.extend(value.to_le_bytes());
        }
        fields.extend((name.len() as u16).to_le_bytes());
        fields.extend([0, 0]);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&fields);
        directory.extend([0; 10]); // comment, disk, attributes
        directory.extend((archive.len() as u32).to_le_bytes());
        directory.extend(name.bytes());
        archive.extend(b"PK\x03\x04");
        archive.extend(&fields);
        archive.extend(name.bytes());
        archive.extend(*content);
    }
    let start = archive.len() as u32;
    archive.extend(&directory);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    archive.extend(
        [entries.len() as u16; 2]
            .iter()
            .flat_map(|n| n.to_le_bytes()),
    );
    archive.extend((directory.len() as u32).to_le_bytes());
    archive.extend(start.to_le_bytes());
    archive.extend([0, 0]);
    archive
}
