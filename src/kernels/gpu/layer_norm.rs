//! Layer norm in one launch, with the activation that may follow: stock Burn takes six. A row is read three times (mean,
//! variance, result), the second and third time from a cache, and written once.

use burn::tensor::{DType, Tensor};
use burn_cubecl::kernel::into_contiguous;

use super::super::{Activation, Norm};
use super::AdapterClass;
use super::launch::{Wgsl, apart, cube, empty, launch, tensor};

/// Workgroups in one direction that every WebGPU device takes.
const MAX_GROUPS: usize = 65_535;
/// Threads of the narrow variant, a row each.
const NARROW_ROWS: usize = 64;
/// Rows of a workgroup of the wide variant, 16 threads each.
const WIDE_ROWS: usize = 4;

/// As [`layer_norm`](super::super::layer_norm), on a graphics card; for a multiple of 4 channels.
pub fn layer_norm(x: &Tensor<2>, norm: &Norm) -> Option<Tensor<2>> {
    let [rows, channels] = x.dims();
    if rows == 0 || !channels.is_multiple_of(4) || rows.div_ceil(NARROW_ROWS) > MAX_GROUPS {
        return None;
    }
    let (x, weight, bias) = (cube(x)?, cube(&norm.weight)?, cube(&norm.bias)?);
    if x.dtype != DType::F32 {
        return None;
    }
    let few_quads = channels / 4 <= 8;
    let many_rows = rows.div_ceil(WIDE_ROWS) > MAX_GROUPS;
    // Sixteen threads to a row only where there is something for each of them, and where barriers are cheap.
    let narrow = AdapterClass::of(&x) == AdapterClass::Emulated || few_quads || many_rows;
    let (text, workgroup, rows_each) = match narrow {
        true => (
            include_str!("layer_norm_narrow.wgsl"),
            [64, 1, 1],
            NARROW_ROWS,
        ),
        false => (include_str!("layer_norm_wide.wgsl"), [16, 4, 1], WIDE_ROWS),
    };
    let activation = match norm.activation {
        None => "",
        Some(Activation::Relu) => "relu",
        Some(Activation::Gelu) => "gelu",
    };
    let kernel = Wgsl {
        text,
        values: vec![
            ("shared", include_str!("layer_norm.wgsl").into()),
            ("activations", include_str!("activation.wgsl").into()),
            ("activation", activation.into()),
            ("epsilon", format!("{:e}", norm.epsilon)),
        ],
        workgroup,
    };
    let y = empty(&x, [rows, channels]);
    let mut buffers = [x, weight, bias].map(into_contiguous);
    apart(&mut buffers);
    let [x, weight, bias] = &buffers;
    let groups = [rows.div_ceil(rows_each), 1, 1];
    launch(
        kernel,
        groups,
        &[x, weight, bias, &y],
        &[rows, channels / 4],
    );
    Some(tensor(y))
}
