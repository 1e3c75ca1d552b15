//! A browser's file as a source of bytes: slices of it are read when they are asked for, so that a checkpoint never lies
//! in memory as a whole. Works in a worker only: nowhere else may a file be read without waiting for an event.

use std::io::{self, Read, Seek, SeekFrom};

use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// A `Blob` or `File`.
    pub type Blob;
    #[wasm_bindgen(method, getter)]
    fn size(this: &Blob) -> f64;
    #[wasm_bindgen(method)]
    fn slice(this: &Blob, start: f64, end: f64) -> Blob;

    type FileReaderSync;
    #[wasm_bindgen(constructor, catch)]
    fn new() -> Result<FileReaderSync, JsValue>;
    #[wasm_bindgen(method, catch, js_name = readAsArrayBuffer)]
    fn read_as_array_buffer(this: &FileReaderSync, blob: &Blob) -> Result<ArrayBuffer, JsValue>;
}

/// Bytes read ahead where fewer are asked for: a call into the browser costs far more than a copy.
const BLOCK: usize = 1 << 16;

pub(super) struct BlobReader {
    blob: Blob,
    reader: FileReaderSync,
    position: u64,
    /// What was read ahead, and where it begins.
    block: Vec<u8>,
    block_start: u64,
}

impl BlobReader {
    pub(super) fn new(blob: Blob) -> io::Result<Self> {
        Ok(Self {
            blob,
            reader: FileReaderSync::new().map_err(failed)?,
            position: 0,
            block: Vec::new(),
            block_start: 0,
        })
    }

    fn len(&self) -> u64 {
        self.blob.size() as u64
    }

    /// Up to `len` bytes from the position on.
    fn fetch(&self, len: usize) -> io::Result<Uint8Array> {
        let end = (self.position + len as u64).min(self.len());
        let slice = self.blob.slice(self.position as f64, end as f64);
        let buffer = self.reader.read_as_array_buffer(&slice).map_err(failed)?;
        Ok(Uint8Array::new(&buffer))
    }
}

impl Read for BlobReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.len() || out.is_empty() {
            return Ok(0);
        }
        let ahead = self.position.checked_sub(self.block_start);
        let mut ahead = ahead.filter(|at| *at < self.block.len() as u64);
        if ahead.is_none() && out.len() < BLOCK {
            self.block = self.fetch(BLOCK)?.to_vec();
            self.block_start = self.position;
            ahead = Some(0);
        }
        let count = match ahead {
            Some(at) => {
                let there = &self.block[at as usize..];
                let count = there.len().min(out.len());
                out[..count].copy_from_slice(&there[..count]);
                count
            }
            None => {
                let there = self.fetch(out.len())?;
                let count = there.length() as usize;
                there.copy_to(&mut out[..count]);
                count
            }
        };
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for BlobReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

/// What JavaScript threw, in words.
fn failed(thrown: JsValue) -> io::Error {
    let message = thrown
        .dyn_ref::<js_sys::Error>()
        .map(|e| String::from(e.message()));
    io::Error::other(message.unwrap_or_else(|| "the browser cannot read it".into()))
}
