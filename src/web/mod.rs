//! The browser's door to the library, and the only code that knows a browser.
//!
//! In: bytes and typed arrays from JavaScript; out: typed arrays and plain objects. Each method
//! converts, calls one stage of the library and converts back. Errors are JavaScript `Error`s
//! whose `name` is the kind. The caller is a worker's message queue: one call at a time.

#[cfg(feature = "bench")]
mod bench;
mod blob;
mod bridge;
mod convert;
mod device;
mod eval;
mod export;
mod few_shot;
mod one_prompt;
mod open;
mod prompts;
mod quantize;
mod session;

use std::sync::Arc;

use burn::tensor::Device;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use self::blob::Blob;
use self::convert::{Failure, SessionRequest, to_js};
use self::device::DeviceInfo;
use self::few_shot::Cut;
use self::one_prompt::{OnePromptRequest, WebOnePrompt};
use self::session::{Warm, WebSession};
use crate::checkpoint;
use crate::export::nifti as export_nifti;
use crate::lpips::Lpips;
use crate::propagate::few_shot::GreySlice;
use crate::propagate::{Session, SessionOptions, Strategy};
use crate::sam2::{ImageSize, Sam2, Sam2Config};
use crate::scan::{self, ReadOptions, nifti::Template};
use crate::volume::{Axis, LabelMap, SliceShape, Volume, Window, phantom, same_grid};

/// Name of the built-in sample, shown where a file's name would be.
const SAMPLE_NAME: &str = "sample phantom";

/// A loaded model and an open scan on one device.
#[wasm_bindgen]
pub struct OneSlice {
    device: Device,
    info: DeviceInfo,
    model: Option<(Sam2Config, Sam2)>,
    /// Which image size the model's kernels are compiled for.
    warm: Warm,
    /// What few-shot compares slices with.
    lpips: Option<Arc<Lpips>>,
    scan: Option<OpenScan>,
}

struct OpenScan {
    volume: Arc<Volume>,
    header: Template,
}

/// What the page knows of a model.
#[derive(Serialize)]
struct ModelInfo {
    config: String,
    parameters: usize,
}

/// What the page knows of an LPIPS network.
#[derive(Serialize)]
struct LpipsInfo {
    net: &'static str,
    parameters: usize,
}

/// What the page knows of a scan.
#[derive(Serialize)]
struct ScanInfo {
    name: String,
    dims: [usize; 3],
    /// Millimetres.
    spacing: [f64; 3],
    /// Voxel to patient (RAS+, millimetres), row by row.
    affine: Vec<f64>,
    /// Automatic window.
    window: [f32; 2],
    /// Voxel axis of each anatomical axis.
    axes: Axes,
}

#[derive(Serialize)]
struct Axes {
    axial: usize,
    coronal: usize,
    sagittal: usize,
}

/// What the page knows of a mask file.
#[derive(Serialize)]
struct MaskInfo {
    #[serde(with = "convert::u16_array")]
    labels: Vec<u16>,
    present: Vec<u16>,
}

#[wasm_bindgen]
impl OneSlice {
    /// Opens a device: `webgpu`, `cpu`, or `auto` for WebGPU where there is an adapter.
    ///
    /// # Errors
    /// `WebGpuUnavailable` when WebGPU was asked for and cannot be had.
    pub async fn create(device: &str) -> Result<OneSlice, Failure> {
        device::report_errors();
        let (device, info) = device::open(device).await?;
        Ok(Self {
            device,
            info,
            model: None,
            warm: Warm::default(),
            lpips: None,
            scan: None,
        })
    }

    /// `{ kind, description }` of the device.
    #[wasm_bindgen(getter)]
    pub fn device(&self) -> Result<JsValue, Failure> {
        to_js(&self.info)
    }

    /// Fills the model from a file with Meta's keys, `.pt` or `.safetensors`, packed or not; `{ config, parameters }`.
    ///
    /// # Errors
    /// Those of [`checkpoint::load`].
    #[wasm_bindgen(js_name = loadWeights)]
    pub async fn load_weights(&mut self, name: &str, file: Blob) -> Result<JsValue, Failure> {
        let file = quantize::open(name, file)?;
        let (config, model) = checkpoint::load(&file, &self.device)?;
        let info = ModelInfo {
            config: config.name.clone(),
            parameters: file.parameters(),
        };
        self.model = Some((config, model));
        self.warm = Warm::default();
        to_js(&info)
    }

    /// Loads the LPIPS network that few-shot compares slices with; `{ net, parameters }`. Sessions made before keep theirs.
    ///
    /// # Errors
    /// Those of [`checkpoint::load_lpips`].
    #[wasm_bindgen(js_name = loadLpips)]
    pub async fn load_lpips(&mut self, name: &str, file: Blob) -> Result<JsValue, Failure> {
        let file = quantize::open(name, file)?;
        let (net, lpips) = checkpoint::load_lpips(&file, &self.device)?;
        self.lpips = Some(Arc::new(lpips));
        to_js(&LpipsInfo {
            net: net.name(),
            parameters: file.parameters(),
        })
    }

    /// Opens a scan from a file's bytes.
    ///
    /// # Errors
    /// Those of [`scan::read`].
    #[wasm_bindgen(js_name = openScan)]
    pub fn open_scan(&mut self, name: &str, bytes: &[u8]) -> Result<JsValue, Failure> {
        let scan = scan::read(name, bytes, &ReadOptions::default())?;
        self.open(name, scan.volume, scan.header)
    }

    /// Opens the built-in sample, a phantom made by a formula.
    ///
    /// # Errors
    /// Never, but for a bug.
    #[wasm_bindgen(js_name = openSample)]
    pub fn open_sample(&mut self) -> Result<JsValue, Failure> {
        let (volume, _) = phantom::phantom(phantom::DEFAULT_DIMS);
        let header = export_nifti::template(&volume.grid)?;
        self.open(SAMPLE_NAME, volume, header)
    }

    /// The built-in sample as a `.nii.gz`.
    ///
    /// # Errors
    /// Never, but for a bug.
    #[wasm_bindgen(js_name = sampleNifti)]
    pub fn sample_nifti(&self) -> Result<Vec<u8>, Failure> {
        let (volume, _) = phantom::phantom(phantom::DEFAULT_DIMS);
        Ok(export_nifti::write_volume(
            &volume,
            &export_nifti::template(&volume.grid)?,
        )?)
    }

    /// A mask of one organ on one slice of the sample, as a `.nii.gz` label map.
    ///
    /// # Errors
    /// Never, but for a bug.
    #[wasm_bindgen(js_name = sampleMask)]
    pub fn sample_mask(&self) -> Result<Vec<u8>, Failure> {
        let (_, organs) = phantom::phantom(phantom::DEFAULT_DIMS);
        let labels = phantom::prompt(&organs);
        Ok(export_nifti::write(
            &labels,
            &export_nifti::template(&labels.grid)?,
        )?)
    }

    /// Reads a label map on the open scan's grid; `{ labels, present }`.
    ///
    /// # Errors
    /// When it is no label map or lies on another grid.
    #[wasm_bindgen(js_name = readMask)]
    pub fn read_mask(&self, name: &str, bytes: &[u8]) -> Result<JsValue, Failure> {
        let map = scan::read_label_map(name, bytes)?.labels;
        same_grid(&self.opened()?.volume.grid, &map.grid)
            .map_err(|e| Failure::new("MaskGrid", format!("{name}: {e}")))?;
        let present = map.labels_present();
        to_js(&MaskInfo {
            labels: map.labels,
            present,
        })
    }

    /// Labels of the open scan, in storage order, as a `.nii.gz` on its grid.
    ///
    /// # Errors
    /// Without a scan, or when there is not one label for each voxel.
    #[wasm_bindgen(js_name = exportNifti)]
    pub fn export_nifti(&self, labels: Vec<u16>) -> Result<Vec<u8>, Failure> {
        let scan = self.opened()?;
        let labels = LabelMap::new(labels, scan.volume.grid.clone())?;
        Ok(export_nifti::write(&labels, &scan.header)?)
    }

    /// A session on the open scan with the loaded model.
    ///
    /// # Errors
    /// Without a model or a scan, and for options the model does not take.
    pub fn session(&self, options: JsValue) -> Result<WebSession, Failure> {
        let request: SessionRequest = convert::from_js(options)?;
        let (_, model) = self.loaded()?;
        let scan = self.opened()?;
        let axis: Axis = request.axis.parse()?;
        let window = match request.window {
            Some([lo, hi]) => Window::new(lo, hi)?,
            None => Window::auto(&scan.volume),
        };
        let across = axis.of(&scan.volume.grid);
        let sizes = (request.image_size, request.object_share);
        let options = SessionOptions {
            axis: across,
            window,
            image_size: self.image_size(sizes, scan.volume.slice_shape(across))?,
        };
        let bias = convert::object_score_bias(request.object_score_bias)?;
        let model = model.clone().raise_object_score(bias);
        let mut session = Session::new(&model, Arc::clone(&scan.volume), options);
        session.set_memory(request.memory.options(Strategy::Fifo)?);
        let cut = Cut {
            volume: Arc::clone(&scan.volume),
            axis,
            window,
            automatic: request.window.is_none(),
        };
        let warm = (self.info.kind == "webgpu").then_some(&self.warm);
        Ok(WebSession::new(session, warm, cut, self.lpips.clone()))
    }

    /// A set of pictures to segment by one prompted picture: `grey` and `mask` row by row, not zero is inside. Options
    /// `{ imageSize, memory }`, as a session's; the memory is `self-sorting` when left out.
    ///
    /// # Errors
    /// Without a model, and for options it does not take.
    #[wasm_bindgen(js_name = onePrompt)]
    pub fn one_prompt(
        &self,
        rows: usize,
        cols: usize,
        grey: Vec<u8>,
        mask: &[u8],
        options: JsValue,
    ) -> Result<WebOnePrompt, Failure> {
        let shape = SliceShape { rows, cols };
        let request: OnePromptRequest = convert::from_js(options)?;
        let (_, model) = self.loaded()?;
        let mask = convert::mask(shape, mask)?;
        let size = self.image_size((request.image_size, Some(mask.share())), shape)?;
        let prompt = (GreySlice { grey, shape }, mask);
        WebOnePrompt::new(model, (size, request.memory), prompt)
    }
}

impl OneSlice {
    fn open(&mut self, name: &str, volume: Volume, header: Template) -> Result<JsValue, Failure> {
        let grid = &volume.grid;
        let window = Window::auto(&volume);
        let axis = |axis: Axis| axis.of(grid).index();
        let info = ScanInfo {
            name: name.to_owned(),
            dims: grid.dims,
            spacing: grid.spacing.map(|mm| mm.0),
            affine: grid.affine.0.concat(),
            window: [window.lo, window.hi],
            axes: Axes {
                axial: axis(Axis::Axial),
                coronal: axis(Axis::Coronal),
                sagittal: axis(Axis::Sagittal),
            },
        };
        self.scan = Some(OpenScan {
            volume: Arc::new(volume),
            header,
        });
        to_js(&info)
    }

    fn loaded(&self) -> Result<&(Sam2Config, Sam2), Failure> {
        let none = || Failure::new("NoModel", "no weights are loaded");
        self.model.as_ref().ok_or_else(none)
    }

    /// What was asked for, or what suits the model, the slices and the smallest object by its share of one; on the CPU no
    /// more than a person waits for.
    fn image_size(
        &self,
        (asked, object): (Option<usize>, Option<f64>),
        slices: SliceShape,
    ) -> Result<ImageSize, Failure> {
        const MOST_ON_CPU: usize = 512;
        let (config, _) = self.loaded()?;
        let suited = || config.image_size_for(slices.longest(), object).pixels();
        let most = match self.info.kind {
            "cpu" => MOST_ON_CPU,
            _ => ImageSize::MAX,
        };
        convert::image_size(asked.unwrap_or_else(|| suited().min(most)))
    }

    fn opened(&self) -> Result<&OpenScan, Failure> {
        let none = || Failure::new("NoScan", "no scan is open");
        self.scan.as_ref().ok_or_else(none)
    }
}
