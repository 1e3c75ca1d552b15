//! MetaImage. In: the bytes of a .mha file, or of a .mhd header and its data. Out: where its numbers are and what lattice they
//! make.
//!
//! No crate reads this format. Its space is ITK's: left-posterior-superior.

use std::collections::BTreeMap;

use nifti::{Endianness, NiftiType};

use super::block::{Block, Packing, Place};
use super::error::{ScanError, ScanErrorKind};
use super::text;
use super::volumes::countable;
use super::voxels::Stored;
use crate::volume::{Affine, Grid};

/// Lines of a header, at most.
const MOST_LINES: usize = 200;

fn bad(what: impl AsRef<str>) -> ScanError {
    let message = format!("a MetaImage file, but {}", what.as_ref());
    ScanError::new(ScanErrorKind::BadMetaImage, message)
}

/// Reads the header.
pub(super) fn header(bytes: &[u8]) -> Result<Block, ScanError> {
    let (fields, end) = fields(bytes)?;
    let rank: usize = fields.parse("NDims")?.unwrap_or(3);
    if !(1..=4).contains(&rank) {
        return Err(fields.wrong("NDims"));
    }
    let datatype = number_type(fields.needed(&["ElementType"])?)?;
    let sizes = text::sizes(fields.needed(&["DimSize"])?).filter(|s| s.len() == rank);
    let sizes = sizes.ok_or_else(|| fields.wrong("DimSize"))?;
    let channels: u64 = fields.parse("ElementNumberOfChannels")?.unwrap_or(1);
    let fourth = sizes.get(3).copied().unwrap_or(1);
    let volumes = match (channels, fourth) {
        (0, _) => return Err(fields.wrong("ElementNumberOfChannels")),
        (1, count) | (count, 1) => count,
        _ => return Err(bad("it has several channels and several volumes")),
    };
    let size = |n: usize| sizes.get(n).copied().unwrap_or(1);
    let width = datatype.size_of() as u64;
    let dims = countable([size(0), size(1), size(2)], volumes, width)?;
    let grid = Grid::new(dims, affine(&fields, rank)?);
    let grid = grid.map_err(|e| ScanError::bad_affine("TransformMatrix", &e))?;
    let (packing, endianness) = packing(&fields)?;
    let place = match fields.needed(&["ElementDataFile"])? {
        "LOCAL" => Place::Here(end),
        name if name.starts_with("LIST") || name.contains('%') => {
            return Err(bad("its data are in several files, which are not read"));
        }
        name => Place::File(name.to_owned()),
    };
    let skip: i64 = fields.parse("HeaderSize")?.unwrap_or(0);
    if !(-1..=i64::from(u32::MAX)).contains(&skip) {
        return Err(fields.wrong("HeaderSize"));
    }
    Ok(Block {
        stored: Stored {
            run: if channels > 1 { 1 } else { grid.voxel_count() },
            grid,
            volumes: usize::try_from(volumes).map_err(|_| ScanError::too_large(u128::MAX))?,
            datatype,
            endianness,
            slope: 0.0,
            inter: 0.0,
            offset: skip.max(0) as u64,
        },
        at_end: skip == -1 && packing == Packing::Raw,
        packing,
        place,
    })
}

fn packing(fields: &Fields) -> Result<(Packing, Endianness), ScanError> {
    let big = fields.is_true(&["BinaryDataByteOrderMSB", "ElementByteOrderMSB"]);
    let endianness = match big {
        true => Endianness::Big,
        false => Endianness::Little,
    };
    let binary = fields.first(&["BinaryData"]).is_none() || fields.is_true(&["BinaryData"]);
    let packing = match (binary, fields.is_true(&["CompressedData"])) {
        (true, false) => Packing::Raw,
        (true, true) => Packing::Zlib,
        (false, false) => Packing::Text,
        (false, true) => return Err(bad("it is compressed text")),
    };
    Ok((packing, endianness))
}

struct Fields(BTreeMap<String, String>);

impl Fields {
    /// The value of the first of several names that is there.
    fn first(&self, keys: &[&str]) -> Option<&str> {
        let values = keys.iter().filter_map(|key| self.0.get(*key));
        values.map(String::as_str).next()
    }

    fn needed(&self, keys: &[&str]) -> Result<&str, ScanError> {
        let missing = || bad(format!("its header has no '{}'", keys[0]));
        self.first(keys).ok_or_else(missing)
    }

    fn is_true(&self, keys: &[&str]) -> bool {
        self.first(keys).is_some_and(|v| v.eq_ignore_ascii_case("true") || v == "1")
    }

    fn parse<T: std::str::FromStr>(&self, key: &str) -> Result<Option<T>, ScanError> {
        match self.first(&[key]).map(str::parse) {
            None => Ok(None),
            Some(Ok(value)) => Ok(Some(value)),
            Some(Err(_)) => Err(self.wrong(key)),
        }
    }

    /// So many numbers, or those given.
    fn numbers(&self, keys: &[&str], missing: Vec<f64>) -> Result<Vec<f64>, ScanError> {
        let Some(text) = self.first(keys) else {
            return Ok(missing);
        };
        let numbers = text::numbers(text).filter(|n| n.len() == missing.len());
        numbers.ok_or_else(|| self.wrong(keys.iter().find(|k| self.0.contains_key(**k)).copied().unwrap_or_default()))
    }

    fn wrong(&self, key: &str) -> ScanError {
        let value: String = self.first(&[key]).unwrap_or("").chars().take(60).collect();
        bad(format!("its field '{key} = {value}' makes no sense"))
    }
}

/// The header's fields, and where the data begin.
fn fields(bytes: &[u8]) -> Result<(Fields, usize), ScanError> {
    let mut fields = BTreeMap::new();
    let mut at = 0;
    for _ in 0..MOST_LINES {
        let line = text::line(bytes.get(at..).unwrap_or_default());
        let (line, next) = line.ok_or_else(|| bad("its header has no 'ElementDataFile'"))?;
        at += next;
        let Some((key, value)) = line.split_once('=') else {
            return Err(bad(format!("its header has a line without '=': '{line}'")));
        };
        let key = key.trim().to_owned();
        let last = key == "ElementDataFile";
        fields.insert(key, value.trim().to_owned());
        if last {
            return Ok((Fields(fields), at));
        }
    }
    Err(bad("its header does not end"))
}

fn affine(fields: &Fields, rank: usize) -> Result<Affine, ScanError> {
    let mut unit = vec![0.0; rank * rank];
    (0..rank).for_each(|n| unit[n * rank + n] = 1.0);
    let matrix = fields.numbers(&["TransformMatrix", "Rotation", "Orientation"], unit)?;
    let origin = fields.numbers(&["Offset", "Position", "Origin"], vec![0.0; rank])?;
    let spacing = fields.numbers(&["ElementSpacing", "ElementSize"], vec![1.0; rank])?;
    // Direction of an axis: a row of the matrix. Axes that are not there have length 1 along their own direction.
    let step = |axis: usize, along: usize| match axis.max(along) < rank {
        true => matrix[axis * rank + along] * spacing[axis],
        false => f64::from(u8::from(axis == along)),
    };
    let at = |along: usize| origin.get(along).copied().unwrap_or(0.0);
    let row = |along: usize, sign: f64| {
        [step(0, along), step(1, along), step(2, along), at(along)].map(|v| sign * v + 0.0)
    };
    Ok(Affine([
        row(0, -1.0),
        row(1, -1.0),
        row(2, 1.0),
        [0.0, 0.0, 0.0, 1.0],
    ]))
}

fn number_type(name: &str) -> Result<NiftiType, ScanError> {
    use NiftiType::*;
    Ok(match name {
        "MET_CHAR" => Int8,
        "MET_UCHAR" => Uint8,
        "MET_SHORT" => Int16,
        "MET_USHORT" => Uint16,
        "MET_INT" | "MET_LONG" => Int32,
        "MET_UINT" | "MET_ULONG" => Uint32,
        "MET_LONG_LONG" => Int64,
        "MET_ULONG_LONG" => Uint64,
        "MET_FLOAT" => Float32,
        "MET_DOUBLE" => Float64,
        other => {
            let message = format!("numbers of type '{other}' in a MetaImage file are not read");
            return Err(ScanError::new(ScanErrorKind::UnsupportedType, message));
        }
    })
}
