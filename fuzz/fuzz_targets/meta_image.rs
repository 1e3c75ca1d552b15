//! MetaImage files. In: bytes. Out: nothing, as long as the reader neither panics nor takes memory without end.

#![no_main]

use libfuzzer_sys::fuzz_target;
use oneslice::scan::{self, InputFile, OpenOptions};

fuzz_target!(|data: &[u8]| {
    for bytes in [data, &*[&b"ObjectType = Image\n"[..], data].concat()] {
        let file = InputFile {
            name: "file".to_owned(),
            bytes: bytes.to_vec(),
        };
        let _ = scan::open(&[file], &OpenOptions::default());
    }
});
