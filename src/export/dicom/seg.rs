//! A DICOM segmentation object (SEG). In: a label map and its series. Out: a binary multi-frame image: one segment for each
//! label, one frame for each slice on which it has a voxel, each referring to the image it lies on.

use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};

use super::codes::{coded, concept};
use super::colour::cie_lab;
use super::element::{
    Item, put_decimals, put_items, put_tag, put_text, put_u16, put_u32, put_words,
};
use super::{About, EXPLICIT, Job, Kind, MAKER, Plane, VERSION, put_series};
use crate::export::{ExportError, Segment};
use crate::scan::dicom::DicomSource;
use crate::volume::{LabelMap, Mask, VoxelAxis};

const SEG: Kind = Kind {
    name: "DICOM SEG",
    class: uids::SEGMENTATION_STORAGE,
    modality: "SEG",
    series_number: "300",
    transfer_syntax: EXPLICIT,
};

/// Writes `labels`, which lie on the volume that `source` became.
///
/// # Errors
/// `NoSourceSeries` without a source, `NoFrameOfReference` when it has none, `OtherGrid` when its images are of another size,
/// `Empty` without a label, `BadTime` for a time that is none.
pub fn write<'a>(
    labels: &'a LabelMap,
    source: Option<&'a DicomSource>,
    about: About<'a>,
) -> Result<Vec<u8>, ExportError> {
    let mut job = Job::new(&SEG, labels, source, about)?;
    let mut item = job.begin();
    put_image(&mut item, &job);
    let segments = (0..job.segments.len())
        .map(|at| segment(&mut job, at))
        .collect();
    put_items(&mut item, tags::SEGMENT_SEQUENCE, segments);
    put_dimensions(&mut item, &mut job);
    if job.referable {
        let series = tags::REFERENCED_SERIES_SEQUENCE;
        let images = tags::REFERENCED_INSTANCE_SEQUENCE;
        put_series(&mut item, series, images, job.source);
    }
    put_items(
        &mut item,
        tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
        vec![shared(&job)],
    );
    put_frames(&mut item, &job)?;
    job.finish(item)
}

/// What kind of image it is.
fn put_image(item: &mut Item, job: &Job<'_>) {
    let (date, time) = (job.moment.date(), job.moment.time());
    let lossy = job.source.attributes.get("LossyImageCompression");
    for (tag, vr, value) in [
        (tags::IMAGE_TYPE, VR::CS, r"DERIVED\PRIMARY"),
        (tags::CONTENT_DATE, VR::DA, date),
        (tags::CONTENT_TIME, VR::TM, time),
        (tags::CONTENT_LABEL, VR::CS, "SEGMENTATION"),
        (tags::CONTENT_CREATOR_NAME, VR::PN, ""),
        (tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2"),
        (tags::SEGMENTATION_TYPE, VR::CS, "BINARY"),
        (tags::SEGMENTS_OVERLAP, VR::CS, "NO"),
        (
            tags::LOSSY_IMAGE_COMPRESSION,
            VR::CS,
            lossy.map_or("00", |value| value),
        ),
    ] {
        put_text(item, tag, vr, value);
    }
    put_words(item, tags::CONTENT_DESCRIPTION, VR::LO, &job.description);
    let [rows, columns] = [job.source.rows, job.source.columns].map(|n| n as u16);
    for (tag, value) in [
        (tags::SAMPLES_PER_PIXEL, 1),
        (tags::ROWS, rows),
        (tags::COLUMNS, columns),
        (tags::BITS_ALLOCATED, 1),
        (tags::BITS_STORED, 1),
        (tags::HIGH_BIT, 0),
        (tags::PIXEL_REPRESENTATION, 0),
    ] {
        put_u16(item, tag, &[value]);
    }
}

/// Segment `at`; they are numbered from 1 without gaps, whatever the labels are.
fn segment(job: &mut Job<'_>, at: usize) -> Item {
    let tracking = job.uid();
    let Segment {
        label,
        name,
        colour,
    } = &job.segments[at];
    let concept = concept(name);
    let mut item = Item::new_empty();
    put_u16(&mut item, tags::SEGMENT_NUMBER, &[at as u16 + 1]);
    put_words(&mut item, tags::SEGMENT_LABEL, VR::LO, name);
    let origin = format!("label {label} of the label map");
    put_text(&mut item, tags::SEGMENT_DESCRIPTION, VR::ST, &origin);
    let (kind, tag) = ("SEMIAUTOMATIC", tags::SEGMENT_ALGORITHM_TYPE);
    put_text(&mut item, tag, VR::CS, kind);
    let algorithm = format!("{MAKER} {VERSION} (SAM 2.1)");
    let tag = tags::SEGMENT_ALGORITHM_NAME;
    put_text(&mut item, tag, VR::LO, &algorithm);
    let tag = tags::RECOMMENDED_DISPLAY_CIE_LAB_VALUE;
    put_u16(&mut item, tag, &cie_lab(*colour));
    let tag = tags::SEGMENTED_PROPERTY_CATEGORY_CODE_SEQUENCE;
    put_items(&mut item, tag, vec![concept.category.item()]);
    let mut property = concept.kind.item();
    if let Some(side) = concept.side {
        let tag = tags::SEGMENTED_PROPERTY_TYPE_MODIFIER_CODE_SEQUENCE;
        put_items(&mut property, tag, vec![side.item()]);
    }
    let tag = tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE;
    put_items(&mut item, tag, vec![property]);
    put_words(&mut item, tags::TRACKING_ID, VR::UT, name);
    put_text(&mut item, tags::TRACKING_UID, VR::UI, &tracking);
    item
}

/// Frames are counted by segment, then by place.
fn put_dimensions(item: &mut Item, job: &mut Job<'_>) {
    let organisation = job.uid();
    let of_organisation = || {
        let mut of = Item::new_empty();
        let tag = tags::DIMENSION_ORGANIZATION_UID;
        put_text(&mut of, tag, VR::UI, &organisation);
        of
    };
    let dimension = |pointer: Tag, group: Tag, name: &str| {
        let mut index = of_organisation();
        put_tag(&mut index, tags::DIMENSION_INDEX_POINTER, pointer);
        put_tag(&mut index, tags::FUNCTIONAL_GROUP_POINTER, group);
        put_text(&mut index, tags::DIMENSION_DESCRIPTION_LABEL, VR::LO, name);
        index
    };
    let tag = tags::DIMENSION_ORGANIZATION_SEQUENCE;
    put_items(item, tag, vec![of_organisation()]);
    let dimensions = vec![
        dimension(
            tags::REFERENCED_SEGMENT_NUMBER,
            tags::SEGMENT_IDENTIFICATION_SEQUENCE,
            "Segment",
        ),
        dimension(
            tags::IMAGE_POSITION_PATIENT,
            tags::PLANE_POSITION_SEQUENCE,
            "Position",
        ),
    ];
    put_items(item, tags::DIMENSION_INDEX_SEQUENCE, dimensions);
}

/// What all frames share: directions and sizes.
fn shared(job: &Job<'_>) -> Item {
    let (mut groups, mut orientation, mut measures) =
        (Item::new_empty(), Item::new_empty(), Item::new_empty());
    let tag = tags::IMAGE_ORIENTATION_PATIENT;
    put_decimals(&mut orientation, tag, job.source.orientation);
    put_items(
        &mut groups,
        tags::PLANE_ORIENTATION_SEQUENCE,
        vec![orientation],
    );
    let thickness = job.source.slice_thickness;
    put_decimals(&mut measures, tags::SLICE_THICKNESS, [thickness]);
    let between = job.labels.grid.spacing[2].0;
    put_decimals(&mut measures, tags::SPACING_BETWEEN_SLICES, [between]);
    put_decimals(&mut measures, tags::PIXEL_SPACING, job.source.pixel_spacing);
    put_items(&mut groups, tags::PIXEL_MEASURES_SEQUENCE, vec![measures]);
    groups
}

/// The frames: their places, and their pixels one bit each, all frames in one stream without gaps.
fn put_frames(item: &mut Item, job: &Job<'_>) -> Result<(), ExportError> {
    let planes = job.slices();
    let (mut groups, mut bits) = (Vec::new(), Bits::default());
    for (at, segment) in job.segments.iter().enumerate() {
        for plane in &planes {
            let mask = (job.labels).slice_mask(VoxelAxis::K, plane.index, segment.label);
            let mask = mask.map_err(|e| ExportError::encoding("slice", &e))?;
            if !mask.is_empty() {
                groups.push(frame(at as u16 + 1, plane));
                bits.add(&mask);
            }
        }
    }
    let count = groups.len().to_string();
    put_text(item, tags::NUMBER_OF_FRAMES, VR::IS, &count);
    put_items(item, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, groups);
    let pixels = PrimitiveValue::U8(bits.even().into());
    item.put(DataElement::new(tags::PIXEL_DATA, VR::OB, pixels));
    Ok(())
}

/// Where a frame lies and what it is made of.
fn frame(number: u16, plane: &Plane<'_>) -> Item {
    let mut groups = Item::new_empty();
    let mut put = |tag: Tag, group: Item| put_items(&mut groups, tag, vec![group]);
    let mut content = Item::new_empty();
    let index = [u32::from(number), plane.index as u32 + 1];
    put_u32(&mut content, tags::DIMENSION_INDEX_VALUES, &index);
    put(tags::FRAME_CONTENT_SEQUENCE, content);
    let mut position = Item::new_empty();
    let tag = tags::IMAGE_POSITION_PATIENT;
    put_decimals(&mut position, tag, plane.position);
    put(tags::PLANE_POSITION_SEQUENCE, position);
    let mut segment = Item::new_empty();
    let tag = tags::REFERENCED_SEGMENT_NUMBER;
    put_u16(&mut segment, tag, &[number]);
    put(tags::SEGMENT_IDENTIFICATION_SEQUENCE, segment);
    if let Some(source) = plane.source {
        let mut image = Plane::reference(source);
        let tag = tags::SPATIAL_LOCATIONS_PRESERVED;
        put_text(&mut image, tag, VR::CS, "YES");
        let purpose = coded(
            "121322",
            "DCM",
            "Source image for image processing operation",
        );
        let tag = tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE;
        put_items(&mut image, tag, vec![purpose]);
        let mut derivation = Item::new_empty();
        put_items(&mut derivation, tags::SOURCE_IMAGE_SEQUENCE, vec![image]);
        let code = coded("113076", "DCM", "Segmentation");
        let tag = tags::DERIVATION_CODE_SEQUENCE;
        put_items(&mut derivation, tag, vec![code]);
        put(tags::DERIVATION_IMAGE_SEQUENCE, derivation);
    }
    groups
}

/// Pixels of one bit, the first in the lowest place.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    fn add(&mut self, mask: &Mask) {
        let count = self.count + mask.pixels.len();
        self.bytes.resize(count.div_ceil(8), 0);
        for (at, inside) in mask.pixels.iter().enumerate() {
            let bit = self.count + at;
            self.bytes[bit / 8] |= u8::from(*inside) << (bit % 8);
        }
        self.count = count;
    }

    /// An element's length is even.
    fn even(mut self) -> Vec<u8> {
        self.bytes.resize(self.bytes.len().next_multiple_of(2), 0);
        self.bytes
    }
}
