//! MASK -> FILE. In: labels or values on a grid. Out: the bytes of a file other programs open, and figures. One module
//! per format.

#[cfg(feature = "formats")]
pub mod dicom;
mod error;
pub mod measure;
pub mod nifti;
#[cfg(feature = "formats")]
pub mod png_stack;
mod segment;
pub mod surface;

pub use error::{ExportError, ExportErrorKind};
pub use segment::Segment;
