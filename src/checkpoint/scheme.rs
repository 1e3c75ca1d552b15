//! The packed format: what a `.safetensors` file of packed weights says of itself, and whether that fits its tensors.
//!
//! It is an ordinary safetensors file with Meta's keys. A packed weight `K` of a linear layer is U32
//! `[d_input * bits / 32, d_output]` in the layout of [`kernels::packed`](crate::kernels::packed), with scales
//! `K_scales`, F16 `[groups, d_output]`. All other tensors are floats of Meta's shape. The metadata has
//! `oneslice.version`, `oneslice.scheme` (JSON) and `oneslice.origin`; a file without the first holds no packed weight.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::str::FromStr;

use safetensors::Dtype;
use serde::{Deserialize, Serialize};

use super::error::{CheckpointError, CheckpointErrorKind as Kind};
use super::tensor_file::{StoredTensor, scales_key};
use crate::kernels::{Bits, packed::GROUP_UNIT};

/// Version of the layout of words and scales.
const VERSION: &str = "1";

const VERSION_KEY: &str = "oneslice.version";
const SCHEME_KEY: &str = "oneslice.scheme";
const ORIGIN_KEY: &str = "oneslice.origin";

/// How weights are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// Bits of most weights: eight or four.
    pub bits: Bits,
    /// Which inputs share a scale.
    pub group: Group,
}

/// Inputs of an output channel that share a scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// All.
    Channel,
    /// So many that follow one another, a multiple of [`GROUP_UNIT`]; fewer where that does not divide the inputs.
    Inputs(usize),
}

/// A packed weight `[d_input, d_output]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedShape {
    /// Bits of one value.
    pub bits: Bits,
    /// Rows.
    pub d_input: usize,
    /// Columns.
    pub d_output: usize,
    /// Rows of scales.
    pub groups: usize,
}

/// The scheme as the file has it. A field that is not known here would change the meaning, so it is refused.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoredScheme {
    bits: usize,
    /// Null: all inputs of a channel.
    group: Option<usize>,
    /// Bits of each packed weight.
    packed: BTreeMap<String, usize>,
}

impl Scheme {
    /// What is recommended for these bits, by what `benches/accuracy.rs` measured: smaller groups gain nothing.
    pub fn of_bits(bits: Bits) -> Self {
        let group = match bits {
            Bits::Int4 => Group::Inputs(64),
            _ => Group::Channel,
        };
        Self { bits, group }
    }
}

impl Group {
    /// How many groups the inputs of a layer are cut into.
    pub(super) fn count(self, d_input: usize) -> usize {
        let Self::Inputs(most) = self else { return 1 };
        let divides = |groups: &usize| {
            let rows = d_input / groups;
            rows * groups == d_input && rows <= most && rows.is_multiple_of(GROUP_UNIT)
        };
        (1..=d_input / GROUP_UNIT).find(divides).unwrap_or(1)
    }
}

impl FromStr for Group {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse::<usize>()) {
            ("channel", _) => Ok(Self::Channel),
            (_, Ok(inputs @ (32 | 64))) => Ok(Self::Inputs(inputs)),
            _ => Err(format!("`{text}` is none of 32, 64, channel")),
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel => write!(f, "channel"),
            Self::Inputs(inputs) => write!(f, "{inputs}"),
        }
    }
}

/// The metadata of a file whose packed weights are these.
pub(super) fn write(
    scheme: Scheme,
    packed: &BTreeMap<String, PackedShape>,
    origin: &str,
) -> BTreeMap<&'static str, String> {
    let bits = |(key, shape): (&String, &PackedShape)| (key.clone(), shape.bits.count());
    let stored = StoredScheme {
        bits: scheme.bits.count(),
        group: match scheme.group {
            Group::Channel => None,
            Group::Inputs(inputs) => Some(inputs),
        },
        packed: packed.iter().map(bits).collect(),
    };
    let scheme = serde_json::to_string(&stored).expect("numbers and strings are JSON");
    [
        (VERSION_KEY, VERSION.to_owned()),
        (SCHEME_KEY, scheme),
        (ORIGIN_KEY, origin.to_owned()),
    ]
    .into()
}

/// The packed weights of a file, checked against its tensors' types and shapes.
pub(super) fn read(
    name: &str,
    metadata: &HashMap<String, String>,
    tensors: &BTreeMap<String, StoredTensor>,
) -> Result<BTreeMap<String, PackedShape>, CheckpointError> {
    let error = |kind, what| CheckpointError::new(kind, name, what);
    let Some(version) = metadata.get(VERSION_KEY) else {
        return Ok(BTreeMap::new());
    };
    if version != VERSION {
        let what = format!("packed weights of version {version}, and only {VERSION} is known");
        return Err(error(Kind::Version, what));
    }
    let scheme = metadata.get(SCHEME_KEY).map_or("", String::as_str);
    let scheme: StoredScheme = serde_json::from_str(scheme).map_err(|e| {
        error(
            Kind::Packing,
            format!("{SCHEME_KEY} is not understood: {e}"),
        )
    })?;
    let mut packed = BTreeMap::new();
    for (key, bits) in scheme.packed {
        let shape = packed_shape(&key, bits, tensors);
        let shape = shape.map_err(|what| error(Kind::Packing, format!("key `{key}` {what}")))?;
        packed.insert(key, shape);
    }
    Ok(packed)
}

/// A packed weight's shape, or what is wrong with it.
fn packed_shape(
    key: &str,
    bits: usize,
    tensors: &BTreeMap<String, StoredTensor>,
) -> Result<PackedShape, String> {
    let known = Bits::from_count(bits).filter(|bits| *bits != Bits::F16);
    let known =
        known.ok_or_else(|| format!("is packed in {bits} bits, and only 8 and 4 are known"))?;
    let words = tensors.get(key).ok_or("is missing")?;
    let scales = tensors.get(&scales_key(key)).ok_or("has no scales")?;
    let (&[word_rows, d_output], Dtype::U32) = (words.shape(), words.dtype()) else {
        let (dtype, shape) = (words.dtype(), words.shape());
        return Err(format!(
            "is {dtype:?} {shape:?}, and packed words are a matrix of U32"
        ));
    };
    let (&[groups, columns], Dtype::F16) = (scales.shape(), scales.dtype()) else {
        let (dtype, shape) = (scales.dtype(), scales.shape());
        return Err(format!(
            "has scales {dtype:?} {shape:?}, and they are a matrix of F16"
        ));
    };
    let d_input = word_rows.saturating_mul(32) / bits;
    let cut = groups > 0 && d_input.is_multiple_of(groups * GROUP_UNIT) && d_input > 0;
    let blocks = d_output > 0 && d_output.is_multiple_of(4);
    if !cut || !blocks || columns != d_output {
        let (words, scales) = (words.shape(), scales.shape());
        return Err(format!(
            "has words {words:?} and scales {scales:?} that do not fit {bits} bits"
        ));
    }
    Ok(PackedShape {
        bits: known,
        d_input,
        d_output,
        groups,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_cut_into_equal_groups_of_whole_units() {
        let cases = [
            (Group::Channel, 96, 1),
            (Group::Inputs(32), 96, 3),
            (Group::Inputs(64), 128, 2),
            // 64 does not divide 96, so that the largest unit below that does is taken.
            (Group::Inputs(64), 96, 3),
            (Group::Inputs(64), 32, 1),
        ];
        for (group, d_input, count) in cases {
            assert_eq!(group.count(d_input), count, "{group} of {d_input}");
        }
    }

    #[test]
    fn groups_are_said_and_read_alike() {
        for group in [Group::Channel, Group::Inputs(32), Group::Inputs(64)] {
            assert_eq!(group.to_string().parse(), Ok(group));
        }
        assert!("48".parse::<Group>().is_err() && "".parse::<Group>().is_err());
    }
}
