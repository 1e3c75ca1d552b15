//! Rotary encoding in one launch: read, turn, write. In place where nobody else has the tensor, which at 1024 pixels saves 29 MB
//! beside the keys of seven memories; else the tail is passed through. 12 bytes move for each float, 8 of them the tensor itself.

use burn::tensor::{DType, Tensor};
use burn_cubecl::{Cube, kernel::into_contiguous, tensor::CubeTensor};

use super::launch::{Wgsl, cube, empty, launch, tensor};
use super::view::{rows_of_vectors, sizes};

const TEXT: &str = include_str!("rope.wgsl");
const IN_PLACE: &str = include_str!("rope_in_place.wgsl");
const THREADS: usize = 64;
/// Workgroups in one direction that every WebGPU device takes.
const MAX_GROUPS: usize = 65_535;

/// As [`rope`](crate::kernels::rope), on a graphics card; for a multiple of 4 channels. Gives the tensor back where it declines.
///
/// # Errors
/// The tensor, untouched.
#[allow(
    clippy::result_large_err,
    reason = "the tensor goes back to where it came from"
)]
pub fn rope(x: Tensor<3>, table: &Tensor<2>, turned: usize) -> Result<Tensor<3>, Tensor<3>> {
    let [b, tokens, c] = x.dims();
    let groups = (tokens * c / 4).div_ceil(THREADS);
    if !c.is_multiple_of(4) || groups > MAX_GROUPS || b > MAX_GROUPS || tokens == 0 {
        return Err(x);
    }
    let f32_cube = |t: Option<CubeTensor>| t.filter(|t| t.dtype == DType::F32);
    let (true, Some(table)) = (f32_cube(cube(&x)).is_some(), f32_cube(cube(table))) else {
        return Err(x);
    };
    let x = x.try_into_primitive::<Cube>().expect("it was one above");
    let (x, table) = (rows_of_vectors(x), into_contiguous(table));
    if x.can_mut() && turned > 0 {
        let kernel = kernel(IN_PLACE, c);
        let groups = [(turned * c / 4).div_ceil(THREADS), 1, b];
        launch(
            kernel,
            groups,
            &[&x, &table],
            &sizes([tokens, turned], &[&x]),
        );
        return Ok(tensor(x));
    }
    let y = empty(&x, [b, tokens, c]);
    let sizes = sizes([tokens, turned], &[&x]);
    launch(kernel(TEXT, c), [groups, 1, b], &[&x, &table, &y], &sizes);
    Ok(tensor(y))
}

fn kernel(text: &'static str, channels: usize) -> Wgsl {
    Wgsl {
        text,
        values: vec![("c4", (channels / 4).to_string())],
        workgroup: [THREADS as u32, 1, 1],
    }
}
