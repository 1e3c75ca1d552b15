//! How a packed model's masks agree with the float model's and with the truth. In: label maps. Out: figures, and rows of a table.

use oneslice::eval::{dice, mean_surface_distance};
use oneslice::volume::{LabelMap, Millimetre};

/// Of one label in one scan.
#[derive(Clone)]
pub struct Score {
    pub set: String,
    /// Dice to the float model's mask.
    pub to_float: f64,
    /// Mean distance of its border and the float model's; none where either has found nothing.
    pub border: Option<Millimetre>,
    /// Dice to the truth.
    pub truth: f64,
    /// The float model's Dice to the truth.
    pub truth_of_float: f64,
}

impl Score {
    pub fn new(set: &str, label: u16, [found, float, truth]: [&LabelMap; 3]) -> Self {
        let overlap = |a, b| {
            let counts = dice(a, b, label, None).expect("one grid");
            counts.coefficient().unwrap_or(1.0)
        };
        Self {
            set: set.to_owned(),
            to_float: overlap(found, float),
            border: mean_surface_distance(found, float, label).expect("one grid"),
            truth: overlap(found, truth),
            truth_of_float: overlap(float, truth),
        }
    }

    /// Dice points, hundredths.
    pub fn lost(&self) -> f64 {
        (self.truth_of_float - self.truth) * 100.0
    }

    /// For a person to follow the run.
    pub fn print(&self, scan: &str, label: u16, packing: &str) {
        eprintln!(
            "{scan:16} {label:3} {packing:10} to float {:.4}, border {:.3} mm, truth {:.4} ({:.4}), points lost {:.2}",
            self.to_float,
            self.border.map_or(f64::NAN, |mm| mm.0),
            self.truth,
            self.truth_of_float,
            self.lost()
        );
    }
}

pub const HEAD: &str = "\
| set | weights | labels | float's Dice to the truth | Dice to float's mask, mean (least) | border to float's, mean mm | points lost, mean | most |
|---|---|---|---|---|---|---|---|";

/// One row: a set, or all of them.
pub fn row(set: &str, packing: &str, scores: &[&Score]) -> String {
    let mean = |of: &dyn Fn(&Score) -> f64| {
        scores.iter().map(|score| of(score)).sum::<f64>() / scores.len() as f64
    };
    let borders: Vec<f64> = scores.iter().filter_map(|s| Some(s.border?.0)).collect();
    let least = scores.iter().map(|s| s.to_float).fold(f64::MAX, f64::min);
    let most = scores.iter().map(|s| s.lost()).fold(f64::MIN, f64::max);
    format!(
        "| {set} | {packing} | {} | {:.4} | {:.4} ({least:.4}) | {:.3} | {:.2} | {most:.2} |",
        scores.len(),
        mean(&|s| s.truth_of_float),
        mean(&|s| s.to_float),
        borders.iter().sum::<f64>() / borders.len() as f64,
        mean(&Score::lost),
    )
}
