//! The arguments, as clap reads them.

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use oneslice::checkpoint::Group;
use oneslice::kernels::Bits;
use oneslice::propagate::Direction;
use oneslice::propagate::few_shot::AugmentOptions;
use oneslice::sam2::ImageSize;
use oneslice::volume::{Axis, Window};

use super::eval::Method;
use super::export::Export;
use super::measure::Measure;
use super::memory::MemoryArguments;
use super::one_prompt::OnePrompt;
use super::scans::Choice;
use super::segment::PointArguments;
use super::values::{
    SliceRange, nifti_gz, parse_bits, parse_finite, parse_image_size, parse_range, parse_window,
    safetensors,
};

const AFTER_HELP: &str = "\
Example: oneslice segment scan.nii.gz --mask one-slice.nii.gz --out seg.nii.gz

Exit codes: 0 done, 1 failed (one line on standard error says why), 2 wrong arguments.";

/// Segments a whole medical scan from one mask on one slice, on this machine. Not a medical
/// device.
#[derive(Parser)]
#[command(name = "oneslice", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
    /// Print results as JSON, without progress
    #[arg(long, global = true, display_order = 900)]
    pub json: bool,
}

#[derive(Subcommand)]
pub enum Command {
    /// Propagate the mask of one slice through the whole scan
    Segment(Segment),
    /// Find what is masked on one image on a folder of others, which need no order
    OnePrompt(OnePrompt),
    /// Segment scans by labelled slices of other scans, without training: few-shot
    FewShot(FewShot),
    /// How different two images look, from 0 for equal ones: LPIPS
    Lpips(Lpips),
    /// Compare two label maps: the Dice coefficient of every label
    Dice(Dice),
    /// Volume, extent and grey values of each label of a segmentation
    Measure(Measure),
    /// Write a segmentation for other programs: DICOM SEG, RTSTRUCT, PNG, STL, OBJ, NIfTI
    Export(Export),
    /// Compare methods on a data set with true labels: Dice, NSD and time of each
    Eval(Eval),
    /// List, download, convert, quantize and inspect model weights
    Weights {
        #[command(subcommand)]
        command: Weights,
    },
    /// Describe a scan
    Info(Info),
    /// Write an invented scan and a mask on one of its slices, to try the others on
    Sample {
        /// Folder for sample.nii.gz and sample-mask.nii.gz
        folder: PathBuf,
    },
}

// Numbers allow a minus sign, so that `--slice -1` is a wrong number, not an unknown option.
#[derive(Args)]
pub struct Segment {
    /// The scan: a file (NIfTI, NRRD, MetaImage, DICOM, pictures), several, a folder or a ZIP archive
    #[arg(required = true)]
    pub scan: Vec<PathBuf>,
    /// Label map on the scan's grid; only the prompted slice of each label is read
    #[arg(long, required_unless_present_any = ["points", "corners"], conflicts_with_all = ["points", "corners"])]
    pub mask: Option<PathBuf>,
    #[command(flatten)]
    pub points: PointArguments,
    /// Propagate this label only [default: every label of the mask, or of --slice; with --point or --box 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub label: Option<u16>,
    /// Prompt on this slice, counted from 0 [default: where the label is largest]
    #[arg(long, value_name = "K", allow_negative_numbers = true)]
    pub slice: Option<usize>,
    /// Cut slices across the voxel axis closest to this one: axial, coronal or sagittal
    #[arg(long, default_value = "axial")]
    pub axis: Axis,
    /// Where to go from the prompted slice: both, forward (rising numbers) or backward
    #[arg(long, default_value = "both", value_parser = str::parse::<Direction>)]
    pub direction: Direction,
    /// Visit slices A to B only, both included, and the prompted one [default: all]
    #[arg(long, value_name = "A,B", allow_hyphen_values = true, value_parser = parse_range)]
    pub range: Option<SliceRange>,
    /// Name of a model (see `oneslice weights list`), or a checkpoint: .safetensors, or Meta's .pt
    #[arg(long, value_name = "WEIGHTS", default_value = "nano")]
    pub model: String,
    /// What computes: cpu, or wgpu for a graphics card
    #[arg(long, value_enum, default_value_t = DeviceKind::Cpu, hide_possible_values = true)]
    pub device: DeviceKind,
    /// Side of the square the model sees, a multiple of 32 from 128 to 1024 [default: what suits model and slices]
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = parse_image_size)]
    pub image_size: Option<ImageSize>,
    /// Values shown from black to white, such as -160,240 [default: percentiles 0.5 and 99.5]
    #[arg(long, value_name = "LO,HI", allow_hyphen_values = true, value_parser = parse_window)]
    pub window: Option<Window>,
    #[command(flatten)]
    pub choice: Choice,
    /// Write predicted IoU and object score of every slice and label to this JSON file
    #[arg(long, value_name = "FILE.json")]
    pub scores: Option<PathBuf>,
    /// Add X to every object score (a logit; below 0 a slice is left empty): above 0 where the object is on nearly every slice,
    /// as in a video, below 0 where it is drawn beyond its end
    #[arg(long, value_name = "X", default_value_t = 0.0, allow_negative_numbers = true, value_parser = parse_finite)]
    pub object_score_bias: f32,
    #[command(flatten)]
    pub memory: MemoryArguments,
    /// Write which memories each slice used, and why its own was kept or not, to this JSON file
    #[arg(long, value_name = "FILE.json")]
    pub explain: Option<PathBuf>,
    /// The segmentation to write, on the scan's grid
    #[arg(long, value_name = "SEG.nii.gz", value_parser = PathBufValueParser::new().try_map(nifti_gz))]
    pub out: PathBuf,
}

#[derive(Args)]
pub struct FewShot {
    /// A labelled scan: a file, a folder of DICOM or a ZIP archive; given again with another --mask, one more
    #[arg(long, value_name = "SCAN", required = true)]
    pub support: Vec<PathBuf>,
    /// Label map on its grid; only the support slices are read
    #[arg(long, required = true)]
    pub mask: Vec<PathBuf>,
    /// Find this label only [default: every label of the masks, or of --slice]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub label: Option<u16>,
    /// Slices of every labelled scan to learn from, counted from 0 [default: where a label is largest]
    #[arg(long, value_name = "K", num_args = 1.., allow_negative_numbers = true)]
    pub slice: Vec<usize>,
    /// The scans to segment: files, folders of DICOM or ZIP archives
    #[arg(long, value_name = "SCAN", num_args = 1.., required = true)]
    pub query: Vec<PathBuf>,
    /// Folder for NAME_seg.nii.gz, NAME_slices.json and NAME_slices.csv of every scan; made if it is not there
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// How the support most like a slice is found: lpips, ssim, psnr, or none (a label's first support)
    #[arg(long, value_enum, default_value_t = MatcherKind::Lpips, hide_possible_values = true)]
    pub matcher: MatcherKind,
    /// LPIPS network by name (lpips-tiny, lpips-alex, lpips-squeeze, lpips-vgg), or a file of one
    #[arg(long, value_name = "NET", default_value = "lpips-tiny")]
    pub lpips: String,
    #[command(flatten)]
    pub augment: Augment,
    /// Refuse a label on a slice unless its object score (a logit) is larger
    #[arg(
        long,
        value_name = "X",
        default_value_t = 0.0,
        allow_negative_numbers = true
    )]
    pub min_object_score: f32,
    /// Carry accepted slices along in a self-sorting memory, beside the chosen support; --memory and its numbers are for it
    #[arg(long)]
    pub carry: bool,
    #[command(flatten)]
    pub memory: MemoryArguments,
    /// Cut slices across the voxel axis closest to this one: axial, coronal or sagittal
    #[arg(long, default_value = "axial")]
    pub axis: Axis,
    /// Name of a model (see `oneslice weights list`), or a checkpoint: .safetensors, or Meta's .pt
    #[arg(long, value_name = "WEIGHTS", default_value = "nano")]
    pub model: String,
    /// What computes: cpu, or wgpu for a graphics card
    #[arg(long, value_enum, default_value_t = DeviceKind::Cpu, hide_possible_values = true)]
    pub device: DeviceKind,
    /// Side of the square the model sees, a multiple of 32 from 128 to 1024 [default: what suits model and slices]
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = parse_image_size)]
    pub image_size: Option<ImageSize>,
    /// Values shown from black to white, such as -160,240 [default: each scan's percentiles 0.5 and 99.5]
    #[arg(long, value_name = "LO,HI", allow_hyphen_values = true, value_parser = parse_window)]
    pub window: Option<Window>,
    /// The same for labelled scans of another kind than the scans to segment [default: as --window]
    #[arg(long, value_name = "LO,HI", allow_hyphen_values = true, value_parser = parse_window)]
    pub support_window: Option<Window>,
    /// Which volume of 4-D scans, counted from 0
    #[arg(long, value_name = "V", allow_negative_numbers = true)]
    pub volume: Option<usize>,
}

/// How labelled slices are multiplied.
#[derive(Args)]
pub struct Augment {
    /// Augmented copies of each support for each slice of a scan
    #[arg(long, value_name = "N", default_value_t = AugmentOptions::default().per_query, allow_negative_numbers = true)]
    pub copies: usize,
    /// Copies are turned by up to so many degrees
    #[arg(long, value_name = "DEGREES", default_value_t = AugmentOptions::default().rotation, allow_negative_numbers = true)]
    pub rotation: f32,
    /// Copies are larger or smaller by up to this share
    #[arg(long, value_name = "SHARE", default_value_t = AugmentOptions::default().scale, allow_negative_numbers = true)]
    pub scale: f32,
    /// Copies are sheared by up to so many degrees
    #[arg(long, value_name = "DEGREES", default_value_t = AugmentOptions::default().shear, allow_negative_numbers = true)]
    pub shear: f32,
    /// Copies are moved by up to this share of the longer side
    #[arg(long, value_name = "SHARE", default_value_t = AugmentOptions::default().translation, allow_negative_numbers = true)]
    pub translation: f32,
    /// Copies are brighter or darker by up to this share of full brightness; the mask stays
    #[arg(long, value_name = "SHARE", default_value_t = AugmentOptions::default().brightness, allow_negative_numbers = true)]
    pub brightness: f32,
    /// Contrast of copies changes by up to this share; the mask stays
    #[arg(long, value_name = "SHARE", default_value_t = AugmentOptions::default().contrast, allow_negative_numbers = true)]
    pub contrast: f32,
    /// Same seed, same copies
    #[arg(long, value_name = "N", default_value_t = AugmentOptions::default().seed, allow_negative_numbers = true)]
    pub seed: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MatcherKind {
    Lpips,
    Ssim,
    Psnr,
    None,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeviceKind {
    Cpu,
    Wgpu,
}

#[derive(Args)]
pub struct Lpips {
    /// An image: PNG or JPEG
    pub a: PathBuf,
    /// Another one of the same size
    pub b: PathBuf,
    /// Name of a network (lpips-tiny, lpips-alex, lpips-squeeze, lpips-vgg), or a file of one
    #[arg(long, value_name = "NET", default_value = "lpips-tiny")]
    pub net: String,
    /// What computes: cpu, or wgpu for a graphics card
    #[arg(long, value_enum, default_value_t = DeviceKind::Cpu, hide_possible_values = true)]
    pub device: DeviceKind,
}

#[derive(Args)]
pub struct Dice {
    /// A label map
    pub a: PathBuf,
    /// Another one on the same grid
    pub b: PathBuf,
    /// Only this label [default: every label of either]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub label: Option<u16>,
    /// Leave out this slice, such as the prompted one, counted from 0
    #[arg(long, value_name = "K", allow_negative_numbers = true)]
    pub exclude_slice: Option<usize>,
    /// Axis of the excluded slice: axial, coronal or sagittal
    #[arg(long, default_value = "axial")]
    pub axis: Axis,
}

#[derive(Args)]
pub struct Eval {
    /// What is evaluated and how: a TOML file (see protocols/README.md)
    pub protocol: PathBuf,
    /// Folder of the data set
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Folder for results.csv, results.json and results.svg; made where there is none
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Methods to compare, with commas between them [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', hide_default_value = true, default_values_t = Method::ALL, value_parser = str::parse::<Method>)]
    pub methods: Vec<Method>,
    /// Network of the LPIPS matcher: lpips-tiny, lpips-alex, lpips-squeeze, lpips-vgg, or a file of one
    #[arg(long, value_name = "NET", default_value = "lpips-tiny")]
    pub lpips: String,
    /// Augmented copies of a support for each slice, of the methods that compare (the paper's N_T)
    #[arg(long, value_name = "N", default_value_t = AugmentOptions::default().per_query, allow_negative_numbers = true)]
    pub copies: usize,
    /// Name of a model (see `oneslice weights list`), or a checkpoint: .safetensors, or Meta's .pt
    #[arg(long, value_name = "WEIGHTS", default_value = "nano")]
    pub model: String,
    /// What computes: cpu, or wgpu for a graphics card
    #[arg(long, value_enum, default_value_t = DeviceKind::Cpu, hide_possible_values = true)]
    pub device: DeviceKind,
    /// Side of the square the model sees, a multiple of 32 from 128 to 1024 [default: what suits model and slices]
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = parse_image_size)]
    pub image_size: Option<ImageSize>,
}

#[derive(Args)]
pub struct Info {
    /// The scan: a file (NIfTI, NRRD, MetaImage, DICOM, pictures), several, a folder or a ZIP archive
    #[arg(required = true)]
    pub scan: Vec<PathBuf>,
    #[command(flatten)]
    pub choice: Choice,
}

#[derive(Subcommand)]
pub enum Weights {
    /// List the models there are
    List,
    /// Download an official file, resuming an earlier attempt, and check its SHA-256
    Fetch {
        /// tiny, small, base-plus or large; lpips-alex, lpips-squeeze or lpips-vgg
        name: String,
    },
    /// Convert a checkpoint to .safetensors with the same keys
    Convert {
        /// A .pt or .safetensors file
        input: PathBuf,
        /// The file to write
        #[arg(long, value_name = "OUT.safetensors", value_parser = PathBufValueParser::new().try_map(safetensors))]
        out: PathBuf,
        /// Float type on disk
        #[arg(long, value_enum, default_value_t = PrecisionKind::F32)]
        precision: PrecisionKind,
        /// For LPIPS: the heads that its authors publish, joined to INPUT, a network of torchvision's
        #[arg(long, value_name = "HEADS.pth")]
        lpips_heads: Option<PathBuf>,
    },
    /// Pack the weights of a checkpoint in 8 or 4 bits, for smaller files and less memory
    Quantize {
        /// Name of a model or LPIPS network that is here (see `oneslice weights list`), or a .pt or .safetensors file
        input: String,
        /// Bits of a weight: 8 or 4
        #[arg(long, value_parser = parse_bits)]
        bits: Bits,
        /// Inputs that share a scale: 32, 64 or channel (all) [default: channel at 8 bits, 64 at 4]
        #[arg(long, value_name = "G")]
        group: Option<Group>,
        /// The file to write [default: INPUT-int8.safetensors or INPUT-int4.safetensors, in this folder]
        #[arg(long, value_name = "OUT.safetensors", value_parser = PathBufValueParser::new().try_map(safetensors))]
        out: Option<PathBuf>,
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
