//! Slices and prompts to masks: SAM 2's video predictor over a volume.
//!
//! In: a [`Volume`](crate::volume::Volume), a filled model, masks on slices, or points that become masks; out: slice
//! after slice, each with its labels' masks, predicted IoU and object score. This is the only place
//! that reads results back from the device, and it does so asynchronously.
//!
//! [`Session`] walks (`order`) through a volume and [`OnePrompt`] through images without an order;
//! [`ObjectTrack`] follows one label, [`memory_bank`] (SAM 2's rule) and [`memory`] (MedSAM-2's) choose what
//! a slice remembers, `frame_model` joins them to the model.

mod error;
pub mod few_shot;
mod frame_model;
mod held_memory;
mod label_volume;
pub mod memory;
pub mod memory_bank;
mod object_track;
mod one_prompt;
mod order;
mod points;
mod seeded;
mod session;
mod subject;
mod warm_up;

pub use error::{SessionError, SessionErrorKind};
pub use frame_model::{
    AttentionModel, Before, FrameModel, Normed, PointModel, Readout, Recall, Sam2Frames,
    SimilarityModel,
};
pub use held_memory::{DeviceMemory, HeldMemory};
pub use memory::{MemoryOptions, MemoryReport, Strategy};
pub use object_track::ObjectTrack;
pub use one_prompt::{OnePrompt, OnePromptOptions, OnePromptResult};
pub use order::{Course, Direction, Pass};
pub use points::{Click, PointPrompt, SlicePoint};
pub use session::{
    Attention, LabelResult, Pending, Preview, RunState, Session, SessionOptions, SliceResult,
};
pub use warm_up::WarmUp;
