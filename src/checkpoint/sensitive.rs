//! Which tensors of a packed file are not packed like the others, as data. `benches/accuracy.rs` measures what they are for.

use crate::kernels::Bits;

/// How a tensor is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Storage {
    F32,
    F16,
    /// In at least eight bits, whatever the others have.
    Int8,
}

/// One line of the table.
struct Rule {
    /// A key of Meta's, where `*` stands for any characters.
    keys: &'static str,
    storage: Storage,
}

/// The first that fits counts. What none fits is packed if it is the weight of a linear layer, else half floats.
const RULES: &[Rule] = &[
    // Layer scales, as small as 1e-6 when training begins: half floats of that size have no digits.
    Rule {
        keys: "memory_encoder.fuser.layers.*.gamma",
        storage: Storage::F32,
    },
    // Multiplied by coordinates and 2 pi, then a sine is taken.
    Rule {
        keys: "sam_prompt_encoder.pe_layer.*",
        storage: Storage::F32,
    },
    // The last layers of the heads: a column is a score, or a channel of the mask itself.
    Rule {
        keys: "sam_mask_decoder.output_hypernetworks_mlps.*.layers.2.weight",
        storage: Storage::F16,
    },
    Rule {
        keys: "sam_mask_decoder.iou_prediction_head.layers.2.weight",
        storage: Storage::F16,
    },
    Rule {
        keys: "sam_mask_decoder.pred_obj_score_head.layers.2.weight",
        storage: Storage::F16,
    },
    // The rest of the heads: few weights, and what they say decides everything.
    Rule {
        keys: "sam_mask_decoder.output_hypernetworks_mlps.*",
        storage: Storage::Int8,
    },
    Rule {
        keys: "sam_mask_decoder.iou_prediction_head.*",
        storage: Storage::Int8,
    },
    Rule {
        keys: "sam_mask_decoder.pred_obj_score_head.*",
        storage: Storage::Int8,
    },
    Rule {
        keys: "obj_ptr_*",
        storage: Storage::Int8,
    },
    // Where tokens look into the image and the image into its memories, and the first blocks of the trunk. Each alone at four
    // bits moves the masks by one to five Dice points from the float model's, every other module by less.
    Rule {
        keys: "sam_mask_decoder.transformer.*_attn_*_to_*",
        storage: Storage::Int8,
    },
    Rule {
        keys: "memory_attention.layers.*.cross_attn_image.*",
        storage: Storage::Int8,
    },
    Rule {
        keys: "image_encoder.trunk.blocks.0.*",
        storage: Storage::Int8,
    },
    Rule {
        keys: "image_encoder.trunk.blocks.1.*",
        storage: Storage::Int8,
    },
    Rule {
        keys: "image_encoder.trunk.blocks.2.*",
        storage: Storage::Int8,
    },
];

/// What the table says of a key.
pub(super) fn storage(key: &str) -> Option<Storage> {
    let rule = RULES.iter().find(|rule| fits(rule.keys, key));
    rule.map(|rule| rule.storage)
}

/// Bits of a linear layer's weight, none for one that stays floats.
pub(super) fn bits(key: &str, asked: Bits) -> Option<Bits> {
    match storage(key) {
        Some(Storage::F32 | Storage::F16) => None,
        Some(Storage::Int8) => Some(Bits::Int8),
        None => Some(asked),
    }
}

/// Whether a key fits a pattern: its parts stand in the key, in order.
fn fits(pattern: &str, key: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == key,
        Some((start, rest)) => key.strip_prefix(start).is_some_and(|key| {
            (0..=key.len()).any(|at| key.is_char_boundary(at) && fits(rest, &key[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        let cases = [
            ("a.b", "a.b", true),
            ("a.b", "a.bc", false),
            ("a.*", "a.b.c", true),
            ("a.*.c", "a.b.b.c", true),
            ("a.*.c", "a.b.d", false),
            ("*.c", "ä.c", true),
        ];
        for (pattern, key, expected) in cases {
            assert_eq!(fits(pattern, key), expected, "{pattern} {key}");
        }
    }

    #[test]
    fn the_first_rule_counts() {
        let head = "sam_mask_decoder.iou_prediction_head.layers";
        assert_eq!(bits(&format!("{head}.2.weight"), Bits::Int4), None);
        assert_eq!(
            bits(&format!("{head}.1.weight"), Bits::Int4),
            Some(Bits::Int8)
        );
        let trunk = "image_encoder.trunk.blocks.3.attn.qkv.weight";
        assert_eq!(bits(trunk, Bits::Int4), Some(Bits::Int4));
    }
}
