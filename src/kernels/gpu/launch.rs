//! From WGSL text and tensors to a launch.

use burn::tensor::{DType, Int, Tensor};
use burn_cubecl::{
    Cube,
    template::{KernelSource, SourceKernel, SourceTemplate},
    tensor::CubeTensor,
};
use cubecl::{
    CubeCount, CubeDim,
    prelude::KernelId,
    server::{KernelArguments, MetadataBindingInfo},
};

/// A kernel: its text, and the values that stand for `{{ name }}` in it. Together they are its identity, so a
/// value that differs from slice to slice (a number of keys) belongs into a buffer, not in here.
#[derive(Clone, Debug)]
pub(super) struct Wgsl {
    pub text: &'static str,
    pub values: Vec<(&'static str, String)>,
    pub workgroup: [u32; 3],
}

/// What can be launched.
pub(super) trait Kernel: KernelSource {
    /// Invocations along x, y and z.
    fn workgroup(&self) -> [u32; 3];
}

impl Kernel for Wgsl {
    fn workgroup(&self) -> [u32; 3] {
        self.workgroup
    }
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

/// The tensor as the graphics runtime holds it; none for a tensor of another device.
pub(super) fn cube<const D: usize>(tensor: &Tensor<D>) -> Option<CubeTensor> {
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

/// Copies each tensor that lies in the same memory as one before it: browsers refuse two writable bindings of one range,
/// and cubecl's are all writable.
pub(super) fn apart(tensors: &mut [CubeTensor]) {
    let memory = |t: &CubeTensor| t.handle.clone().binding().memory.id();
    for i in 1..tensors.len() {
        let (before, rest) = tensors.split_at_mut(i);
        let own = memory(&rest[0]);
        if before.iter().any(|other| memory(other) == own) {
            rest[0] = rest[0].copy();
        }
    }
}

/// Runs `kernel` on `buffers`, in the order of its bindings, all `read_write` in the text, with `sizes` as a last binding
/// `var<uniform>` of a struct of `u32`. What differs from call to call stands there, and the kernel is compiled once; the
/// runtime keeps the small buffers and finds them again by their contents.
pub(super) fn launch(
    kernel: impl Kernel,
    workgroups: [usize; 3],
    buffers: &[&CubeTensor],
    sizes: &[usize],
) {
    let [x, y, z] = kernel.workgroup();
    let dim = CubeDim::new_3d(x, y, z);
    let client = buffers[0].client.clone();
    let bindings = buffers.iter().map(|b| b.handle.clone().binding());
    let sizes = MetadataBindingInfo::custom(uniform_words(sizes));
    let arguments = KernelArguments::new()
        .with_buffers(bindings.collect())
        .with_info(sizes);
    let [x, y, z] = workgroups.map(|count| count as u32);
    let kernel = Box::new(SourceKernel::new(kernel, dim));
    client.launch(kernel, CubeCount::Static(x, y, z), arguments);
}

/// Two `u32` in each word, filled up to the 16 bytes that a uniform struct is a multiple of.
fn uniform_words(sizes: &[usize]) -> Vec<u64> {
    let mut sizes: Vec<u64> = sizes.iter().map(|&size| u64::from(size as u32)).collect();
    sizes.resize(sizes.len().next_multiple_of(4), 0);
    let (pairs, _) = sizes.as_chunks::<2>();
    pairs.iter().map(|[low, high]| low | high << 32).collect()
}

/// Repeats each line that has a `$r` for r = 0 .. its count, a line with several such names for all combinations.
/// Registers have no addresses: what is kept in them has to be written out.
pub(super) fn unroll(text: &str, counts: &[(&str, usize)]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (name, count) in counts {
        let repeat = |line: String| -> Vec<String> {
            match line.contains(name) {
                true => (0..*count)
                    .map(|i| line.replace(name, &i.to_string()))
                    .collect(),
                false => vec![line],
            }
        };
        lines = lines.into_iter().flat_map(repeat).collect();
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_repeated_for_all_combinations() {
        let text = "a\nb$r\nc$r_$c\n";
        let unrolled = unroll(text, &[("$r", 2), ("$c", 2)]);
        assert_eq!(unrolled, "a\nb0\nb1\nc0_0\nc0_1\nc1_0\nc1_1");
    }

    #[test]
    fn uniforms_are_whole_16_bytes() {
        assert!(uniform_words(&[]).is_empty());
        assert_eq!(uniform_words(&[1, 2, 3]), [1 | 2 << 32, 3]);
        assert_eq!(
            uniform_words(&[1, 2, 3, 4, 5]),
            [1 | 2 << 32, 3 | 4 << 32, 5, 0]
        );
    }
}
