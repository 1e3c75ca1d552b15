//! SAM 2.1, the model, in forward order; one file for each box of the paper, Meta's names.
//!
//! ```text
//! slice --transform--> image --image_encoder (hieradet, FPN)--> features
//! features + memories --memory_attention--> conditioned features
//! prompts --prompt_encoder--> tokens;  tokens + features --mask_decoder (transformer)--> mask
//! mask + features --memory_encoder--> memory                      (tracker: one frame of this)
//! ```
//!
//! In: tensors and prompts in model pixels; out: tensors. No file, no volume, no browser, no
//! readback, no `Result`: a wrong shape is a bug and panics.
//!
//! Shapes: `b` batch (1), `s` side of the square, `n = s / 16` tokens per side, `c = d_model`.
//! Maps are `[b, c, h, w]`, except inside the trunk (`[b, h, w, c]`); tokens are `[b, n, c]`.
//!
//! | here | `sam2/modeling/` |
//! |---|---|
//! | `hieradet.rs` | `backbones/hieradet.py`, `backbones/utils.py` |
//! | `image_encoder.rs` | `backbones/image_encoder.py` |
//! | `position_encoding.rs`, `nn/rope.rs` | `position_encoding.py` |
//! | `prompt_encoder.rs`, `transformer.rs`, `mask_decoder.rs` | `sam/*.py` |
//! | `memory_attention.rs`, `memory_encoder.rs` | the same |
//! | `sam2_base.rs`, `tracker.rs` | `sam2_base.py` |
//! | `transform.rs`, `resample.rs` | `utils/misc.py`, PIL, `F.interpolate` |

pub mod config;
pub mod hieradet;
pub mod image_encoder;
pub mod macs;
pub mod mask_decoder;
pub mod memory_attention;
pub mod memory_encoder;
pub mod parts;
pub mod position_encoding;
pub mod prompt;
pub mod prompt_encoder;
pub mod resample;
pub mod sam2_base;
pub mod tracker;
pub mod transform;
pub mod transformer;

pub use config::{HieraConfig, Sam2Config};
pub use prompt::{MaskPrompt, ModelPoint, PointLabel};
pub use sam2_base::{FrameOutput, ImageFeatures, Sam2, Tables};
pub use tracker::{Conditioning, MemorySlot, PointerSlot};
pub use transform::ImageSize;
