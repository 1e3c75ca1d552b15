//! The real binary on real files: what it writes, prints and says, and its exit codes.

#[path = "../common/checkpoints.rs"]
mod checkpoints;
#[path = "../common/dicom.rs"]
mod dicom;
#[path = "../common/lpips.rs"]
mod lpips_nets;

mod arguments;
mod bad_input;
mod desk;
mod dice_info;
mod eval;
mod eval_layouts;
mod export;
mod few_shot;
mod lpips;
mod memory;
mod one_prompt;
mod points;
mod prompts;
mod sample;
mod segment;
mod weights;
