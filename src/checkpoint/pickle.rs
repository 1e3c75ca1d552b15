//! Reads the pickle that `torch.save` writes, and runs nothing.
//!
//! In: the bytes of `data.pkl`; out: a tree of plain values and descriptions of tensors. A pickle is a program for a
//! stack machine that may call anything; here only what describes tensors is known, and the first other opcode or
//! global name is an error. Values live in one list and refer to one another by number, so that neither depth nor
//! cycles nor shared values cost stack or memory: each opcode adds at most one value.

mod machine;

use machine::Machine;
use safetensors::Dtype;

/// A pickle longer than this is refused; Meta's have some 50 kB.
pub(super) const LONGEST: u64 = 16 << 20;

/// Number of a value in its [`Pickle`].
pub(super) type Id = usize;

/// A value.
#[derive(Debug)]
pub(super) enum Value {
    /// Nothing that matters here: None, truth values, numbers that are no integers.
    Plain,
    Int(i64),
    Text(String),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    /// Keys and values, in order.
    Dict(Vec<(Id, Id)>),
    Global(Global),
    Storage(Storage),
    Tensor(TorchTensor),
}

/// The global names that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage(Dtype),
}

/// The elements that tensors look into: a file of the archive.
#[derive(Clone, Debug)]
pub(super) struct Storage {
    /// Its name, in an archive that within `data/`.
    pub name: String,
    pub dtype: Dtype,
    /// Number of elements.
    pub len: usize,
}

/// A view of a storage.
#[derive(Clone, Debug)]
pub(super) struct TorchTensor {
    pub storage: Storage,
    /// First element.
    pub offset: usize,
    pub shape: Vec<usize>,
    /// Elements from one index to the next, for each axis.
    pub strides: Vec<usize>,
}

/// A pickle that has been read.
pub(super) struct Pickle {
    values: Vec<Value>,
    root: Id,
}

impl Pickle {
    /// Reads a whole pickle, or says what in it is refused.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        Self::read_first(bytes).map(|(pickle, _)| pickle)
    }

    /// Reads the pickle that some bytes begin with, and gives what follows it.
    pub fn read_first(bytes: &[u8]) -> Result<(Self, &[u8]), String> {
        let mut machine = Machine::new(bytes);
        while machine.root.is_none() {
            machine.step()?;
        }
        let rest = machine.rest();
        let pickle = Self {
            root: machine.root.unwrap_or_default(),
            values: machine.values,
        };
        Ok((pickle, rest))
    }

    /// What the pickle is.
    pub fn root(&self) -> &Value {
        &self.values[self.root]
    }

    pub fn get(&self, id: Id) -> &Value {
        &self.values[id]
    }
}
