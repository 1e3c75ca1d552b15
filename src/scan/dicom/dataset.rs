//! The tree of elements in a DICOM file. In: a file's bytes. Out: its elements by tag, sequences as trees of their own, and
//! where in the file the pixels are; nothing is copied.
//!
//! dicom-rs decodes headers and knows the data dictionary and the character sets. What holds them together is here, because a
//! file may come from anywhere: every length is checked against the bytes that are there before anything is done with it,
//! and sequences may not be nested without end.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;

use dicom_core::header::{DataElementHeader, SequenceItemHeader};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_encoding::Endianness;
use dicom_encoding::transfer_syntax::TransferSyntaxIndex;
use dicom_parser::stateful::decode::{DynStatefulDecoder, StatefulDecode};
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;
use flate2::read::DeflateDecoder;

use crate::scan::error::ScanError;
use crate::scan::sniff;

/// Sequences within sequences, at most.
const DEPTH: usize = 32;
/// Largest deflated data set that is unpacked.
const MOST_UNPACKED: u64 = 1 << 31;
/// Ends an item of undefined length.
const ITEM_END: Tag = Tag(0xfffe, 0xe00d);
/// Bytes before the data set of an ordinary file: the preamble and `DICM`.
const PREAMBLE: usize = 132;

/// A file taken apart as far as its data set.
pub(super) struct Container<'a> {
    /// UID of the transfer syntax.
    pub(super) syntax: String,
    /// What kind of object it is, by the file's own meta information.
    pub(super) sop_class: String,
    /// Which object it is, by the same.
    pub(super) sop_instance: String,
    /// The data set, unpacked if it was deflated.
    body: Cow<'a, [u8]>,
}

/// Elements by tag.
#[derive(Debug, Default)]
pub(super) struct Dataset<'a> {
    pub(super) elements: BTreeMap<Tag, Element<'a>>,
}

#[derive(Debug)]
pub(super) enum Element<'a> {
    Value {
        vr: VR,
        bytes: &'a [u8],
        big_endian: bool,
    },
    Items(Vec<Dataset<'a>>),
}

/// A data set and its pixels.
pub(super) struct Object<'a> {
    pub(super) dataset: Dataset<'a>,
    pub(super) pixels: Option<Pixels<'a>>,
    pub(super) big_endian: bool,
}

/// Where pixels are stored.
#[derive(Debug)]
pub(super) enum Pixels<'a> {
    Native(&'a [u8]),
    Encapsulated {
        /// Place of each frame's first fragment, from the first fragment's header on; may be empty.
        offsets: Vec<u64>,
        fragments: Vec<Fragment<'a>>,
    },
}

/// A piece of compressed pixels.
#[derive(Debug)]
pub(super) struct Fragment<'a> {
    /// Place of its header, from the first fragment's header on.
    pub(super) offset: u64,
    pub(super) bytes: &'a [u8],
}

impl<'a> Container<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, ScanError> {
        let start = match bytes {
            _ if bytes.get(128..PREAMBLE) == Some(b"DICM") => PREAMBLE,
            _ if bytes.starts_with(b"DICM") => 4,
            _ if sniff::bare_dicom(bytes) => 0,
            _ => return Err(ScanError::bad_dicom("it does not begin like one")),
        };
        let mut walk = Walk::new(&bytes[start..], uids::EXPLICIT_VR_LITTLE_ENDIAN)?;
        let meta = walk.meta()?;
        let at = start + walk.position();
        let syntax = match meta.text(tags::TRANSFER_SYNTAX_UID) {
            Some(uid) => uid,
            None if bytes.get(at + 4..at + 6).is_some_and(is_vr) => {
                uids::EXPLICIT_VR_LITTLE_ENDIAN.into()
            }
            None => uids::IMPLICIT_VR_LITTLE_ENDIAN.into(),
        };
        let rest = &bytes[at..];
        let deflated = syntax == uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN;
        Ok(Self {
            body: match deflated {
                true => inflate(rest)?.into(),
                false => rest.into(),
            },
            sop_class: meta.text_or_empty(tags::MEDIA_STORAGE_SOP_CLASS_UID),
            sop_instance: meta.text_or_empty(tags::MEDIA_STORAGE_SOP_INSTANCE_UID),
            syntax,
        })
    }

    pub(super) fn object(&self) -> Result<Object<'_>, ScanError> {
        let mut walk = Walk::new(&self.body, &self.syntax)?;
        let dataset = walk.elements(self.body.len(), false, 0)?;
        Ok(Object {
            dataset,
            pixels: walk.pixels,
            big_endian: walk.big_endian,
        })
    }
}

fn is_vr(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_uppercase)
}

fn inflate(packed: &[u8]) -> Result<Vec<u8>, ScanError> {
    let mut unpacked = Vec::new();
    let read = DeflateDecoder::new(packed)
        .take(MOST_UNPACKED)
        .read_to_end(&mut unpacked);
    match read {
        Ok(_) if (unpacked.len() as u64) < MOST_UNPACKED => Ok(unpacked),
        Ok(_) => Err(ScanError::bad_dicom("the deflated data set is too large")),
        Err(e) => Err(ScanError::bad_dicom(&format!(
            "the deflated data set is damaged: {e}"
        ))),
    }
}

/// Goes through a data set from its first byte to its last.
struct Walk<'a> {
    bytes: &'a [u8],
    decoder: DynStatefulDecoder<&'a [u8]>,
    big_endian: bool,
    pixels: Option<Pixels<'a>>,
}

impl<'a> Walk<'a> {
    fn new(bytes: &'a [u8], syntax: &str) -> Result<Self, ScanError> {
        // Syntaxes the registry does not know are compressed ones, and those are explicit and little-endian.
        let known = TransferSyntaxRegistry.get(syntax).filter(|known| {
            // This one names an encoding that was inflated before.
            known.uid() != uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
        });
        let known = known.or_else(|| TransferSyntaxRegistry.get(uids::EXPLICIT_VR_LITTLE_ENDIAN));
        let known = known.ok_or_else(|| ScanError::transfer_syntax(syntax))?;
        let decoder = DynStatefulDecoder::new_with_ts(bytes, known, 0);
        Ok(Self {
            bytes,
            decoder: decoder.map_err(|_| ScanError::transfer_syntax(syntax))?,
            big_endian: known.endianness() == Endianness::Big,
            pixels: None,
        })
    }

    fn position(&self) -> usize {
        // Never beyond the bytes, which are in memory.
        self.decoder.position() as usize
    }

    /// The elements of group 2, which come first.
    fn meta(&mut self) -> Result<Dataset<'a>, ScanError> {
        let mut found = Dataset::default();
        while self.bytes.get(self.position()..self.position() + 2) == Some(&[2, 0]) {
            let header = self.header()?;
            let value = self.value(&header, self.bytes.len())?;
            found.elements.insert(header.tag, value);
        }
        Ok(found)
    }

    /// Elements up to `end`, or up to a delimiter before it.
    fn elements(
        &mut self,
        end: usize,
        delimited: bool,
        depth: usize,
    ) -> Result<Dataset<'a>, ScanError> {
        if depth > DEPTH {
            return Err(ScanError::bad_dicom("its sequences are nested too deep"));
        }
        let mut found = Dataset::default();
        // A file may end in a few bytes of padding.
        while self.position() < end && !(depth == 0 && end - self.position() < 8) {
            let header = self.header()?;
            if header.tag == ITEM_END && delimited {
                return Ok(found);
            }
            let element = match header {
                _ if depth == 0 && header.tag == tags::PIXEL_DATA => {
                    self.pixel_data(&header, end)?;
                    continue;
                }
                _ if header.len.is_undefined() && header.vr == VR::UN => {
                    self.unknown(end, depth)?
                }
                _ if header.len.is_undefined() || header.vr == VR::SQ => {
                    let end = match header.len.get() {
                        Some(len) => self.within(len, end)?,
                        None => end,
                    };
                    Element::Items(self.items(end, header.len.is_undefined(), depth)?)
                }
                _ => self.value(&header, end)?,
            };
            found.elements.insert(header.tag, element);
        }
        match delimited {
            true => Err(ScanError::bad_dicom("an item does not end")),
            false => Ok(found),
        }
    }

    /// The items of a sequence up to `end`, or up to a delimiter before it.
    fn items(
        &mut self,
        end: usize,
        delimited: bool,
        depth: usize,
    ) -> Result<Vec<Dataset<'a>>, ScanError> {
        let mut found = Vec::new();
        while self.position() < end {
            match self.item_header()? {
                SequenceItemHeader::Item { len } => {
                    let (item_end, open) = match len.get() {
                        Some(len) => (self.within(len, end)?, false),
                        None => (end, true),
                    };
                    found.push(self.elements(item_end, open, depth + 1)?);
                }
                SequenceItemHeader::SequenceDelimiter if delimited => return Ok(found),
                _ => return Err(ScanError::bad_dicom("a sequence holds something else")),
            }
        }
        match delimited {
            true => Err(ScanError::bad_dicom("a sequence does not end")),
            false => Ok(found),
        }
    }

    /// A sequence whose type the writer did not know; such ones are implicit, whatever the file is.
    fn unknown(&mut self, end: usize, depth: usize) -> Result<Element<'a>, ScanError> {
        let begin = self.position();
        let mut inner = Walk::new(&self.bytes[begin..end], uids::IMPLICIT_VR_LITTLE_ENDIAN)?;
        let items = inner.items(end - begin, true, depth)?;
        self.skip(inner.position())?;
        Ok(Element::Items(items))
    }

    fn value(&mut self, header: &DataElementHeader, end: usize) -> Result<Element<'a>, ScanError> {
        let Some(len) = header.len.get() else {
            return Err(ScanError::bad_dicom(&format!(
                "element {} has no length",
                header.tag
            )));
        };
        let begin = self.position();
        let end = self.within(len, end)?;
        self.skip(end - begin)?;
        Ok(Element::Value {
            vr: header.vr,
            bytes: &self.bytes[begin..end],
            big_endian: self.big_endian,
        })
    }

    fn pixel_data(&mut self, header: &DataElementHeader, end: usize) -> Result<(), ScanError> {
        if !header.len.is_undefined() {
            if let Element::Value { bytes, .. } = self.value(header, end)? {
                self.pixels = Some(Pixels::Native(bytes));
            }
            return Ok(());
        }
        let mut offsets = Vec::new();
        let mut fragments = Vec::new();
        let mut first = None;
        while self.position() < end {
            let begin = self.position();
            let len = match self.item_header()? {
                SequenceItemHeader::Item { len } => len.get(),
                SequenceItemHeader::SequenceDelimiter => break,
                SequenceItemHeader::ItemDelimiter => None,
            };
            let len = len.ok_or_else(|| ScanError::bad_dicom("a fragment has no length"))?;
            let range = self.fragment(len, end)?;
            let bytes = &self.bytes[range];
            match first {
                None => {
                    let words = bytes.as_chunks::<4>().0.iter();
                    offsets = words.map(|w| u64::from(u32::from_le_bytes(*w))).collect();
                    first = Some(self.position());
                }
                Some(first) => fragments.push(Fragment {
                    offset: (begin - first) as u64,
                    bytes,
                }),
            }
        }
        self.pixels = Some(Pixels::Encapsulated { offsets, fragments });
        Ok(())
    }

    fn fragment(&mut self, len: u32, end: usize) -> Result<Range<usize>, ScanError> {
        let begin = self.position();
        let end = self.within(len, end)?;
        self.skip(end - begin)?;
        Ok(begin..end)
    }

    /// Where `len` bytes from here end, if that is before `end`.
    fn within(&self, len: u32, end: usize) -> Result<usize, ScanError> {
        let begin = self.position();
        let stop = begin.checked_add(len as usize).filter(|stop| *stop <= end);
        stop.ok_or_else(|| {
            ScanError::truncated(
                begin as u64 + u64::from(len),
                end.min(self.bytes.len()) as u64,
            )
        })
    }

    fn skip(&mut self, len: usize) -> Result<(), ScanError> {
        // Lengths in the format have 32 bits; a sequence of unknown elements may be longer, of several items.
        let mut left = len;
        while left > 0 {
            let step = u32::try_from(left).unwrap_or(u32::MAX);
            self.decoder.skip_bytes(step).map_err(|e| self.broken(&e))?;
            left -= step as usize;
        }
        Ok(())
    }

    fn header(&mut self) -> Result<DataElementHeader, ScanError> {
        let header = self.decoder.decode_header();
        header.map_err(|e| self.broken(&e))
    }

    fn item_header(&mut self) -> Result<SequenceItemHeader, ScanError> {
        let header = self.decoder.decode_item_header();
        header.map_err(|e| self.broken(&e))
    }

    fn broken(&self, error: &dyn std::fmt::Display) -> ScanError {
        let place = self.position();
        ScanError::bad_dicom(&format!("at byte {place} of its data set: {error}"))
    }
}
