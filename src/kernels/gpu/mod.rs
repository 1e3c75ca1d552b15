//! WGSL kernels for graphics cards, launched through Burn's cubecl runtime. Each function declines, with `None`, what it
//! does not do.

mod adapter;
mod attention;
mod launch;
mod linear;
mod rope;
mod view;

pub use adapter::{AdapterClass, assume_class};
pub use attention::attention;
pub use linear::linear;
pub use rope::rope;
