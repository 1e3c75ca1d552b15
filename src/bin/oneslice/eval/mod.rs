//! `oneslice eval`: how well the methods do on a labelled data set.
//!
//! In: a protocol and a folder. Out: a table on standard output, and `results.csv`, `results.json` and `results.svg` in a
//! folder. `protocol` says what is evaluated, `find` and `read` get the scans, `folds` divides them, `methods` segments,
//! `evaluate` scores, `report` and `plot` show.

mod evaluate;
mod find;
mod folds;
mod methods;
mod plot;
mod protocol;
mod read;
mod report;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

pub use methods::Method;
use oneslice::propagate::few_shot::AugmentOptions;
use oneslice::sam2::ImageSize;

use super::args::Eval;
use super::{Failure, files, lpips, model, progress};
use evaluate::Evaluation;
use find::Item;
use methods::{Engine, Task};
use protocol::Protocol;
use report::Report;

pub fn run(arguments: &Eval, json: bool) -> Result<(), Failure> {
    let protocol = Protocol::read(&arguments.protocol)?;
    let mut methods = arguments.methods.clone();
    methods.sort_by_key(|method| method.place());
    methods.dedup();
    let items = find::find(&protocol, &arguments.data)?;
    check_groups(arguments, &methods, &items)?;
    let outputs = outputs(arguments)?;
    let copies = arguments.copies;
    AugmentOptions {
        per_query: copies,
        ..AugmentOptions::default()
    }
    .check()?;
    let engine = engine(arguments)?;
    let steps = items.len() * protocol.labels.len() * methods.len();
    let bar = progress::bar("result", steps, json)?;
    let mut evaluation = Evaluation {
        protocol: &protocol,
        methods: &methods,
        engine: &engine,
        bar: &bar,
        rows: Vec::new(),
        failed: Vec::new(),
    };
    evaluation.all(&items);
    bar.finish_and_clear();

    let (rows, failed) = (evaluation.rows, evaluation.failed);
    let labels: Vec<&str> = protocol.labels.iter().map(|l| l.name.as_str()).collect();
    let report = Report {
        protocol: protocol.name.clone(),
        model: arguments.model.clone(),
        config: engine.config.name.clone(),
        image_size: engine.image_size.map(ImageSize::pixels),
        lpips: arguments.lpips.clone(),
        copies: engine.copies,
        tolerance_mm: protocol.tolerance().0,
        query_slices: protocol.query_slices,
        scans: items.len(),
        means: report::means(&rows, &labels, &methods),
        rows,
        failed,
    };
    let [csv, full, svg] = outputs;
    files::write(&csv, report::csv(&report).as_bytes())?;
    files::write(&full, files::json(&report)?.as_bytes())?;
    files::write(&svg, plot::svg(&report, &methods)?.as_bytes())?;
    match json {
        true => files::print_json(&report)?,
        false => files::print(&report::table(&report))?,
    }
    match report.failed.len() {
        0 => Ok(()),
        count => {
            let where_ = csv.display();
            Err(format!("{count} failed, the others are done; {where_} says what").into())
        }
    }
}

/// A few-shot method cannot begin where all scans belong together.
fn check_groups(arguments: &Eval, methods: &[Method], items: &[Item]) -> Result<(), Failure> {
    let few_shot = methods.iter().any(|m| m.task() == Task::FewShot);
    if few_shot && items.iter().all(|item| item.group == items[0].group) {
        let what = "few-shot methods need scans of two groups, for support and query";
        return Err(format!("{}: {what}; see --methods", arguments.data.display()).into());
    }
    Ok(())
}

/// The files that are written; checked before the work.
fn outputs(arguments: &Eval) -> Result<[PathBuf; 3], Failure> {
    let out = &arguments.out;
    fs::create_dir_all(out).map_err(|e| format!("{}: {e}", out.display()))?;
    let outputs = ["csv", "json", "svg"].map(|kind| out.join(format!("results.{kind}")));
    for path in &outputs {
        files::check_output(path, &[&arguments.protocol])?;
    }
    Ok(outputs)
}

/// The networks.
fn engine(arguments: &Eval) -> Result<Engine, Failure> {
    let device = model::device(arguments.device)?;
    let (config, model) = model::load(&arguments.model, &device)?;
    let (_, lpips) = lpips::load(&arguments.lpips, "--lpips", &device)?;
    Ok(Engine {
        model,
        config,
        image_size: arguments.image_size,
        lpips: Arc::new(lpips),
        copies: arguments.copies,
    })
}
