//! Figures of each label. In: a label map and the scan it lies on. Out: volume, extent and grey values of each label, as a
//! table, CSV and JSON.

use std::fmt::Write;

use serde::Serialize;

use super::error::ExportError;
use super::segment::Segment;
use crate::volume::{Axis, Grid, LabelMap, Volume};

/// What is known of one label.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Measurement {
    /// The number in the label map.
    pub label: u16,
    /// How many carry it.
    pub voxels: usize,
    /// Their volume.
    pub ml: f64,
    /// How far it reaches.
    pub extent: Extents,
    /// Of the scan's values inside.
    pub mean: f64,
    /// Standard deviation of the values inside (of all there are: divided by n).
    pub sd: f64,
    /// The lowest value inside.
    pub min: f32,
    /// The highest value inside.
    pub max: f32,
}

/// How far a label reaches along each anatomical axis.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Extents {
    /// Across the voxel axis that runs closest from feet to head.
    pub axial: Extent,
    /// The same from front to back.
    pub coronal: Extent,
    /// The same from left to right.
    pub sagittal: Extent,
}

/// From which slice to which a label reaches.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Extent {
    /// The first slice with the label, from 0.
    pub first: usize,
    /// The last.
    pub last: usize,
    /// How many these are, whatever lies between them.
    pub slices: usize,
    /// Their thickness together.
    pub mm: f64,
}

/// What has been seen of a label so far.
#[derive(Clone)]
struct Seen {
    voxels: usize,
    first: [usize; 3],
    last: [usize; 3],
    mean: f64,
    /// Sum of the squared differences from the mean (Welford).
    squares: f64,
    min: f32,
    max: f32,
}

impl Seen {
    const NOTHING: Self = Self {
        voxels: 0,
        first: [usize::MAX; 3],
        last: [0; 3],
        mean: 0.0,
        squares: 0.0,
        min: f32::INFINITY,
        max: f32::NEG_INFINITY,
    };

    fn add(&mut self, voxel: [usize; 3], value: f32) {
        self.voxels += 1;
        for (axis, at) in voxel.into_iter().enumerate() {
            self.first[axis] = self.first[axis].min(at);
            self.last[axis] = self.last[axis].max(at);
        }
        let off = f64::from(value) - self.mean;
        self.mean += off / self.voxels as f64;
        self.squares += off * (f64::from(value) - self.mean);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    fn measurement(&self, label: u16, grid: &Grid) -> Measurement {
        let extent = |axis: Axis| {
            let axis = axis.of(grid).index();
            let slices = self.last[axis] - self.first[axis] + 1;
            Extent {
                first: self.first[axis],
                last: self.last[axis],
                slices,
                mm: slices as f64 * grid.spacing[axis].0,
            }
        };
        let count = self.voxels as f64;
        Measurement {
            label,
            voxels: self.voxels,
            ml: count * grid.affine.determinant().abs() / 1000.0,
            extent: Extents {
                axial: extent(Axis::Axial),
                coronal: extent(Axis::Coronal),
                sagittal: extent(Axis::Sagittal),
            },
            mean: self.mean,
            sd: (self.squares / count).sqrt(),
            min: self.min,
            max: self.max,
        }
    }
}

/// The figures of every label that a voxel carries, ascending.
///
/// # Errors
/// `OtherGrid` when labels and scan have different dimensions.
pub fn measure(labels: &LabelMap, scan: &Volume) -> Result<Vec<Measurement>, ExportError> {
    let dims = labels.grid.dims;
    if dims != scan.grid.dims {
        return Err(ExportError::other_scan(dims, scan.grid.dims));
    }
    let present = labels.labels_present();
    let mut place = vec![0; usize::from(u16::MAX) + 1];
    for (at, label) in present.iter().enumerate() {
        place[usize::from(*label)] = at;
    }
    let mut seen = vec![Seen::NOTHING; present.len()];
    let both = labels.labels.iter().zip(&scan.voxels).enumerate();
    for (at, (label, value)) in both.filter(|(_, (label, _))| **label != 0) {
        seen[place[usize::from(*label)]].add(scan.grid.voxel_at(at), *value);
    }
    let figures = present.iter().zip(&seen);
    Ok(figures
        .map(|(label, seen)| seen.measurement(*label, &scan.grid))
        .collect())
}

/// A row of the files: a label's name before its figures.
#[derive(Serialize)]
struct Named {
    name: String,
    #[serde(flatten)]
    figures: Measurement,
}

/// The figures as JSON: a list with an object for each label.
///
/// # Errors
/// `Encoding`, never but for a bug.
pub fn json(figures: &[Measurement], names: &[Segment]) -> Result<Vec<u8>, ExportError> {
    let rows = figures.iter().map(|figures| Named {
        name: Segment::of(figures.label, names).name,
        figures: *figures,
    });
    let text = serde_json::to_string_pretty(&rows.collect::<Vec<_>>());
    let text = text.map_err(|e| ExportError::encoding("JSON", &e))?;
    Ok((text + "\n").into_bytes())
}

/// The figures as CSV, one row for each label.
pub fn csv(figures: &[Measurement], names: &[Segment]) -> Vec<u8> {
    let mut text = String::from("label,name,voxels,ml");
    for axis in Axis::ALL {
        for what in ["first", "last", "slices", "mm"] {
            let _ = write!(text, ",{axis}_{what}"); // a String takes everything
        }
    }
    text.push_str(",mean,sd,min,max\n");
    for m in figures {
        let name = quoted(&Segment::of(m.label, names).name);
        let _ = write!(text, "{},{name},{},{}", m.label, m.voxels, m.ml);
        for extent in [m.extent.axial, m.extent.coronal, m.extent.sagittal] {
            let Extent {
                first,
                last,
                slices,
                mm,
            } = extent;
            let _ = write!(text, ",{first},{last},{slices},{mm}");
        }
        let _ = writeln!(text, ",{},{},{},{}", m.mean, m.sd, m.min, m.max);
    }
    text.into_bytes()
}

/// A name between quotation marks where a comma, a quotation mark or a new line would break the row.
fn quoted(name: &str) -> String {
    match name.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", name.replace('"', "\"\"")),
        false => name.to_owned(),
    }
}
