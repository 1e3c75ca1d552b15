//! `oneslice segment`.

mod prompts;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use oneslice::export;
use oneslice::propagate::{Course, MemoryOptions, Session, SessionOptions, Strategy};
use oneslice::volume::{LabelMap, Window};
use serde::Serialize;

pub use self::prompts::PointArguments;
use self::prompts::{Given, Prompt};
use super::args::Segment;
use super::files;
use super::memory::{self, Explained, Explanation};
use super::model;
use super::progress;
use super::scans;
use super::scores::{Score, of_slice};
use super::{Failure, complain};

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
    /// Of a mask that the model made of points.
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_predicted_iou: Option<f32>,
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
    let given = Given::read(&volume.grid, axis, arguments)?;
    let window = arguments.window.unwrap_or_else(|| Window::auto(&volume));
    let device = model::device(arguments.device)?;
    let (config, sam2) = model::load(&arguments.model, &device)?;
    let sam2 = sam2.raise_object_score(arguments.object_score_bias);
    let longest = volume.slice_shape(axis).longest();
    let suited = || config.image_size_for(longest, given.smallest());
    let image_size = arguments.image_size.unwrap_or_else(suited);
    let options = SessionOptions {
        axis,
        window,
        image_size,
    };
    let mut session = Session::new(&sam2, Arc::clone(&volume), options);
    session.set_memory(memory);
    let started = Instant::now();
    let prompts = given.masks(&mut session)?;
    for prompt in &prompts {
        session.add_mask(prompt.label, prompt.slice, prompt.mask.clone())?;
    }
    let steps = session.start(course(arguments))?;
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

fn course(arguments: &Segment) -> Course {
    Course {
        direction: arguments.direction,
        first: arguments.range.map(|range| range.first),
        last: arguments.range.map(|range| range.last),
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
    let mut taken = vec![Path::new(&arguments.model)];
    taken.extend(arguments.mask.as_deref());
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
        prompt_predicted_iou: prompt.predicted_iou,
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
