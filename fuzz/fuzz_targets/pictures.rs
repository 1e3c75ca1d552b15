//! Pictures: the first byte chooses the format they begin like. In: bytes. Out: nothing, as long as the reader neither panics nor takes memory without end.

#![no_main]

use libfuzzer_sys::fuzz_target;
use oneslice::scan::{self, InputFile, OpenOptions};

fn head(choice: u8) -> &'static [u8] {
    match choice % 4 {
        0 => b"\x89PNG\r\n\x1a\n",
        1 => b"\xff\xd8\xff",
        2 => b"II*\0",
        _ => b"MM\0*",
    }
}

fuzz_target!(|data: &[u8]| {
    for bytes in [data, &*[head(data.first().copied().unwrap_or(0)), data].concat()] {
        let file = InputFile {
            name: "file".to_owned(),
            bytes: bytes.to_vec(),
        };
        let _ = scan::open(&[file], &OpenOptions::default());
    }
});
