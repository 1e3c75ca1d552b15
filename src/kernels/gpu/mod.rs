//! WGSL kernels for graphics cards, launched through Burn's cubecl runtime. Each function declines, with `None`, what it
//! does not do.

mod adapter;
mod attention;
mod conv2d;
mod launch;
mod layer_norm;
mod linear;
mod rope;
mod view;

pub use adapter::{AdapterClass, assume_class};
pub use attention::attention;
pub use conv2d::{conv_transpose2x2, conv2d};
pub use layer_norm::layer_norm;
pub use linear::linear;
pub use rope::rope;
