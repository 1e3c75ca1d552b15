//! Values of elements. In: a data set and a tag. Out: text, numbers or vectors, or an error that names the attribute.

use dicom_core::{DataDictionary, Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags};
use dicom_encoding::text::{SpecificCharacterSet, TextCodec};

use super::dataset::{Dataset, Element};
use crate::scan::error::ScanError;

/// Longest value that is read as text or numbers: beyond are tables, which no attribute asked for here has.
const LONGEST: usize = 1 << 20;

impl<'a> Dataset<'a> {
    /// A single value as text, without padding; `None` when it is missing or empty.
    pub(super) fn text(&self, tag: Tag) -> Option<String> {
        let bytes = self.bytes(tag)?;
        let text = self.charset().decode(bytes);
        let text = text.unwrap_or_else(|_| String::from_utf8_lossy(bytes).into_owned());
        let text = text.trim_matches(['\0', ' ']).to_owned();
        (!text.is_empty()).then_some(text)
    }

    /// The same, or nothing.
    pub(super) fn text_or_empty(&self, tag: Tag) -> String {
        self.text(tag).unwrap_or_default()
    }

    /// Numbers, stored as text or in binary; empty when there are none or one is no number.
    pub(super) fn numbers(&self, tag: Tag) -> Vec<f64> {
        let Some(Element::Value {
            vr,
            bytes,
            big_endian,
        }) = self.elements.get(&tag)
        else {
            return Vec::new();
        };
        if bytes.len() > LONGEST {
            return Vec::new();
        }
        match vr {
            VR::US | VR::OW => binary(bytes, *big_endian, u16::from_le_bytes),
            VR::SS => binary(bytes, *big_endian, i16::from_le_bytes),
            VR::UL | VR::OL => binary(bytes, *big_endian, u32::from_le_bytes),
            VR::SL => binary(bytes, *big_endian, i32::from_le_bytes),
            VR::FL | VR::OF => binary(bytes, *big_endian, f32::from_le_bytes),
            VR::FD | VR::OD => binary(bytes, *big_endian, f64::from_le_bytes),
            _ => {
                let text = String::from_utf8_lossy(bytes);
                let parts = text.split('\\').map(|part| {
                    let part = part.trim_matches(['\0', ' ']);
                    part.parse::<f64>().ok().filter(|n| n.is_finite())
                });
                parts.collect::<Option<Vec<f64>>>().unwrap_or_default()
            }
        }
    }

    /// Unsigned 64-bit numbers.
    pub(super) fn longs(&self, tag: Tag) -> Vec<u64> {
        let words = self.bytes(tag).unwrap_or_default().as_chunks::<8>().0;
        words.iter().map(|w| u64::from_le_bytes(*w)).collect()
    }

    /// The first number.
    pub(super) fn number(&self, tag: Tag) -> Option<f64> {
        self.numbers(tag).first().copied()
    }

    /// The first number, which must be a whole one within its type.
    pub(super) fn whole<T: TryFrom<i64>>(&self, tag: Tag) -> Result<Option<T>, ScanError> {
        let Some(number) = self.number(tag) else {
            return match self.text(tag) {
                Some(_) => Err(self.not(tag, "a number")),
                None => Ok(None),
            };
        };
        let whole = (number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64);
        match whole.and_then(|n| T::try_from(n).ok()) {
            Some(value) => Ok(Some(value)),
            None => Err(self.not(tag, "a possible number")),
        }
    }

    /// `N` numbers; `None` when the attribute is missing or empty.
    pub(super) fn vector<const N: usize>(&self, tag: Tag) -> Result<Option<[f64; N]>, ScanError> {
        let numbers = self.numbers(tag);
        if numbers.is_empty() && self.text(tag).is_none() {
            return Ok(None);
        }
        match <[f64; N]>::try_from(numbers) {
            Ok(vector) => Ok(Some(vector)),
            Err(_) => Err(self.not(tag, &format!("{N} numbers"))),
        }
    }

    /// A sequence's items.
    pub(super) fn items(&self, tag: Tag) -> &[Dataset<'a>] {
        match self.elements.get(&tag) {
            Some(Element::Items(items)) => items,
            _ => &[],
        }
    }

    /// The first item of a sequence.
    pub(super) fn item(&self, tag: Tag) -> Option<&Dataset<'a>> {
        self.items(tag).first()
    }

    fn bytes(&self, tag: Tag) -> Option<&'a [u8]> {
        match self.elements.get(&tag) {
            Some(Element::Value { bytes, .. }) if bytes.len() <= LONGEST => Some(bytes),
            _ => None,
        }
    }

    fn charset(&self) -> SpecificCharacterSet {
        let Some(bytes) = self.bytes(tags::SPECIFIC_CHARACTER_SET) else {
            return SpecificCharacterSet::default();
        };
        let names = String::from_utf8_lossy(bytes);
        // With several, the first may be empty: the basic one, which the others extend.
        let mut names = names.split('\\').map(|name| name.trim_matches(['\0', ' ']));
        let name = names.find(|name| !name.is_empty()).unwrap_or_default();
        SpecificCharacterSet::from_code(name).unwrap_or_default()
    }

    fn not(&self, tag: Tag, what: &str) -> ScanError {
        let mut text = self.text_or_empty(tag);
        text.retain(|c| !c.is_control());
        let text: String = text.chars().take(60).collect();
        ScanError::bad_dicom(&format!("{} is '{text}', not {what}", keyword(tag)))
    }
}

/// The name of an attribute.
pub(super) fn keyword(tag: Tag) -> String {
    use dicom_core::dictionary::DataDictionaryEntry;
    let known = StandardDataDictionary.by_tag(tag);
    known.map_or_else(|| tag.to_string(), |entry| entry.alias().to_owned())
}

fn binary<const N: usize, T: Into<f64>>(
    bytes: &[u8],
    big_endian: bool,
    read: fn([u8; N]) -> T,
) -> Vec<f64> {
    let words = bytes.as_chunks::<N>().0.iter();
    let numbers = words.map(|word| {
        let mut word = *word;
        if big_endian {
            word.reverse();
        }
        read(word).into()
    });
    let numbers: Vec<f64> = numbers.collect();
    match numbers.iter().all(|n| n.is_finite()) {
        true => numbers,
        false => Vec::new(),
    }
}
