//! Rotary encoding in one launch: read, turn, write, the tail passed through. 12 bytes move for each float, 8 of them the
//! tensor itself.

use burn::tensor::{DType, Tensor};
use burn_cubecl::kernel::into_contiguous;

use super::launch::{Wgsl, cube, empty, launch, tensor};
use super::view::{rows_of_vectors, sizes};

const TEXT: &str = include_str!("rope.wgsl");
const THREADS: usize = 64;
/// Workgroups in one direction that every WebGPU device takes.
const MAX_GROUPS: usize = 65_535;

/// As [`rope`](crate::kernels::rope), on a graphics card; for a multiple of 4 channels.
pub fn rope(x: &Tensor<3>, table: &Tensor<2>, turned: usize) -> Option<Tensor<3>> {
    let [b, tokens, c] = x.dims();
    let groups = (tokens * c / 4).div_ceil(THREADS);
    if !c.is_multiple_of(4) || groups > MAX_GROUPS || b > MAX_GROUPS || tokens == 0 {
        return None;
    }
    let (x, table) = (cube(x)?, cube(table)?);
    if x.dtype != DType::F32 || table.dtype != DType::F32 {
        return None;
    }
    let (x, table) = (rows_of_vectors(x), into_contiguous(table));
    let y = empty(&x, [b, tokens, c]);
    let sizes = sizes([tokens, turned], &[&x]);
    let kernel = Wgsl {
        text: TEXT,
        values: vec![("c4", (c / 4).to_string())],
        workgroup: [THREADS as u32, 1, 1],
    };
    launch(kernel, [groups, 1, b], &[&x, &table, &y], &sizes);
    Some(tensor(y))
}
