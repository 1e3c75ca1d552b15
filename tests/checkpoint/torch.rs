//! Files of `torch.save`: what the reader takes, and that it refuses everything else without running or crashing.

use std::io::Cursor;

use oneslice::checkpoint::CheckpointErrorKind as Kind;
use oneslice::checkpoint::{CheckpointError, TensorFile};

use crate::assert_error;
use crate::checkpoints::zip;
use crate::common::golden_dir;

fn open(bytes: Vec<u8>) -> Result<TensorFile, CheckpointError> {
    TensorFile::from_source("some.pt", Box::new(Cursor::new(bytes)))
}

/// A pickle, opcode by opcode.
struct Pickle(Vec<u8>);

impl Pickle {
    fn new() -> Self {
        Self(b"\x80\x02".to_vec())
    }

    fn op(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    fn text(self, text: &str) -> Self {
        let length = (text.len() as u32).to_le_bytes();
        self.op(b"X").op(&length).op(text.as_bytes())
    }

    fn tuple(self, values: &[usize]) -> Self {
        let number =
            |pickle: Self, value: &usize| pickle.op(b"J").op(&(*value as u32).to_le_bytes());
        values.iter().fold(self.op(b"("), number).op(b"t")
    }

    /// A view of the f32 storage `0` of `len` elements.
    fn tensor(self, len: usize, offset: usize, shape: &[usize], strides: &[usize]) -> Self {
        let pickle = self
            .op(b"ctorch._utils\n_rebuild_tensor_v2\n((")
            .text("storage");
        let pickle = pickle.op(b"ctorch\nFloatStorage\n").text("0").text("cpu");
        let pickle = pickle.op(b"J").op(&(len as u32).to_le_bytes()).op(b"tQ");
        let pickle = pickle.op(b"J").op(&(offset as u32).to_le_bytes());
        let pickle = pickle.tuple(shape).tuple(strides);
        pickle.op(b"\x89ccollections\nOrderedDict\n)RtR")
    }

    /// With a storage of 0, 1, 2 .. 23.
    fn archive(self) -> Vec<u8> {
        self.archive_with(&[])
    }

    fn archive_with(self, more: &[(&str, &[u8])]) -> Vec<u8> {
        let storage: Vec<u8> = (0..24).flat_map(|i| (i as f32).to_le_bytes()).collect();
        let mut entries = vec![
            ("archive/data.pkl".to_owned(), self.0.as_slice()),
            ("archive/data/0".to_owned(), storage.as_slice()),
        ];
        entries.extend(
            more.iter()
                .map(|(name, bytes)| ((*name).to_owned(), *bytes)),
        );
        zip(&entries)
    }
}

/// A state dict of one tensor `k`.
fn one(len: usize, offset: usize, shape: &[usize], strides: &[usize]) -> Vec<u8> {
    let pickle = Pickle::new().op(b"}").text("k");
    pickle
        .tensor(len, offset, shape, strides)
        .op(b"s.")
        .archive()
}

#[test]
fn strides_and_offsets_are_honoured() {
    // First element, shape, strides; what is read.
    type Case = (usize, &'static [usize], &'static [usize], &'static [usize]);
    let cases: [Case; 6] = [
        (0, &[2, 3], &[3, 1], &[0, 1, 2, 3, 4, 5]),
        (0, &[3, 2], &[1, 3], &[0, 3, 1, 4, 2, 5]), // transposed
        (4, &[2, 2], &[10, 5], &[4, 9, 14, 19]),
        (7, &[], &[], &[7]),
        (23, &[1, 1], &[9, 9], &[23]),
        (3, &[0, 2], &[2, 1], &[]),
    ];
    for (offset, shape, strides, expected) in cases {
        let file = open(one(24, offset, shape, strides)).unwrap();
        assert_eq!(file.get("k").unwrap().shape(), shape);
        let expected: Vec<f32> = expected.iter().map(|&value| value as f32).collect();
        assert_eq!(
            file.read_f32("k").unwrap(),
            expected,
            "{shape:?} {strides:?}"
        );
    }
}

#[test]
fn a_tensor_beyond_its_storage_is_refused() {
    let huge = u32::MAX as usize >> 1;
    let cases: [(usize, usize, &[usize], &[usize]); 7] = [
        (24, 24, &[1], &[1]),
        (24, 0, &[25], &[1]),
        (24, 4, &[3, 2], &[1, 19]),
        (24, 0, &[huge, huge, huge], &[huge, huge, huge]),
        // Repeated: far more elements than are stored.
        (24, 0, &[1000, 1000], &[0, 0]),
        (24, 0, &[2, 2], &[1]),
        // More elements than the archive has.
        (25, 0, &[2], &[1]),
    ];
    for (len, offset, shape, strides) in cases {
        assert_error(
            open(one(len, offset, shape, strides)),
            Kind::Format,
            &["some.pt", "`k`"],
        );
    }
    let nine = [1; 9];
    assert_error(
        open(one(24, 0, &nine, &nine)),
        Kind::Format,
        &["some.pt", "9 axes"],
    );
}

#[test]
fn what_training_programs_add_is_left_out() {
    // {"epoch": 3, "lr": 0.5, "model": OrderedDict(k = parameter) with attributes, "optimizer": {..}, "args": [None, True]}
    let pickle = Pickle::new()
        .op(b"}q\x00(")
        .text("epoch")
        .op(b"K\x03")
        .text("lr")
        .op(b"G?\xe0\0\0\0\0\0\0");
    let pickle = pickle
        .text("model")
        .op(b"ccollections\nOrderedDict\n)R(")
        .text("k");
    let pickle = pickle.op(b"ctorch._utils\n_rebuild_parameter\n(");
    let pickle = pickle
        .tensor(24, 1, &[2], &[1])
        .op(b"\x88ccollections\nOrderedDict\n)RtR");
    let pickle = pickle.op(b"u}").text("_metadata").op(b"}sb");
    let pickle = pickle
        .text("optimizer")
        .op(b"}")
        .text("step")
        .op(b"\x8a\x02\xff\x7fs");
    let pickle = pickle.text("args").op(b"](N\x88e").op(b"u.");
    let file = open(pickle.archive()).unwrap();
    assert_eq!(file.keys().collect::<Vec<_>>(), ["k"]);
    assert_eq!(file.read_f32("k").unwrap(), [1.0, 2.0]);
}

#[test]
fn what_is_no_tensor_is_no_weight() {
    let number = Pickle::new().op(b"}").text("epoch").op(b"K\x03s.");
    assert_error(
        open(number.archive()),
        Kind::Format,
        &["some.pt", "`epoch` is no tensor"],
    );
    let list = Pickle::new().op(b"].");
    assert_error(open(list.archive()), Kind::Format, &["some.pt", "no dict"]);
    let key = Pickle::new().op(b"}K\x01K\x02s.");
    assert_error(open(key.archive()), Kind::Format, &["some.pt", "no text"]);
}

/// A pickle can name any function of any library and have it called: here none is, and the first is named.
#[test]
fn nothing_is_executed() {
    let words = |module: &str, name: &str| format!("c{module}\n{name}\n");
    let cases = [
        ("os", "system"),
        ("builtins", "eval"),
        ("torch", "load"),
        ("torch._utils", "_rebuild_tensor_v3"),
        ("numpy.core.multiarray", "scalar"),
        ("collections", "OrderedDict.fromkeys"),
    ];
    for (module, name) in cases {
        let pickle = Pickle::new()
            .op(words(module, name).as_bytes())
            .text("echo")
            .op(b"\x85R.");
        let said = format!("`{module}.{name}` is refused");
        assert_error(open(pickle.archive()), Kind::Format, &["some.pt", &said]);
        // The same by the other opcode.
        let pickle = Pickle::new().text(module).text(name).op(b"\x93.");
        assert_error(open(pickle.archive()), Kind::Format, &[&said]);
    }
    // What is known is called with its own arguments only, and what was called is no function.
    let odd = Pickle::new()
        .op(b"ctorch._utils\n_rebuild_tensor_v2\n")
        .text("x")
        .op(b"\x85R.");
    assert_error(open(odd.archive()), Kind::Format, &["some.pt", "arguments"]);
    let storage = Pickle::new().op(b"ctorch\nFloatStorage\n)R.");
    assert_error(
        open(storage.archive()),
        Kind::Format,
        &["some.pt", "arguments"],
    );
    let twice = Pickle::new().op(b"ccollections\nOrderedDict\n)R)R.");
    assert_error(
        open(twice.archive()),
        Kind::Format,
        &["some.pt", "no function"],
    );
}

#[test]
fn every_opcode_that_is_not_needed_is_refused_by_its_number() {
    let known = b"(.NGKMJXTU)t]}aesuqrhjcQRb";
    let newer = [
        0x80, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x93, 0x94, 0x95,
    ];
    let mut refused = 0;
    for opcode in 0..=255u8 {
        if known.contains(&opcode) || newer.contains(&opcode) {
            continue;
        }
        refused += 1;
        let pickle = Pickle::new().op(b"}").op(&[opcode]).op(&[0; 16]);
        let words = ["some.pt", &format!("opcode 0x{opcode:02x} is refused")];
        assert_error(open(pickle.archive()), Kind::Format, &words);
    }
    assert!(refused > 200);
}

#[test]
fn a_pickle_that_does_not_add_up_is_refused() {
    let cases: [(&[u8], &str); 12] = [
        (b"", "cut short"),
        (b"}", "cut short"),
        (b".", "empty stack"),
        (b"(.", "empty stack"),
        (b"t.", "no mark"),
        (b"h\x07.", "not kept"),
        (b"}K\x01a.", "no collection"),
        (b"}(K\x01u.", "no value"),
        (b"K\x01}b.", "no dict"),
        (b"X\xff\xff\xff\xff", "cut short"),
        (b"\x8a\x09\0\0\0\0\0\0\0\0\0.", "9 bytes"),
        (b"K\x01Q.", "no tuple"),
    ];
    for (opcodes, words) in cases {
        let pickle = Pickle::new().op(opcodes);
        assert_error(open(pickle.archive()), Kind::Format, &["some.pt", words]);
    }
    // A list that holds itself, and a tower of tuples: neither is walked.
    let own = Pickle::new().op(b"]q\x00h\x00a.");
    assert_error(open(own.archive()), Kind::Format, &["no dict"]);
    let tower = Pickle::new().op(b")").op(&[0x85; 1_000_000]).op(b".");
    assert_error(open(tower.archive()), Kind::Format, &["no dict"]);
}

#[test]
fn numbers_of_another_byte_order_are_refused() {
    let pickle = || {
        Pickle::new()
            .op(b"}")
            .text("k")
            .tensor(24, 0, &[2], &[1])
            .op(b"s.")
    };
    let little = pickle().archive_with(&[("archive/byteorder", b"little")]);
    assert_eq!(open(little).unwrap().read_f32("k").unwrap(), [0.0, 1.0]);
    let big = pickle().archive_with(&[("archive/byteorder", b"big")]);
    assert_error(open(big), Kind::Format, &["some.pt", "little-endian"]);
}

/// Whatever byte is wrong: an error or other values, never a crash.
#[test]
fn damaged_files_are_refused_or_read() {
    let good = std::fs::read(golden_dir().join("micro.pt")).unwrap();
    let read = |bytes: &[u8]| -> Result<(), CheckpointError> {
        let file = open(bytes.to_vec())?;
        file.keys().try_for_each(|key| file.read_f32(key).map(drop))
    };
    read(&good).unwrap();
    // A fixed sequence; half of the places are in the pickle and the archive's directory, where structure is.
    let mut state = 1u32;
    let mut next = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    let structure = 60_000;
    let (mut refused, trials) = (0, 300);
    for trial in 0..trials {
        let mut bad = good.clone();
        let at = match trial % 4 {
            0 => next(structure),
            1 => bad.len() - 1 - next(structure),
            _ => next(bad.len()),
        };
        bad[at] ^= 1 << next(8);
        if trial % 10 == 0 {
            bad.truncate(at);
        }
        refused += usize::from(read(&bad).is_err());
    }
    assert!(refused > trials / 2, "{refused} of {trials}");
}
