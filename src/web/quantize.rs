//! Weights of a browser's file: opened, and packed on this computer.

use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

use super::OneSlice;
use super::blob::{Blob, BlobReader};
use super::convert::Failure;
use crate::checkpoint::{Group, Quantized, Scheme, TensorFile};
use crate::kernels::Bits;

/// Opens a checkpoint; its tensors are read one at a time.
pub(super) fn open(name: &str, blob: Blob) -> Result<TensorFile, Failure> {
    let source = BlobReader::new(blob);
    let source =
        source.map_err(|e| Failure::new("CheckpointUnreadable", format!("{name}: {e}")))?;
    Ok(TensorFile::from_source(name, Box::new(source))?)
}

#[wasm_bindgen]
impl OneSlice {
    /// Packs the weights of a checkpoint (`.pt` or `.safetensors`), of SAM 2 or of LPIPS, in 8 or 4 bits; the bytes of a `.safetensors` file, or
    /// undefined for one whose weights are packed already. `group` is `32`, `64`, `channel`, or what is recommended. One
    /// tensor at a time is in the module's memory: the result grows outside of it.
    ///
    /// # Errors
    /// `Options` for other bits and groups, and those of [`Quantized`].
    pub fn quantize(
        name: &str,
        file: Blob,
        bits: usize,
        group: Option<String>,
    ) -> Result<Option<Uint8Array>, Failure> {
        let known = Bits::from_count(bits).filter(|bits| *bits != Bits::F16);
        let bits = known
            .ok_or_else(|| Failure::new("Options", format!("{bits} bits are none of 8, 4")))?;
        let mut scheme = Scheme::of_bits(bits);
        if let Some(group) = group {
            let group = group.parse::<Group>();
            scheme.group = group.map_err(|e| Failure::new("Options", format!("group {e}")))?;
        }
        let file = open(name, file)?;
        if file.keys().any(|key| file.packed(key).is_some()) {
            return Ok(None);
        }
        let (_, quantized) = Quantized::recognised(&file, scheme, name)?;
        let bytes = Uint8Array::new_with_length(quantized.bytes() as u32);
        let mut at = 0;
        for chunk in quantized.chunks() {
            let chunk = chunk?;
            bytes
                .subarray(at, at + chunk.len() as u32)
                .copy_from(&chunk);
            at += chunk.len() as u32;
        }
        Ok(Some(bytes))
    }
}
