//! The device the model runs on: WebGPU through wgpu, or Burn's CPU path.

use burn::tensor::{Device, wgpu::WgpuInitError};
use js_sys::Reflect;
use serde::Serialize;
use wasm_bindgen::JsValue;

use super::convert::Failure;

/// What the page says about the device.
#[derive(Clone, Serialize)]
pub(super) struct DeviceInfo {
    pub kind: &'static str,
    pub description: String,
}

/// Panics and shader errors go to the console, where a person and a test can see them: wgpu
/// reports a shader that does not compile to the log only.
pub(super) fn report_errors() {
    console_error_panic_hook::set_once();
    // A second call finds the logger in place, which is what is wanted.
    let _ = console_log::init_with_level(log::Level::Error);
}

/// Opens `webgpu`, `cpu` or `auto`.
pub(super) async fn open(kind: &str) -> Result<(Device, DeviceInfo), Failure> {
    match kind {
        "cpu" => Ok(cpu("CPU".into())),
        "webgpu" => webgpu()
            .await
            .map_err(|why| Failure::new("WebGpuUnavailable", why)),
        "auto" => Ok(webgpu()
            .await
            .unwrap_or_else(|why| cpu(format!("CPU ({why})")))),
        _ => {
            let what = format!("device `{kind}` is none of auto, webgpu, cpu");
            Err(Failure::new("Options", what))
        }
    }
}

fn cpu(description: String) -> (Device, DeviceInfo) {
    (
        Device::flex(),
        DeviceInfo {
            kind: "cpu",
            description,
        },
    )
}

/// The WebGPU device, or in a few words why there is none.
async fn webgpu() -> Result<(Device, DeviceInfo), String> {
    let global = js_sys::global();
    let navigator = Reflect::get(&global, &"navigator".into()).unwrap_or(JsValue::UNDEFINED);
    let gpu = Reflect::get(&navigator, &"gpu".into()).unwrap_or(JsValue::UNDEFINED);
    if gpu.is_undefined() {
        return Err("this browser has no WebGPU".into());
    }
    let opened = Device::wgpu_options().init_with_setup_async().await;
    let (device, setup) = opened.map_err(|e| match e {
        WgpuInitError::AdapterUnavailable { .. } => "WebGPU found no adapter".to_owned(),
        other => other.to_string().replace('\n', " "),
    })?;
    let info = setup.adapter.get_info();
    let names = [info.name, info.driver, info.driver_info];
    let named = names.into_iter().find(|name| !name.trim().is_empty());
    let description = named.unwrap_or_else(|| "unnamed adapter".into());
    Ok((
        device,
        DeviceInfo {
            kind: "webgpu",
            description,
        },
    ))
}
