//! Numbers in a row behind a header of text, as NRRD and MetaImage have them. In: what the header says, and the bytes it is
//! about. Out: a volume or a label map.

use super::error::ScanError;
use super::nifti::Template;
use super::source::Source;
use super::volumes::choose;
use super::voxels::Stored;
use crate::volume::{LabelMap, Volume};

use nifti::{Endianness, NiftiType};

/// What a header says of its numbers.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) stored: Stored,
    pub(super) packing: Packing,
    pub(super) place: Place,
    /// Whether the numbers are at the end of their file, whatever is before them.
    pub(super) at_end: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Raw,
    Gzip,
    Zlib,
    /// Numbers as text.
    Text,
}

/// Where the numbers are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In the header's file, from this byte on.
    Here(usize),
    /// In another file.
    File(String),
}

impl Block {
    pub(super) fn template(&self) -> Result<Template, ScanError> {
        let template = Template::made(&self.stored.grid, self.stored.datatype as i16)?;
        Ok(template.with_volumes(self.stored.volumes))
    }

    pub(super) fn volume(
        mut self,
        header: &[u8],
        other: Option<&[u8]>,
        chosen: Option<usize>,
    ) -> Result<Volume, ScanError> {
        let volume = choose(chosen, self.stored.volumes)?;
        let unpacked = self.text(header, other)?;
        let mut source = self.source(header, other, unpacked.as_deref())?;
        let voxels = self.stored.floats(&mut source, volume)?;
        let grid = self.stored.grid;
        Ok(Volume { voxels, grid })
    }

    pub(super) fn labels(mut self, header: &[u8]) -> Result<LabelMap, ScanError> {
        let volume = choose(None, self.stored.volumes)?;
        let unpacked = self.text(header, None)?;
        let mut source = self.source(header, None, unpacked.as_deref())?;
        let labels = self.stored.labels(&mut source, volume)?;
        let grid = self.stored.grid;
        Ok(LabelMap { labels, grid })
    }

    fn data<'a>(&self, header: &'a [u8], other: Option<&'a [u8]>) -> Result<&'a [u8], ScanError> {
        match (&self.place, other) {
            (Place::Here(at), _) => Ok(header.get(*at..).unwrap_or_default()),
            (Place::File(_), Some(other)) => Ok(other),
            (Place::File(name), None) => Err(ScanError::missing_part(name)),
        }
    }

    /// Numbers that are text, as bytes of the widest type.
    fn text(&mut self, header: &[u8], other: Option<&[u8]>) -> Result<Option<Vec<u8>>, ScanError> {
        if self.packing != Packing::Text {
            return Ok(None);
        }
        let data = self.data(header, other)?;
        let mut bytes = Vec::new();
        for word in data.split(|c| c.is_ascii_whitespace() || *c == b',') {
            let word = std::str::from_utf8(word).unwrap_or("?");
            if word.is_empty() {
                continue;
            }
            let number: Result<f64, _> = word.parse();
            let number = number.map_err(|_| ScanError::not_a_number(word))?;
            bytes.extend(number.to_le_bytes());
        }
        self.stored.datatype = NiftiType::Float64;
        self.stored.endianness = Endianness::Little;
        Ok(Some(bytes))
    }

    fn source<'a>(
        &mut self,
        header: &'a [u8],
        other: Option<&'a [u8]>,
        text: Option<&'a [u8]>,
    ) -> Result<Source<'a>, ScanError> {
        let data = match text {
            Some(text) => text,
            None => self.data(header, other)?,
        };
        let source = match self.packing {
            Packing::Raw | Packing::Text => Source::plain(data),
            Packing::Gzip => Source::gzip(data),
            Packing::Zlib => Source::zlib(data),
        };
        if self.at_end {
            self.stored.offset = 0;
            let len = self.stored.file_len();
            self.stored.offset = (data.len() as u64).saturating_sub(len);
        }
        source.check_room(self.stored.file_len())?;
        Ok(source)
    }
}
