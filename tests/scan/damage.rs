//! Files damaged in any way are read or refused, never more: no panic, no memory for what is not there, no end of the stack.

use oneslice::scan::{self, InputFile, OpenOptions, ScanErrorKind};
use proptest::prelude::*;

use crate::made::{Elements, Pixels, RLE, Value, slice, text};

fn read(bytes: Vec<u8>) {
    let file = InputFile {
        name: "some file".to_owned(),
        bytes,
    };
    let files = [file];
    let _ = scan::inspect(&files);
    if let Err(error) = scan::open(&files, &OpenOptions::default()) {
        let text = error.to_string();
        assert!(!text.contains('\n'), "{text}");
    }
}

/// All files that other programs wrote, and some made here.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scan/files");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !name.ends_with(".json") && !name.ends_with(".py") {
            found.push((name, std::fs::read(path).expect("a file")));
        }
    }
    found.sort();
    found.push(("slice".to_owned(), slice(0.0, 1).bytes()));
    found
}

#[test]
fn every_file_cut_anywhere() {
    for (_, bytes) in corpus() {
        // The headers are where the decisions are.
        let dense = bytes.len().min(700);
        for len in (0..dense).chain((dense..bytes.len()).step_by(5)) {
            read(bytes[..len].to_vec());
        }
    }
}

#[test]
fn every_byte_changed() {
    for (name, bytes) in corpus() {
        let dense = bytes.len().min(700);
        for place in (0..dense).chain((dense..bytes.len()).step_by(11)) {
            if name.ends_with(".dcm") && place < 128 {
                continue;
            }
            for value in [0xff, bytes[place] ^ 0x01] {
                let mut damaged = bytes.clone();
                damaged[place] = value;
                read(damaged);
            }
        }
    }
}

#[test]
fn lengths_that_lie_take_no_memory() {
    let good = slice(0.0, 1).bytes();
    // The length of an explicit element of bytes: 32 bits after its tag, its type and two spare bytes.
    let place = good
        .windows(4)
        .rposition(|w| w == [0xe0, 0x7f, 0x10, 0])
        .expect("pixels")
        + 8;
    for len in [13u32, 1 << 20, u32::MAX - 1] {
        let mut bad = good.clone();
        bad[place..place + 4].copy_from_slice(&len.to_le_bytes());
        let files = [InputFile {
            name: "x".to_owned(),
            bytes: bad,
        }];
        let error = scan::open(&files, &OpenOptions::default()).expect_err("too long");
        assert_eq!(error.kind(), ScanErrorKind::Truncated, "{error}");
    }
    // A frame of 65535 x 65535 from 64 bytes of runs.
    let mut file = slice(0.0, 1)
        .set((0x0028, 0x0010), Value::Shorts(vec![65535]))
        .set((0x0028, 0x0011), Value::Shorts(vec![65535]));
    file.syntax = RLE;
    file.pixels = Pixels::Fragments(vec![vec![0; 64]]);
    let files = [InputFile {
        name: "x".to_owned(),
        bytes: file.bytes(),
    }];
    let error = scan::open(&files, &OpenOptions::default()).expect_err("too large");
    assert_eq!(error.kind(), ScanErrorKind::BadDicom, "{error}");
}

#[test]
fn a_value_with_a_line_break_makes_no_message_of_two_lines() {
    let mut file = slice(0.0, 1).set((0x0008, 0x0060), text("CS", "CT\nand\0more"));
    file.pixels = Pixels::None;
    let files = [InputFile {
        name: "x".to_owned(),
        bytes: file.bytes(),
    }];
    let error = scan::open(&files, &OpenOptions::default()).expect_err("no pixels");
    let words = "x: an object without pixels (CT and more), not a scan";
    assert_eq!(error.to_string(), words);
}

#[test]
fn sequences_without_end_are_refused() {
    for lengths in [true, false] {
        let mut nested = Elements::new();
        nested.insert((0x0008, 0x0060), text("CS", "CT"));
        for _ in 0..60 {
            let mut outer = Elements::new();
            outer.insert((0x0040, 0xa730), Value::Items(vec![nested]));
            nested = outer;
        }
        let mut file = slice(0.0, 1).set((0x0040, 0xa730), Value::Items(vec![nested]));
        file.lengths = lengths;
        let files = [InputFile {
            name: "x".to_owned(),
            bytes: file.bytes(),
        }];
        let error = scan::open(&files, &OpenOptions::default()).expect_err("too deep");
        assert!(error.to_string().contains("nested too deep"), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damage_never_panics(
        which: prop::sample::Index, hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()), again in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let corpus = corpus();
        let mut bytes = which.get(&corpus).1.clone();
        for (place, value) in hits {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Some(again) = again {
            // A part of the file once more.
            let at = again.index(bytes.len());
            bytes.splice(at..at, bytes[at..bytes.len().min(at + 64)].to_vec());
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        read(bytes);
    }
}
