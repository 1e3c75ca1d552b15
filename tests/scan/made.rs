//! Small DICOM files, byte by byte, independently of the crates that read them. In: elements. Out: a file's bytes, in any of the
//! uncompressed encodings or with pixels in fragments.

use std::collections::BTreeMap;
use std::io::Write;

use flate2::{Compression, write::DeflateEncoder};

pub const IMPLICIT: &str = "1.2.840.10008.1.2";
pub const EXPLICIT: &str = "1.2.840.10008.1.2.1";
pub const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
pub const BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";
pub const RLE: &str = "1.2.840.10008.1.2.5";

/// Group and element.
pub type Tag = (u16, u16);

/// An element's value.
#[derive(Clone)]
pub enum Value {
    Text(&'static str, String),
    Shorts(Vec<u16>),
    Items(Vec<Elements>),
}

pub type Elements = BTreeMap<Tag, Value>;

#[derive(Clone)]
pub enum Pixels {
    /// Numbers of 8 or 16 bits.
    Bytes(Vec<u8>),
    Words(Vec<u16>),
    Fragments(Vec<Vec<u8>>),
    None,
}

/// A file to be built.
#[derive(Clone)]
pub struct Dicom {
    pub syntax: &'static str,
    pub elements: Elements,
    pub pixels: Pixels,
    /// Whether sequences and items have a length, or an end.
    pub lengths: bool,
}

pub fn text(kind: &'static str, value: impl Into<String>) -> Value {
    Value::Text(kind, value.into())
}

pub fn short(value: u16) -> Value {
    Value::Shorts(vec![value])
}

/// Three by two pixels at height `z`, counting from `10 * z`; rescaled by 2 v - 10.
pub fn slice(z: f64, number: u32) -> Dicom {
    let mut elements = Elements::new();
    let first = z as i16 * 10;
    for (tag, value) in [
        ((0x0008, 0x0016), text("UI", "1.2.840.10008.5.1.4.1.1.2")),
        ((0x0008, 0x0018), text("UI", format!("1.2.3.{number}"))),
        ((0x0008, 0x0060), text("CS", "CT")),
        ((0x0008, 0x103e), text("LO", "made")),
        ((0x0010, 0x0010), text("PN", "Made^Up")),
        ((0x0018, 0x0050), text("DS", "3")),
        ((0x0020, 0x000d), text("UI", "1.2.3")),
        ((0x0020, 0x000e), text("UI", "1.2.3.4")),
        ((0x0020, 0x0013), text("IS", number.to_string())),
        ((0x0020, 0x0032), text("DS", format!("-20.5\\7\\{z}"))),
        ((0x0020, 0x0037), text("DS", "1\\0\\0\\0\\1\\0")),
        ((0x0020, 0x0052), text("UI", "1.2.3.5")),
        ((0x0028, 0x0002), short(1)),
        ((0x0028, 0x0004), text("CS", "MONOCHROME2")),
        ((0x0028, 0x0010), short(2)),
        ((0x0028, 0x0011), short(3)),
        ((0x0028, 0x0030), text("DS", "1.5\\1.25")),
        ((0x0028, 0x0100), short(16)),
        ((0x0028, 0x0101), short(16)),
        ((0x0028, 0x0102), short(15)),
        ((0x0028, 0x0103), short(1)),
        ((0x0028, 0x1052), text("DS", "-10")),
        ((0x0028, 0x1053), text("DS", "2")),
    ] {
        elements.insert(tag, value);
    }
    Dicom {
        syntax: EXPLICIT,
        elements,
        pixels: Pixels::Words((0..6).map(|n| (first + n).cast_unsigned()).collect()),
        lengths: true,
    }
}

impl Dicom {
    pub fn set(mut self, tag: Tag, value: Value) -> Self {
        self.elements.insert(tag, value);
        self
    }

    pub fn without(mut self, tag: Tag) -> Self {
        self.elements.remove(&tag);
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; 128];
        bytes.extend(b"DICM");
        let meta = Writer {
            explicit: true,
            big_endian: false,
            lengths: true,
        };
        let syntax = text("UI", self.syntax);
        bytes.extend(meta.element((0x0002, 0x0010), &syntax));
        let writer = Writer {
            explicit: self.syntax != IMPLICIT,
            big_endian: self.syntax == BIG_ENDIAN,
            lengths: self.lengths,
        };
        let mut body = writer.elements(&self.elements);
        body.extend(writer.pixels(&self.pixels));
        if self.syntax == DEFLATED {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&body).expect("in memory");
            body = encoder.finish().expect("in memory");
        }
        bytes.extend(body);
        bytes
    }
}

struct Writer {
    explicit: bool,
    big_endian: bool,
    lengths: bool,
}

impl Writer {
    fn short(&self, value: u16) -> [u8; 2] {
        match self.big_endian {
            true => value.to_be_bytes(),
            false => value.to_le_bytes(),
        }
    }

    fn long(&self, value: u32) -> [u8; 4] {
        match self.big_endian {
            true => value.to_be_bytes(),
            false => value.to_le_bytes(),
        }
    }

    fn tag(&self, (group, element): Tag) -> Vec<u8> {
        [self.short(group), self.short(element)].concat()
    }

    fn elements(&self, elements: &Elements) -> Vec<u8> {
        let each = elements.iter().map(|(tag, value)| self.element(*tag, value));
        each.collect::<Vec<_>>().concat()
    }

    fn element(&self, tag: Tag, value: &Value) -> Vec<u8> {
        match value {
            Value::Text(kind, text) => {
                let mut bytes = text.clone().into_bytes();
                if bytes.len() % 2 == 1 {
                    bytes.push(if *kind == "UI" { 0 } else { b' ' });
                }
                self.header(tag, kind, bytes.len() as u32, bytes)
            }
            Value::Shorts(shorts) => {
                let bytes: Vec<u8> = shorts.iter().flat_map(|s| self.short(*s)).collect();
                self.header(tag, "US", bytes.len() as u32, bytes)
            }
            Value::Items(items) => self.sequence(tag, items),
        }
    }

    fn sequence(&self, tag: Tag, items: &[Elements]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for item in items {
            let body = self.elements(item);
            let len = if self.lengths { body.len() as u32 } else { u32::MAX };
            bytes.extend(self.tag((0xfffe, 0xe000)));
            bytes.extend(self.long(len));
            bytes.extend(body);
            if !self.lengths {
                bytes.extend(self.tag((0xfffe, 0xe00d)));
                bytes.extend(self.long(0));
            }
        }
        if self.lengths {
            return self.header(tag, "SQ", bytes.len() as u32, bytes);
        }
        bytes.extend(self.tag((0xfffe, 0xe0dd)));
        bytes.extend(self.long(0));
        self.header(tag, "SQ", u32::MAX, bytes)
    }

    fn header(&self, tag: Tag, kind: &str, len: u32, value: Vec<u8>) -> Vec<u8> {
        let mut bytes = self.tag(tag);
        if self.explicit {
            bytes.extend(kind.bytes());
        }
        match (self.explicit, kind) {
            (false, _) => bytes.extend(self.long(len)),
            (true, "OB" | "OW" | "SQ" | "UN") => {
                bytes.extend([0, 0]);
                bytes.extend(self.long(len));
            }
            (true, _) => bytes.extend(self.short(len as u16)),
        }
        bytes.extend(value);
        bytes
    }

    fn pixels(&self, pixels: &Pixels) -> Vec<u8> {
        let tag = (0x7fe0, 0x0010);
        match pixels {
            Pixels::None => Vec::new(),
            Pixels::Bytes(bytes) => {
                let mut bytes = bytes.clone();
                bytes.resize(bytes.len().next_multiple_of(2), 0);
                self.header(tag, "OB", bytes.len() as u32, bytes)
            }
            Pixels::Words(words) => {
                let bytes: Vec<u8> = words.iter().flat_map(|w| self.short(*w)).collect();
                self.header(tag, "OW", bytes.len() as u32, bytes)
            }
            Pixels::Fragments(fragments) => {
                let mut bytes = Vec::new();
                let empty = Vec::new();
                for fragment in std::iter::once(&empty).chain(fragments) {
                    bytes.extend(self.tag((0xfffe, 0xe000)));
                    let mut fragment = fragment.clone();
                    fragment.resize(fragment.len().next_multiple_of(2), 0);
                    bytes.extend(self.long(fragment.len() as u32));
                    bytes.extend(fragment);
                }
                bytes.extend(self.tag((0xfffe, 0xe0dd)));
                bytes.extend(self.long(0));
                self.header(tag, "OB", u32::MAX, bytes)
            }
        }
    }
}
