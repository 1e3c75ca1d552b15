//! A DICOM structure set (RTSTRUCT). In: a label map and its series. Out: one region for each label, with closed planar
//! contours in the planes of the series' images.

use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};

use super::codes::concept;
use super::contours::outlines;
use super::element::{Item, put_decimals, put_items, put_text, put_words};
use super::{About, IMPLICIT, Job, Kind, MAKER, Plane, put_series};
use crate::export::{ExportError, Segment};
use crate::scan::dicom::DicomSource;
use crate::volume::{LabelMap, VoxelAxis};

const RTSTRUCT: Kind = Kind {
    name: "DICOM RTSTRUCT",
    class: uids::RT_STRUCTURE_SET_STORAGE,
    modality: "RTSTRUCT",
    series_number: "301",
    transfer_syntax: IMPLICIT,
};
/// What a study is called in a reference, although nobody stores such an object any more.
const STUDY_CLASS: &str = "1.2.840.10008.3.1.2.3.1";

/// Writes `labels`, which lie on the volume that `source` became.
///
/// # Errors
/// As [`seg::write`](super::seg::write).
pub fn write<'a>(
    labels: &'a LabelMap,
    source: Option<&'a DicomSource>,
    about: About<'a>,
) -> Result<Vec<u8>, ExportError> {
    let mut job = Job::new(&RTSTRUCT, labels, source, about)?;
    let mut item = job.begin();
    let (date, time) = (job.moment.date(), job.moment.time());
    for (tag, vr, value) in [
        (tags::OPERATORS_NAME, VR::PN, ""),
        (tags::STRUCTURE_SET_DATE, VR::DA, date),
        (tags::STRUCTURE_SET_TIME, VR::TM, time),
        (tags::STRUCTURE_SET_LABEL, VR::SH, MAKER),
        (tags::APPROVAL_STATUS, VR::CS, "UNAPPROVED"),
    ] {
        put_text(&mut item, tag, vr, value);
    }
    put_words(
        &mut item,
        tags::STRUCTURE_SET_NAME,
        VR::LO,
        &job.description,
    );
    put_frame_of_reference(&mut item, &job);
    let numbered = || job.segments.iter().zip(1..);
    let regions = numbered().map(|(segment, n)| region(&job, segment, n));
    put_items(
        &mut item,
        tags::STRUCTURE_SET_ROI_SEQUENCE,
        regions.collect(),
    );
    let planes = job.slices();
    let contours = numbered().map(|(segment, n)| contours(&job, segment, n, &planes));
    let contours = contours.collect::<Result<_, _>>()?;
    put_items(&mut item, tags::ROI_CONTOUR_SEQUENCE, contours);
    let observations = numbered().map(|(segment, n)| observation(segment, n));
    put_items(
        &mut item,
        tags::RTROI_OBSERVATIONS_SEQUENCE,
        observations.collect(),
    );
    job.finish(item)
}

/// The space, and the study, series and images in it.
fn put_frame_of_reference(item: &mut Item, job: &Job<'_>) {
    let source = job.source;
    let mut frame = Item::new_empty();
    let uid = &source.frame_of_reference_uid;
    put_text(&mut frame, tags::FRAME_OF_REFERENCE_UID, VR::UI, uid);
    if job.referable {
        let mut study = Item::new_empty();
        let tag = tags::REFERENCED_SOP_CLASS_UID;
        put_text(&mut study, tag, VR::UI, STUDY_CLASS);
        let (tag, uid) = (
            tags::REFERENCED_SOP_INSTANCE_UID,
            &source.study_instance_uid,
        );
        put_text(&mut study, tag, VR::UI, uid);
        let series = tags::RT_REFERENCED_SERIES_SEQUENCE;
        put_series(&mut study, series, tags::CONTOUR_IMAGE_SEQUENCE, source);
        let tag = tags::RT_REFERENCED_STUDY_SEQUENCE;
        put_items(&mut frame, tag, vec![study]);
    }
    let tag = tags::REFERENCED_FRAME_OF_REFERENCE_SEQUENCE;
    put_items(item, tag, vec![frame]);
}

fn put_number(item: &mut Item, tag: Tag, number: u16) {
    put_text(item, tag, VR::IS, &number.to_string());
}

/// A region's name.
fn region(job: &Job<'_>, segment: &Segment, number: u16) -> Item {
    let mut item = Item::new_empty();
    put_number(&mut item, tags::ROI_NUMBER, number);
    let (tag, uid) = (
        tags::REFERENCED_FRAME_OF_REFERENCE_UID,
        &job.source.frame_of_reference_uid,
    );
    put_text(&mut item, tag, VR::UI, uid);
    put_words(&mut item, tags::ROI_NAME, VR::LO, &segment.name);
    let tag = tags::ROI_GENERATION_ALGORITHM;
    put_text(&mut item, tag, VR::CS, "SEMIAUTOMATIC");
    item
}

/// A region's colour and contours.
fn contours(
    job: &Job<'_>,
    segment: &Segment,
    number: u16,
    planes: &[Plane<'_>],
) -> Result<Item, ExportError> {
    let mut rings = Vec::new();
    for plane in planes {
        let mask = (job.labels).slice_mask(VoxelAxis::K, plane.index, segment.label);
        let mask = mask.map_err(|e| ExportError::encoding("slice", &e))?;
        let outlines = outlines(&mask).map_err(|e| ExportError::encoding("contours", &e))?;
        rings.extend(outlines.iter().map(|ring| contour(job.source, plane, ring)));
    }
    let mut item = Item::new_empty();
    let colour = segment.colour.map(|part| part.to_string());
    let colour = PrimitiveValue::Strs(colour.into_iter().collect());
    item.put(DataElement::new(tags::ROI_DISPLAY_COLOR, VR::IS, colour));
    put_items(&mut item, tags::CONTOUR_SEQUENCE, rings);
    put_number(&mut item, tags::REFERENCED_ROI_NUMBER, number);
    Ok(item)
}

/// One closed contour, from pixels to millimetres.
fn contour(source: &DicomSource, plane: &Plane<'_>, ring: &[[f64; 2]]) -> Item {
    let [row_step, column_step] = source.pixel_spacing;
    let along = |axis: usize, [column, row]: [f64; 2]| {
        plane.position[axis]
            + source.orientation[axis] * column_step * column
            + source.orientation[axis + 3] * row_step * row
    };
    let points = ring
        .iter()
        .flat_map(|point| [0, 1, 2].map(|axis| along(axis, *point)));
    // A hundred-thousandth of a millimetre: what lies beyond only makes the file larger.
    let points = points.map(|mm| (mm * 1e5).round() / 1e5);
    let mut item = Item::new_empty();
    if let Some(image) = plane.source {
        let images = vec![Plane::reference(image)];
        put_items(&mut item, tags::CONTOUR_IMAGE_SEQUENCE, images);
    }
    let tag = tags::CONTOUR_GEOMETRIC_TYPE;
    put_text(&mut item, tag, VR::CS, "CLOSED_PLANAR");
    let count = ring.len().to_string();
    put_text(&mut item, tags::NUMBER_OF_CONTOUR_POINTS, VR::IS, &count);
    put_decimals(&mut item, tags::CONTOUR_DATA, points);
    item
}

/// What a region is.
fn observation(segment: &Segment, number: u16) -> Item {
    let mut item = Item::new_empty();
    put_number(&mut item, tags::OBSERVATION_NUMBER, number);
    put_number(&mut item, tags::REFERENCED_ROI_NUMBER, number);
    let code = concept(&segment.name).kind.item();
    let tag = tags::RTROI_IDENTIFICATION_CODE_SEQUENCE;
    put_items(&mut item, tag, vec![code]);
    put_text(&mut item, tags::RTROI_INTERPRETED_TYPE, VR::CS, "");
    put_text(&mut item, tags::ROI_INTERPRETER, VR::PN, "");
    item
}
