//! What `oneslice segment` starts from: a mask of a file, or points and a box that become one.

use clap::Args;
use oneslice::propagate::{Click, PointPrompt, Session, SlicePoint};
use oneslice::volume::{Grid, LabelMap, Mask, VoxelAxis, same_grid};

use super::super::args::Segment;
use super::super::{Failure, files};

/// SAM's own prompts, in the place of a mask.
#[derive(Args)]
pub struct PointArguments {
    /// Instead of --mask: a pixel of the object on --slice, column and row from 0; with ,- one that is not of the object; given again, one more
    #[arg(long = "point", value_name = "X,Y[,-]", allow_hyphen_values = true, requires = "slice", value_parser = parse_click)]
    pub points: Vec<Click>,
    /// Instead of --mask: two corners of a box around the object on --slice, as --point's
    #[arg(long = "box", value_name = "X0,Y0,X1,Y1", allow_hyphen_values = true, requires = "slice", value_parser = parse_corners)]
    pub corners: Option<Corners>,
}

/// Two opposite corners of a box.
#[derive(Clone, Copy)]
pub struct Corners([SlicePoint; 2]);

/// A label's prompt.
pub struct Prompt {
    pub label: u16,
    pub slice: usize,
    pub mask: Mask,
    /// The model's own estimate, of a mask that it made.
    pub predicted_iou: Option<f32>,
}

/// What was asked for, before there is a model.
pub enum Given {
    Masks(Vec<Prompt>),
    Points {
        label: u16,
        slice: usize,
        prompt: PointPrompt,
    },
}

impl Given {
    /// Reads and checks what needs no model.
    pub fn read(grid: &Grid, axis: VoxelAxis, arguments: &Segment) -> Result<Self, Failure> {
        let Some(mask) = &arguments.mask else {
            return Ok(Self::Points {
                label: arguments.label.unwrap_or(1),
                slice: arguments.slice.unwrap_or_default(), // clap asks for it
                prompt: PointPrompt {
                    clicks: arguments.points.points.clone(),
                    corners: arguments.points.corners.map(|corners| corners.0),
                },
            });
        };
        let labels = files::read_label_map(mask)?.labels;
        let (mask, scan) = (mask.display(), arguments.scan[0].display());
        same_grid(grid, &labels.grid)
            .map_err(|e| format!("{mask}: not on the grid of {scan}: {e}"))?;
        let prompts = of_labels(&labels, axis, arguments);
        Ok(Self::Masks(prompts.map_err(|e| format!("{mask}: {e}"))?))
    }

    /// The share of its slice that the smallest object covers; a point does not tell.
    pub fn smallest(&self) -> Option<f64> {
        match self {
            Self::Masks(prompts) => prompts.iter().map(|p| p.mask.share()).reduce(f64::min),
            Self::Points { .. } => None,
        }
    }

    /// The prompts as masks.
    pub fn masks(self, session: &mut Session) -> Result<Vec<Prompt>, Failure> {
        let (label, slice, prompt) = match self {
            Self::Masks(prompts) => return Ok(prompts),
            Self::Points {
                label,
                slice,
                prompt,
            } => (label, slice, prompt),
        };
        let found = pollster::block_on(session.preview(slice, &prompt, None))?;
        if found.mask.is_empty() {
            return Err(format!("the model finds no object there on slice {slice}").into());
        }
        Ok(vec![Prompt {
            label,
            slice,
            mask: found.mask,
            predicted_iou: Some(found.predicted_iou),
        }])
    }
}

/// One prompt for each label: on the given slice, or where the label is largest.
fn of_labels(
    mask: &LabelMap,
    axis: VoxelAxis,
    arguments: &Segment,
) -> Result<Vec<Prompt>, Failure> {
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
            predicted_iou: None,
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

fn numbers<const N: usize>(text: &str) -> Option<[f32; N]> {
    let numbers: Vec<f32> = text
        .split(',')
        .map(|number| number.trim().parse().ok())
        .collect::<Option<_>>()?;
    numbers.try_into().ok()
}

fn parse_click(text: &str) -> Result<Click, String> {
    let (place, include) = match text.strip_suffix(",-") {
        Some(place) => (place, false),
        None => (text, true),
    };
    let [col, row] = numbers(place).ok_or("expected X,Y or X,Y,- such as 120,85")?;
    Ok(Click {
        at: SlicePoint { col, row },
        include,
    })
}

fn parse_corners(text: &str) -> Result<Corners, String> {
    let [x0, y0, x1, y1] = numbers(text).ok_or("expected X0,Y0,X1,Y1 such as 90,60,150,110")?;
    let corner = |col, row| SlicePoint { col, row };
    Ok(Corners([corner(x0, y0), corner(x1, y1)]))
}
