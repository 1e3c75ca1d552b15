//! Scans in and out: files built byte by byte, files that other programs wrote, damaged ones.

mod bad_input;
mod build;
mod damage;
mod dicom;
mod golden;
mod headers;
mod made;
mod pictures;
mod read;
mod shared_data;
mod write;
