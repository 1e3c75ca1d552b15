//! Slices in order. In: the positions and directions of frames. Out: the lattice they make, which frame is at which place of it,
//! and what is not as it should be: slices missing, twice there, uneven, or stacked at a slant.

use super::frame::Frame;
use super::vector::{Vector, add, cross, dot, length, scale, subtract};
use crate::scan::error::ScanError;
use crate::scan::series::{ScanWarning, WarningKind};
use crate::volume::Affine;

/// Positions this close, in millimetres, are one: they are decimal text.
const SAME: f64 = 1e-3;
/// Share of a slice's distance by which it may be off and still is where it should be.
const EVEN: f64 = 0.01;
/// Share of a distance by which it may differ from a whole number of slices.
const WHOLE: f64 = 0.02;
/// A volume has at most so many places for each slice that is there.
const MOST_BLANK: usize = 3;
/// Angle from which slices count as slanted, in degrees: positions of a few digits alone give less.
const SLANTED: f64 = 0.5;

/// A lattice of slices.
#[derive(Debug)]
pub(super) struct Order {
    /// For each place along the stack the frames there, by their numbers; none for a missing slice.
    pub(super) places: Vec<Vec<usize>>,
    pub(super) affine: Affine,
    pub(super) step: f64,
    pub(super) warnings: Vec<ScanWarning>,
}

/// Frames in one place, and how far that is along the stack.
struct Level {
    height: f64,
    position: Vector,
    frames: Vec<usize>,
}

/// Puts frames of one orientation in order.
pub(super) fn order(frames: &[&Frame]) -> Result<Order, ScanError> {
    let placed = frames.first().and_then(|f| f.orientation);
    match (placed, frames.iter().all(|f| f.position.is_some())) {
        (Some(orientation), true) => by_position(frames, orientation),
        _ => Ok(by_number(frames)),
    }
}

fn by_position(frames: &[&Frame], orientation: [f64; 6]) -> Result<Order, ScanError> {
    let [row, column] = directions(orientation)?;
    let normal = cross(row, column);
    let levels = levels(frames, normal);
    let mut warnings = Vec::new();
    let (levels, numbers) = numbered(levels, &mut warnings);
    let first = levels[0].position;
    let last = numbers[numbers.len() - 1];
    let step = match last {
        0 => scale(normal, single_gap(frames[0])),
        count => scale(
            subtract(levels[levels.len() - 1].position, first),
            1.0 / count as f64,
        ),
    };
    check_line(&levels, &numbers, step, &mut warnings)?;
    check_slant(step, normal, &mut warnings);
    let [between_rows, between_columns] = frames[0].spacing.unwrap_or([1.0, 1.0]);
    if frames[0].spacing.is_none() {
        let what = "the files do not say how large a pixel is: 1 mm is assumed";
        warnings.push(ScanWarning::new(WarningKind::NoGeometry, what));
    }
    let (i, j) = (scale(row, between_columns), scale(column, between_rows));
    let mut places = vec![Vec::new(); last + 1];
    for (level, number) in levels.into_iter().zip(numbers) {
        places[number] = level.frames;
    }
    Ok(Order {
        places,
        affine: patient_affine([i, j, step], first),
        step: length(step),
        warnings,
    })
}

/// Frames that do not say where they are: in the order of their numbers, lying as they are displayed.
fn by_number(frames: &[&Frame]) -> Order {
    let mut numbers: Vec<usize> = (0..frames.len()).collect();
    numbers.sort_by(|a, b| frames[*a].order.compare_numbers(&frames[*b].order));
    let [between_rows, between_columns] = frames[0].spacing.unwrap_or([1.0, 1.0]);
    let step = single_gap(frames[0]);
    let what = "the files do not say where the slices lie: they are stacked by number";
    let axes = [
        [between_columns, 0.0, 0.0],
        [0.0, between_rows, 0.0],
        [0.0, 0.0, step],
    ];
    Order {
        places: numbers.into_iter().map(|n| vec![n]).collect(),
        affine: patient_affine(axes, [0.0; 3]),
        step,
        warnings: vec![ScanWarning::new(WarningKind::NoGeometry, what)],
    }
}

/// The distance to a next slice that is not there.
fn single_gap(frame: &Frame) -> f64 {
    frame.gap.or(frame.thickness).unwrap_or(1.0)
}

/// Directions along a row and down a column, of length 1.
fn directions(orientation: [f64; 6]) -> Result<[Vector; 2], ScanError> {
    let [a, b, c, d, e, f] = orientation;
    let (row, column) = ([a, b, c], [d, e, f]);
    let unit = |v: Vector| (length(v) - 1.0).abs() < 0.01;
    if !unit(row) || !unit(column) || dot(row, column).abs() > 0.01 {
        return Err(ScanError::bad_dicom(&format!(
            "its orientation {orientation:?} is not two perpendicular directions"
        )));
    }
    Ok([row, column].map(|v| scale(v, 1.0 / length(v))))
}

fn levels(frames: &[&Frame], normal: Vector) -> Vec<Level> {
    let mut sorted: Vec<(f64, Vector, usize)> = frames
        .iter()
        .enumerate()
        .filter_map(|(number, frame)| {
            let position = frame.position?;
            Some((dot(position, normal), position, number))
        })
        .collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut levels: Vec<Level> = Vec::new();
    for (height, position, number) in sorted {
        match levels.last_mut() {
            Some(level) if height - level.height < SAME => level.frames.push(number),
            _ => levels.push(Level {
                height,
                position,
                frames: vec![number],
            }),
        }
    }
    for level in &mut levels {
        let by = |a: &usize, b: &usize| frames[*a].order.compare(&frames[*b].order);
        level.frames.sort_by(by);
    }
    levels
}

/// The number of each level, with numbers left out where slices are missing.
fn numbered(mut levels: Vec<Level>, warnings: &mut Vec<ScanWarning>) -> (Vec<Level>, Vec<usize>) {
    let most = levels.iter().map(|l| l.frames.len()).max().unwrap_or(1);
    let twice = levels.iter().filter(|l| l.frames.len() > 1).count();
    if levels.iter().any(|l| l.frames.len() != most) {
        let what = match twice {
            1 => "1 slice is there more than once: the first is taken".to_owned(),
            _ => format!("{twice} slices are there more than once: the first of each is taken"),
        };
        warnings.push(ScanWarning::new(WarningKind::DuplicateSlices, what));
        levels.iter_mut().for_each(|l| l.frames.truncate(1));
    }
    let gaps: Vec<f64> = levels
        .windows(2)
        .map(|pair| pair[1].height - pair[0].height)
        .collect();
    let one = gaps.iter().copied().fold(f64::INFINITY, f64::min);
    let whole = gaps.iter().all(|gap| {
        let slices = gap / one;
        (slices - slices.round()).abs() <= WHOLE * slices.round()
    });
    let mut numbers = vec![0usize];
    for gap in &gaps {
        let before = numbers[numbers.len() - 1];
        let slices = if whole {
            (gap / one).round() as usize
        } else {
            1
        };
        numbers.push(before.saturating_add(slices));
    }
    let places = numbers[numbers.len() - 1].saturating_add(1);
    let missing = places - levels.len();
    if missing > 0 && places <= MOST_BLANK * levels.len() {
        let gaps = numbers.windows(2).filter(|pair| pair[1] > pair[0] + 1);
        let gaps: Vec<String> = gaps.map(|pair| range(pair[0] + 1, pair[1] - 1)).collect();
        let what = match missing {
            1 => format!("1 slice is missing: slice {} is blank", gaps[0]),
            _ => format!(
                "{missing} slices are missing: slices {} are blank",
                gaps.join(", ")
            ),
        };
        warnings.push(ScanWarning::new(WarningKind::MissingSlices, what));
    } else if missing > 0 {
        numbers = (0..levels.len()).collect();
    }
    (levels, numbers)
}

fn range(first: usize, last: usize) -> String {
    match first == last {
        true => first.to_string(),
        false => format!("{first} to {last}"),
    }
}

/// Every slice should be where the lattice has its place.
fn check_line(
    levels: &[Level],
    numbers: &[usize],
    step: Vector,
    warnings: &mut Vec<ScanWarning>,
) -> Result<(), ScanError> {
    let first = levels[0].position;
    let off = levels.iter().zip(numbers).map(|(level, number)| {
        let place = add(first, scale(step, *number as f64));
        length(subtract(level.position, place))
    });
    let off = off.fold(0.0, f64::max);
    let step = length(step);
    if off > step {
        return Err(ScanError::no_grid(&format!(
            "on average they are {step:.3} mm apart, but one is {off:.3} mm from its place"
        )));
    }
    if off > EVEN * step + SAME {
        let what = format!(
            "slices are not equally far apart: {step:.3} mm on average, one is {off:.3} mm from its place"
        );
        warnings.push(ScanWarning::new(WarningKind::UnevenSlices, what));
    }
    Ok(())
}

fn check_slant(step: Vector, normal: Vector, warnings: &mut Vec<ScanWarning>) {
    let cosine = (dot(step, normal) / length(step)).clamp(-1.0, 1.0);
    let angle = cosine.acos().to_degrees();
    if angle > SLANTED {
        let what = format!("the gantry was tilted: slices are stacked at {angle:.1} degrees");
        warnings.push(ScanWarning::new(WarningKind::GantryTilt, what));
    }
}

/// From DICOM's patient space to the volume's: x and y point the other way.
fn patient_affine(axes: [Vector; 3], origin: Vector) -> Affine {
    let row = |of: usize, sign: f64| {
        let [i, j, k] = axes;
        // Adding 0 makes 0 of -0, which prints badly.
        [i[of], j[of], k[of], origin[of]].map(|v| sign * v + 0.0)
    };
    Affine([
        row(0, -1.0),
        row(1, -1.0),
        row(2, 1.0),
        [0.0, 0.0, 0.0, 1.0],
    ])
}

#[cfg(test)]
#[path = "geometry/tests.rs"]
mod tests;
