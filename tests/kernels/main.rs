//! Our kernels against Burn's own operations on the CPU, over shapes that are no multiple of anything.
//!
//! The graphics card's need `ONESLICE_WGPU=1`; both its variants run on whatever adapter there is.

#[path = "../common/mod.rs"]
mod common;

mod attention;
mod harness;
