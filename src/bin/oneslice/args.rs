//! The arguments, as clap reads them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use oneslice::propagate::Direction;
use oneslice::volume::{Axis, Window};

/// Segments a whole medical scan from one mask on one slice, on this machine. Not a medical
/// device.
#[derive(Parser)]
#[command(name = "oneslice", version, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
    /// Print results as JSON, without progress
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Subcommand)]
pub enum Command {
    /// Propagate a mask on one slice through the scan
    Segment(Segment),
    /// Compare two label maps
    Dice(Dice),
    /// Look after model weights
    Weights {
        #[command(subcommand)]
        command: Weights,
    },
    /// Describe a scan
    Info(Info),
}

#[derive(Args)]
pub struct Segment {
    /// The scan: NIfTI-1 (.nii, .nii.gz)
    pub scan: PathBuf,
    /// Label map on the scan's grid; only the prompted slice of each label is read
    #[arg(long)]
    pub mask: PathBuf,
    /// Propagate this label only [default: every label of the mask]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub label: Option<u16>,
    /// Prompt on this slice, counted from 0 [default: where the label is largest]
    #[arg(long)]
    pub slice: Option<usize>,
    /// Cut slices across the voxel axis closest to this one: axial, coronal or sagittal
    #[arg(long, default_value = "axial")]
    pub axis: Axis,
    /// Where to go from the prompted slice: both, forward or backward
    #[arg(long, default_value = "both", value_parser = str::parse::<Direction>)]
    pub direction: Direction,
    /// Name of a model, or a checkpoint file (.safetensors, or Meta's .pt)
    #[arg(long, default_value = "nano")]
    pub model: String,
    /// What computes
    #[arg(long, value_enum, default_value_t = DeviceKind::Cpu)]
    pub device: DeviceKind,
    /// Side of the square the model sees, a multiple of 32 from 128 to 1024 [default: the model's]
    #[arg(long)]
    pub image_size: Option<usize>,
    /// Values shown from black to white, e.g. -160,240 [default: percentiles 0.5 and 99.5]
    #[arg(long, value_name = "LO,HI", allow_hyphen_values = true, value_parser = parse_window)]
    pub window: Option<Window>,
    /// Which volume of a 4-D scan, counted from 0
    #[arg(long)]
    pub volume: Option<usize>,
    /// Write predicted IoU and object score of every slice and label to this JSON file
    #[arg(long, value_name = "FILE.json")]
    pub scores: Option<PathBuf>,
    /// The segmentation to write (.nii.gz)
    #[arg(long)]
    pub out: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeviceKind {
    /// The processor
    Cpu,
    /// A graphics card, through wgpu
    Wgpu,
}

#[derive(Args)]
pub struct Dice {
    /// A label map
    pub a: PathBuf,
    /// Another one on the same grid
    pub b: PathBuf,
    /// Only this label [default: every label of either]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub label: Option<u16>,
    /// Leave out this slice, such as the prompted one
    #[arg(long)]
    pub exclude_slice: Option<usize>,
    /// Axis of the excluded slice
    #[arg(long, default_value = "axial")]
    pub axis: Axis,
}

#[derive(Args)]
pub struct Info {
    /// The scan
    pub scan: PathBuf,
    /// Which volume of a 4-D scan, counted from 0
    #[arg(long)]
    pub volume: Option<usize>,
}

#[derive(Subcommand)]
pub enum Weights {
    /// List the models there are
    List,
    /// Download Meta's official file, resuming an earlier attempt, and check its SHA-256
    Fetch {
        /// tiny, small, base-plus or large
        name: String,
    },
    /// Convert a checkpoint to .safetensors with the same keys
    Convert {
        /// A .pt or .safetensors file
        input: PathBuf,
        /// The .safetensors file to write
        #[arg(long)]
        out: PathBuf,
        /// Float type on disk
        #[arg(long, value_enum, default_value_t = PrecisionKind::F32)]
        precision: PrecisionKind,
    },
    /// Show a checkpoint's configuration and tensors
    Inspect {
        /// A .pt or .safetensors file
        input: PathBuf,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PrecisionKind {
    F32,
    F16,
}

fn parse_window(text: &str) -> Result<Window, String> {
    let number = |text: &str| {
        let number = text.trim().parse::<f32>();
        number.map_err(|_| format!("`{text}` is no number"))
    };
    let (lo, hi) = text
        .split_once(',')
        .ok_or("expected LO,HI, such as -160,240")?;
    Window::new(number(lo)?, number(hi)?).map_err(|e| e.to_string())
}
