//! `oneslice export`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use oneslice::export::dicom::{About, rtstruct, seg};
use oneslice::export::surface::{SMOOTHING, obj, stl, surface};
use oneslice::export::{self, Segment, png_stack};
use oneslice::scan::Scan;
use oneslice::volume::{Axis, LabelMap};
use serde::Serialize;

use super::Failure;
use super::files;
use super::measure::{first, inputs, on_scan};
use super::named::Named;
use super::scans::{self, Choice};

#[derive(Args)]
pub struct Export {
    /// The label map
    pub labels: PathBuf,
    /// The scan it lies on: a file, several, a folder or a ZIP archive
    #[arg(long, num_args = 1.., required = true)]
    pub scan: Vec<PathBuf>,
    #[command(flatten)]
    pub choice: Choice,
    /// The file to write: .dcm, .zip, .stl, .obj or .nii.gz
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// What to write [default: by the name's end; .dcm is seg]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Only these labels [default: all]
    #[arg(long, value_name = "N", num_args = 1.., allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub label: Vec<u16>,
    #[command(flatten)]
    pub named: Named,
    /// Axis along which a PNG stack is cut: axial, coronal or sagittal
    #[arg(long, default_value = "axial")]
    pub axis: Axis,
    /// Rounds that smooth a surface
    #[arg(long, value_name = "N", default_value_t = SMOOTHING)]
    pub smooth: usize,
    /// SeriesDescription of a DICOM file
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub description: String,
}

/// What can be written, and the end of its files' names.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// DICOM SEG: a segmentation object that refers to the scan's series
    Seg,
    /// DICOM RTSTRUCT: a structure set of contours that refer to it
    Rtstruct,
    /// A zip with one PNG of label numbers for each slice
    Png,
    /// A label's surface, binary STL
    Stl,
    /// Surfaces, one object for each label
    Obj,
    /// NIfTI-1 on the scan's grid
    Nifti,
}

impl Format {
    fn extension(self) -> &'static str {
        match self {
            Self::Seg | Self::Rtstruct => ".dcm",
            Self::Png => ".zip",
            Self::Stl => ".stl",
            Self::Obj => ".obj",
            Self::Nifti => ".nii.gz",
        }
    }
}

#[derive(Serialize)]
struct Written {
    file: String,
    bytes: usize,
    segments: Vec<Segment>,
}

pub fn run(arguments: &Export, json: bool) -> Result<(), Failure> {
    let format = format_of(&arguments.out, arguments.format)?;
    files::check_output(&arguments.out, &inputs(&arguments.labels, &arguments.scan))?;
    let scan = scans::read(&arguments.scan, &arguments.choice)?;
    let labels = on_scan(&arguments.labels, &arguments.scan, &scan.volume.grid)?;
    let in_labels = |e: String| format!("{}: {e}", arguments.labels.display());
    let labels = only(labels, &arguments.label).map_err(in_labels)?;
    let known = arguments.named.segments();
    let present = labels.labels_present();
    let segments: Vec<Segment> = present.iter().map(|l| Segment::of(*l, &known)).collect();
    let bytes = write(arguments, format, &scan, &labels, &segments)?;
    files::write(&arguments.out, &bytes)?;
    let written = Written {
        file: arguments.out.display().to_string(),
        bytes: bytes.len(),
        segments,
    };
    match json {
        true => files::print_json(&written),
        false => files::print(&format!("{}\n", written.file)),
    }
}

fn write(
    arguments: &Export,
    format: Format,
    scan: &Scan,
    labels: &LabelMap,
    segments: &[Segment],
) -> Result<Vec<u8>, Failure> {
    let of_scan = |e: export::ExportError| format!("{}: {e}", first(&arguments.scan));
    let mesh = |label| surface(labels, label, arguments.smooth);
    match format {
        Format::Seg | Format::Rtstruct => {
            let now = dicom_core::chrono::Local::now();
            let now = now.format("%Y-%m-%dT%H:%M:%S").to_string();
            let mut random = [0; 16];
            getrandom::fill(&mut random)?;
            let about = About {
                segments,
                description: &arguments.description,
                now: &now,
                random: u128::from_le_bytes(random),
            };
            let source = scan.source.as_ref();
            let file = match format {
                Format::Seg => seg::write(labels, source, about),
                _ => rtstruct::write(labels, source, about),
            };
            Ok(file.map_err(of_scan)?)
        }
        Format::Png => Ok(png_stack::write(labels, arguments.axis, segments)?),
        Format::Nifti => Ok(export::nifti::write(labels, &scan.header)?),
        Format::Stl => match segments {
            [one] => Ok(stl(&mesh(one.label)?)),
            [] => Err(no_label(arguments)),
            several => {
                let labels: Vec<String> = several.iter().map(|s| s.label.to_string()).collect();
                let labels = labels.join(", ");
                Err(format!("an STL holds one surface, and there are labels {labels}: choose one with --label, or write an .obj").into())
            }
        },
        Format::Obj => {
            let named = |s: &Segment| Ok((s.name.clone(), mesh(s.label)?));
            match segments {
                [] => Err(no_label(arguments)),
                segments => {
                    let meshes: Result<Vec<_>, export::ExportError> =
                        segments.iter().map(named).collect();
                    Ok(obj(&meshes?))
                }
            }
        }
    }
}

fn no_label(arguments: &Export) -> Failure {
    format!("{}: no voxel carries a label", arguments.labels.display()).into()
}

/// The format asked for, or the one that the name's end says; a name must not promise another one.
fn format_of(path: &Path, asked: Option<Format>) -> Result<Format, Failure> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let ends = |format: &Format| name.ends_with(format.extension());
    let named = || Format::value_variants().iter().copied().find(ends);
    match asked {
        Some(format) if ends(&format) => Ok(format),
        Some(format) => {
            let end = format.extension();
            Err(format!("{}: the name must end in {end}", path.display()).into())
        }
        None => named().ok_or_else(|| {
            let path = path.display();
            format!("{path}: the name must end in .dcm, .zip, .stl, .obj or .nii.gz").into()
        }),
    }
}

/// The map without other labels than these.
fn only(mut map: LabelMap, labels: &[u16]) -> Result<LabelMap, String> {
    let present = map.labels_present();
    if let Some(missing) = labels.iter().find(|label| !present.contains(label)) {
        return Err(format!("no voxel carries label {missing}"));
    }
    if !labels.is_empty() {
        for label in &mut map.labels {
            if !labels.contains(label) {
                *label = 0;
            }
        }
    }
    Ok(map)
}
