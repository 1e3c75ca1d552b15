//! Which configuration a checkpoint is, told from its tensors' shapes.

use std::fmt;

use super::error::{CheckpointError, CheckpointErrorKind as Kind};
use super::tensor_file::TensorFile;
use crate::sam2::Sam2Config;

/// What tells the configurations apart. Windows and global blocks leave no trace in the shapes;
/// they follow from the rest.
#[derive(PartialEq, Eq)]
struct Fingerprint {
    embed_dim: usize,
    blocks: usize,
    pos_embed: usize,
    window: usize,
    d_model: usize,
    mem_dim: usize,
    memory_attention_layers: usize,
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "embed_dim {}, {} blocks, pos_embed {}, window {}, d_model {}, mem_dim {}, \
             {} memory-attention layers",
            self.embed_dim,
            self.blocks,
            self.pos_embed,
            self.window,
            self.d_model,
            self.mem_dim,
            self.memory_attention_layers
        )
    }
}

impl Fingerprint {
    fn of_config(config: &Sam2Config) -> Self {
        Self {
            embed_dim: config.trunk.embed_dim,
            blocks: config.trunk.stages.iter().sum(),
            pos_embed: config.trunk.window_pos_embed_bkg_spatial_size,
            window: config.trunk.window_spec[0],
            d_model: config.d_model,
            mem_dim: config.mem_dim,
            memory_attention_layers: config.memory_attention_layers,
        }
    }

    fn of_file(file: &TensorFile) -> Result<Self, CheckpointError> {
        let size = |key: &str, axis: usize| {
            let tensor = file.get(key).ok_or_else(|| {
                let what = format!("key `{key}` is missing, so this is no SAM 2.1 checkpoint");
                CheckpointError::new(Kind::MissingKey, file.name(), what)
            })?;
            tensor.shape().get(axis).copied().ok_or_else(|| {
                let what = format!("key `{key}` has shape {:?}", tensor.shape());
                CheckpointError::new(Kind::Shape, file.name(), what)
            })
        };
        Ok(Self {
            embed_dim: size("image_encoder.trunk.pos_embed", 1)?,
            blocks: count(file, "image_encoder.trunk.blocks."),
            pos_embed: size("image_encoder.trunk.pos_embed", 2)?,
            window: size("image_encoder.trunk.pos_embed_window", 2)?,
            d_model: size("no_mem_embed", 2)?,
            mem_dim: size("maskmem_tpos_enc", 3)?,
            memory_attention_layers: count(file, "memory_attention.layers."),
        })
    }
}

/// Number of different indices that follow a prefix.
fn count(file: &TensorFile, prefix: &str) -> usize {
    let indices = file
        .keys()
        .filter_map(|key| key.strip_prefix(prefix)?.split('.').next());
    indices.collect::<std::collections::BTreeSet<_>>().len()
}

/// The configuration of a checkpoint.
///
/// # Errors
/// When none of [`Sam2Config::all`] fits; the message lists what was found and expected.
pub fn recognise(file: &TensorFile) -> Result<Sam2Config, CheckpointError> {
    let found = Fingerprint::of_file(file)?;
    let all = Sam2Config::all();
    let fits = |config: &&Sam2Config| Fingerprint::of_config(config) == found;
    all.iter().find(fits).cloned().ok_or_else(|| {
        let known =
            |config: &Sam2Config| format!("{} ({})", config.name, Fingerprint::of_config(config));
        let known: Vec<String> = all.iter().map(known).collect();
        let what = format!("has {found}; expected one of {}", known.join(", "));
        CheckpointError::new(Kind::UnknownConfig, file.name(), what)
    })
}
