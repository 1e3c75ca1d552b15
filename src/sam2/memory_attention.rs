//! A frame looks at the memories of other frames (`memory_attention.py`).

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::config::{POS_ENC_AT_INPUT, Sam2Config};
use super::transformer::Attention;
use crate::nn::{Activation, AxialRope, LayerNorm, Linear, LinearConfig};

/// How many tokens have their hidden values in memory at the same time. At 1024 pixels those of all 4,096 would take 33.5 MB, more than
/// anything else in this module; slices up to 512 pixels have no more tokens than these.
const FEED_FORWARD_TOKENS: usize = 1024;

/// Self-attention, attention to memory, feed-forward; each with its norm before it.
#[derive(Module, Debug)]
pub struct MemoryAttentionLayer {
    self_attn: Attention,
    cross_attn_image: Attention,
    linear1: Linear,
    linear2: Linear,
    norm1: LayerNorm,
    norm2: LayerNorm,
    norm3: LayerNorm,
}

/// The layers and a last norm.
#[derive(Module, Debug)]
pub struct MemoryAttention {
    /// First to last.
    pub layers: Vec<MemoryAttentionLayer>,
    norm: LayerNorm,
}

/// Tokens that a frame attends to.
#[derive(Clone, Debug)]
pub struct MemoryTokens {
    /// Memories one after the other, then object pointers: `[1, tokens, mem_dim]`.
    pub memory: Tensor<3>,
    /// Their positions, same shape.
    pub pos: Tensor<3>,
    /// How many of the last tokens are object pointers, which have no place in the image.
    pub num_obj_ptr_tokens: usize,
}

impl MemoryAttention {
    /// The module, waiting for a checkpoint.
    pub fn new(config: &Sam2Config, device: &Device) -> Self {
        let layer = |_| MemoryAttentionLayer::new(config, device);
        Self {
            layers: (0..config.memory_attention_layers).map(layer).collect(),
            norm: LayerNorm::new(config.d_model, LayerNorm::EPSILON, device),
        }
    }

    /// # Shapes
    /// - curr and curr_pos `[1, n * n, c]`, result `[1, n * n, c]`
    pub fn forward(
        &self,
        curr: Tensor<3>,
        curr_pos: Tensor<3>,
        tokens: &MemoryTokens,
        rope: &AxialRope,
    ) -> Tensor<3> {
        let mut x = curr + curr_pos * POS_ENC_AT_INPUT;
        let keys = tokens.memory.clone() + tokens.pos.clone();
        for layer in &self.layers {
            x = layer.forward(x, keys.clone(), tokens, rope);
        }
        self.norm.forward(x)
    }

    /// Where one token of the frame looks in the last layer: the weight of each token of the memory. They add up to one.
    ///
    /// # Shapes
    /// - curr and curr_pos `[1, n * n, c]`, result `[tokens]`
    pub fn weights(
        &self,
        curr: Tensor<3>,
        curr_pos: Tensor<3>,
        tokens: &MemoryTokens,
        rope: &AxialRope,
        token: usize,
    ) -> Tensor<1> {
        let mut x = curr + curr_pos * POS_ENC_AT_INPUT;
        let keys = tokens.memory.clone() + tokens.pos.clone();
        let (last, earlier) = self.layers.split_last().expect("a model has layers");
        for layer in earlier {
            x = layer.forward(x, keys.clone(), tokens, rope);
        }
        last.weights(x, keys, tokens, rope, token)
    }
}

impl MemoryAttentionLayer {
    fn new(config: &Sam2Config, device: &Device) -> Self {
        let (c, ff) = (config.d_model, config.dim_feedforward);
        let norm = || LayerNorm::new(c, LayerNorm::EPSILON, device);
        Self {
            self_attn: Attention::new(c, c, 1, 1, device),
            cross_attn_image: Attention::new(c, config.mem_dim, 1, 1, device),
            linear1: LinearConfig::new(c, ff).init(device),
            linear2: LinearConfig::new(ff, c).init(device),
            norm1: norm(),
            norm2: norm(),
            norm3: norm(),
        }
    }

    /// `keys` are the memory with its positions; the values are taken from `tokens`.
    ///
    /// # Shapes
    /// - x `[1, n * n, c]`, keys `[1, tokens, mem_dim]`, result `[1, n * n, c]`
    pub fn forward(
        &self,
        x: Tensor<3>,
        keys: Tensor<3>,
        tokens: &MemoryTokens,
        rope: &AxialRope,
    ) -> Tensor<3> {
        let x = self.look_at_itself(x, rope);
        let y = self.norm2.forward(x.clone());
        let values = tokens.memory.clone(); // values carry no position
        let excluded = tokens.num_obj_ptr_tokens;
        let x = self
            .cross_attn_image
            .forward_rope(y, keys, values, rope, excluded, x);
        self.feed_forward(x, FEED_FORWARD_TOKENS)
    }

    /// At most so many tokens at a time, which do not depend on one another.
    fn feed_forward(&self, x: Tensor<3>, most: usize) -> Tensor<3> {
        let part = |x: Tensor<3>| {
            let y = self.norm3.forward(x.clone());
            let y = self.linear1.forward_activated(y, Activation::Relu);
            self.linear2.forward_add(y, x)
        };
        match x.dims()[1] <= most {
            true => part(x),
            false => Tensor::cat(x.split(most, 1).into_iter().map(part).collect(), 1),
        }
    }

    fn look_at_itself(&self, x: Tensor<3>, rope: &AxialRope) -> Tensor<3> {
        let y = self.norm1.forward(x.clone());
        self.self_attn
            .forward_rope(y.clone(), y.clone(), y, rope, 0, x)
    }

    fn weights(
        &self,
        x: Tensor<3>,
        keys: Tensor<3>,
        tokens: &MemoryTokens,
        rope: &AxialRope,
        token: usize,
    ) -> Tensor<1> {
        let y = self.norm2.forward(self.look_at_itself(x, rope));
        let excluded = tokens.num_obj_ptr_tokens;
        self.cross_attn_image
            .weights_rope(y, keys, rope, excluded, token)
            .squeeze_dim(0)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;

    use super::super::transformer::tests::Fill;
    use super::*;

    /// Rows are independent: in parts only the last bits can differ, by the blocks of the matrix product.
    #[test]
    fn feed_forward_in_parts_is_feed_forward() {
        let device = Device::flex();
        let layer = MemoryAttentionLayer::new(&Sam2Config::nano(), &device).map(&mut Fill);
        let x = Tensor::<3>::random([1, 37, 64], Distribution::Normal(0.0, 1.0), &device);
        let values = |x: Tensor<3>| x.into_data().try_into_vec::<f32>().unwrap();
        let whole = layer.feed_forward(x.clone(), 37);
        let moved = values((whole.clone() - x.clone()).abs());
        assert!(moved.iter().all(|v| v.is_finite()) && moved.iter().sum::<f32>() > 1.0);
        for most in [1, 10, 36] {
            let apart = layer.feed_forward(x.clone(), most) - whole.clone();
            let worst = values(apart.abs()).into_iter().fold(0.0, f32::max);
            assert!(worst < 1e-4, "{most} at a time: {worst}");
        }
    }
}
