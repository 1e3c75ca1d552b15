//! LPIPS: how different two images look, by the features of a small network (Zhang et al., CVPR 2018).
//!
//! ```text
//! image --scaling layer--> backbone --> 5 or 7 maps, each pixel of length 1 --> Features
//! distance(a, b) = sum over maps of mean over pixels of sum over channels of w_c (a_c - b_c)²
//! ```
//!
//! In: images as tensors; out: tensors. [`Features`] are computed once for each image and compared as often as needed:
//! n supports and m queries cost n + m backbone runs. No file, no browser, no readback, no `Result`: a wrong shape is
//! a bug and panics. The numbers are those of the `lpips` Python package, version 0.1.
//!
//! | here | `lpips` |
//! |---|---|
//! | `net.rs`, `backbone.rs` | `pretrained_networks.py`, torchvision's `features` |
//! | `features.rs` | `LPIPS.forward`, `normalize_tensor`, `NetLinLayer` |
//! | `image.rs` | `im2tensor`, `ScalingLayer` |

mod backbone;
mod features;
mod image;
mod net;

pub use backbone::{Backbone, Feature, Fire, Head};
pub use features::{Features, Lpips};
pub use image::{from_grey, from_rgb};
pub use net::Net;
