//! The operations a slice's time goes to: fused, and with weights that stay packed in memory.
//!
//! In: tensors; out: tensors. Each operation has one door here, which chooses by the tensor's device: our
//! WGSL kernel on a graphics card ([`gpu`]), our loops around Burn's products on a processor ([`cpu`]), Burn's own operations
//! ([`stock`]) wherever both decline. All give the same result; `tests/kernels` compares them.
//!
//! Models multiply matrices through these doors alone. Burn's products for graphics cards are a fifth of what a visitor
//! would download, so the browser's build is without them (feature `stock`): every WebGPU device runs our kernels.

mod activation;
pub mod cpu;
pub mod gpu;
pub mod packed;
pub mod stock;

pub use activation::Activation;
pub use packed::{Bits, Packed, PackedWeight, pack};
pub use stock::use_stock;

use burn::tensor::Tensor;

/// Weight of a linear layer.
#[allow(
    clippy::large_enum_variant,
    reason = "short-lived handles, made anew for each call"
)]
#[derive(Clone, Debug)]
pub enum Weight {
    /// `[d_input, d_output]`, f32.
    Dense(Tensor<2>),
    /// As few bits as the checkpoint has; never unpacked into memory.
    Packed(PackedWeight),
}

/// What a linear layer does besides the product: `activation(x W + bias) + residual`.
#[derive(Clone, Debug, Default)]
pub struct Epilogue {
    /// `[d_output]`.
    pub bias: Option<Tensor<1>>,
    /// Applied before the residual is added.
    pub activation: Option<Activation>,
    /// `[rows, d_output]`.
    pub residual: Option<Tensor<2>>,
}

/// A layer norm.
#[derive(Clone, Debug)]
pub struct Norm {
    /// `[channels]`.
    pub weight: Tensor<1>,
    /// `[channels]`.
    pub bias: Tensor<1>,
    /// Added to the variance.
    pub epsilon: f64,
    /// Applied to the result.
    pub activation: Option<Activation>,
}

/// A convolution, without dilation.
#[derive(Clone, Debug)]
pub struct Filter {
    /// `[c_out, c_in, rows, columns]`, or `[c, 1, rows, columns]` for one filter to each channel.
    pub weight: Tensor<4>,
    /// `[c_out]`.
    pub bias: Tensor<1>,
    /// Both ways.
    pub stride: usize,
    /// Zeros on all sides.
    pub padding: usize,
    /// Applied to the result.
    pub activation: Option<Activation>,
}

impl Filter {
    /// Height and width of the result for those of the input.
    fn output(&self, input: [usize; 2]) -> [usize; 2] {
        let [_, _, rows, columns] = self.weight.dims();
        let along = |size: usize, filter| (size + 2 * self.padding - filter) / self.stride + 1;
        [along(input[0], rows), along(input[1], columns)]
    }
}

/// `activation(x W + bias) + residual`.
///
/// # Shapes
/// - x `[rows, d_input]`, result `[rows, d_output]`
pub fn linear(x: Tensor<2>, weight: &Weight, epilogue: Epilogue) -> Tensor<2> {
    let ours = gpu::linear(&x, weight, &epilogue);
    if let Some(y) = ours.or_else(|| cpu::linear(&x, weight, &epilogue)) {
        return y;
    }
    stock::linear(x, weight, epilogue)
}

/// The matrix product of each pair; for small matrices, that no layer is made of.
///
/// # Shapes
/// - a `[b, n, k]`, b `[b, k, m]`, result `[b, n, m]`
pub fn product(a: Tensor<3>, b: Tensor<3>) -> Tensor<3> {
    let pairs = a.split(1, 0).into_iter().zip(b.split(1, 0));
    let products = pairs.map(|(a, b)| {
        let b = Weight::Dense(b.squeeze_dim(0));
        linear(a.squeeze_dim(0), &b, Epilogue::default()).unsqueeze_dim(0)
    });
    let mut products: Vec<Tensor<3>> = products.collect();
    match products.len() {
        1 => products.remove(0),
        _ => Tensor::cat(products, 0),
    }
}

/// A packed weight as floats, for operations that take no other; by the row on a processor.
pub fn unpack(weight: &PackedWeight) -> Tensor<2> {
    cpu::unpack(weight).unwrap_or_else(|| weight.unpack())
}

/// softmax(q kᵀ / sqrt(d)) v for every head, without mask. Heads lie side by side in the last axis.
///
/// # Shapes
/// - q `[b, n_q, heads * d]`, k `[b, n_k, heads * d]`, v `[b, n_k, heads * d_v]`, result `[b, n_q, heads * d_v]`
pub fn attention(q: Tensor<3>, k: Tensor<3>, v: Tensor<3>, heads: usize) -> Tensor<3> {
    let ours = gpu::attention(&q, &k, &v, heads);
    if let Some(y) = ours.or_else(|| cpu::attention(&q, &k, &v, heads)) {
        return y;
    }
    stock::attention(q, k, v, heads)
}

/// Turns each adjacent channel pair of the first `turned` tokens by its angle; the others pass.
/// The table is used over and over where there are more tokens than it has.
///
/// # Shapes
/// - x `[b, tokens, c]`, table `[n, c]`: cosine and sine of each pair, alternating
pub fn rope(x: Tensor<3>, table: &Tensor<2>, turned: usize) -> Tensor<3> {
    match gpu::rope(x, table, turned) {
        Ok(y) => y,
        Err(x) => cpu::rope(x, table, turned).unwrap_or_else(|x| stock::rope(x, table, turned)),
    }
}

/// Every row with mean 0 and variance 1, then scaled, shifted and activated.
///
/// # Shapes
/// - x `[rows, channels]`, result the same
pub fn layer_norm(x: Tensor<2>, norm: Norm) -> Tensor<2> {
    if let Some(y) = gpu::layer_norm(&x, &norm) {
        return y;
    }
    stock::layer_norm(x, norm)
}

/// Convolution.
///
/// # Shapes
/// - x `[b, c_in, h, w]`, result `[b, c_out, h', w']`; in memory it may be channels-last
pub fn conv2d(x: Tensor<4>, filter: Filter) -> Tensor<4> {
    let ours = gpu::conv2d(&x, &filter);
    if let Some(y) = ours.or_else(|| cpu::conv2d(&x, &filter)) {
        return y;
    }
    stock::conv2d(x, filter)
}

/// Transposed convolution by 2x2 filters with stride 2: each place becomes four.
///
/// # Shapes
/// - x `[b, c_in, h, w]`, weight `[c_in, c_out, 2, 2]`, bias `[c_out]`, result `[b, c_out, 2h, 2w]`
pub fn conv_transpose2x2(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>) -> Tensor<4> {
    let ours = gpu::conv_transpose2x2(&x, &weight, &bias);
    if let Some(y) = ours.or_else(|| cpu::conv_transpose2x2(&x, &weight, &bias)) {
        return y;
    }
    stock::conv_transpose2x2(x, weight, bias)
}

/// The largest of each 2x2 pixels, channels last; odd rows and columns dropped.
///
/// # Shapes
/// - `[b, h, w, c]` to `[b, h / 2, w / 2, c]`
pub fn max_pool2x2(x: Tensor<4>) -> Tensor<4> {
    cpu::max_pool2x2(&x).unwrap_or_else(|| stock::max_pool2x2(x))
}
