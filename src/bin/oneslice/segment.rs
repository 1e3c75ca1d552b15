//! `oneslice segment`.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use oneslice::export;
use oneslice::propagate::{MemoryOptions, Session, SessionOptions, Strategy};
use oneslice::volume::{Grid, LabelMap, Mask, VoxelAxis, Window, same_grid};
use serde::Serialize;

use super::args::Segment;
use super::files;
use super::memory::{self, Explained, Explanation};
use super::model;
use super::progress;
use super::scans;
use super::scores::{Score, of_slice};
use super::{Failure, complain};

/// A label's prompt.
struct Prompt {
    label: u16,
    slice: usize,
    mask: Mask,
}

/// What is printed at the end.
#[derive(Serialize)]
struct Summary {
    out: String,
    model: String,
    config: String,
    image_size: usize,
    window: [f32; 2],
    memory: MemoryOptions,
    /// Slices visited. Labels with different prompts may need a slice on the way forth and back.
    steps: usize,
    seconds: f64,
    seconds_per_step: f64,
    labels: Vec<LabelSummary>,
}

#[derive(Serialize)]
struct LabelSummary {
    label: u16,
    prompt_slice: usize,
    voxels: usize,
    millilitres: f64,
    /// Of the slices where the label was found; none when it was found on the prompted slice only.
    mean_predicted_iou: Option<f64>,
}

pub fn run(arguments: &Segment, json: bool) -> Result<(), Failure> {
    check_outputs(arguments)?;
    let memory = arguments.memory.options(Strategy::Fifo)?;
    let scan = scans::read(&arguments.scan, &arguments.choice)?;
    let (volume, header) = (Arc::new(scan.volume), scan.header);
    let axis = arguments.axis.of(&volume.grid);
    let prompts = read_prompts(&volume.grid, axis, arguments)?;
    let window = arguments.window.unwrap_or_else(|| Window::auto(&volume));
    let device = model::device(arguments.device)?;
    let (config, sam2) = model::load(&arguments.model, &device)?;
    let image_size = arguments
        .image_size
        .unwrap_or_else(|| config.default_image_size());
    let options = SessionOptions {
        axis,
        window,
        image_size,
    };
    let mut session = Session::new(&sam2, Arc::clone(&volume), options);
    session.set_memory(memory);
    for prompt in &prompts {
        session.add_mask(prompt.label, prompt.slice, prompt.mask.clone())?;
    }

    let started = Instant::now();
    let steps = session.start(arguments.direction)?;
    let (scores, slices) = propagate(&mut session, steps, json)?;
    let seconds = started.elapsed().as_secs_f64();

    files::write(
        &arguments.out,
        &export::nifti::write(session.label_map(), &header)?,
    )?;
    write_json(arguments.scores.as_deref(), &scores)?;
    let explanation = Explanation { memory, slices };
    write_json(arguments.explain.as_deref(), &explanation)?;
    let labels = prompts
        .iter()
        .map(|p| summary_of(p, session.label_map(), &scores));
    let summary = Summary {
        out: arguments.out.display().to_string(),
        model: arguments.model.clone(),
        config: config.name,
        image_size: image_size.pixels(),
        window: [window.lo, window.hi],
        memory,
        steps,
        seconds,
        seconds_per_step: seconds / steps as f64,
        labels: labels.collect(),
    };
    match json {
        true => files::print_json(&summary),
        false => files::print(&text(&summary)?),
    }
}

/// Writes a file that was asked for.
fn write_json(path: Option<&Path>, value: &impl Serialize) -> Result<(), Failure> {
    match path {
        Some(path) => files::write(path, files::json(value)?.as_bytes()),
        None => Ok(()),
    }
}

/// A propagation can take long: what would make its result go nowhere is said before it.
fn check_outputs(arguments: &Segment) -> Result<(), Failure> {
    let mut taken = vec![arguments.mask.as_path(), Path::new(&arguments.model)];
    taken.extend(arguments.scan.iter().map(PathBuf::as_path));
    let outputs = [
        Some(&arguments.out),
        arguments.scores.as_ref(),
        arguments.explain.as_ref(),
    ];
    for output in outputs.into_iter().flatten() {
        files::check_output(output, &taken)?;
        taken.push(output);
    }
    Ok(())
}

/// The prompts of the mask's file, which must lie on the scan's grid.
fn read_prompts(grid: &Grid, axis: VoxelAxis, arguments: &Segment) -> Result<Vec<Prompt>, Failure> {
    let mask = files::read_label_map(&arguments.mask)?.labels;
    let (mask_name, scan) = (arguments.mask.display(), arguments.scan[0].display());
    same_grid(grid, &mask.grid)
        .map_err(|e| format!("{mask_name}: not on the grid of {scan}: {e}"))?;
    prompts(&mask, axis, arguments).map_err(|e| format!("{mask_name}: {e}").into())
}

/// One prompt for each label: on the given slice, or where the label is largest.
fn prompts(mask: &LabelMap, axis: VoxelAxis, arguments: &Segment) -> Result<Vec<Prompt>, Failure> {
    let present = mask.labels_present();
    if present.is_empty() {
        return Err("the mask is empty".into());
    }
    let mut labels = match arguments.label {
        Some(label) if !present.contains(&label) => {
            return Err(format!("there is no label {label}; there are {present:?}").into());
        }
        Some(label) => vec![label],
        None => present,
    };
    if let (Some(slice), None) = (arguments.slice, arguments.label) {
        // Only what is on the prompted slice can be propagated from it.
        let on_slice = mask.slice(axis, slice)?;
        labels.retain(|label| on_slice.contains(label));
    }
    if labels.is_empty() {
        let slice = arguments.slice.unwrap_or_default();
        return Err(format!("no label has a pixel on slice {slice}").into());
    }
    let prompt = |label: u16| {
        let largest = || mask.largest_slice(axis, label);
        let slice = arguments.slice.or_else(largest).unwrap_or_default();
        let prompt = Prompt {
            label,
            slice,
            mask: mask.slice_mask(axis, slice, label)?,
        };
        if prompt.mask.is_empty() {
            let largest = largest().unwrap_or_default();
            let what = format!("label {label} has no pixel on slice {slice}");
            return Err(format!("{what}; it is largest on slice {largest}").into());
        }
        Ok(prompt)
    };
    labels.into_iter().map(prompt).collect()
}

/// Scores and memories, slice after slice.
fn propagate(
    session: &mut Session,
    steps: usize,
    json: bool,
) -> Result<(Vec<Score>, Vec<Explained>), Failure> {
    let bar = progress::slices(steps, json)?;
    let (mut scores, mut explained) = (Vec::new(), Vec::new());
    while let Some(result) = pollster::block_on(session.next())? {
        for lost in result
            .labels
            .iter()
            .filter(|l| l.prompted && l.mask.is_empty())
        {
            bar.suspend(|| complain(&too_small(lost.label, result.slice)));
        }
        scores.extend(of_slice(&result));
        explained.extend(memory::of_slice(&result));
        bar.set_position(result.step as u64);
    }
    bar.finish_and_clear();
    Ok((scores, explained))
}

fn too_small(label: u16, slice: usize) -> String {
    let what = format!("warning: the mask of label {label} on slice {slice} vanishes");
    format!("{what} at the model's resolution; a larger --image-size may keep it")
}

fn summary_of(prompt: &Prompt, result: &LabelMap, scores: &[Score]) -> LabelSummary {
    let voxels = result.labels.iter().filter(|&&l| l == prompt.label).count();
    let mm3: f64 = result.grid.spacing.iter().map(|mm| mm.0).product();
    let found = scores
        .iter()
        .filter(|s| s.label == prompt.label && s.pixels > 0 && !s.prompted);
    let ious: Vec<f64> = found.map(|s| f64::from(s.predicted_iou)).collect();
    let mean = ious.iter().sum::<f64>() / ious.len() as f64;
    LabelSummary {
        label: prompt.label,
        prompt_slice: prompt.slice,
        voxels,
        millilitres: voxels as f64 * mm3 / 1000.0,
        mean_predicted_iou: (!ious.is_empty()).then_some(mean),
    }
}

fn text(summary: &Summary) -> Result<String, Failure> {
    let mut text = String::from("label  prompt slice     voxels         ml  mean predicted IoU\n");
    for l in &summary.labels {
        let iou = l
            .mean_predicted_iou
            .map_or("-".into(), |iou| format!("{iou:.3}"));
        writeln!(
            text,
            "{:5}  {:12} {:10} {:10.1}  {iou:>18}",
            l.label, l.prompt_slice, l.voxels, l.millilitres
        )?;
    }
    writeln!(
        text,
        "{} slices visited in {:.1} s ({:.2} s each) with {} at {} pixels: {}",
        summary.steps,
        summary.seconds,
        summary.seconds_per_step,
        summary.model,
        summary.image_size,
        summary.out
    )?;
    Ok(text)
}
