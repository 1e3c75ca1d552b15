//! DICOM. In: the bytes of any files. Out: the series in them, and a series' slices as a [`Volume`](crate::volume::Volume) with what a result must
//! refer to ([`DicomSource`]).
//!
//! `dataset` takes a file apart, `header` keeps what is needed of it, `geometry` puts slices in order, `codec` unpacks them.
//! A volume has columns along i, rows along j and slices along k, in the direction that rows and columns span.

mod codec;
mod dataset;
mod error;
mod frame;
mod geometry;
mod header;
mod layout;
mod source;
mod stack;
mod values;
mod vector;

pub use source::{DicomSource, SourceSlice};

pub(super) use header::Header;
pub(super) use stack::{Stack, stacks};

use super::error::ScanError;
use super::input::File;
use codec::Codec;
use dataset::Container;
use stack::Instance;

/// The objects in files, by file; `None` for one that is about other files.
pub(super) fn header(file: &File<'_>) -> Result<Option<Header>, ScanError> {
    Header::read(&file.bytes).map_err(|e| e.in_file(&file.name))
}

/// Decodes the frames of an object that a volume needs and gives each to `each`.
fn frames(
    file: &File<'_>,
    instance: &Instance,
    wanted: &[(usize, usize)],
    mut each: impl FnMut(usize, Vec<f64>) -> Result<(), ScanError>,
) -> Result<(), ScanError> {
    let in_file = |e: ScanError| e.in_file(&file.name);
    let codec: Codec = codec::of(&instance.syntax).map_err(in_file)?;
    let container = Container::read(&file.bytes).map_err(in_file)?;
    let object = container.object().map_err(in_file)?;
    let (image, count) = (&instance.image, instance.image.frames.len());
    for (frame, place) in wanted {
        let values = codec::frame(&object, &image.layout, codec, *frame, count).map_err(in_file)?;
        let modality = &image.frames[*frame].modality;
        let values = values.into_iter().map(|v| modality.apply(v)).collect();
        each(*place, values).map_err(in_file)?;
    }
    Ok(())
}
