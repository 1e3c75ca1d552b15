//! MASKS -> FIGURES. In: two label maps on one grid. Out: how well they agree, in volume and at their borders.

mod dice;
mod surface;

pub use dice::{LabelDice, dice, dice_slices, dice_table};
pub use surface::{LabelSurface, mean_surface_distance, surface, surface_slices};
