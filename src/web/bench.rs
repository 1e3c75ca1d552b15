//! The model's parts for the bench page, one at a time. Only with the feature `bench`, so never in the page that is shipped.

use burn::tensor::{Device, Tensor};
use wasm_bindgen::prelude::*;

use super::convert::{Failure, to_js};
use super::device;
use crate::checkpoint::{self, TensorFile};
use crate::kernels;
use crate::sam2::parts::{Part, PreparedPart, samples};
use crate::sam2::{ImageSize, Sam2, Sam2Config};

/// A device, a model on it and one of its parts.
#[wasm_bindgen]
pub struct Bench {
    device: Device,
    model: Option<(Sam2Config, Sam2)>,
    part: Option<PreparedPart>,
}

#[wasm_bindgen]
impl Bench {
    /// Opens `webgpu` or `cpu`.
    ///
    /// # Errors
    /// `WebGpuUnavailable`.
    pub async fn create(kind: &str) -> Result<Bench, Failure> {
        device::report_errors();
        let (device, _) = device::open(kind).await?;
        Ok(Self {
            device,
            model: None,
            part: None,
        })
    }

    /// Fills the model from a `.safetensors` file, packed or not.
    ///
    /// # Errors
    /// Those of [`checkpoint::load`].
    pub fn load(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), Failure> {
        let file = TensorFile::from_safetensors(name, bytes)?;
        self.model = Some(checkpoint::load(&file, &self.device)?);
        Ok(())
    }

    /// Makes a part's inputs; how many multiply-adds a run of it takes.
    ///
    /// # Errors
    /// For an unknown part or image size, and without a model.
    pub fn prepare(&mut self, part: &str, pixels: usize) -> Result<f64, Failure> {
        let wrong = |what: String| Failure::new("Options", what);
        let part = Part::named(part).ok_or_else(|| wrong(format!("there is no part `{part}`")))?;
        let size = ImageSize::new(pixels).ok_or_else(|| wrong(ImageSize::RULE.into()))?;
        let (config, model) = self
            .model
            .as_ref()
            .ok_or_else(|| wrong("no model".into()))?;
        self.part = None; // what it holds goes before the next one's is made
        self.part = Some(PreparedPart::new(model.clone(), config, size, part));
        Ok(part.macs(config, size) as f64)
    }

    /// Runs the part once and waits for it, by its last output's last value.
    ///
    /// # Errors
    /// When the device fails, and before [`prepare`](Self::prepare).
    pub async fn run(&self) -> Result<(), Failure> {
        let outputs = self.outputs()?;
        let last = outputs
            .into_iter()
            .next_back()
            .expect("every part has outputs");
        let end = last.dims()[0];
        read(last.narrow(0, end - 1, 1)).await?;
        Ok(())
    }

    /// Runs the part once; evenly spread values of each output.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn samples(&self) -> Result<JsValue, Failure> {
        let mut all = Vec::new();
        for output in self.outputs()? {
            all.push(samples(&read(output).await?));
        }
        to_js(&all)
    }

    /// Takes Burn's own operations only, or our kernels again.
    #[wasm_bindgen(js_name = useStock)]
    pub fn use_stock(alone: bool) {
        kernels::use_stock(alone);
    }
}

impl Bench {
    fn outputs(&self) -> Result<Vec<Tensor<1>>, Failure> {
        let part = self.part.as_ref();
        let none = || Failure::new("Options", "no part is prepared");
        Ok(part.ok_or_else(none)?.run())
    }
}

async fn read(tensor: Tensor<1>) -> Result<Vec<f32>, Failure> {
    let failed = |e: String| Failure::new("Device", e);
    let data = tensor.into_data_async().await;
    let data = data.map_err(|e| failed(e.to_string()))?;
    data.try_into_vec().map_err(|e| failed(format!("{e:?}")))
}
