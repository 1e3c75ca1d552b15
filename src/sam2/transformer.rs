//! The two-way transformer and attention with rotary positions (`sam/transformer.py`).
//!
//! Works in `[b, n, c]`; image maps are flattened row by row.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::config::{TWO_WAY_DEPTH, TWO_WAY_DOWNSAMPLE, TWO_WAY_HEADS, TWO_WAY_MLP_DIM};
use crate::nn::{
    Activation, AxialRope, LayerNorm, Linear, LinearConfig, Mlp, MlpConfig, attention, product,
    softmax,
};

/// Multi-head attention that may narrow inside.
#[derive(Module, Debug)]
pub struct Attention {
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    out_proj: Linear,
    num_heads: usize,
}

impl Attention {
    /// Queries and output have `dim` channels, keys and values `kv_dim`, heads together
    /// `dim / downsample`.
    pub fn new(
        dim: usize,
        kv_dim: usize,
        num_heads: usize,
        downsample: usize,
        device: &Device,
    ) -> Self {
        let inner = dim / downsample;
        let linear = |i, o| LinearConfig::new(i, o).init(device);
        Self {
            q_proj: linear(dim, inner),
            k_proj: linear(kv_dim, inner),
            v_proj: linear(kv_dim, inner),
            out_proj: linear(inner, dim),
            num_heads,
        }
    }

    /// # Shapes
    /// - q `[b, n_q, dim]`, k and v `[b, n_k, kv_dim]`, result `[b, n_q, dim]`
    pub fn forward(&self, q: Tensor<3>, k: Tensor<3>, v: Tensor<3>) -> Tensor<3> {
        let [q, k, v] = self.project(q, k, v);
        self.out_proj.forward(attention(q, k, v, self.num_heads))
    }

    /// As [`forward`](Self::forward), with queries and keys rotated by their place in the grid;
    /// the last `num_k_exclude_rope` keys (object pointers) have no place and are not. For one head. `residual`
    /// is added to the result.
    pub fn forward_rope(
        &self,
        q: Tensor<3>,
        k: Tensor<3>,
        v: Tensor<3>,
        rope: &AxialRope,
        num_k_exclude_rope: usize,
        residual: Tensor<3>,
    ) -> Tensor<3> {
        let q = rope.rotate(self.q_proj.forward(q), 0);
        let k = rope.rotate(self.k_proj.forward(k), num_k_exclude_rope);
        // DIFFERENCE: values are projected after they have been averaged, which is the same because the weights of
        // each average add up to one: fewer of them, and memories are four times narrower before than after.
        let attended = self.v_proj.forward(attention(q, k, v, self.num_heads));
        self.out_proj.forward_add(attended, residual)
    }

    /// Where one query of [`forward_rope`](Self::forward_rope) looks: the weight of each key. They add up to one.
    ///
    /// # Shapes
    /// - q `[b, n_q, dim]`, k `[b, n_k, kv_dim]`, result `[b, n_k]`
    pub fn weights_rope(
        &self,
        q: Tensor<3>,
        k: Tensor<3>,
        rope: &AxialRope,
        num_k_exclude_rope: usize,
        query: usize,
    ) -> Tensor<2> {
        let q = rope.rotate(self.q_proj.forward(q), 0).narrow(1, query, 1);
        let k = rope.rotate(self.k_proj.forward(k), num_k_exclude_rope);
        let [_, _, c] = q.dims();
        let scores = product(q, k.swap_dims(1, 2)) / (c as f32).sqrt(); // [b, 1, n_k]
        softmax(scores, 2).squeeze_dim(1)
    }

    fn project(&self, q: Tensor<3>, k: Tensor<3>, v: Tensor<3>) -> [Tensor<3>; 3] {
        [
            self.q_proj.forward(q),
            self.k_proj.forward(k),
            self.v_proj.forward(v),
        ]
    }
}

/// Tokens look at each other, then at the image; then the image looks at the tokens.
#[derive(Module, Debug)]
pub struct TwoWayAttentionBlock {
    self_attn: Attention,
    norm1: LayerNorm,
    cross_attn_token_to_image: Attention,
    norm2: LayerNorm,
    mlp: Mlp,
    norm3: LayerNorm,
    norm4: LayerNorm,
    cross_attn_image_to_token: Attention,
    skip_first_layer_pe: bool,
}

/// What flows through the two-way transformer.
#[derive(Clone, Debug)]
pub struct TwoWay {
    /// Tokens, `[b, tokens, c]`.
    pub queries: Tensor<3>,
    /// Image, `[b, h * w, c]`.
    pub keys: Tensor<3>,
}

/// Two blocks and a last look of the tokens at the image.
#[derive(Module, Debug)]
pub struct TwoWayTransformer {
    layers: Vec<TwoWayAttentionBlock>,
    final_attn_token_to_image: Attention,
    norm_final_attn: LayerNorm,
}

impl TwoWayTransformer {
    /// The transformer, waiting for a checkpoint.
    pub fn new(dim: usize, device: &Device) -> Self {
        Self {
            layers: (0..TWO_WAY_DEPTH)
                .map(|i| TwoWayAttentionBlock::new(dim, i == 0, device))
                .collect(),
            final_attn_token_to_image: cross(dim, device),
            norm_final_attn: LayerNorm::new(dim, LayerNorm::EPSILON, device),
        }
    }

    /// # Shapes
    /// - tokens `[b, tokens, c]`, image and image_pe `[b, h * w, c]`
    pub fn forward(&self, image: Tensor<3>, image_pe: Tensor<3>, tokens: Tensor<3>) -> TwoWay {
        let mut x = TwoWay {
            queries: tokens.clone(),
            keys: image,
        };
        for layer in &self.layers {
            x = layer.forward(x, tokens.clone(), image_pe.clone());
        }
        let q = x.queries.clone() + tokens;
        let k = x.keys.clone() + image_pe;
        let attended = self.final_attn_token_to_image.forward(q, k, x.keys.clone());
        TwoWay {
            queries: self.norm_final_attn.forward(x.queries + attended),
            keys: x.keys,
        }
    }
}

fn cross(dim: usize, device: &Device) -> Attention {
    Attention::new(dim, dim, TWO_WAY_HEADS, TWO_WAY_DOWNSAMPLE, device)
}

impl TwoWayAttentionBlock {
    fn new(dim: usize, skip_first_layer_pe: bool, device: &Device) -> Self {
        let norm = || LayerNorm::new(dim, LayerNorm::EPSILON, device);
        Self {
            self_attn: Attention::new(dim, dim, TWO_WAY_HEADS, 1, device),
            norm1: norm(),
            cross_attn_token_to_image: cross(dim, device),
            norm2: norm(),
            mlp: MlpConfig {
                d_input: dim,
                d_hidden: TWO_WAY_MLP_DIM,
                d_output: dim,
                num_layers: 2,
                activation: Activation::Relu,
            }
            .init(device),
            norm3: norm(),
            norm4: norm(),
            cross_attn_image_to_token: cross(dim, device),
            skip_first_layer_pe,
        }
    }

    fn forward(&self, x: TwoWay, query_pe: Tensor<3>, key_pe: Tensor<3>) -> TwoWay {
        let TwoWay { queries, keys } = x;
        let queries = if self.skip_first_layer_pe {
            // The first layer *replaces* the tokens: no position and no residual.
            self.self_attn
                .forward(queries.clone(), queries.clone(), queries)
        } else {
            let q = queries.clone() + query_pe.clone();
            queries.clone() + self.self_attn.forward(q.clone(), q, queries)
        };
        let queries = self.norm1.forward(queries);

        let k = keys.clone() + key_pe;
        let q = queries.clone() + query_pe.clone();
        let attended = self
            .cross_attn_token_to_image
            .forward(q, k.clone(), keys.clone());
        let queries = self.norm2.forward(queries + attended);

        let queries = self
            .norm3
            .forward(queries.clone() + self.mlp.forward(queries));

        let q = queries.clone() + query_pe;
        let attended = self
            .cross_attn_image_to_token
            .forward(k, q, queries.clone());
        TwoWay {
            queries,
            keys: self.norm4.forward(keys + attended),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use burn::module::{Module, ModuleMapper, Param};
    use burn::tensor::TensorData;

    use super::*;

    fn wave<const D: usize>(shape: [usize; D], step: f32, device: &Device) -> Tensor<D> {
        let count = shape.iter().product::<usize>();
        let values: Vec<f32> = (0..count).map(|i| (step * i as f32).sin()).collect();
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    /// Weights that are not zero.
    pub struct Fill;
    impl ModuleMapper for Fill {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|x| wave(x.dims(), 0.7, &x.device()))
        }
    }

    /// The weights are those by which the fused attention averages its values.
    #[test]
    fn weights_are_those_of_the_average() {
        let (device, n, dim, kv_dim) = (Device::flex(), 3, 8, 4);
        let layer = Attention::new(dim, kv_dim, 1, 1, &device).map(&mut Fill);
        let rope = AxialRope::new(dim, n, 10_000.0, &device);
        let (excluded, query) = (2, 5);
        let keys = 2 * n * n + excluded;
        let q = wave([1, n * n, dim], 0.31, &device);
        let k = wave([1, keys, kv_dim], 0.17, &device);
        let v = wave([1, keys, kv_dim], 0.53, &device);
        let nothing = Tensor::zeros([1, n * n, dim], &device);
        let fused = layer.forward_rope(q.clone(), k.clone(), v.clone(), &rope, excluded, nothing);
        let weights = layer.weights_rope(q, k, &rope, excluded, query); // [1, keys]
        let average = weights.clone().unsqueeze_dim::<3>(1).matmul(v); // [1, 1, kv_dim]
        let plain = layer.out_proj.forward(layer.v_proj.forward(average));
        let difference = (fused.narrow(1, query, 1) - plain).abs().max();
        let read = |x: Tensor<1>| x.into_data().try_into_vec::<f32>().unwrap()[0];
        assert!(read(difference) < 1e-5);
        assert!((read(weights.clone().sum()) - 1.0).abs() < 1e-6);
        assert!(
            read(weights.max()) > 2.0 / keys as f32,
            "it looks somewhere"
        );
    }
}
