//! The device the model runs on: WebGPU through wgpu, or Burn's CPU path.

use burn::tensor::{Device, wgpu::WgpuInitError};
use js_sys::{Function, Promise, Reflect};
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::convert::Failure;
use crate::kernels::gpu::{AdapterClass, assume_class};

/// What the page says about the device.
#[derive(Clone, Serialize)]
pub(super) struct DeviceInfo {
    pub kind: &'static str,
    pub description: String,
}

/// What the browser tells of an adapter; wgpu passes on less.
struct Adapter {
    description: String,
    is_software: bool,
}

/// Panics and shader errors go to the console, where a person and a test can see them: wgpu
/// reports a shader that does not compile to the log only.
pub(super) fn report_errors() {
    console_error_panic_hook::set_once();
    // A second call finds the logger in place, which is what is wanted.
    let _ = console_log::init_with_level(log::Level::Error);
}

/// Opens `webgpu`, `cpu` or `auto`: WebGPU where there is an adapter that is no program, which would be slower
/// than our own CPU path.
pub(super) async fn open(kind: &str) -> Result<(Device, DeviceInfo), Failure> {
    match kind {
        "cpu" => Ok(cpu("CPU".into())),
        "webgpu" => match adapter().await {
            Ok(adapter) => webgpu(adapter).await,
            Err(why) => Err(why),
        }
        .map_err(|why| Failure::new("WebGpuUnavailable", why)),
        "auto" => Ok(match adapter().await {
            Ok(adapter) if adapter.is_software => {
                cpu("CPU (WebGPU has only a software adapter)".into())
            }
            Ok(adapter) => webgpu(adapter)
                .await
                .unwrap_or_else(|why| cpu(format!("CPU ({why})"))),
            Err(why) => cpu(format!("CPU ({why})")),
        }),
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

/// The adapter that wgpu will get too, or in a few words why there is none.
async fn adapter() -> Result<Adapter, String> {
    let get = |object: &JsValue, key: &str| {
        Reflect::get(object, &key.into()).unwrap_or(JsValue::UNDEFINED)
    };
    let gpu = get(&get(&js_sys::global(), "navigator"), "gpu");
    let Some(request) = get(&gpu, "requestAdapter").dyn_ref::<Function>().cloned() else {
        return Err("this browser has no WebGPU".into());
    };
    let none = || "WebGPU found no adapter".to_owned();
    let promise: Promise = request
        .call0(&gpu)
        .ok()
        .and_then(|promise| promise.dyn_into().ok())
        .ok_or_else(none)?;
    let adapter = JsFuture::from(promise).await.map_err(|_| none())?;
    if adapter.is_null() {
        return Err(none());
    }
    let info = get(&adapter, "info");
    let word = |key: &str| get(&info, key).as_string().unwrap_or_default();
    let names = [word("description"), word("vendor"), word("architecture")];
    let description = match names[0].as_str() {
        "" => names[1..].join(" ").trim().to_owned(),
        named => named.to_owned(),
    };
    Ok(Adapter {
        is_software: get(&info, "isFallbackAdapter").is_truthy()
            || word("architecture") == "swiftshader",
        description: match description.as_str() {
            "" => "unnamed adapter".into(),
            _ => description,
        },
    })
}

/// The WebGPU device, or in a few words why there is none.
async fn webgpu(adapter: Adapter) -> Result<(Device, DeviceInfo), String> {
    let device = Device::wgpu_options()
        .init_async()
        .await
        .map_err(|e| match e {
            WgpuInitError::AdapterUnavailable { .. } => "WebGPU found no adapter".to_owned(),
            other => other.to_string().replace('\n', " "),
        })?;
    assume_class(Some(match adapter.is_software {
        true => AdapterClass::Emulated,
        false => AdapterClass::Hardware,
    }));
    Ok((
        device,
        DeviceInfo {
            kind: "webgpu",
            description: adapter.description,
        },
    ))
}
