//! `oneslice one-prompt`. A file of the folder that fails on its own is said and left out.

mod inputs;
mod report;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use oneslice::export;
use oneslice::propagate::{self, OnePromptOptions, OnePromptResult, Strategy};
use oneslice::sam2::ImageSize;
use oneslice::volume::{Axis, LabelMap, Window};

use self::inputs::{Kind, Query};
use self::report::{Report, Row};
use super::args::DeviceKind;
use super::failed::fail;
use super::memory::MemoryArguments;
use super::values::{parse_image_size, parse_window};
use super::{Failure, complain, files, model, progress};

/// The report's name in `--out`.
const REPORT: &str = "one-prompt.json";

#[derive(Args)]
pub struct OnePrompt {
    /// The prompted picture: PNG, JPEG, or a NIfTI-1 scan of which one slice is taken
    #[arg(long, value_name = "IMG")]
    pub support: PathBuf,
    /// Its mask: a PNG of the same size, not black inside; for a scan a label map on its grid
    #[arg(long)]
    pub mask: PathBuf,
    /// Label, or grey value, of the mask [default: a label map's only one; of a PNG all that is not black]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub label: Option<u16>,
    /// Slice of the prompted scan, counted from 0 [default: where the label is largest]
    #[arg(long, value_name = "K", allow_negative_numbers = true)]
    pub slice: Option<usize>,
    /// Folder of pictures (PNG, JPEG) and scans (NIfTI-1, all slices) to look at, in no order
    #[arg(long, value_name = "DIR")]
    pub query: PathBuf,
    /// Folder for NAME_seg.png or NAME_seg.nii.gz of every file, and one-prompt.json; made if it is not there
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    #[command(flatten)]
    pub memory: MemoryArguments,
    /// Cut scans across the voxel axis closest to this one: axial, coronal or sagittal
    #[arg(long, default_value = "axial")]
    pub axis: Axis,
    /// Values of scans and 16-bit pictures shown from black to white [default: each one's percentiles 0.5 and 99.5]
    #[arg(long, value_name = "LO,HI", allow_hyphen_values = true, value_parser = parse_window)]
    pub window: Option<Window>,
    /// Name of a model (see `oneslice weights list`), or a checkpoint: .safetensors, or Meta's .pt
    #[arg(long, value_name = "WEIGHTS", default_value = "nano")]
    pub model: String,
    /// What computes: cpu, or wgpu for a graphics card
    #[arg(long, value_enum, default_value_t = DeviceKind::Cpu, hide_possible_values = true)]
    pub device: DeviceKind,
    /// Side of the square the model sees, a multiple of 32 from 128 to 1024 [default: what suits model and slices]
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = parse_image_size)]
    pub image_size: Option<ImageSize>,
    /// Which volume of 4-D scans, counted from 0
    #[arg(long, value_name = "V", allow_negative_numbers = true)]
    pub volume: Option<usize>,
}

/// Segments the folder.
pub fn run(arguments: &OnePrompt, json: bool) -> Result<(), Failure> {
    let memory = arguments.memory.options(Strategy::SelfSorting)?;
    let listed = inputs::list(arguments)?;
    let support = inputs::support(arguments)?;
    let report_path = check_outputs(arguments, &listed)?;
    let device = model::device(arguments.device)?;
    let (config, sam2) = model::load(&arguments.model, &device)?;
    let mut failed = Vec::new();
    let (queries, images) = inputs::queries(arguments, &listed, &mut failed)?;
    let size = arguments.image_size;
    let suited =
        || config.image_size_for(support.image.shape.longest(), Some(support.mask.share()));
    let options = OnePromptOptions {
        image_size: size.unwrap_or_else(suited),
        memory,
    };
    let prompt = (support.image.clone(), support.mask.clone());
    let set = propagate::OnePrompt::new(&sam2, &options, prompt, images)
        .map_err(|e| format!("{}: {e}", arguments.mask.display()))?;
    let started = Instant::now();
    let results = segment(set, json)?;
    let seconds = started.elapsed().as_secs_f64();

    let mut rows = Vec::new();
    for query in &queries {
        match write(query, support.label, &results) {
            Ok(()) => rows.extend(of_query(query, &results)),
            Err(error) => fail(&mut failed, query.path.display().to_string(), error),
        }
    }
    let report = Report {
        support: arguments.support.display().to_string(),
        slice: support.slice,
        label: support.label,
        model: arguments.model.clone(),
        config: config.name,
        image_size: options.image_size.pixels(),
        memory,
        seconds,
        images: rows,
        failed,
    };
    files::write(&report_path, files::json(&report)?.as_bytes())?;
    match json {
        true => files::print_json(&report)?,
        false => files::print(&report.text()?)?,
    }
    let (failed, all) = (report.failed.len(), listed.len());
    match failed {
        0 => Ok(()),
        _ => Err(format!("{failed} of {all} files failed; the others are done").into()),
    }
}

/// Where the report goes; all that can be written is checked before the work.
fn check_outputs(arguments: &OnePrompt, listed: &[(PathBuf, PathBuf)]) -> Result<PathBuf, Failure> {
    files::make_folder(&arguments.out)?;
    let mut taken = vec![
        arguments.support.as_path(),
        &arguments.mask,
        Path::new(&arguments.model),
    ];
    taken.extend(listed.iter().map(|(path, _)| path.as_path()));
    let report = arguments.out.join(REPORT);
    for path in listed.iter().map(|(_, out)| out).chain([&report]) {
        files::check_output(path, &taken)?;
    }
    // A second run would take the first one's results for pictures.
    let real = |folder: &Path| std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    if real(&arguments.out) == real(&arguments.query) {
        let what = "is also the folder to look at; results need another one";
        return Err(format!("{}: {what}", arguments.out.display()).into());
    }
    Ok(report)
}

/// The results, as the pictures were given.
fn segment(mut set: propagate::OnePrompt, json: bool) -> Result<Vec<OnePromptResult>, Failure> {
    if pollster::block_on(set.prompt_seen())?.is_empty() {
        let what = "warning: the mask vanishes at the model's resolution";
        complain(&format!("{what}; a larger --image-size may keep it"));
    }
    let looks = progress::bar("looked at", set.left_to_look(), json)?;
    while set.left_to_look() > 0 {
        pollster::block_on(set.look())?;
        looks.inc(1);
    }
    looks.finish_and_clear();
    let bar = progress::bar("picture", set.images(), json)?;
    let mut results = Vec::new();
    while let Some(result) = pollster::block_on(set.next())? {
        results.push(result);
        bar.inc(1);
    }
    bar.finish_and_clear();
    results.sort_by_key(|r| r.image);
    Ok(results)
}

/// The results of one file, as the rows of the report.
fn of_query(query: &Query, results: &[OnePromptResult]) -> Vec<Row> {
    let row = |(slice, result)| Row::new(query, slice, result);
    own(query, results).iter().enumerate().map(row).collect()
}

fn own<'a>(query: &Query, results: &'a [OnePromptResult]) -> &'a [OnePromptResult] {
    &results[query.first..query.first + query.pictures()]
}

fn write(query: &Query, label: u16, results: &[OnePromptResult]) -> Result<(), Failure> {
    let results = own(query, results);
    let bytes = match &query.kind {
        Kind::Picture => super::pictures::png(&results[0].mask)?,
        Kind::Scan { grid, header, axis } => {
            let mut labels = LabelMap::empty(grid.clone());
            for (slice, result) in results.iter().enumerate() {
                let pixels = result
                    .mask
                    .pixels
                    .iter()
                    .map(|&inside| u16::from(inside) * label);
                labels.set_slice(*axis, slice, &pixels.collect::<Vec<_>>())?;
            }
            export::nifti::write(&labels, header)?
        }
    };
    files::write(&query.out, &bytes)
}
