//! How many multiply-adds the parts of a slice take: what their time is divided by.
//!
//! In: a configuration and an image size; out: counts of the matrix products and convolutions, which is all but a hundredth.
//! As torch's flop counter counts Meta's code, padded windows included.

use super::config::{
    BACKBONE_STRIDE, HIERA_MLP_RATIO, HieraConfig, IOU_HEAD_HIDDEN_DIM, NUM_MULTIMASK_OUTPUTS,
    Sam2Config, TWO_WAY_DEPTH, TWO_WAY_DOWNSAMPLE, TWO_WAY_MLP_DIM,
};
use super::transform::ImageSize;

/// Tokens of the decoder on a tracked slice: object score, IoU, masks, and two that are no point.
const DECODER_TOKENS: u64 = 2 + NUM_MASKS + 2;
const NUM_MASKS: u64 = NUM_MULTIMASK_OUTPUTS as u64 + 1;

/// Trunk, neck and the decoder's two shallow levels.
pub fn image_encoder(config: &Sam2Config, image_size: ImageSize) -> u64 {
    let side = (image_size.pixels() / 4) as u64;
    let c = config.d_model as u64;
    let levels = config.trunk.channels().into_iter().enumerate();
    let neck: u64 = levels
        .map(|(i, channels)| square(side >> i) * channels as u64 * c)
        .sum();
    let shallow = square(side) * c * (c / 8) + square(side / 2) * c * (c / 4);
    trunk(&config.trunk, side) + neck + shallow
}

fn trunk(config: &HieraConfig, mut side: u64) -> u64 {
    let mut dim = config.embed_dim as u64;
    let mut macs = square(side) * 7 * 7 * 3 * dim;
    let mut index = 0;
    for (stage, &depth) in config.stages.iter().enumerate() {
        for i in 0..depth {
            let starts_stage = stage > 0 && i == 0;
            let dim_out = if starts_stage { 2 * dim } else { dim };
            let side_out = if starts_stage { side / 2 } else { side };
            let window = match config.global_att_blocks.contains(&index) {
                true => side,
                // As in `hieradet.rs`: a stage's first block keeps the previous window.
                false => config.window_spec[stage - usize::from(starts_stage)] as u64,
            };
            let tokens = square(side.next_multiple_of(window));
            let queries = if starts_stage { tokens / 4 } else { tokens };
            let attention = 2 * queries * square(window) * dim_out;
            macs += tokens * dim * 3 * dim_out + attention + queries * square(dim_out);
            macs += square(side_out) * 2 * HIERA_MLP_RATIO as u64 * square(dim_out);
            if starts_stage {
                macs += square(side) * dim * dim_out; // the shortcut
            }
            (dim, side) = (dim_out, side_out);
            index += 1;
        }
    }
    macs
}

/// One slice that attends to so many memories and object pointers.
pub fn memory_attention(
    config: &Sam2Config,
    image_size: ImageSize,
    memories: usize,
    pointers: usize,
) -> u64 {
    let (c, m) = (config.d_model as u64, config.mem_dim as u64);
    let queries = tokens(image_size);
    let keys = memories as u64 * queries + pointers as u64 * c / m;
    let own = 4 * square(c) * queries + 2 * square(queries) * c;
    let cross = 2 * square(c) * queries + 2 * m * c * keys + 2 * queries * keys * c;
    let feed_forward = 2 * c * config.dim_feedforward as u64 * queries;
    config.memory_attention_layers as u64 * (own + cross + feed_forward)
}

/// A slice without prompts.
pub fn mask_decoder(config: &Sam2Config, image_size: ImageSize) -> u64 {
    let c = config.d_model as u64;
    let (image, t) = (tokens(image_size), DECODER_TOKENS);
    let attention = |queries: u64, keys: u64, inner: u64| {
        2 * c * inner * (queries + keys) + 2 * queries * keys * inner
    };
    let cross = |queries, keys| attention(queries, keys, c / TWO_WAY_DOWNSAMPLE as u64);
    let layer =
        attention(t, t, c) + cross(t, image) + 2 * c * TWO_WAY_MLP_DIM as u64 * t + cross(image, t);
    let transformer = TWO_WAY_DEPTH as u64 * layer + cross(t, image);
    let upscaling = image * c * c + 4 * image * (c / 4) * (c / 2);
    let masks = NUM_MASKS * (2 * square(c) + c * (c / 8) + 16 * image * (c / 8));
    let hidden = IOU_HEAD_HIDDEN_DIM as u64;
    let iou = c * hidden + square(hidden) + hidden * NUM_MASKS;
    let object_score = 2 * square(c) + c;
    transformer + upscaling + masks + iou + object_score
}

/// Mask and features to a memory.
pub fn memory_encoder(config: &Sam2Config, image_size: ImageSize) -> u64 {
    let (c, m) = (config.d_model as u64, config.mem_dim as u64);
    let image = tokens(image_size);
    // Four halvings, each with four times the channels.
    let downsampling: u64 = (0..4)
        .map(|i| {
            let (channels, pixels) = (4_u64.pow(i), image * 4_u64.pow(3 - i));
            9 * channels * 4 * channels * pixels
        })
        .sum();
    let fuser = 2 * (7 * 7 * c + 2 * 4 * square(c));
    downsampling + image * (256 * c + square(c) + fuser + c * m)
}

fn tokens(image_size: ImageSize) -> u64 {
    square((image_size.pixels() / BACKBONE_STRIDE) as u64)
}

fn square(x: u64) -> u64 {
    x * x
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[encoder, memory attention with 7 memories and 16 pointers, decoder, memory encoder]`, as torch's flop counter counts
    /// Meta's code.
    fn assert_counts(config: &Sam2Config, pixels: usize, expected: [u64; 4]) {
        let size = ImageSize::new(pixels).unwrap();
        let counted = [
            image_encoder(config, size),
            memory_attention(config, size, 7, 16),
            mask_decoder(config, size),
            memory_encoder(config, size),
        ];
        assert_eq!(counted, expected, "{} at {pixels}", config.name);
    }

    #[test]
    fn the_counts_are_those_of_torch() {
        let (nano, tiny) = (Sam2Config::nano(), Sam2Config::tiny());
        assert_counts(
            &nano,
            256,
            [301_498_368, 180_617_216, 12_364_864, 74_285_056],
        );
        assert_counts(
            &tiny,
            256,
            [8_753_362_944, 2_826_960_896, 136_676_608, 362_741_760],
        );
        // Here windows are padded.
        assert_counts(
            &tiny,
            512,
            [31_423_618_560, 24_167_579_648, 473_269_504, 1_450_967_040],
        );
    }
}
