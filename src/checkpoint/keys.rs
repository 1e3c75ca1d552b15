//! Meta's key of each parameter, as data.
//!
//! Our field names are Meta's, so a parameter's path *is* its key, but for two things: layers
//! that Meta keeps in an `nn.Sequential` have numbers there and names here (the table), and our
//! linear layer stores its weight transposed.

/// Prefix here, prefix in Meta's file.
const RENAMED: &[(&str, &str)] = &[
    (
        "sam_prompt_encoder.mask_downscaling.conv1",
        "sam_prompt_encoder.mask_downscaling.0",
    ),
    (
        "sam_prompt_encoder.mask_downscaling.norm1",
        "sam_prompt_encoder.mask_downscaling.1",
    ),
    (
        "sam_prompt_encoder.mask_downscaling.conv2",
        "sam_prompt_encoder.mask_downscaling.3",
    ),
    (
        "sam_prompt_encoder.mask_downscaling.norm2",
        "sam_prompt_encoder.mask_downscaling.4",
    ),
    (
        "sam_prompt_encoder.mask_downscaling.conv3",
        "sam_prompt_encoder.mask_downscaling.6",
    ),
    (
        "sam_mask_decoder.output_upscaling.conv1",
        "sam_mask_decoder.output_upscaling.0",
    ),
    (
        "sam_mask_decoder.output_upscaling.norm",
        "sam_mask_decoder.output_upscaling.1",
    ),
    (
        "sam_mask_decoder.output_upscaling.conv2",
        "sam_mask_decoder.output_upscaling.3",
    ),
    (
        "memory_encoder.mask_downsampler.steps.0.conv",
        "memory_encoder.mask_downsampler.encoder.0",
    ),
    (
        "memory_encoder.mask_downsampler.steps.0.norm",
        "memory_encoder.mask_downsampler.encoder.1",
    ),
    (
        "memory_encoder.mask_downsampler.steps.1.conv",
        "memory_encoder.mask_downsampler.encoder.3",
    ),
    (
        "memory_encoder.mask_downsampler.steps.1.norm",
        "memory_encoder.mask_downsampler.encoder.4",
    ),
    (
        "memory_encoder.mask_downsampler.steps.2.conv",
        "memory_encoder.mask_downsampler.encoder.6",
    ),
    (
        "memory_encoder.mask_downsampler.steps.2.norm",
        "memory_encoder.mask_downsampler.encoder.7",
    ),
    (
        "memory_encoder.mask_downsampler.steps.3.conv",
        "memory_encoder.mask_downsampler.encoder.9",
    ),
    (
        "memory_encoder.mask_downsampler.steps.3.norm",
        "memory_encoder.mask_downsampler.encoder.10",
    ),
    (
        "memory_encoder.mask_downsampler.out",
        "memory_encoder.mask_downsampler.encoder.12",
    ),
    // LPIPS: a head is the second of an `nn.Sequential`, after a dropout.
    ("lins.0", "lin0.model.1"),
    ("lins.1", "lin1.model.1"),
    ("lins.2", "lin2.model.1"),
    ("lins.3", "lin3.model.1"),
    ("lins.4", "lin4.model.1"),
    ("lins.5", "lin5.model.1"),
    ("lins.6", "lin6.model.1"),
];

/// Meta's key of the parameter at `path`.
pub(super) fn key(path: &[String]) -> String {
    let path = path.join(".");
    let (module, name) = path.rsplit_once('.').unwrap_or(("", &path));
    let renamed = RENAMED.iter().find(|(ours, _)| *ours == module);
    let module = renamed.map_or(module, |(_, metas)| metas);
    match module {
        "" => name.to_owned(),
        _ => format!("{module}.{name}"),
    }
}

/// Whether the file holds this parameter transposed.
pub(super) fn is_transposed(container: &str, name: &str) -> bool {
    container == "Struct:Linear" && name == "weight"
}

/// Whether a weight in this layer may be packed: then it has words and scales too.
pub(super) fn has_words(container: &str) -> bool {
    matches!(container, "Struct:Linear" | "Struct:PackableConv2d")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(path: &str) -> String {
        let path: Vec<String> = path.split('.').map(String::from).collect();
        key(&path)
    }

    #[test]
    fn keys_are_metas() {
        let cases = [
            ("no_mem_embed", "no_mem_embed"),
            (
                "image_encoder.trunk.blocks.0.norm1.weight",
                "image_encoder.trunk.blocks.0.norm1.weight",
            ),
            (
                "memory_encoder.fuser.layers.1.gamma",
                "memory_encoder.fuser.layers.1.gamma",
            ),
            (
                "memory_encoder.mask_downsampler.steps.3.norm.weight",
                "memory_encoder.mask_downsampler.encoder.10.weight",
            ),
            (
                "memory_encoder.mask_downsampler.out.bias",
                "memory_encoder.mask_downsampler.encoder.12.bias",
            ),
        ];
        for (path, expected) in cases {
            assert_eq!(key_of(path), expected);
        }
    }
}
