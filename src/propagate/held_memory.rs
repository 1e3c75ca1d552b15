//! What a session keeps in the device's memory.
//!
//! In: tensors and the device's own count; out: bytes by purpose.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Int, Tensor};

use crate::sam2::{ImageFeatures, Sam2, Tables};

/// Bytes that a session's device holds. The first four are counted from the tensors' shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldMemory {
    /// The model's parameters, packed as they are; shared by all sessions with the model.
    pub weights: u64,
    /// Constants of the image size.
    pub tables: u64,
    /// Features of the slice looked at last.
    pub features: u64,
    /// What is remembered of slices, over all labels.
    pub memory_bank: u64,
    /// What the device's allocator says, for all that uses the device; none where it does not say.
    pub device: Option<DeviceMemory>,
}

/// An allocator's count, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceMemory {
    /// Of living tensors.
    pub in_use: u64,
    /// Taken from the device: the peak so far, because what is freed is kept for the next.
    pub reserved: u64,
}

impl HeldMemory {
    /// What the device holds beyond weights, tables, features and memories: results under way and space kept for them.
    pub fn temporaries(&self) -> Option<u64> {
        let known = self.weights + self.tables + self.features + self.memory_bank;
        self.device
            .map(|device| device.reserved.saturating_sub(known))
    }
}

impl DeviceMemory {
    /// Of a device; none on the CPU.
    pub(super) fn of(device: &Device) -> Option<Self> {
        let usage = device.memory_pool_usage()?;
        Some(Self {
            in_use: usage.bytes_in_use,
            reserved: usage.bytes_reserved,
        })
    }
}

/// Bytes of an f32 tensor.
pub(super) fn bytes<const D: usize>(tensor: &Tensor<D>) -> u64 {
    (tensor.dims().iter().product::<usize>() * size_of::<f32>()) as u64
}

pub(super) fn features_bytes(features: &ImageFeatures) -> u64 {
    let [s0, s1] = &features.high_res;
    bytes(s0) + bytes(s1) + bytes(&features.embedding)
}

pub(super) fn tables_bytes(tables: &Tables) -> u64 {
    let maps = bytes(&tables.trunk_pos_embed) + bytes(&tables.dense_pe);
    let encodings = bytes(&tables.vision_pos_enc) + bytes(&tables.maskmem_pos_enc);
    maps + encodings + tables.rope.bytes()
}

/// Parameters are f32 or 32-bit words.
pub(super) fn weights_bytes(model: &Sam2) -> u64 {
    struct Count(usize);
    impl ModuleVisitor for Count {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0 += param.lazy_shape().num_elements();
        }
        fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
            self.0 += param.lazy_shape().num_elements();
        }
    }
    let mut count = Count(0);
    model.visit(&mut count);
    (count.0 * size_of::<f32>()) as u64
}
