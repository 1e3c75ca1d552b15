//! Devices, variants, random tensors and comparison.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use burn::tensor::{Device, Tensor, TensorData};
use oneslice::kernels::gpu::{AdapterClass, assume_class};

use crate::common::{Tolerance, assert_close, switch};

/// A graphics device whose adapter counts as `class` for as long as this lives. One at a time: the class is global.
pub struct Gpu {
    pub device: Device,
    _alone: MutexGuard<'static, ()>,
}

impl Gpu {
    /// None, with a word about it, where graphics tests are not asked for.
    pub fn open(test: &str, class: AdapterClass) -> Option<Self> {
        static ALONE: Mutex<()> = Mutex::new(());
        static DEVICE: OnceLock<Device> = OnceLock::new();
        switch("ONESLICE_WGPU", test)?;
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let open = || Device::wgpu_options().init().expect("a graphics device");
        let device = DEVICE.get_or_init(open).clone();
        assume_class(Some(class));
        Some(Self {
            device,
            _alone: alone,
        })
    }
}

impl Drop for Gpu {
    fn drop(&mut self) {
        assume_class(None);
    }
}

/// Even random numbers from -1 to 1, other ones for each seed.
pub fn random(count: usize, seed: usize) -> Vec<f32> {
    let mut state = (seed as u32)
        .wrapping_mul(2_654_435_761)
        .wrapping_add(12_345);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Random numbers times `scale`, on a device.
pub fn tensor<const D: usize>(
    shape: [usize; D],
    seed: usize,
    scale: f32,
    device: &Device,
) -> Tensor<D> {
    let values = random(shape.iter().product(), seed);
    let values: Vec<f32> = values.into_iter().map(|v| v * scale).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Compares a result with the reference, shape and values.
#[track_caller]
pub fn compare<const D: usize>(
    what: &str,
    found: Tensor<D>,
    expected: Tensor<D>,
    tolerance: Tolerance,
) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    let values = |t: Tensor<D>| t.into_data().try_into_vec::<f32>().expect("f32");
    assert_close(what, &values(found), &values(expected), tolerance);
}
