//! The methods that are compared. In: a scan, and a true mask on one of its slices or on a slice of another scan. Out: the
//! scan's label map. Each is one function; what it may look at is what it is given.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use oneslice::propagate::few_shot::{
    AugmentOptions, FewShot, Matcher, Psnr, Query as QuerySlice, Ssim, Support, support_set,
};
use oneslice::propagate::{Direction, Sam2Frames, Session, SessionOptions};
use oneslice::sam2::{ImageSize, Sam2};
use oneslice::volume::{LabelMap, Mask, SliceShape};

use super::read::Case;
use crate::Failure;

/// Where the given mask is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    /// On a slice of the scan itself.
    Propagation,
    /// On a slice of another scan.
    FewShot,
}

impl Task {
    pub const ALL: [Self; 2] = [Self::Propagation, Self::FewShot];

    pub fn name(self) -> &'static str {
        match self {
            Self::Propagation => "propagation",
            Self::FewShot => "few-shot",
        }
    }
}

/// One way to segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Baseline: the given mask on every slice.
    Copy,
    /// SAM 2 both ways through the scan with its own memory.
    Fifo,
    /// Baseline: the support's mask on every slice asked for, stretched to it.
    SupportCopy,
    /// The support as it is, for all slices: no augmentation, so nothing to match.
    Plain,
    /// The augmented support that is most alike by SSIM.
    Ssim,
    /// The augmented support that is most alike by PSNR.
    Psnr,
}

impl Method {
    /// All, in the order of the table.
    pub const ALL: [Self; 6] = [
        Self::Copy,
        Self::Fifo,
        Self::SupportCopy,
        Self::Plain,
        Self::Ssim,
        Self::Psnr,
    ];

    /// As it is written on a command line and in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Fifo => "fifo",
            Self::SupportCopy => "support-copy",
            Self::Plain => "few-shot-plain",
            Self::Ssim => "few-shot-ssim",
            Self::Psnr => "few-shot-psnr",
        }
    }

    /// Where its mask comes from.
    pub fn task(self) -> Task {
        match self {
            Self::Copy | Self::Fifo => Task::Propagation,
            _ => Task::FewShot,
        }
    }
}

impl FromStr for Method {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|m| m.name() == text);
        known.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("method `{text}` is none of {names}")
        })
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What all methods share.
pub struct Engine {
    pub model: Sam2,
    pub image_size: ImageSize,
}

/// A true mask that is given.
pub struct Prompt<'a> {
    /// The query itself, or another scan.
    pub scan: &'a Case,
    pub slice: usize,
    pub mask: Mask,
}

/// What is asked for.
pub struct Query<'a> {
    pub scan: &'a Case,
    /// Number of the structure; also the one in the result.
    pub label: u16,
    /// Slices that are asked for; a propagation goes through all.
    pub slices: &'a [usize],
}

/// Segments.
pub fn run(
    method: Method,
    engine: &Engine,
    prompt: &Prompt,
    query: &Query,
) -> Result<LabelMap, Failure> {
    let augmented = AugmentOptions::default();
    let plain = AugmentOptions {
        per_query: 0,
        ..augmented
    };
    match method {
        Method::Copy | Method::SupportCopy => copy(prompt, query),
        Method::Fifo => propagate(engine, prompt, query),
        // With one support there is nothing to choose: the cheapest matcher does.
        Method::Plain => few_shot(engine, Psnr::default(), &plain, prompt, query),
        Method::Ssim => few_shot(engine, Ssim::default(), &augmented, prompt, query),
        Method::Psnr => few_shot(engine, Psnr::default(), &augmented, prompt, query),
    }
}

fn copy(prompt: &Prompt, query: &Query) -> Result<LabelMap, Failure> {
    let mask = stretched(&prompt.mask, query.scan.volume.slice_shape(query.scan.axis));
    let mut result = Painting::new(query);
    for &slice in query.slices {
        result.set(slice, mask.pixels.iter().copied())?;
    }
    Ok(result.labels)
}

/// A mask on another slice's pixels, nearest neighbours.
fn stretched(mask: &Mask, shape: SliceShape) -> Mask {
    let from = mask.shape;
    let nearest = |to: usize, of: usize, into: usize| (2 * to + 1) * of / (2 * into);
    let pixel = |at: usize| {
        let row = nearest(at / shape.cols, from.rows, shape.rows);
        let col = nearest(at % shape.cols, from.cols, shape.cols);
        mask.pixels[row * from.cols + col]
    };
    Mask {
        shape,
        pixels: (0..shape.area()).map(pixel).collect(),
    }
}

fn propagate(engine: &Engine, prompt: &Prompt, query: &Query) -> Result<LabelMap, Failure> {
    let scan = query.scan;
    let options = SessionOptions {
        axis: scan.axis,
        window: scan.window,
        image_size: engine.image_size,
    };
    let mut session = Session::new(&engine.model, Arc::clone(&scan.volume), options);
    session.add_mask(query.label, prompt.slice, prompt.mask.clone())?;
    session.start(Direction::Both)?;
    while pollster::block_on(session.next())?.is_some() {}
    Ok(session.label_map().clone())
}

fn few_shot<K: Matcher>(
    engine: &Engine,
    matcher: K,
    augment: &AugmentOptions,
    prompt: &Prompt,
    query: &Query,
) -> Result<LabelMap, Failure> {
    let support = Support {
        grey: grey(prompt.scan, prompt.slice)?,
        mask: prompt.mask.clone(),
    };
    let supports = support_set(&support, query.slices.len(), augment);
    let frames = Sam2Frames::new(engine.model.clone(), engine.image_size);
    let mut few_shot = FewShot::new(frames, matcher, supports);
    let mut result = Painting::new(query);
    for &slice in query.slices {
        let asked = QuerySlice {
            grey: grey(query.scan, slice)?,
            shape: query.scan.volume.slice_shape(query.scan.axis),
        };
        let found = pollster::block_on(few_shot.segment(&asked))?;
        result.set(slice, found.readout.logits.iter().map(|&logit| logit > 0.0))?;
    }
    Ok(result.labels)
}

fn grey(scan: &Case, slice: usize) -> Result<Vec<u8>, Failure> {
    Ok(scan.volume.slice_u8(scan.axis, slice, &scan.window)?)
}

/// A label map being made slice by slice.
struct Painting<'a> {
    query: &'a Query<'a>,
    labels: LabelMap,
}

impl<'a> Painting<'a> {
    fn new(query: &'a Query) -> Self {
        let labels = LabelMap::empty(query.scan.volume.grid.clone());
        Self { query, labels }
    }

    fn set(&mut self, slice: usize, inside: impl Iterator<Item = bool>) -> Result<(), Failure> {
        let label = |inside| if inside { self.query.label } else { 0 };
        let labels: Vec<u16> = inside.map(label).collect();
        Ok(self
            .labels
            .set_slice(self.query.scan.axis, slice, &labels)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_read_as_they_are_written() {
        for method in Method::ALL {
            assert_eq!(method.to_string().parse(), Ok(method));
        }
        let error = "magic".parse::<Method>().unwrap_err();
        assert!(
            error.starts_with("method `magic` is none of copy, fifo"),
            "{error}"
        );
    }

    #[test]
    fn a_mask_is_stretched_to_another_size() {
        let shape = |rows, cols| SliceShape { rows, cols };
        let mask = Mask::new(shape(2, 2), vec![true, false, false, true]).unwrap();
        assert_eq!(stretched(&mask, shape(2, 2)), mask);
        let wide = stretched(&mask, shape(2, 4));
        let expected = [true, true, false, false, false, false, true, true];
        assert_eq!(wide.pixels, expected);
        assert_eq!(stretched(&wide, shape(2, 2)), mask);
    }
}
