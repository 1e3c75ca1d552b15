//! Elements of a DICOM data set. In: a tag and a value. Out: the element, with text fit for its type.

use dicom_core::smallvec::SmallVec;
use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_object::InMemDicomObject;

/// A data set, or an item of a sequence.
pub(super) type Item = InMemDicomObject;

/// Text; several values are parted by backslashes.
pub(super) fn put_text(item: &mut Item, tag: Tag, vr: VR, value: &str) {
    let value = match value {
        "" => PrimitiveValue::Empty,
        value => PrimitiveValue::Strs(value.split('\\').map(String::from).collect()),
    };
    item.put(DataElement::new(tag, vr, value));
}

/// Text of a person's: no character that parts values, and not more than the type holds.
pub(super) fn put_words(item: &mut Item, tag: Tag, vr: VR, words: &str) {
    let longest = match vr {
        VR::CS | VR::SH => 16,
        _ => 64,
    };
    let fit = |c: char| match c {
        '\\' => '/',
        c if c.is_control() => ' ',
        c => c,
    };
    let words: String = words.chars().map(fit).take(longest).collect();
    put_text(item, tag, vr, words.trim());
}

/// Numbers of 16 bits.
pub(super) fn put_u16(item: &mut Item, tag: Tag, values: &[u16]) {
    let values = PrimitiveValue::U16(SmallVec::from_slice(values));
    item.put(DataElement::new(tag, VR::US, values));
}

/// Numbers of 32 bits.
pub(super) fn put_u32(item: &mut Item, tag: Tag, values: &[u32]) {
    let values = PrimitiveValue::U32(SmallVec::from_slice(values));
    item.put(DataElement::new(tag, VR::UL, values));
}

/// The names of attributes.
pub(super) fn put_tag(item: &mut Item, tag: Tag, value: Tag) {
    let value = PrimitiveValue::Tags(SmallVec::from_slice(&[value]));
    item.put(DataElement::new(tag, VR::AT, value));
}

/// Numbers as decimal strings.
pub(super) fn put_decimals(item: &mut Item, tag: Tag, values: impl IntoIterator<Item = f64>) {
    let values = values.into_iter().map(decimal).collect();
    item.put(DataElement::new(tag, VR::DS, PrimitiveValue::Strs(values)));
}

/// A sequence.
pub(super) fn put_items(item: &mut Item, tag: Tag, items: Vec<Item>) {
    item.put(DataElement::new(tag, VR::SQ, DataSetSequence::from(items)));
}

/// A number in the sixteen characters that a decimal string has, as exactly as they allow.
fn decimal(value: f64) -> String {
    let shortest = value.to_string();
    if shortest.len() <= 16 {
        return if shortest == "-0" {
            "0".to_owned()
        } else {
            shortest
        };
    }
    // Of usual sizes; what is left is too large or too small to be a length in a patient.
    for digits in (0..=14).rev() {
        let text = format!("{value:.digits$}");
        if text.len() <= 16 {
            let text = text.trim_end_matches('0').trim_end_matches('.');
            return if text == "-0" {
                "0".to_owned()
            } else {
                text.to_owned()
            };
        }
    }
    format!("{value:.8e}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_fit_and_keep_what_they_can() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (-249.51171875, "-249.51171875"),
            (1.0 / 3.0, "0.33333333333333"),
            (-1234.567890123456, "-1234.5678901235"),
            (-2.051034e-10, "-0.0000000002051"),
            (-1e-15, "0"),
            (-0.000_000_000_000_001_234, "0"),
            (1e15, "1000000000000000"),
            (f64::MIN, "-1.79769313e308"),
        ] {
            assert_eq!(decimal(value), text);
            assert!(decimal(value).len() <= 16);
        }
    }

    #[test]
    fn a_persons_words_stay_one_value() {
        let mut item = Item::new_empty();
        let tag = dicom_dictionary_std::tags::SEGMENT_LABEL;
        let words = format!("left\\right\n{}", "é".repeat(80));
        put_words(&mut item, tag, VR::LO, &words);
        let value = item
            .element(tag)
            .expect("it is there")
            .to_str()
            .expect("text");
        assert_eq!(value, format!("left/right {}", "é".repeat(53)));
    }
}
