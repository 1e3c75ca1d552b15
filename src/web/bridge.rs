//! What both modules of the browser need. In: results and errors. Out: plain objects and `Error`s of JavaScript; files from
//! there.

use js_sys::Uint8Array;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use crate::export::ExportError;
use crate::scan::{InputFile, OpenOptions, ScanError};
use crate::volume::VolumeError;

#[wasm_bindgen]
extern "C" {
    /// `{ name, bytes }`.
    pub type JsFile;
    #[wasm_bindgen(method, getter)]
    fn name(this: &JsFile) -> String;
    #[wasm_bindgen(method, getter)]
    fn bytes(this: &JsFile) -> Uint8Array;
}

/// Files of JavaScript, copied.
pub(super) fn input(files: Vec<JsFile>) -> Vec<InputFile> {
    let file = |file: JsFile| InputFile {
        name: file.name(),
        bytes: file.bytes().to_vec(),
    };
    files.into_iter().map(file).collect()
}

/// Which series is to be opened, and how; see [`OpenOptions`].
pub(super) fn options(value: JsValue) -> Result<OpenOptions, Failure> {
    #[derive(Deserialize, Default)]
    #[serde(default, rename_all = "camelCase", deny_unknown_fields)]
    struct Request {
        series: Option<String>,
        volume: Option<usize>,
        spacing: Option<[f64; 3]>,
    }
    let request: Request = from_js(value)?;
    Ok(OpenOptions {
        series: request.series,
        volume: request.volume,
        spacing: request.spacing,
    })
}

/// An error on its way to JavaScript: an `Error` whose `name` tells the kind.
pub struct Failure(js_sys::Error);

impl Failure {
    pub(super) fn new(kind: &str, message: impl AsRef<str>) -> Self {
        let error = js_sys::Error::new(message.as_ref());
        error.set_name(kind);
        Self(error)
    }
}

impl From<Failure> for JsValue {
    fn from(failure: Failure) -> Self {
        failure.0.into()
    }
}

impl From<ScanError> for Failure {
    fn from(e: ScanError) -> Self {
        Self::new(&format!("Scan{:?}", e.kind()), e.to_string())
    }
}

impl From<VolumeError> for Failure {
    fn from(e: VolumeError) -> Self {
        Self::new(&format!("Volume{:?}", e.kind()), e.to_string())
    }
}

impl From<ExportError> for Failure {
    fn from(e: ExportError) -> Self {
        Self::new(&format!("Export{:?}", e.kind()), e.to_string())
    }
}

/// A plain object; numbers and arrays, maps as objects.
pub(super) fn to_js(value: &impl Serialize) -> Result<JsValue, Failure> {
    let serializer = serde_wasm_bindgen::Serializer::new().serialize_maps_as_objects(true);
    let value = value.serialize(&serializer);
    value.map_err(|e| Failure::new("Convert", e.to_string()))
}

/// Options given by JavaScript.
pub(super) fn from_js<T: DeserializeOwned>(value: JsValue) -> Result<T, Failure> {
    let wrong = |e: serde_wasm_bindgen::Error| Failure::new("Options", e.to_string());
    serde_wasm_bindgen::from_value(value).map_err(wrong)
}
