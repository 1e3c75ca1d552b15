//! The bytes of a file, unpacked on the way. In: a plain or compressed file in memory. Out: its content from the
//! start, piece by piece, with errors that count bytes.

use std::io::{self, Read};

use flate2::read::{MultiGzDecoder, ZlibDecoder};

use super::error::ScanError;

/// Deflate cannot pack better than this.
const MOST_PACKED: u64 = 1032;
/// How far the unpacked stream may go on after the voxels and is still read, to check its checksum.
const SLACK: u64 = 1 << 20;
/// Bytes skipped at a time.
const PIECE: usize = 4096;

pub(super) struct Source<'a> {
    reader: Reader<'a>,
    /// Bytes of the (packed) file.
    file_len: u64,
    /// Unpacked bytes given out so far.
    place: u64,
}

enum Reader<'a> {
    Plain(&'a [u8]),
    Gzip(Box<MultiGzDecoder<&'a [u8]>>),
    Zlib(Box<ZlibDecoder<&'a [u8]>>),
}

impl<'a> Source<'a> {
    pub(super) fn plain(bytes: &'a [u8]) -> Self {
        Self::new(Reader::Plain(bytes), bytes)
    }

    pub(super) fn gzip(bytes: &'a [u8]) -> Self {
        Self::new(Reader::Gzip(Box::new(MultiGzDecoder::new(bytes))), bytes)
    }

    pub(super) fn zlib(bytes: &'a [u8]) -> Self {
        Self::new(Reader::Zlib(Box::new(ZlibDecoder::new(bytes))), bytes)
    }

    fn new(reader: Reader<'a>, bytes: &[u8]) -> Self {
        Self {
            reader,
            file_len: bytes.len() as u64,
            place: 0,
        }
    }

    /// Fails when the file cannot hold `needed` unpacked bytes, before memory is taken for them.
    pub(super) fn check_room(&self, needed: u64) -> Result<(), ScanError> {
        match self.reader {
            Reader::Plain(_) if needed > self.file_len => {
                Err(ScanError::truncated(needed, self.file_len))
            }
            Reader::Gzip(_) | Reader::Zlib(_) if needed / MOST_PACKED > self.file_len => {
                Err(ScanError::cannot_hold(needed, self.file_len))
            }
            _ => Ok(()),
        }
    }

    /// Fills `piece`; `total` is the length of the whole, for the message when the file ends too early.
    pub(super) fn fill(&mut self, piece: &mut [u8], total: u64) -> Result<(), ScanError> {
        let mut done = 0;
        while done < piece.len() {
            match self.read(&mut piece[done..]) {
                Ok(0) => return Err(ScanError::truncated(total, self.place)),
                Ok(n) => done += n,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(ScanError::truncated(total, self.place));
                }
                Err(error) => return Err(ScanError::corrupt_gzip(self.place, &error)),
            }
        }
        Ok(())
    }

    /// Skips forward to `place`.
    pub(super) fn skip_to(&mut self, place: u64, total: u64) -> Result<(), ScanError> {
        let mut piece = [0; PIECE];
        while self.place < place {
            let step = (place - self.place).min(PIECE as u64) as usize;
            self.fill(&mut piece[..step], total)?;
        }
        Ok(())
    }

    /// Reads a compressed stream to its end, so that its checksum is compared; gives up after some slack.
    pub(super) fn finish(&mut self, total: u64) -> Result<(), ScanError> {
        self.skip_to(total, total)?;
        if let Reader::Plain(_) = self.reader {
            return Ok(());
        }
        let mut piece = [0; PIECE];
        while self.place < total + SLACK {
            match self.read(&mut piece) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(ScanError::checksum_missing());
                }
                Err(error) => return Err(ScanError::corrupt_gzip(self.place, &error)),
            }
        }
        Ok(())
    }

    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.reader {
            Reader::Plain(bytes) => bytes.read(piece)?,
            Reader::Gzip(stream) => stream.read(piece)?,
            Reader::Zlib(stream) => stream.read(piece)?,
        };
        self.place += count as u64;
        Ok(count)
    }
}
