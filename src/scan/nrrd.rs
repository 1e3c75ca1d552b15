//! NRRD. In: the bytes of a .nrrd file, or of a .nhdr header and its data. Out: where its numbers are and what lattice they make.
//!
//! No crate reads this format. What is read: raw, gzip and text encodings; three axes in space (fewer are padded) and at most
//! one more, for volumes; space directions in any of the patient spaces.

use std::collections::BTreeMap;

use nifti::{Endianness, NiftiType};

use super::block::{Block, Packing, Place};
use super::error::{ScanError, ScanErrorKind};
use super::series::{ScanWarning, WarningKind};
use super::text;
use super::volumes::countable;
use super::voxels::Stored;
use crate::volume::{Affine, Grid};

/// Largest number of axes of the format.
const MOST_AXES: usize = 16;

fn bad(what: impl AsRef<str>) -> ScanError {
    let message = format!("an NRRD file, but {}", what.as_ref());
    ScanError::new(ScanErrorKind::BadNrrd, message)
}

/// What a header says.
pub(super) struct Nrrd {
    pub(super) block: Block,
    pub(super) warnings: Vec<ScanWarning>,
}

/// Reads the header.
pub(super) fn header(bytes: &[u8]) -> Result<Nrrd, ScanError> {
    let (fields, end) = fields(bytes)?;
    let mut warnings = Vec::new();
    let datatype = number_type(fields.needed("type")?)?;
    let axes = axes(&fields)?;
    let volume_axis = volume_axis(&fields, &axes)?;
    let spatial: Vec<&Axis> = axes
        .iter()
        .enumerate()
        .filter_map(|(n, axis)| (Some(n) != volume_axis).then_some(axis))
        .collect();
    let volumes = volume_axis.map_or(1, |n| axes[n].size);
    let size = |n: usize| spatial.get(n).map_or(1, |axis| axis.size);
    let width = datatype.size_of() as u64;
    let dims = countable([size(0), size(1), size(2)], volumes, width)?;
    let affine = affine(&fields, &spatial, &mut warnings)?;
    let grid = Grid::new(dims, affine);
    let grid = grid.map_err(|e| ScanError::bad_affine("space directions", &e))?;
    let before = volume_axis.map(|axis| axes[..axis].iter().map(|a| a.size).product::<u64>());
    let (offset, at_end) = skip(&fields)?;
    let packing = packing(fields.needed("encoding")?)?;
    let place = match fields.get("data file").or(fields.get("datafile")) {
        None => Place::Here(skip_lines(bytes, end, &fields)?),
        Some(name) if name.starts_with("LIST") || name.contains('%') => {
            return Err(bad("its data are in several files, which are not read"));
        }
        Some(name) => Place::File(name.to_owned()),
    };
    Ok(Nrrd {
        block: Block {
            stored: Stored {
                // At most the number of voxels, which has an address.
                run: before.map_or(grid.voxel_count(), |n| n as usize),
                grid,
                volumes: usize::try_from(volumes).map_err(|_| ScanError::too_large(u128::MAX))?,
                datatype,
                endianness: endianness(&fields, datatype, packing)?,
                slope: 0.0,
                inter: 0.0,
                offset,
            },
            packing,
            place,
            at_end: at_end && packing == Packing::Raw,
        },
        warnings,
    })
}

struct Fields(BTreeMap<String, String>);

impl Fields {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn needed(&self, key: &str) -> Result<&str, ScanError> {
        let missing = || bad(format!("its header has no '{key}'"));
        self.get(key).ok_or_else(missing)
    }

    fn wrong(&self, key: &str) -> ScanError {
        let value: String = self.get(key).unwrap_or("").chars().take(60).collect();
        bad(format!("its field '{key}: {value}' makes no sense"))
    }
}

/// The header's fields, and where the data begin.
fn fields(bytes: &[u8]) -> Result<(Fields, usize), ScanError> {
    let mut fields = BTreeMap::new();
    let mut at = 0;
    let mut first = true;
    // The header ends with an empty line, or with its file when the data are in another.
    while at < bytes.len() {
        let line = text::line(&bytes[at..]);
        let (line, next) = line.ok_or_else(|| bad("its header does not end"))?;
        at += next;
        if line.is_empty() {
            break;
        }
        if first {
            first = false;
            continue;
        }
        if line.starts_with('#') || line.contains(":=") {
            continue;
        }
        let (key, value) = line
            .split_once(':')
            .ok_or_else(|| bad(format!("its header has a line without a colon: '{line}'")))?;
        fields.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
    }
    Ok((Fields(fields), at))
}

#[derive(Debug)]
struct Axis {
    size: u64,
    /// Step in the space; none for an axis that is not in it.
    direction: Option<[f64; 3]>,
    kind: String,
}

fn axes(fields: &Fields) -> Result<Vec<Axis>, ScanError> {
    let dimension: usize = fields
        .needed("dimension")?
        .parse()
        .map_err(|_| fields.wrong("dimension"))?;
    let sizes = text::sizes(fields.needed("sizes")?);
    let sizes = sizes.ok_or_else(|| fields.wrong("sizes"))?;
    if !(1..=MOST_AXES).contains(&dimension) || sizes.len() != dimension {
        return Err(fields.wrong("dimension"));
    }
    let kinds: Vec<&str> = fields.get("kinds").unwrap_or("").split_whitespace().collect();
    let directions = match fields.get("space directions") {
        Some(directions) => self::directions(directions),
        None => spacings(fields, dimension)?,
    };
    let directions = directions.filter(|d| d.len() == dimension);
    let directions = directions.ok_or_else(|| fields.wrong("space directions"))?;
    let axes = sizes.into_iter().zip(directions).enumerate();
    Ok(axes
        .map(|(n, (size, direction))| Axis {
            size,
            direction,
            kind: kinds.get(n).map_or(String::new(), |k| k.to_lowercase()),
        })
        .collect())
}

/// `(1,0,0) none (0,0,2)`.
fn directions(text: &str) -> Option<Vec<Option<[f64; 3]>>> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("none") {
            found.push(None);
            rest = after.trim_start();
            continue;
        }
        let (inner, after) = rest.strip_prefix('(')?.split_once(')')?;
        let vector = vector(inner)?;
        // "(nan,nan,nan)" is how some programs write "none".
        found.push(vector.iter().all(|v| v.is_finite()).then_some(vector));
        rest = after.trim_start();
    }
    Some(found)
}

/// Up to three numbers with commas between them; those left out are 0.
fn vector(text: &str) -> Option<[f64; 3]> {
    let mut vector = [0.0; 3];
    let mut parts = 0;
    for part in text.split(',') {
        *vector.get_mut(parts)? = part.trim().parse().ok()?;
        parts += 1;
    }
    Some(vector)
}

/// Steps along the axes from their spacings alone; `nan` marks an axis that has none.
fn spacings(fields: &Fields, dimension: usize) -> Result<Option<Vec<Option<[f64; 3]>>>, ScanError> {
    let given = fields.get("spacings").unwrap_or("");
    let given: Result<Vec<f64>, _> = given.split_whitespace().map(str::parse).collect();
    let mut given = given.map_err(|_| fields.wrong("spacings"))?;
    if given.is_empty() {
        let kinds = fields.get("kinds").unwrap_or("").to_lowercase();
        let kinds: Vec<&str> = kinds.split_whitespace().collect();
        let spatial = |n: usize| kinds.get(n).is_none_or(|k| matches!(*k, "domain" | "space"));
        given = (0..dimension)
            .map(|n| if spatial(n) { 1.0 } else { f64::NAN })
            .collect();
    }
    let mut along = 0;
    let steps = given.into_iter().map(|spacing| {
        if !spacing.is_finite() || along > 2 {
            return None;
        }
        let mut step = [0.0; 3];
        step[along] = spacing;
        along += 1;
        Some(step)
    });
    Ok(Some(steps.collect()))
}

/// The axis that counts volumes, if there is one.
fn volume_axis(fields: &Fields, axes: &[Axis]) -> Result<Option<usize>, ScanError> {
    let colour = |axis: &&Axis| axis.kind.contains("color") || axis.kind.contains("complex");
    if let Some(axis) = axes.iter().find(colour) {
        return Err(bad(format!("it holds {}, not one number for each voxel", axis.kind)));
    }
    let mut others = axes.iter().enumerate();
    let mut others = others.by_ref().filter(|(_, axis)| axis.direction.is_none());
    let other = others.next().map(|(n, _)| n);
    let spatial = axes.iter().filter(|axis| axis.direction.is_some()).count();
    match others.next() {
        Some(_) => Err(bad("more than one axis is not in space")),
        None if !(1..=3).contains(&spatial) => Err(fields.wrong("dimension")),
        None => Ok(other),
    }
}

fn affine(
    fields: &Fields,
    axes: &[&Axis],
    warnings: &mut Vec<ScanWarning>,
) -> Result<Affine, ScanError> {
    let space = fields.get("space").unwrap_or("").to_lowercase();
    let signs = match space.trim_end_matches("-time") {
        "right-anterior-superior" | "ras" | "rast" => [1.0, 1.0, 1.0],
        "left-anterior-superior" | "las" | "last" => [-1.0, 1.0, 1.0],
        "left-posterior-superior" | "lps" | "lpst" => [-1.0, -1.0, 1.0],
        _ => {
            let what = "the file does not say where the voxels lie in the patient: left-posterior-superior is assumed";
            warnings.push(ScanWarning::new(WarningKind::NoGeometry, what));
            [-1.0, -1.0, 1.0]
        }
    };
    let origin = match fields.get("space origin") {
        None => [0.0; 3],
        Some(text) => {
            let inner = text.trim().trim_start_matches('(').trim_end_matches(')');
            let origin = vector(inner).filter(|v| v.iter().all(|n| n.is_finite()));
            origin.ok_or_else(|| fields.wrong("space origin"))?
        }
    };
    let mut columns: Vec<[f64; 3]> = axes.iter().filter_map(|axis| axis.direction).collect();
    // A picture has no third axis: it gets one of 1 mm, at right angles.
    while columns.len() < 3 {
        columns.push(perpendicular(&columns));
    }
    let row = |r: usize| {
        [columns[0][r], columns[1][r], columns[2][r], origin[r]].map(|v| signs[r] * v + 0.0)
    };
    Ok(Affine([row(0), row(1), row(2), [0.0, 0.0, 0.0, 1.0]]))
}

/// A step of length 1 at right angles to the one or two that are there.
fn perpendicular(columns: &[[f64; 3]]) -> [f64; 3] {
    let first = columns.first().copied().unwrap_or([1.0, 0.0, 0.0]);
    let second = columns.get(1).copied().unwrap_or_else(|| {
        // Any direction that is not the first one's.
        match first[0].abs() > first[1].abs() {
            true => [0.0, 1.0, 0.0],
            false => [1.0, 0.0, 0.0],
        }
    });
    let [a, b] = [first, second];
    let cross = [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ];
    let length = cross.iter().map(|v| v * v).sum::<f64>().sqrt();
    cross.map(|v| v / length)
}

fn number_type(name: &str) -> Result<NiftiType, ScanError> {
    use NiftiType::*;
    Ok(match name {
        "signed char" | "int8" | "int8_t" => Int8,
        "uchar" | "unsigned char" | "uint8" | "uint8_t" => Uint8,
        "short" | "short int" | "signed short" | "signed short int" | "int16" | "int16_t" => Int16,
        "ushort" | "unsigned short" | "unsigned short int" | "uint16" | "uint16_t" => Uint16,
        "int" | "signed int" | "int32" | "int32_t" => Int32,
        "uint" | "unsigned int" | "uint32" | "uint32_t" => Uint32,
        "longlong" | "long long" | "long long int" | "signed long long"
        | "signed long long int" | "int64" | "int64_t" => Int64,
        "ulonglong" | "unsigned long long" | "unsigned long long int" | "uint64" | "uint64_t" => Uint64,
        "float" => Float32,
        "double" => Float64,
        other => {
            let message = format!("numbers of type '{other}' in an NRRD file are not read");
            return Err(ScanError::new(ScanErrorKind::UnsupportedType, message));
        }
    })
}

fn packing(name: &str) -> Result<Packing, ScanError> {
    match name.to_ascii_lowercase().as_str() {
        "raw" => Ok(Packing::Raw),
        "gzip" | "gz" => Ok(Packing::Gzip),
        "txt" | "text" | "ascii" => Ok(Packing::Text),
        other => Err(bad(format!("its encoding '{other}' is not read; raw, gzip and ascii are"))),
    }
}

fn endianness(
    fields: &Fields,
    datatype: NiftiType,
    packing: Packing,
) -> Result<Endianness, ScanError> {
    match fields.get("endian") {
        Some("little") => Ok(Endianness::Little),
        Some("big") => Ok(Endianness::Big),
        None if datatype.size_of() == 1 || packing == Packing::Text => Ok(Endianness::Little),
        None => Err(bad("its header has no 'endian'")),
        Some(_) => Err(fields.wrong("endian")),
    }
}

/// Bytes to skip before the numbers, and whether they are at the end instead.
fn skip(fields: &Fields) -> Result<(u64, bool), ScanError> {
    let key = match fields.get("byte skip") {
        Some(_) => "byte skip",
        None => "byteskip",
    };
    match fields.get(key).map(str::parse::<i64>) {
        None => Ok((0, false)),
        Some(Ok(-1)) => Ok((0, true)),
        Some(Ok(bytes)) if (0..=i64::from(u32::MAX)).contains(&bytes) => Ok((bytes as u64, false)),
        Some(_) => Err(fields.wrong(key)),
    }
}

/// Past the lines before the numbers that a header announces.
fn skip_lines(bytes: &[u8], mut at: usize, fields: &Fields) -> Result<usize, ScanError> {
    let lines = fields.get("line skip").or(fields.get("lineskip")).unwrap_or("0");
    let lines: u32 = lines.parse().map_err(|_| bad("its 'line skip' makes no sense"))?;
    for _ in 0..lines {
        let rest = bytes.get(at..).unwrap_or_default();
        let end = rest.iter().position(|c| *c == b'\n');
        at += end.ok_or_else(|| bad("it ends before its numbers"))? + 1;
    }
    Ok(at)
}
