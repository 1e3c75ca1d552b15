//! From WGSL text and tensors to a launch.

use burn::tensor::{DType, Int, Tensor};
use burn_cubecl::{
    Cube,
    template::{KernelSource, SourceKernel, SourceTemplate},
    tensor::CubeTensor,
};
use cubecl::{CubeCount, CubeDim, prelude::KernelId, server::KernelArguments};

use crate::kernels::stock;

/// A kernel: its text, and the values that stand for `{{ name }}` in it. Together they are its identity, so a
/// value that differs from slice to slice (a number of keys) belongs into a buffer, not in here.
#[derive(Clone, Debug)]
pub(super) struct Wgsl {
    pub text: &'static str,
    pub values: Vec<(&'static str, String)>,
    pub workgroup: [u32; 3],
}

impl KernelSource for Wgsl {
    fn source(&self) -> SourceTemplate {
        let template = SourceTemplate::new(self.text);
        let values = self.values.iter().cloned();
        values.fold(template, |t, (name, value)| t.register(name, value))
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info((self.text, self.values.clone()))
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

/// The tensor as the graphics runtime holds it; none for a tensor of another device, and where only Burn's own operations
/// are wanted.
pub(super) fn cube<const D: usize>(tensor: &Tensor<D>) -> Option<CubeTensor> {
    if stock::is_alone() {
        return None;
    }
    tensor.clone().try_into_primitive::<Cube>().ok()
}

/// As [`cube`], for integers.
pub(super) fn cube_int<const D: usize>(tensor: &Tensor<D, Int>) -> Option<CubeTensor> {
    tensor.clone().try_into_primitive::<Cube>().ok()
}

/// Back to a tensor.
pub(super) fn tensor<const D: usize>(cube: CubeTensor) -> Tensor<D> {
    Tensor::from_primitive::<Cube>(cube)
}

/// An f32 tensor with nothing in it yet, beside `like`.
pub(super) fn empty<const D: usize>(like: &CubeTensor, shape: [usize; D]) -> CubeTensor {
    let bytes = shape.iter().product::<usize>() * size_of::<f32>();
    let handle = like.client.empty(bytes);
    let (client, device) = (like.client.clone(), like.device.clone());
    CubeTensor::new_contiguous(client, device, shape.into(), handle, DType::F32)
}

/// Runs `kernel` on `buffers`, in the order of its bindings; all bindings are `read_write` in the text.
pub(super) fn launch(kernel: Wgsl, workgroups: [usize; 3], buffers: &[&CubeTensor]) {
    let [x, y, z] = kernel.workgroup;
    let dim = CubeDim::new_3d(x, y, z);
    let client = buffers[0].client.clone();
    let bindings = buffers.iter().map(|b| b.handle.clone().binding());
    let arguments = KernelArguments::new().with_buffers(bindings.collect());
    let [x, y, z] = workgroups.map(|count| count as u32);
    let kernel = Box::new(SourceKernel::new(kernel, dim));
    client.launch(kernel, CubeCount::Static(x, y, z), arguments);
}
