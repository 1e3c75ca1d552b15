//! One slice of an uncompressed DICOM series, as CHAOS publishes them. In: a file's bytes. Out: its values and their place.
//!
//! Only little-endian files with one grey frame; everything else is refused by name. Compressed series go through a
//! converter such as dcm2niix first.

use std::collections::BTreeMap;

/// Group and element of a tag.
type Tag = (u16, u16);

const TRANSFER_SYNTAX: Tag = (0x0002, 0x0010);
const POSITION: Tag = (0x0020, 0x0032);
const ORIENTATION: Tag = (0x0020, 0x0037);
const SAMPLES: Tag = (0x0028, 0x0002);
const FRAMES: Tag = (0x0028, 0x0008);
const ROWS: Tag = (0x0028, 0x0010);
const COLS: Tag = (0x0028, 0x0011);
const SPACING: Tag = (0x0028, 0x0030);
const BITS: Tag = (0x0028, 0x0100);
const SIGNED: Tag = (0x0028, 0x0103);
const INTERCEPT: Tag = (0x0028, 0x1052);
const SLOPE: Tag = (0x0028, 0x1053);
const PIXELS: Tag = (0x7fe0, 0x0010);
const ITEM: Tag = (0xfffe, 0xe000);
const ITEM_END: Tag = (0xfffe, 0xe00d);
const SEQUENCE_END: Tag = (0xfffe, 0xe0dd);

const IMPLICIT: &str = "1.2.840.10008.1.2";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const UNDEFINED: u32 = u32::MAX;
/// Sequences within sequences, at most: what a file says is not to exhaust the stack.
const DEPTH: usize = 32;

/// A slice in DICOM's patient space: x to the patient's left, y to the back, z to the head; millimetres.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    pub rows: usize,
    pub cols: usize,
    /// Rescaled, row-major.
    pub values: Vec<f32>,
    /// Of the first pixel's centre.
    pub position: [f64; 3],
    /// Direction along a row (from column to column), then down a column.
    pub orientation: [[f64; 3]; 2],
    /// Between rows, then between columns.
    pub spacing: [f64; 2],
}

/// Reads a slice.
pub fn read(bytes: &[u8]) -> Result<Slice, String> {
    if bytes.get(128..132) != Some(b"DICM") {
        return Err("not a DICOM file".into());
    }
    let mut elements = Elements::default();
    let mut reader = Reader {
        bytes,
        at: 132,
        explicit: true,
    };
    reader.collect(&mut elements, |tag| tag.0 == 2)?;
    let syntax = elements.text(TRANSFER_SYNTAX)?;
    reader.explicit = match syntax.as_str() {
        IMPLICIT => false,
        EXPLICIT => true,
        other => {
            return Err(format!(
                "DICOM in transfer syntax {other}; only uncompressed, little-endian files are read here"
            ));
        }
    };
    reader.collect(&mut elements, |_| true)?;
    slice(&elements)
}

fn slice(elements: &Elements) -> Result<Slice, String> {
    for (tag, what) in [(SAMPLES, "values a pixel"), (FRAMES, "frames")] {
        let count = elements.optional(tag, 1.0)?;
        if count != 1.0 {
            return Err(format!("a DICOM file with {count} {what}"));
        }
    }
    let (rows, cols) = (elements.short(ROWS)?, elements.short(COLS)?);
    let (rows, cols) = (usize::from(rows), usize::from(cols));
    let bits = elements.short(BITS)?;
    let signed = elements.short(SIGNED)? == 1;
    let (slope, intercept) = (
        elements.optional(SLOPE, 1.0)?,
        elements.optional(INTERCEPT, 0.0)?,
    );
    let pixels = elements.value(PIXELS)?;
    let raw: Vec<f64> = match (bits, signed) {
        (8, false) => pixels.iter().map(|&b| f64::from(b)).collect(),
        (16, false) => shorts(pixels).map(f64::from).collect(),
        (16, true) => shorts(pixels).map(|v| f64::from(v.cast_signed())).collect(),
        _ => return Err(format!("DICOM pixels of {bits} bits")),
    };
    let values = raw.iter().take(rows * cols);
    let values: Vec<f32> = values.map(|v| (v * slope + intercept) as f32).collect();
    if values.len() != rows * cols || values.is_empty() {
        return Err(format!(
            "{} DICOM pixels for {rows} rows of {cols}",
            values.len()
        ));
    }
    let [rx, ry, rz, cx, cy, cz] = elements.numbers(ORIENTATION)?;
    Ok(Slice {
        rows,
        cols,
        values,
        position: elements.numbers(POSITION)?,
        orientation: [[rx, ry, rz], [cx, cy, cz]],
        spacing: elements.numbers(SPACING)?,
    })
}

fn shorts(bytes: &[u8]) -> impl Iterator<Item = u16> {
    let pairs = bytes.chunks_exact(2);
    pairs.map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
}

/// The values of a file's own elements; those within sequences are left out.
#[derive(Default)]
struct Elements(BTreeMap<Tag, Vec<u8>>);

impl Elements {
    fn value(&self, tag: Tag) -> Result<&[u8], String> {
        let value = self.0.get(&tag).map(Vec::as_slice);
        value.ok_or_else(|| format!("a DICOM file without ({:04x},{:04x})", tag.0, tag.1))
    }

    fn text(&self, tag: Tag) -> Result<String, String> {
        let text = String::from_utf8_lossy(self.value(tag)?);
        Ok(text.trim_matches(['\0', ' ']).to_owned())
    }

    fn short(&self, tag: Tag) -> Result<u16, String> {
        let value = shorts(self.value(tag)?).next();
        value.ok_or_else(|| format!("an empty DICOM element ({:04x},{:04x})", tag.0, tag.1))
    }

    /// Decimal numbers with backslashes between them.
    fn numbers<const N: usize>(&self, tag: Tag) -> Result<[f64; N], String> {
        let text = self.text(tag)?;
        let numbers = text.split('\\').map(|n| n.trim().parse::<f64>().ok());
        let numbers = numbers.collect::<Option<Vec<f64>>>().unwrap_or_default();
        let finite = numbers.iter().all(|n| n.is_finite());
        let numbers = <[f64; N]>::try_from(numbers).ok().filter(|_| finite);
        numbers.ok_or_else(|| format!("'{text}' is not {N} numbers, in a DICOM file"))
    }

    /// A number that may be missing. Of the tags asked for, only the number of samples is binary.
    fn optional(&self, tag: Tag, missing: f64) -> Result<f64, String> {
        match tag {
            _ if !self.0.contains_key(&tag) => Ok(missing),
            SAMPLES => self.short(tag).map(f64::from),
            _ => self.numbers(tag).map(|[number]| number),
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    explicit: bool,
}

impl<'a> Reader<'a> {
    /// Reads elements while their tags are wanted.
    fn collect(
        &mut self,
        elements: &mut Elements,
        wanted: impl Fn(Tag) -> bool,
    ) -> Result<(), String> {
        while self.at < self.bytes.len() {
            let begin = self.at;
            let tag = self.tag()?;
            if !wanted(tag) {
                self.at = begin;
                return Ok(());
            }
            let length = self.length()?;
            if length == UNDEFINED {
                self.skip_items(0)?;
            } else {
                let value = self.take(length as usize)?;
                elements.0.insert(tag, value.to_vec());
            }
        }
        Ok(())
    }

    /// Past a sequence of undefined length.
    fn skip_items(&mut self, depth: usize) -> Result<(), String> {
        if depth > DEPTH {
            return Err("DICOM sequences too deep".into());
        }
        loop {
            let (tag, length) = (self.tag()?, self.four_bytes()?);
            match tag {
                SEQUENCE_END => return Ok(()),
                ITEM if length != UNDEFINED => {
                    self.take(length as usize)?;
                }
                ITEM => self.skip_elements(depth)?,
                _ => return Err("a DICOM sequence with something else than items".into()),
            }
        }
    }

    /// Past the elements of an item of undefined length.
    fn skip_elements(&mut self, depth: usize) -> Result<(), String> {
        loop {
            if self.tag()? == ITEM_END {
                self.four_bytes()?;
                return Ok(());
            }
            match self.length()? {
                UNDEFINED => self.skip_items(depth + 1)?,
                length => {
                    self.take(length as usize)?;
                }
            }
        }
    }

    fn tag(&mut self) -> Result<Tag, String> {
        let mut halves = shorts(self.take(4)?);
        Ok((halves.next().unwrap_or(0), halves.next().unwrap_or(0)))
    }

    fn length(&mut self) -> Result<u32, String> {
        if !self.explicit {
            return self.four_bytes();
        }
        let kind = self.take(2)?;
        let long: [&[u8]; 12] = [
            b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT",
        ];
        let short = shorts(self.take(2)?).next().unwrap_or(0);
        match long.contains(&kind) || kind == b"UV" {
            true => self.four_bytes(),
            false => Ok(u32::from(short)),
        }
    }

    fn four_bytes(&mut self) -> Result<u32, String> {
        let mut halves = shorts(self.take(4)?).map(u32::from);
        let (low, high) = (halves.next().unwrap_or(0), halves.next().unwrap_or(0));
        Ok(low | high << 16)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(length);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or("the DICOM file ends too early")?;
        self.at += length;
        Ok(taken)
    }
}

#[cfg(test)]
#[path = "../../../../tests/common/dicom.rs"]
mod made;

#[cfg(test)]
mod tests {
    use super::*;

    fn made(explicit: bool) -> Vec<u8> {
        made::Made {
            explicit,
            rows: 2,
            cols: 3,
            values: vec![0, 1, -2, 3, 300, -300],
            position: [-20.5, 7.0, 40.0],
        }
        .bytes()
    }

    #[test]
    fn both_uncompressed_forms_are_read() {
        for explicit in [true, false] {
            let slice = read(&made(explicit)).unwrap();
            assert_eq!((slice.rows, slice.cols), (2, 3));
            assert_eq!(slice.values, [-10.0, -8.0, -14.0, -4.0, 590.0, -610.0]);
            assert_eq!(slice.position, [-20.5, 7.0, 40.0]);
            assert_eq!(slice.orientation, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
            assert_eq!(slice.spacing, [1.5, 1.25]);
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let good = made(true);
        assert_eq!(read(b"PNG").unwrap_err(), "not a DICOM file");
        let syntax = EXPLICIT.as_bytes();
        let place = good.windows(syntax.len()).position(|w| w == syntax);
        let last = place.unwrap() + syntax.len() - 1;
        let mut other = good.clone();
        other[last] = b'9';
        let message = read(&other).unwrap_err();
        assert!(message.contains("1.2.840.10008.1.2.9"), "{message}");
        // Cut anywhere, a file is refused and nothing panics.
        for length in 0..good.len() {
            assert!(read(&good[..length]).is_err(), "{length} bytes");
        }
    }
}
