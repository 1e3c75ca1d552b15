//! OneSlice segments a whole medical scan from one mask on one slice, with SAM 2.1 on Burn.
//!
//! ```text
//! file -> scan -> Volume -> slice -> image encoder -> memory -> mask -> LabelMap -> export -> file
//! ```
//!
//! The modules are the stages; ARCHITECTURE.md says what each may know. Not a medical device.
//!
//! ```
//! use std::sync::Arc;
//! use burn::tensor::Device;
//! use oneslice::checkpoint::{self, TensorFile};
//! use oneslice::propagate::{Direction, Session, SessionOptions};
//! use oneslice::sam2::ImageSize;
//! use oneslice::volume::{Axis, Window, phantom};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # pollster::block_on(async {
//! // A scan would come from `scan::read(name, &bytes, &options)?`.
//! let (volume, organs) = phantom::phantom([32, 32, 6]);
//! let weights = std::fs::read("weights/nano/sam2-nano.safetensors")?;
//! let weights = TensorFile::from_safetensors("nano", weights)?;
//! let (_, model) = checkpoint::load(&weights, &Device::flex())?;
//!
//! let axis = Axis::Axial.of(&volume.grid);
//! let slice = organs.largest_slice(axis, phantom::LIVER).ok_or("no liver")?;
//! let mask = organs.slice_mask(axis, slice, phantom::LIVER)?;
//! let window = Window::auto(&volume);
//! let image_size = ImageSize::new(128).ok_or("not an image size")?;
//! let options = SessionOptions { axis, window, image_size };
//! let mut session = Session::new(&model, Arc::new(volume), options);
//! session.add_mask(phantom::LIVER, slice, mask)?;
//! session.start(Direction::Both)?;
//! let mut slices = 0;
//! while let Some(result) = session.next().await? {
//!     slices += result.labels.len(); // a mask, its predicted IoU and its object score
//! }
//! assert_eq!(slices, 6);
//! assert!(session.label_map().labels.contains(&phantom::LIVER));
//! # Ok(())
//! # })
//! # }
//! ```

// The browser's second module is readers alone (src/web/readers.rs): it is built without the engine.
#[cfg(feature = "engine")]
pub mod checkpoint;
pub mod eval;
pub mod export;
#[cfg(feature = "engine")]
pub mod kernels;
#[cfg(feature = "engine")]
pub mod lpips;
#[cfg(feature = "engine")]
pub mod nn;
#[cfg(feature = "engine")]
pub mod propagate;
#[cfg(feature = "engine")]
pub mod sam2;
pub mod scan;
pub mod volume;
#[cfg(all(target_arch = "wasm32", feature = "engine"))]
pub mod web;
#[cfg(all(target_arch = "wasm32", not(feature = "engine")))]
#[path = "web/readers.rs"]
pub mod web;
