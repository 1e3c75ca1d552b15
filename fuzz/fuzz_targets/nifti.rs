//! NIfTI files of either version: the first byte chooses the size that the header begins with. In: bytes. Out: nothing, as long as the reader neither panics nor takes memory without end.

#![no_main]

use libfuzzer_sys::fuzz_target;
use oneslice::scan::{self, InputFile, OpenOptions};

fn head(choice: u8) -> &'static [u8] {
    match choice % 4 {
        0 => &[0x5c, 1, 0, 0],
        1 => &[0, 0, 1, 0x5c],
        2 => &[0x1c, 2, 0, 0],
        _ => &[0, 0, 2, 0x1c],
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
