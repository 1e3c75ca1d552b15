//! MASKS -> FIGURES. In: two label maps on one grid. Out: how well they agree.

mod dice;

pub use dice::{LabelDice, dice, dice_table};
