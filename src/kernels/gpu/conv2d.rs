//! Convolutions as linear layers over what they see, channels last; depthwise ones directly.
//!
//! A 1x1 convolution is a linear layer as it stands. Another one has its patches written out first: `kernel²` times the
//! map, read once by the linear kernel; of large ones so many lines at a time. Results are channels-last in memory, and seen
//! as `[b, c, h, w]`; a layer norm or another convolution after it moves nothing.

use burn::tensor::{DType, Tensor};
use burn_cubecl::{kernel::into_contiguous, tensor::CubeTensor};

use super::super::{Epilogue, Filter, Weight};
use super::launch::{Wgsl, apart, cube, empty, launch, tensor};
use super::linear::linear;

const THREADS: usize = 64;
/// Workgroups side by side; more of them go into further lines.
const WIDE: usize = 32_768;
/// Bytes that written-out patches may take at a time.
const MAX_PATCHES: usize = 64 << 20;

/// As [`conv2d`](super::super::conv2d), on a graphics card; for whole maps of filters or one each.
pub fn conv2d(x: &Tensor<4>, filter: &Filter) -> Option<Tensor<4>> {
    cube(x)?;
    let [b, c_in, h, w] = x.dims();
    let [c_out, per_group, rows, columns] = filter.weight.dims();
    if per_group == 1 && c_in == c_out && filter.stride == 1 && c_in > 1 && rows == columns {
        return depthwise(x, filter);
    }
    if per_group != c_in {
        return None;
    }
    let [out_h, out_w] = filter.output([h, w]);
    let epilogue = Epilogue {
        bias: Some(filter.bias.clone()),
        activation: filter.activation,
        residual: None,
    };
    let is_pointwise = [rows, columns, filter.stride, filter.padding] == [1, 1, 1, 0];
    let y = match is_pointwise {
        true => {
            let seen = x.clone().permute([0, 2, 3, 1]).reshape([b * h * w, c_in]);
            let weight = filter.weight.clone().reshape([c_out, c_in]).transpose();
            linear(&seen, &Weight::Dense(weight), &epilogue)?
        }
        false => by_patches(x, filter, &epilogue)?,
    };
    Some(y.reshape([b, out_h, out_w, c_out]).permute([0, 3, 1, 2]))
}

/// As many lines of the result at a time as [`MAX_PATCHES`] has room for: `[b * out_h * out_w, c_out]`.
fn by_patches(x: &Tensor<4>, filter: &Filter, epilogue: &Epilogue) -> Option<Tensor<2>> {
    let [b, c_in, h, w] = x.dims();
    let [_, _, rows, columns] = filter.weight.dims();
    let [out_h, out_w] = filter.output([h, w]);
    let line = out_w * (rows * columns * c_in).next_multiple_of(4) * size_of::<f32>();
    let (lines, at_once) = (b * out_h, (MAX_PATCHES / line.max(1)).max(1));
    let weight = Weight::Dense(matrix(filter.weight.clone()));
    let parts = (0..lines).step_by(at_once).map(|first| {
        let seen = patches(x, filter, first, at_once.min(lines - first))?;
        linear(&seen, &weight, epilogue)
    });
    let mut parts = parts.collect::<Option<Vec<_>>>()?;
    match parts.len() {
        0 => None,
        1 => parts.pop(),
        _ => Some(Tensor::cat(parts, 0)),
    }
}

/// As [`conv_transpose2x2`](super::super::conv_transpose2x2), on a graphics card: a linear layer to four places at once.
pub fn conv_transpose2x2(x: &Tensor<4>, weight: &Tensor<4>, bias: &Tensor<1>) -> Option<Tensor<4>> {
    let [b, c_in, h, w] = x.dims();
    let c_out = weight.dims()[1];
    cube(x)?;
    let rows = x.clone().permute([0, 2, 3, 1]).reshape([b * h * w, c_in]);
    let weight = weight
        .clone()
        .permute([0, 2, 3, 1])
        .reshape([c_in, 4 * c_out]);
    let epilogue = Epilogue {
        bias: Some(bias.clone().repeat(&[4])),
        ..Epilogue::default()
    };
    let y = linear(&rows, &Weight::Dense(weight), &epilogue)?;
    let y = y
        .reshape([b, h, w, 2, 2, c_out])
        .permute([0, 1, 3, 2, 4, 5]);
    Some(y.reshape([b, 2 * h, 2 * w, c_out]).permute([0, 3, 1, 2]))
}

/// A filter as the matrix that patches are multiplied with: `[c_out, c_in, rows, columns]` to
/// `[rows * columns * c_in, c_out]`, with rows of zeros up to whole quads.
fn matrix(weight: Tensor<4>) -> Tensor<2> {
    let [c_out, c_in, rows, columns] = weight.dims();
    let inputs = rows * columns * c_in;
    let matrix = weight.permute([2, 3, 1, 0]).reshape([inputs, c_out]);
    match inputs.next_multiple_of(4) - inputs {
        0 => matrix,
        missing => {
            let zeros = Tensor::zeros([missing, c_out], &matrix.device());
            Tensor::cat(vec![matrix, zeros], 0)
        }
    }
}

/// What the filter sees at each place of so many lines of the result: `[lines * out_w, inputs]`, whole quads.
fn patches(x: &Tensor<4>, filter: &Filter, first: usize, lines: usize) -> Option<Tensor<2>> {
    let [_, c_in, h, w] = x.dims();
    let [_, _, filter_rows, filter_columns] = filter.weight.dims();
    let [out_h, out_w] = filter.output([h, w]);
    let inputs = filter_rows * filter_columns * c_in;
    let (places, quads) = (lines * out_w, inputs.div_ceil(4));
    if places == 0 {
        return None;
    }
    let x = f32_cube(x)?;
    let y = empty(&x, [places, 4 * quads]);
    let counts = [places, first, quads, inputs, c_in, filter_columns];
    let extents = [out_h, out_w, h, w, filter.stride, filter.padding];
    let sizes: Vec<usize> = counts.iter().chain(&extents).copied().collect();
    let steps = x.meta.strides().to_vec();
    let sizes = [sizes, steps].concat();
    let kernel = per_quad(include_str!("patches.wgsl"));
    launch(kernel, workgroups(places * quads), &[&x, &y], &sizes);
    Some(tensor(y))
}

fn depthwise(x: &Tensor<4>, filter: &Filter) -> Option<Tensor<4>> {
    let [b, c, h, w] = x.dims();
    let size = filter.weight.dims()[2];
    let [out_h, out_w] = filter.output([h, w]);
    let (places, quads) = (b * out_h * out_w, c / 4);
    if !c.is_multiple_of(4) || places == 0 || filter.activation.is_some() {
        return None;
    }
    let weight = filter.weight.clone().reshape([c, size * size]).transpose();
    let x = f32_cube(&x.clone().permute([0, 2, 3, 1]))?; // [b, h, w, c]
    let y = empty(&x, [b, out_h, out_w, c]);
    let mut buffers = [x, cube(&weight)?, cube(&filter.bias)?].map(into_contiguous);
    apart(&mut buffers);
    let [x, weight, bias] = &buffers;
    let sizes = [places, quads, size, filter.padding, out_h, out_w, h, w];
    let kernel = per_quad(include_str!("depthwise.wgsl"));
    launch(
        kernel,
        workgroups(places * quads),
        &[x, weight, bias, &y],
        &sizes,
    );
    Some(tensor::<4>(y).permute([0, 3, 1, 2]))
}

fn f32_cube(x: &Tensor<4>) -> Option<CubeTensor> {
    cube(x).filter(|x| x.dtype == DType::F32)
}

fn per_quad(text: &'static str) -> Wgsl {
    Wgsl {
        text,
        values: vec![("wide", WIDE.to_string())],
        workgroup: [THREADS as u32, 1, 1],
    }
}

fn workgroups(threads: usize) -> [usize; 3] {
    let groups = threads.div_ceil(THREADS);
    [groups.min(WIDE), groups.div_ceil(WIDE), 1]
}
