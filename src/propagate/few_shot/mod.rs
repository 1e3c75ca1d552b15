//! Training-free few-shot segmentation: augment labelled slices, match, prompt with the match.
//!
//! ```text
//! Support --laid onto the query's slices, augmented--> copies --Matcher--> features, once for each picture
//! query slice --Matcher--> distances --> nearest picture of each label --> <picture, slice> as a two-frame video
//! ```
//!
//! In: [`Support`]s, from the query's scan or from others, and a query volume; out: slice after slice each label's mask,
//! predicted IoU and object score, and which support was chosen (Zu et al., arXiv 2503.04826). Nothing is carried from
//! one query slice to the next unless [`FewShotOptions::carry`] says so, and a label's result does not depend on the other
//! labels. A set of n pictures and m query slices cost n + m runs of the matcher's network; the image encoder runs once for
//! each query slice and once for each picture that is chosen.

mod augment;
mod carry;
mod found;
mod lay;
mod likeness;
mod matcher;
mod pool;
mod run;
mod support;
mod values;

pub use augment::{AugmentOptions, augmented};
pub use found::{FewShotLabel, FewShotOptions, FewShotSlice, FewShotVolume};
pub use likeness::Square;
pub use matcher::{Matcher, Measure, Measured, MeasuredSlices};
pub use pool::Choice;
pub use run::FewShot;
pub use support::{GreySlice, Support, SupportScan};
pub use values::same_kind;

#[cfg(test)]
mod tests;
