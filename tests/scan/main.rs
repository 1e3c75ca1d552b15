//! The NIfTI reader and writer, from the outside. In: files built byte by byte here. Out: the values, places and
//! errors a user meets.

mod bad_input;
mod build;
mod read;
mod shared_data;
mod write;
