//! DICOM out. In: a label map, the series it was drawn on, and what only the caller knows (names, the time, random numbers).
//! Out: the bytes of a segmentation object (`seg`) or of a structure set (`rtstruct`) that belongs to the same patient and
//! study and lies on the same images.
//!
//! Files that were stripped of their identifiers cannot be referred to: their results get a study of their own and no
//! references, and are placed by their frame of reference alone.

mod codes;
mod colour;
mod contours;
mod element;
mod occasion;
pub mod rtstruct;
pub mod seg;

use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

use super::error::ExportError;
use super::segment::Segment;
use crate::scan::dicom::{DicomSource, SourceSlice};
use crate::volume::{Grid, LabelMap, VoxelPoint};
use dicom_core::VR;
use element::{Item, put_items, put_text};
use occasion::Moment;

/// What a writer cannot know by itself.
pub struct About<'a> {
    /// Names and colours; a label that is not among them is called by its number.
    pub segments: &'a [Segment],
    /// SeriesDescription; what kind of object it is when empty.
    pub description: &'a str,
    /// Date and time, like `2026-11-25T09:30:00`; what follows the seconds is passed over.
    pub now: &'a str,
    /// A random number, another one for each file: the file's identifiers are made of it.
    pub random: u128,
}

/// Who made the object, in its equipment and algorithm attributes.
const MAKER: &str = "OneSlice";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A kind of object.
struct Kind {
    /// For messages and as a description.
    name: &'static str,
    class: &'static str,
    modality: &'static str,
    /// Sorts behind the scanner's own series.
    series_number: &'static str,
    transfer_syntax: &'static str,
}

/// Everything an object's writer needs, checked.
struct Job<'a> {
    kind: &'static Kind,
    labels: &'a LabelMap,
    source: &'a DicomSource,
    /// One for each label that a voxel carries, ascending.
    segments: Vec<Segment>,
    /// Whether the files have the identifiers that references are made of.
    referable: bool,
    moment: Moment,
    description: String,
    random: u128,
    /// How many identifiers have been made.
    made: u32,
}

impl<'a> Job<'a> {
    fn new(
        kind: &'static Kind,
        labels: &'a LabelMap,
        source: Option<&'a DicomSource>,
        about: About<'a>,
    ) -> Result<Self, ExportError> {
        let source = source.ok_or_else(|| ExportError::no_source_series(kind.name))?;
        let [columns, rows, depth] = labels.grid.dims;
        let slices = source.slices.iter().map(|s| s.slice + 1).max().unwrap_or(0);
        if (columns, rows) != (source.columns, source.rows) || slices > depth {
            let series = [source.columns, source.rows, slices];
            return Err(ExportError::other_scan(labels.grid.dims, series));
        }
        if source.frame_of_reference_uid.is_empty() {
            return Err(ExportError::no_frame_of_reference(kind.name));
        }
        let present = labels.labels_present();
        if present.is_empty() {
            return Err(ExportError::empty(None));
        }
        let uids = |s: &SourceSlice| !s.sop_class_uid.is_empty() && !s.sop_instance_uid.is_empty();
        let whole = !source.study_instance_uid.is_empty() && !source.series_instance_uid.is_empty();
        let description = match about.description.trim() {
            "" => format!("{MAKER} {}", kind.name),
            text => text.to_owned(),
        };
        Ok(Self {
            kind,
            labels,
            source,
            segments: (present.iter().map(|l| Segment::of(*l, about.segments))).collect(),
            referable: whole && source.slices.iter().all(uids),
            moment: about.now.parse()?,
            description,
            random: about.random,
            made: 0,
        })
    }

    /// A new identifier.
    fn uid(&mut self) -> String {
        self.made += 1;
        occasion::uid(self.random, self.made)
    }

    /// The volume's slices in order: which it is, where its first pixel lies, and what it was made of.
    fn slices(&self) -> Vec<Plane<'a>> {
        let mut of_slice = vec![None; self.labels.grid.dims[2]];
        for slice in &self.source.slices {
            of_slice[slice.slice] = Some(slice);
        }
        let plane = |(index, source): (usize, Option<&'a SourceSlice>)| Plane {
            index,
            position: match source {
                Some(source) => source.position,
                None => first_pixel(&self.labels.grid, index),
            },
            source: source.filter(|_| self.referable),
        };
        of_slice.into_iter().enumerate().map(plane).collect()
    }

    /// The modules all kinds share: patient, study, series, equipment, frame of reference, and the object itself.
    fn begin(&mut self) -> Item {
        let mut item = InMemDicomObject::new_empty();
        let (instance, series) = (self.uid(), self.uid());
        let study = match self.source.study_instance_uid.as_str() {
            "" => self.uid(),
            uid => uid.to_owned(),
        };
        let (date, time) = (self.moment.date(), self.moment.time());
        for (tag, vr, value) in [
            (tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192"),
            (tags::INSTANCE_CREATION_DATE, VR::DA, date),
            (tags::INSTANCE_CREATION_TIME, VR::TM, time),
            (tags::SOP_CLASS_UID, VR::UI, self.kind.class),
            (tags::SOP_INSTANCE_UID, VR::UI, &instance),
            (tags::SERIES_DATE, VR::DA, date),
            (tags::SERIES_TIME, VR::TM, time),
            (tags::MODALITY, VR::CS, self.kind.modality),
            (tags::MANUFACTURER, VR::LO, MAKER),
            (tags::SERIES_DESCRIPTION, VR::LO, &self.description),
            (tags::MANUFACTURER_MODEL_NAME, VR::LO, MAKER),
            (tags::DEVICE_SERIAL_NUMBER, VR::LO, "0"),
            (tags::SOFTWARE_VERSIONS, VR::LO, VERSION),
            (tags::STUDY_INSTANCE_UID, VR::UI, &study),
            (tags::SERIES_INSTANCE_UID, VR::UI, &series),
            (tags::SERIES_NUMBER, VR::IS, self.kind.series_number),
            (tags::INSTANCE_NUMBER, VR::IS, "1"),
            (
                tags::FRAME_OF_REFERENCE_UID,
                VR::UI,
                &self.source.frame_of_reference_uid,
            ),
        ] {
            put_text(&mut item, tag, vr, value);
        }
        let known = |keyword: &str| self.source.attributes.get(keyword).map(String::as_str);
        for (keyword, tag, vr) in REPEATED {
            put_text(&mut item, tag, vr, known(keyword).unwrap_or_default());
        }
        for (keyword, tag, vr) in REPEATED_IF_KNOWN {
            if let Some(value) = known(keyword) {
                put_text(&mut item, tag, vr, value);
            }
        }
        item
    }

    /// The bytes of the file.
    fn finish(&self, item: Item) -> Result<Vec<u8>, ExportError> {
        let failed = |e: &dyn std::fmt::Display| ExportError::encoding(self.kind.name, e);
        let meta = FileMetaTableBuilder::new().transfer_syntax(self.kind.transfer_syntax);
        let mut bytes = Vec::new();
        let file = item.with_meta(meta).map_err(|e| failed(&e))?;
        file.write_all(&mut bytes).map_err(|e| failed(&e))?;
        Ok(bytes)
    }
}

/// A slice of the volume as DICOM sees it.
struct Plane<'a> {
    index: usize,
    /// Of the first pixel's centre, LPS.
    position: [f64; 3],
    /// The image it came from; none when it came from none, or from one that cannot be referred to.
    source: Option<&'a SourceSlice>,
}

impl Plane<'_> {
    /// The reference to its image.
    fn reference(source: &SourceSlice) -> Item {
        let mut item = InMemDicomObject::new_empty();
        let uid = &source.sop_class_uid;
        put_text(&mut item, tags::REFERENCED_SOP_CLASS_UID, VR::UI, uid);
        let uid = &source.sop_instance_uid;
        put_text(&mut item, tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, uid);
        if let Some(frame) = source.frame {
            let tag = tags::REFERENCED_FRAME_NUMBER;
            put_text(&mut item, tag, VR::IS, &frame.to_string());
        }
        item
    }
}

/// A reference to each object that slices came from, once.
fn instances(slices: &[SourceSlice]) -> Vec<Item> {
    let mut known = std::collections::HashSet::new();
    let first = slices.iter().filter(|s| known.insert(&s.sop_instance_uid));
    first
        .map(|slice| {
            Plane::reference(&SourceSlice {
                frame: None,
                ..slice.clone()
            })
        })
        .collect()
}

/// The series and the images in it.
fn put_series(item: &mut Item, tag: dicom_core::Tag, images: dicom_core::Tag, from: &DicomSource) {
    let mut series = InMemDicomObject::new_empty();
    let uid = &from.series_instance_uid;
    put_text(&mut series, tags::SERIES_INSTANCE_UID, VR::UI, uid);
    put_items(&mut series, images, instances(&from.slices));
    put_items(item, tag, vec![series]);
}

/// Where the first pixel of a slice lies that no image gives a place.
fn first_pixel(grid: &Grid, slice: usize) -> [f64; 3] {
    let point = grid.affine.apply(VoxelPoint([0.0, 0.0, slice as f64]));
    let [right, front, up] = point.0.map(|mm| mm.0);
    [-right, -front, up]
}

/// Attributes of patient and study that must be there, if empty.
const REPEATED: [(&str, dicom_core::Tag, VR); 10] = [
    ("StudyDate", tags::STUDY_DATE, VR::DA),
    ("StudyTime", tags::STUDY_TIME, VR::TM),
    ("AccessionNumber", tags::ACCESSION_NUMBER, VR::SH),
    (
        "ReferringPhysicianName",
        tags::REFERRING_PHYSICIAN_NAME,
        VR::PN,
    ),
    ("PatientName", tags::PATIENT_NAME, VR::PN),
    ("PatientID", tags::PATIENT_ID, VR::LO),
    ("PatientBirthDate", tags::PATIENT_BIRTH_DATE, VR::DA),
    ("PatientSex", tags::PATIENT_SEX, VR::CS),
    ("StudyID", tags::STUDY_ID, VR::SH),
    (
        "PositionReferenceIndicator",
        tags::POSITION_REFERENCE_INDICATOR,
        VR::LO,
    ),
];

/// The same, where they are known.
const REPEATED_IF_KNOWN: [(&str, dicom_core::Tag, VR); 4] = [
    ("StudyDescription", tags::STUDY_DESCRIPTION, VR::LO),
    ("PatientAge", tags::PATIENT_AGE, VR::AS),
    ("PatientSize", tags::PATIENT_SIZE, VR::DS),
    ("PatientWeight", tags::PATIENT_WEIGHT, VR::DS),
];

/// Explicit values, for images.
const EXPLICIT: &str = uids::EXPLICIT_VR_LITTLE_ENDIAN;
/// Values without types, whose length is not limited to 64 KiB as that of explicit decimal strings is: a contour's points.
const IMPLICIT: &str = uids::IMPLICIT_VR_LITTLE_ENDIAN;
