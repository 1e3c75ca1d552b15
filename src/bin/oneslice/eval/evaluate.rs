//! Every method on every label of every scan. In: a protocol, scans and methods. Out: one row for each result, and what failed.
//!
//! A scan that cannot be read, or a result that cannot be had, is a [`Failed`]; the others go on.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Instant;

use indicatif::ProgressBar;
use oneslice::eval::{dice, surface};
use serde::Serialize;

use super::find::Item;
use super::folds::{Fold, folds};
use super::methods::{Engine, Method, Prompt, Query, Task, run};
use super::protocol::{Protocol, QuerySlices};
use super::read::Case;
use crate::Failure;

/// One result.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub task: &'static str,
    #[serde(serialize_with = "as_name")]
    pub method: Method,
    pub label: String,
    pub scan: String,
    /// From 1; few-shot only.
    pub fold: Option<usize>,
    /// The scan whose mask was given; few-shot only.
    pub support: Option<String>,
    /// Slice of the given mask, from 0.
    pub prompt_slice: usize,
    /// None when neither truth nor result has a voxel outside the given slice.
    pub dice: Option<f64>,
    pub nsd: Option<f64>,
    /// Of this method on this label alone, without reading files and loading the model.
    pub seconds: f64,
}

/// What could not be had.
#[derive(Debug, Clone, Serialize)]
pub struct Failed {
    pub scan: String,
    /// None where it is the whole scan.
    pub label: Option<String>,
    pub task: Option<&'static str>,
    /// None where it is all methods of the task.
    #[serde(serialize_with = "as_optional_name")]
    pub method: Option<Method>,
    pub error: String,
}

fn as_name<S: serde::Serializer>(method: &Method, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(method.name())
}

fn as_optional_name<S: serde::Serializer>(
    method: &Option<Method>,
    to: S,
) -> Result<S::Ok, S::Error> {
    method.map(Method::name).serialize(to)
}

/// What is evaluated, and how.
pub struct Evaluation<'a> {
    pub protocol: &'a Protocol,
    pub methods: &'a [Method],
    pub engine: &'a Engine,
    pub bar: &'a ProgressBar,
    pub rows: Vec<Row>,
    pub failed: Vec<Failed>,
}

/// Where a scan stands while it is evaluated.
struct Turn<'a> {
    /// Number of the fold, from 1.
    fold: usize,
    case: &'a Case,
    label: u16,
    /// The case whose mask is given to few-shot methods, and the slice; or why there is none.
    support: &'a Result<(Rc<Case>, usize), String>,
}

impl Evaluation<'_> {
    /// Evaluates all scans, fold by fold: each is read once as a query, and each support once for its fold.
    pub fn all(&mut self, items: &[Item]) {
        let mut groups: Vec<String> = items.iter().map(|item| item.group.clone()).collect();
        groups.sort();
        groups.dedup();
        let division = &self.protocol.folds;
        let made = folds(&groups, division.count, division.seed);
        for (number, fold) in made.iter().enumerate() {
            self.fold(number + 1, fold, items);
        }
        let place = |row: &Row| items.iter().position(|item| item.id == row.scan);
        self.rows
            .sort_by_key(|row| (place(row), row.method.place()));
    }

    fn fold(&mut self, number: usize, fold: &Fold, items: &[Item]) {
        let labels = 1..=self.protocol.labels.len() as u16;
        let supports = self.supports(fold, items);
        for item in items.iter().filter(|i| fold.queries.contains(&i.group)) {
            let case = match Case::read(item, self.protocol) {
                Ok(case) => case,
                Err(error) => {
                    let steps = self.protocol.labels.len() * self.methods.len();
                    self.failed.push(Failed {
                        scan: item.id.clone(),
                        label: None,
                        task: None,
                        method: None,
                        error: error.to_string(),
                    });
                    self.bar.inc(steps as u64);
                    continue;
                }
            };
            for (label, support) in labels.clone().zip(&supports) {
                let turn = Turn {
                    fold: number,
                    case: &case,
                    label,
                    support,
                };
                self.label(&turn);
            }
        }
    }

    /// For each label the fold's support: of the groups in their order, the first scan that can be read and has the label. One
    /// that cannot be read is reported where it is a query itself.
    fn supports(&self, fold: &Fold, items: &[Item]) -> Vec<Result<(Rc<Case>, usize), String>> {
        let labels = &self.protocol.labels;
        let wanted = self.methods.iter().any(|m| m.task() == Task::FewShot);
        let of_group = |group: &String| {
            let group = group.clone();
            items.iter().filter(move |item| item.group == group)
        };
        let candidates = fold.supports.iter().flat_map(of_group);
        let mut read: BTreeMap<&str, Option<Rc<Case>>> = BTreeMap::new();
        let mut support = |label: u16| {
            for item in candidates.clone().filter(|_| wanted) {
                let case = || Case::read(item, self.protocol).ok().map(Rc::new);
                let case = read.entry(&item.id).or_insert_with(case);
                let Some(case) = case else { continue };
                if let Some(slice) = case.prompt_slice(label, self.protocol.prompt) {
                    return Ok((Rc::clone(case), slice));
                }
            }
            let name = &labels[usize::from(label) - 1].name;
            Err(format!("no scan of another fold has the label '{name}'"))
        };
        (1..=labels.len() as u16).map(&mut support).collect()
    }

    /// All methods on one label of one scan; nothing where the scan does not have the label.
    fn label(&mut self, turn: &Turn) {
        let methods = self.methods;
        self.bar.inc(methods.len() as u64);
        let Some(own) = turn.case.prompt_slice(turn.label, self.protocol.prompt) else {
            return;
        };
        for task in Task::ALL {
            let mut methods = methods.iter().filter(|m| m.task() == task).peekable();
            let given = match (task, turn.support) {
                _ if methods.peek().is_none() => continue,
                (Task::Propagation, _) => (turn.case, own),
                (Task::FewShot, Ok((case, slice))) => (&**case, *slice),
                (Task::FewShot, Err(why)) => {
                    self.fail(turn, task, None, why.clone());
                    continue;
                }
            };
            let prompt = Prompt {
                scan: given.0,
                slice: given.1,
                mask: given.0.mask(turn.label, given.1),
            };
            for &method in methods {
                match self.row(method, turn, &prompt) {
                    Ok(row) => self.rows.push(row),
                    Err(error) => self.fail(turn, task, Some(method), error.to_string()),
                }
            }
        }
    }

    fn row(&self, method: Method, turn: &Turn, prompt: &Prompt) -> Result<Row, Failure> {
        let (case, label) = (turn.case, turn.label);
        let few_shot = method.task() == Task::FewShot;
        let slices = match self.protocol.query_slices {
            QuerySlices::Labelled if few_shot => case.extent(label),
            _ => 0..case.volume.slice_count(case.axis),
        };
        let query = Query {
            scan: case,
            label,
            slices,
        };
        let started = Instant::now();
        let found = run(method, self.engine, prompt, &query)?;
        let seconds = started.elapsed().as_secs_f64();
        // What was given is not found.
        let exclude = (!few_shot).then_some((case.axis, prompt.slice));
        let tolerance = self.protocol.tolerance();
        Ok(Row {
            task: method.task().name(),
            method,
            label: self.name(label),
            scan: case.id.clone(),
            fold: few_shot.then_some(turn.fold),
            support: few_shot.then(|| prompt.scan.id.clone()),
            prompt_slice: prompt.slice,
            dice: dice(&found, &case.truth, label, exclude)?.coefficient(),
            nsd: surface(&found, &case.truth, label, tolerance, exclude)?.share(),
            seconds,
        })
    }

    fn name(&self, label: u16) -> String {
        self.protocol.labels[usize::from(label) - 1].name.clone()
    }

    fn fail(&mut self, turn: &Turn, task: Task, method: Option<Method>, error: String) {
        self.failed.push(Failed {
            scan: turn.case.id.clone(),
            label: Some(self.name(turn.label)),
            task: Some(task.name()),
            method,
            error,
        });
    }
}
