//! The methods that are compared. In: a scan, and a true mask on one of its slices or on a slice of another scan. Out: the
//! scan's label map. Each is one function; what it may look at is what it is given.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use oneslice::lpips::Lpips;
use oneslice::propagate::few_shot::{
    AugmentOptions, FewShot, FewShotOptions, Measure, SupportScan,
};
use oneslice::propagate::{Direction, MemoryOptions, Session, SessionOptions, Strategy};
use oneslice::sam2::{ImageSize, Sam2, Sam2Config};
use oneslice::volume::{
    Axis, Grid, LabelMap, Mask, SlicePlane, SliceShape, SliceTurn, Volume, VoxelAxis, VoxelPoint,
};

use super::read::Case;
use crate::Failure;

/// Where the given mask is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Baseline: the given mask on every slice.
    Copy,
    /// SAM 2 both ways through the scan, with one of the memory strategies and its usual numbers.
    Memory(Strategy),
    /// Baseline: the support's mask on every slice asked for, stretched to it.
    SupportCopy,
    /// The support as it is, for all slices: no augmentation, so nothing to match.
    Plain,
    /// The augmented support that is most alike by SSIM.
    Ssim,
    /// The augmented support that is most alike by PSNR.
    Psnr,
    /// The augmented support that is most alike by LPIPS: the paper's method.
    Lpips,
    /// The same, with accepted slices carried along in a self-sorting memory.
    Carry,
}

impl Method {
    /// All, in the order of the table.
    pub const ALL: [Self; 10] = [
        Self::Copy,
        Self::Memory(Strategy::Fifo),
        Self::Memory(Strategy::SelfSorting),
        Self::Memory(Strategy::SelfSortingReleased),
        Self::SupportCopy,
        Self::Plain,
        Self::Ssim,
        Self::Psnr,
        Self::Lpips,
        Self::Carry,
    ];

    /// As it is written on a command line and in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Memory(strategy) => strategy.name(),
            Self::SupportCopy => "support-copy",
            Self::Plain => "few-shot-plain",
            Self::Ssim => "few-shot-ssim",
            Self::Psnr => "few-shot-psnr",
            Self::Lpips => "few-shot-lpips",
            Self::Carry => "few-shot-carry",
        }
    }

    /// Its place in the table.
    pub fn place(self) -> usize {
        let place = Self::ALL.into_iter().position(|m| m == self);
        place.expect("ALL has all methods")
    }

    /// Where its mask comes from.
    pub fn task(self) -> Task {
        match self {
            Self::Copy | Self::Memory(_) => Task::Propagation,
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
    pub config: Sam2Config,
    /// None for what suits the slices.
    pub image_size: Option<ImageSize>,
    pub lpips: Arc<Lpips>,
    /// Augmented copies of a support for each slice asked for.
    pub copies: usize,
}

impl Engine {
    fn image_size(&self, slice: SliceShape, object: Option<f64>) -> ImageSize {
        let suited = || self.config.image_size_for(slice.longest(), object);
        self.image_size.unwrap_or_else(suited)
    }
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
    pub slices: Range<usize>,
}

/// Segments.
pub fn run(
    method: Method,
    engine: &Engine,
    prompt: &Prompt,
    query: &Query,
) -> Result<LabelMap, Failure> {
    let lpips = || Measure::Lpips(Arc::clone(&engine.lpips));
    let (measure, carry) = match method {
        Method::Copy | Method::SupportCopy => return copy(prompt, query),
        Method::Memory(strategy) => return propagate(engine, strategy, prompt, query),
        Method::Plain => (Measure::None, None),
        Method::Ssim => (Measure::Ssim, None),
        Method::Psnr => (Measure::Psnr, None),
        Method::Lpips => (lpips(), None),
        Method::Carry => (lpips(), Some(Strategy::SelfSorting)),
    };
    let memory = |strategy| MemoryOptions::new(strategy, None, None, None);
    let options = FewShotOptions {
        augment: AugmentOptions {
            per_query: engine.copies,
            ..AugmentOptions::default()
        },
        carry: carry.map(memory).transpose()?,
        ..FewShotOptions::default()
    };
    few_shot(engine, (measure, options), prompt, query)
}

fn copy(prompt: &Prompt, query: &Query) -> Result<LabelMap, Failure> {
    let plane = |scan: &Case| SlicePlane::of(&scan.volume.grid, scan.axis);
    let turn = SliceTurn::between(plane(prompt.scan), plane(query.scan));
    let turned = Mask {
        shape: turn.shape(prompt.mask.shape),
        pixels: turn.apply(&prompt.mask.pixels, prompt.mask.shape),
    };
    let mask = stretched(&turned, query.scan.volume.slice_shape(query.scan.axis));
    let label = |&inside: &bool| if inside { query.label } else { 0 };
    let labels: Vec<u16> = mask.pixels.iter().map(label).collect();
    let mut result = LabelMap::empty(query.scan.volume.grid.clone());
    for slice in query.slices.clone() {
        result.set_slice(query.scan.axis, slice, &labels)?;
    }
    Ok(result)
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

fn propagate(
    engine: &Engine,
    strategy: Strategy,
    prompt: &Prompt,
    query: &Query,
) -> Result<LabelMap, Failure> {
    let scan = query.scan;
    let options = SessionOptions {
        axis: scan.axis,
        window: scan.window,
        image_size: engine.image_size(prompt.mask.shape, Some(prompt.mask.share())),
    };
    let mut session = Session::new(&engine.model, Arc::clone(&scan.volume), options);
    session.set_memory(MemoryOptions::new(strategy, None, None, None)?);
    session.add_mask(query.label, prompt.slice, prompt.mask.clone())?;
    session.start(Direction::Both)?;
    while pollster::block_on(session.next())?.is_some() {}
    Ok(session.label_map().clone())
}

fn few_shot(
    engine: &Engine,
    (measure, options): (Measure, FewShotOptions),
    prompt: &Prompt,
    query: &Query,
) -> Result<LabelMap, Failure> {
    let (given, asked) = (prompt.scan, query.scan);
    let axis = anatomical(&given.volume.grid, given.axis);
    let support = SupportScan::new(&given.volume, &given.truth, axis, given.window);
    let support = support.slice(prompt.slice, Some(query.label))?;
    // The number of copies is that of the slices asked for, so no others are shown.
    let part = part(&asked.volume, asked.axis, query.slices.clone())?;
    let axis = anatomical(&part.grid, asked.axis);
    let few_shot = FewShot::with_sam2(
        &engine.model,
        engine.image_size(asked.volume.slice_shape(asked.axis), None),
        measure,
        vec![support],
        options,
    );
    let mut few_shot = few_shot?;
    let found = few_shot.segment_volume(Arc::new(part), axis, asked.window);
    let found = pollster::block_on(found)?.labels;
    let mut result = LabelMap::empty(asked.volume.grid.clone());
    for (at, slice) in query.slices.clone().enumerate() {
        result.set_slice(asked.axis, slice, &found.slice(asked.axis, at)?)?;
    }
    Ok(result)
}

/// The anatomical axis that a voxel axis is closest to: each has its own.
fn anatomical(grid: &Grid, axis: VoxelAxis) -> Axis {
    let found = Axis::ALL.into_iter().find(|a| a.of(grid) == axis);
    found.expect("three anatomical axes have the three voxel axes")
}

/// Some slices of a volume, where they were in the patient.
fn part(volume: &Volume, axis: VoxelAxis, slices: Range<usize>) -> Result<Volume, Failure> {
    let mut dims = volume.grid.dims;
    dims[axis.index()] = slices.len();
    let mut first = [0.0; 3];
    first[axis.index()] = slices.start as f64;
    let mut affine = volume.grid.affine;
    let origin = affine.apply(VoxelPoint(first)).0;
    for (row, mm) in affine.0.iter_mut().zip(origin) {
        row[3] = mm.0;
    }
    let grid = Grid::new(dims, affine)?;
    let whole = volume.grid.dims;
    let value = |at: usize| {
        let mut voxel = grid.voxel_at(at);
        voxel[axis.index()] += slices.start;
        let [i, j, k] = voxel;
        volume.voxels[i + whole[0] * (j + whole[1] * k)]
    };
    let voxels = (0..grid.voxel_count()).map(value).collect();
    Ok(Volume::new(voxels, grid)?)
}

#[cfg(test)]
mod tests {
    use oneslice::volume::{Window, phantom};

    use super::*;

    #[test]
    fn methods_are_read_as_they_are_written() {
        for method in Method::ALL {
            assert_eq!(method.to_string().parse(), Ok(method));
            assert_eq!(Method::ALL[method.place()], method);
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

    #[test]
    fn a_part_of_a_volume_stays_in_its_place() {
        let (volume, _) = phantom::phantom([6, 5, 8]);
        let window = Window::auto(&volume);
        for axis in [VoxelAxis::I, VoxelAxis::J, VoxelAxis::K] {
            let part = part(&volume, axis, 2..5).unwrap();
            assert_eq!(part.slice_count(axis), 3);
            let (mut old, mut new) = ([0.0; 3], [0.0; 3]);
            (old[axis.index()], new[axis.index()]) = (3.0, 1.0);
            let place = |volume: &Volume, at| volume.grid.affine.apply(VoxelPoint(at));
            let pairs = place(&part, new).0.into_iter().zip(place(&volume, old).0);
            let off = pairs.map(|(a, b)| (a.0 - b.0).abs()).fold(0.0, f64::max);
            assert!(off < 1e-9, "{off} mm along {axis}");
            let slice = |volume: &Volume, at| volume.slice_u8(axis, at, &window).unwrap();
            assert_eq!(slice(&part, 1), slice(&volume, 3));
            assert_eq!(anatomical(&part.grid, axis).of(&volume.grid), axis);
        }
    }
}
