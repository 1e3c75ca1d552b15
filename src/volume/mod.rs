//! VOLUME <-> SLICES. In: voxel values in storage order and their place in the patient.
//! Out: 2-D slices (8-bit grey, masks) across any voxel axis, and label maps built slice by slice.
//!
//! Plain arrays and pure functions: no tensors, no files. Voxel indices, millimetres and model pixels
//! have their own types, so that they cannot be mixed up.
//!
//! The slice across voxel axis `a` has the **higher** of the two remaining voxel axes as rows and the
//! **lower** as columns, in storage order. It is never flipped or resampled: that is the display's part.

mod affine;
mod error;
mod grid;
mod labels;
mod lay;
mod mask;
mod orient;
pub mod phantom;
mod slices;
mod turn;
mod window;

pub use affine::{Affine, InverseAffine, Millimetre, PatientPoint, VoxelPoint};
pub use error::{VolumeError, VolumeErrorKind};
pub use grid::{AFFINE_TOLERANCE, Grid, same_grid};
pub use labels::LabelMap;
pub use mask::{Mask, SliceShape};
pub use orient::{Axis, VoxelAxis, orientation_letters};
pub use slices::Volume;
pub use turn::{SlicePlane, SliceTurn};
pub use window::Window;
