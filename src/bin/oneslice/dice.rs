//! `oneslice dice`.

use oneslice::eval::{dice, dice_table};
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
    let names = (arguments.a.display(), arguments.b.display());
    same_grid(&a.grid, &b.grid).map_err(|e| format!("{} and {}: {e}", names.0, names.1))?;
    let exclude = arguments
        .exclude_slice
        .map(|slice| (arguments.axis.of(&a.grid), slice));
    let table = match arguments.label {
        Some(label) => vec![dice(&a, &b, label, exclude)?],
        None => dice_table(&a, &b, exclude)?,
    };
    let row = |counted: &oneslice::eval::LabelDice| Row {
        label: counted.label,
        dice: counted.coefficient(),
        a_voxels: counted.first,
        b_voxels: counted.second,
    };
    let rows: Vec<Row> = table.iter().map(row).collect();
    if json {
        return files::print_json(&rows);
    }
    println!("label    Dice    voxels of a  voxels of b");
    for row in rows {
        let dice = row
            .dice
            .map_or("     -".into(), |dice| format!("{dice:6.4}"));
        println!(
            "{:5}  {dice}  {:13}  {:11}",
            row.label, row.a_voxels, row.b_voxels
        );
    }
    Ok(())
}
