//! MASK -> FILE. In: labels or values on a grid. Out: the bytes of a file other programs open. One module
//! per format.

mod error;
pub mod nifti;

pub use error::{ExportError, ExportErrorKind};
