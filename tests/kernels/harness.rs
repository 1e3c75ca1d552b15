//! Devices, variants, random tensors and comparison.

use burn::tensor::{Device, Tensor};
use oneslice::kernels::gpu::AdapterClass;

use crate::common::{Tolerance, assert_close};
use crate::{Assumed, Random, device, upload};

/// The graphics device, its adapter counting as `class` for as long as this lives.
pub struct Gpu {
    pub device: Device,
    _assumed: Assumed,
}

impl Gpu {
    /// None, with a word about it, where graphics tests are not asked for.
    pub fn open(test: &str, class: AdapterClass) -> Option<Self> {
        Some(Self {
            device: device(test)?,
            _assumed: Assumed::new(class),
        })
    }
}

/// Random numbers times `scale`, on a device.
pub fn tensor<const D: usize>(
    shape: [usize; D],
    seed: usize,
    scale: f32,
    device: &Device,
) -> Tensor<D> {
    let values = Random(seed as u64 + 1).values(shape.iter().product());
    let values: Vec<f32> = values.into_iter().map(|v| v * scale).collect();
    upload(&values, shape, device)
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
