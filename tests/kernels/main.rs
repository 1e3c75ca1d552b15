//! Our kernels against Burn's operations on the CPU: `ONESLICE_WGPU=1`, as `tests/wgpu.rs`. Every variant of a kernel runs
//! on whatever adapter there is.

#[path = "../common/mod.rs"]
mod common;

mod attention;
mod harness;
mod linear;

use std::sync::{Mutex, MutexGuard, Once, OnceLock, PoisonError};

use burn::tensor::{DType, Device, Tensor, TensorData};
use oneslice::kernels::gpu::{AdapterClass, assume_class};

/// The graphics device, or none if these tests are not asked for.
fn device(test: &str) -> Option<Device> {
    static GPU: OnceLock<Device> = OnceLock::new();
    common::switch("ONESLICE_WGPU", test)?;
    ERRORS_FAIL.call_once(|| {
        log::set_logger(&Errors).expect("no other logger");
        log::set_max_level(log::LevelFilter::Error);
    });
    let open = || Device::wgpu_options().init().expect("a graphics device");
    Some(GPU.get_or_init(open).clone())
}

/// Both classes of adapter.
const CLASSES: [AdapterClass; 2] = [AdapterClass::Hardware, AdapterClass::Emulated];

/// All adapters are of this class until the guard goes; other tests wait.
struct Assumed(#[allow(dead_code, reason = "held, not read")] MutexGuard<'static, ()>);

impl Assumed {
    fn new(class: AdapterClass) -> Self {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        assume_class(Some(class));
        Self(guard)
    }
}

impl Drop for Assumed {
    fn drop(&mut self) {
        assume_class(None);
    }
}

/// A kernel that does not compile is logged and leaves its output as it was, perhaps with an earlier right result.
struct Errors;

static ERRORS_FAIL: Once = Once::new();
static LOGGED: Mutex<Vec<String>> = Mutex::new(Vec::new());

impl log::Log for Errors {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        // A machine without OpenGL says so, and Vulkan is used.
        metadata.level() <= log::Level::Error && !metadata.target().starts_with("wgpu_hal::gles")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = format!("{}: {}", record.target(), record.args());
            LOGGED
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line);
        }
    }

    fn flush(&self) {}
}

/// Fails if anything was logged as an error.
fn assert_nothing_logged() {
    let logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(logged.is_empty(), "{logged:?}");
}

/// Values between -1 and 1, the same for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    fn values(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.next()).collect()
    }
}

/// An f32 tensor of these values.
fn upload<const D: usize>(values: &[f32], shape: [usize; D], device: &Device) -> Tensor<D> {
    let data = TensorData::new(values.to_vec(), shape);
    Tensor::from_data(data, (device, DType::F32))
}
