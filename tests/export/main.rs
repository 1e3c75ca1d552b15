//! The writers, from the outside. In: label maps made here, on grids that are flipped, oblique and left-handed. Out: the files
//! read back, and compared voxel by voxel with what went in.

mod made;
mod measure;
mod png_stack;
mod rtstruct;
mod seg;
mod surface;
