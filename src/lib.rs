//! wip
pub mod checkpoint;
pub mod nn;
pub mod propagate;
pub mod sam2;
pub mod volume;
