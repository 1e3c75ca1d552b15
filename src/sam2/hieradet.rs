//! Hiera, the trunk of the image encoder (`backbones/hieradet.py`, `backbones/utils.py`).
//!
//! In: a normalised image `[b, 3, s, s]`; out: the feature maps of the four stages. Works in
//! channels-last `[b, h, w, c]`, as Meta's does.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};

use super::config::{HIERA_MLP_RATIO, HieraConfig};
use crate::nn::{
    Activation, Conv2d, LayerNorm, Linear, LinearConfig, Mlp, MlpConfig, attention, conv,
    max_pool2x2, parameter, product,
};

const NORM_EPSILON: f64 = 1e-6;

/// Image to tokens: 7x7 convolution of stride 4.
#[derive(Module, Debug)]
pub struct PatchEmbed {
    /// The convolution, `[b, 3, s, s]` to `[b, embed_dim, s / 4, s / 4]`.
    pub proj: Conv2d,
}

/// Attention within a window or over the whole map, queries pooled where a stage begins.
#[derive(Module, Debug)]
pub struct MultiScaleAttention {
    qkv: Linear,
    proj: Linear,
    num_heads: usize,
    q_pool: bool,
}

/// Attention and MLP with residuals; the first block of a stage changes width and resolution.
#[derive(Module, Debug)]
pub struct MultiScaleBlock {
    norm1: LayerNorm,
    attn: MultiScaleAttention,
    norm2: LayerNorm,
    mlp: Mlp,
    proj: Option<Linear>,
    window_size: usize,
}

/// The trunk.
#[derive(Module, Debug)]
pub struct Hiera {
    /// Image to tokens.
    pub patch_embed: PatchEmbed,
    pos_embed: Param<Tensor<4>>,
    pos_embed_window: Param<Tensor<4>>,
    /// All blocks, shallow to deep.
    pub blocks: Vec<MultiScaleBlock>,
    stage_ends: [usize; 4],
}

impl HieraConfig {
    /// The trunk, waiting for a checkpoint.
    pub fn init(&self, device: &Device) -> Hiera {
        let mut blocks = Vec::new();
        let (mut dim, mut heads) = (self.embed_dim, self.num_heads);
        for (stage, &depth) in self.stages.iter().enumerate() {
            for i in 0..depth {
                let starts_stage = stage > 0 && i == 0;
                let dim_out = if starts_stage { dim * 2 } else { dim };
                heads = if starts_stage { heads * 2 } else { heads };
                // A stage's window lags by a block: its first block keeps the previous one's.
                let spec = self.window_spec[stage - usize::from(starts_stage)];
                let global = self.global_att_blocks.contains(&blocks.len());
                let window_size = if global { 0 } else { spec };
                blocks.push(block(dim, dim_out, heads, window_size, device));
                dim = dim_out;
            }
        }
        let mut end = 0;
        let stage_ends = self.stages.map(|depth| {
            end += depth;
            end - 1
        });
        let (bkg, window) = (self.window_pos_embed_bkg_spatial_size, self.window_spec[0]);
        Hiera {
            patch_embed: PatchEmbed {
                proj: conv([3, self.embed_dim], 7, 4, 3, device),
            },
            pos_embed: parameter([1, self.embed_dim, bkg, bkg], device),
            pos_embed_window: parameter([1, self.embed_dim, window, window], device),
            blocks,
            stage_ends,
        }
    }
}

fn block(
    dim: usize,
    dim_out: usize,
    num_heads: usize,
    window_size: usize,
    device: &Device,
) -> MultiScaleBlock {
    let norm = |d| LayerNorm::new(d, NORM_EPSILON, device);
    MultiScaleBlock {
        norm1: norm(dim),
        attn: MultiScaleAttention {
            qkv: LinearConfig::new(dim, 3 * dim_out).init(device),
            proj: LinearConfig::new(dim_out, dim_out).init(device),
            num_heads,
            q_pool: dim != dim_out,
        },
        norm2: norm(dim_out),
        mlp: MlpConfig {
            d_input: dim_out,
            d_hidden: dim_out * HIERA_MLP_RATIO,
            d_output: dim_out,
            num_layers: 2,
            activation: Activation::Gelu,
        }
        .init(device),
        proj: (dim != dim_out).then(|| LinearConfig::new(dim, dim_out).init(device)),
        window_size,
    }
}

impl Hiera {
    /// The position embedding of a map of `side` x `side` tokens, a constant of the image size.
    ///
    /// # Shapes
    /// - `[1, side, side, embed_dim]`
    pub fn pos_embed(&self, side: usize) -> Tensor<4> {
        let coarse = self.pos_embed.val();
        let [_, c, bkg, _] = coarse.dims();
        let device = coarse.device();
        // DIFFERENCE: bicubic resize as two small matrix products; Burn's own bicubic op breaks
        // WebGPU, and the weights do not depend on the image.
        let weights = bicubic_weights(bkg, side);
        let resize = Tensor::<2>::from_data(TensorData::new(weights, [side, bkg]), &device);
        let resize = resize.transpose().unsqueeze::<3>(); // [1, bkg, side]
        let columns = product(coarse.reshape([1, c * bkg, bkg]), resize.clone());
        let columns = columns.reshape([c, bkg, side]).swap_dims(1, 2);
        let rows = product(columns.reshape([1, c * side, bkg]), resize);
        let coarse = rows.reshape([c, side, side]).swap_dims(1, 2);

        let window = self.pos_embed_window.val();
        let repeats = side / window.dims()[2];
        let tiled = window.repeat(&[1, 1, repeats, repeats]);
        (coarse.unsqueeze::<4>() + tiled).permute([0, 2, 3, 1])
    }

    /// # Shapes
    /// - image `[b, 3, s, s]`, pos_embed of `s / 4`
    /// - stages, shallow to deep, `[b, c, s / 4, s / 4]` to `[b, 8c, s / 32, s / 32]`
    pub fn forward(&self, image: Tensor<4>, pos_embed: Tensor<4>) -> [Tensor<4>; 4] {
        let x = self.patch_embed.proj.forward(image).permute([0, 2, 3, 1]); // [b, h, w, c]
        let mut x = x + pos_embed;
        let mut stages = Vec::with_capacity(4);
        for (i, block) in self.blocks.iter().enumerate() {
            x = block.forward(x);
            if self.stage_ends.contains(&i) {
                stages.push(x.clone().permute([0, 3, 1, 2])); // [b, c, h, w]
            }
        }
        stages.try_into().expect("four stages")
    }
}

impl MultiScaleBlock {
    /// # Shapes
    /// - `[b, h, w, c]` to the same, or to `[b, h / 2, w / 2, 2c]` where a stage begins
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let normed = self.norm1.forward(x.clone());
        // The projected shortcut takes the *normed* input.
        let shortcut = match &self.proj {
            Some(proj) => max_pool2x2(proj.forward(normed.clone())),
            None => x,
        };
        let [_, h, w, _] = shortcut.dims();
        let x = match self.window_size {
            0 => self.attn.forward(normed),
            size => {
                let windows = self.attn.forward(window_partition(normed, size));
                let size_out = if self.proj.is_some() { size / 2 } else { size };
                window_unpartition(windows, size_out, [h, w])
            }
        };
        let x = shortcut + x;
        self.mlp.forward_add(self.norm2.forward(x.clone()), x)
    }
}

impl MultiScaleAttention {
    /// # Shapes
    /// - `[b, h, w, c]` to `[b, h', w', c_out]`, halved where queries are pooled
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [b, h, w, _] = x.dims();
        let heads = self.num_heads;
        let qkv = self.qkv.forward(x); // [b, h, w, 3 * c_out]
        let c_out = qkv.dims()[3] / 3;
        let qkv = qkv.reshape([b, h * w, 3 * c_out]);
        let part = |i: usize| qkv.clone().narrow(2, i * c_out, c_out);
        let (q, h, w) = match self.q_pool {
            true => {
                let pooled = max_pool2x2(part(0).reshape([b, h, w, c_out]));
                let (h, w) = (h / 2, w / 2);
                (pooled.reshape([b, h * w, c_out]), h, w)
            }
            false => (part(0), h, w),
        };
        let x = attention(q, part(1), part(2), heads);
        self.proj.forward(x).reshape([b, h, w, c_out])
    }
}

/// Cuts a map into windows, padded with zeros to whole windows.
///
/// The padding is attended to like any token: it comes *after* the norm, so that its keys and
/// values are the bias of `qkv`.
///
/// # Shapes
/// - `[b, h, w, c]` to `[b * windows, size, size, c]`
fn window_partition(x: Tensor<4>, size: usize) -> Tensor<4> {
    let [b, h, w, c] = x.dims();
    let (pad_h, pad_w) = (h.next_multiple_of(size) - h, w.next_multiple_of(size) - w);
    let x = match (pad_h, pad_w) {
        (0, 0) => x,
        _ => x
            .permute([0, 3, 1, 2])
            .pad((0, pad_w, 0, pad_h), 0.0)
            .permute([0, 2, 3, 1]),
    };
    let (rows, cols) = ((h + pad_h) / size, (w + pad_w) / size);
    x.reshape([b, rows, size, cols, size, c])
        .permute([0, 1, 3, 2, 4, 5])
        .reshape([b * rows * cols, size, size, c])
}

/// Puts windows back together and crops the padding.
///
/// # Shapes
/// - `[b * windows, size, size, c]` to `[b, h, w, c]`
fn window_unpartition(windows: Tensor<4>, size: usize, [h, w]: [usize; 2]) -> Tensor<4> {
    let [count, _, _, c] = windows.dims();
    let (rows, cols) = (h.div_ceil(size), w.div_ceil(size));
    let b = count / (rows * cols);
    let x = windows
        .reshape([b, rows, cols, size, size, c])
        .permute([0, 1, 3, 2, 4, 5])
        .reshape([b, rows * size, cols * size, c]);
    match (rows * size, cols * size) == (h, w) {
        true => x,
        false => x.slice([0..b, 0..h, 0..w, 0..c]),
    }
}

/// Weights of torch's bicubic resize (A = -0.75, `align_corners=False`, edges clamped) from
/// `from` to `to` samples, row-major `[to, from]`.
fn bicubic_weights(from: usize, to: usize) -> Vec<f32> {
    const A: f32 = -0.75;
    let near = |x: f32| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let far = |x: f32| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    let mut weights = vec![0.0; to * from];
    let scale = from as f32 / to as f32;
    for i in 0..to {
        let source = scale * (i as f32 + 0.5) - 0.5;
        let floor = source.floor();
        let t = source - floor;
        let taps = [far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)];
        for (tap, weight) in taps.into_iter().enumerate() {
            let j = (floor as isize + tap as isize - 1).clamp(0, from as isize - 1);
            weights[i * from + j as usize] += weight;
        }
    }
    weights
}
