//! The real binary on real files: what it writes, prints and says, and its exit codes.

#[path = "../common/checkpoints.rs"]
mod checkpoints;

mod arguments;
mod bad_input;
mod desk;
mod dice_info;
mod prompts;
mod sample;
mod segment;
mod weights;
