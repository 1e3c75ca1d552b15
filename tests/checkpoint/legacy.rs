//! Files of `torch.save` before PyTorch 1.6, byte by byte as Python 2 wrote the heads of LPIPS.

use std::io::Cursor;

use oneslice::checkpoint::CheckpointErrorKind as Kind;
use oneslice::checkpoint::{CheckpointError, TensorFile};

use crate::assert_error;

const MAGIC: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e";
const PROTOCOL: &[u8] = b"\x80\x02M\xe9\x03.";
const MACHINE: &[u8] = b"\x80\x02}q\x01(U\rlittle_endianq\x02\x88U\x08protocolq\x03M\xe9\x03u.";

/// `lin0` is `[1, 2]` of storage 77, `lin1` is the second half of storage 5 of four elements.
fn state() -> Vec<u8> {
    let tensor = |key: &str, storage: &str, len: u8, offset: u8, shape: &[u8]| {
        let mut out = b"]q\x02(U".to_vec();
        out.push(key.len() as u8);
        out.extend(key.bytes());
        out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\nU");
        out.push(storage.len() as u8);
        out.extend(storage.bytes());
        out.extend(
            [
                b"U\x06cuda:0\x8a\x01".as_slice(),
                &[len],
                b"NtQK",
                &[offset],
                shape,
            ]
            .concat(),
        );
        out.extend(b"\x89NtRe");
        out
    };
    let mut out = b"\x80\x02ccollections\nOrderedDict\nq\x01](".to_vec();
    out.extend(tensor("lin0", "77", 2, 0, b"(K\x01K\x02t(K\x02K\x01t"));
    out.extend(tensor("lin1", "5", 4, 2, b"(K\x02t(K\x01t"));
    out.extend(b"e\x85R.");
    out
}

const NAMES: &[u8] = b"\x80\x02]q\x01(U\x015q\x02U\x0277q\x03e.";

fn storage(values: &[f32]) -> Vec<u8> {
    let mut out = (values.len() as u64).to_le_bytes().to_vec();
    out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    out
}

fn whole() -> Vec<u8> {
    let storages = [storage(&[1.0, 2.0, 3.0, 4.0]), storage(&[5.0, 6.0])];
    [
        MAGIC,
        PROTOCOL,
        MACHINE,
        &state(),
        NAMES,
        &storages[0],
        &storages[1],
    ]
    .concat()
}

fn open(bytes: Vec<u8>) -> Result<TensorFile, CheckpointError> {
    TensorFile::from_source("heads.pth", Box::new(Cursor::new(bytes)))
}

#[test]
fn tensors_are_read_from_their_storages() {
    let file = open(whole()).unwrap();
    assert_eq!(file.keys().collect::<Vec<_>>(), ["lin0", "lin1"]);
    assert_eq!(file.get("lin0").unwrap().shape(), [1, 2]);
    assert_eq!(file.read_f32("lin0").unwrap(), [5.0, 6.0]);
    assert_eq!(file.read_f32("lin1").unwrap(), [3.0, 4.0]);
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let bytes = whole();
    for length in 9..bytes.len() {
        let error = open(bytes[..length].to_vec()).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), Kind::Format, "{length}: {error}");
    }
}

#[test]
fn damage_is_refused_or_read_but_never_crashes() {
    let bytes = whole();
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            if let Ok(file) = open(damaged) {
                let keys: Vec<&str> = file.keys().collect();
                for key in keys {
                    let _ = file.read_f32(key);
                }
            }
        }
    }
}

#[test]
fn storages_must_be_those_of_the_tensors() {
    let file = |names: &[u8], first: &[f32], second: &[f32]| {
        let storages = [storage(first), storage(second)];
        [
            MAGIC,
            PROTOCOL,
            MACHINE,
            &state(),
            names,
            &storages[0],
            &storages[1],
        ]
        .concat()
    };
    let short = file(NAMES, &[1.0, 2.0, 3.0], &[5.0, 6.0]);
    assert_error(open(short), Kind::Format, &["has 3 elements, not 4"]);
    let other = file(b"\x80\x02](U\x015U\x0278e.", &[1.0; 4], &[5.0, 6.0]);
    assert_error(
        open(other),
        Kind::Format,
        &["nothing uses its storage `78`"],
    );
    let missing = file(b"\x80\x02](U\x015e.", &[1.0; 4], &[5.0, 6.0]);
    assert_error(
        open(missing),
        Kind::Format,
        &["its storage `77` is missing"],
    );
    let call = whole();
    let at = call.windows(11).position(|w| w == b"OrderedDict").unwrap();
    let mut call = call;
    call[at..at + 11].copy_from_slice(b"OrderedDics");
    assert_error(open(call), Kind::Format, &["is refused"]);
}
