//! `oneslice dice`.

use std::fmt::Write;

use oneslice::eval::{LabelDice, dice, dice_table};
use oneslice::volume::same_grid;
use serde::Serialize;

use super::Failure;
use super::args::Dice;
use super::files;

#[derive(Serialize)]
struct Row {
    label: u16,
    dice: Option<f64>,
    a_voxels: usize,
    b_voxels: usize,
}

pub fn run(arguments: &Dice, json: bool) -> Result<(), Failure> {
    let a = files::read_label_map(&arguments.a)?.labels;
    let b = files::read_label_map(&arguments.b)?.labels;
    let names = format!("{} and {}", arguments.a.display(), arguments.b.display());
    same_grid(&a.grid, &b.grid).map_err(|e| format!("{names}: {e}"))?;
    let axis = arguments.axis.of(&a.grid);
    let exclude = arguments.exclude_slice.map(|slice| (axis, slice));
    let table = match arguments.label {
        Some(label) => dice(&a, &b, label, exclude).map(|row| vec![row]),
        None => dice_table(&a, &b, exclude),
    };
    let table = table.map_err(|e| format!("{names}: {e}"))?;
    let rows: Vec<Row> = table.iter().map(row).collect();
    if json {
        return files::print_json(&rows);
    }
    if rows.is_empty() {
        return files::print("neither file has a label\n");
    }
    let mut text = String::from("label    Dice  voxels of A  voxels of B\n");
    for row in rows {
        let dice = row
            .dice
            .map_or("     -".into(), |dice| format!("{dice:6.4}"));
        let (label, a, b) = (row.label, row.a_voxels, row.b_voxels);
        writeln!(text, "{label:5}  {dice}  {a:11}  {b:11}")?;
    }
    files::print(&text)
}

fn row(counted: &LabelDice) -> Row {
    Row {
        label: counted.label,
        dice: counted.coefficient(),
        a_voxels: counted.first,
        b_voxels: counted.second,
    }
}
