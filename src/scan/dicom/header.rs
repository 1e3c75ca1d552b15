//! What is kept of a DICOM file until its slices are in order. In: a file's elements. Out: a [`Header`]: who and what it
//! belongs to, how its pixels are stored, and its frames.

use std::collections::BTreeMap;

use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};

use super::codec;
use super::dataset::{Container, Dataset, Object, Pixels};
use super::frame::{self, Frame};
use super::layout::Layout;
use super::values::keyword;
use crate::scan::error::ScanError;

/// Attributes that results repeat.
const KEPT: [Tag; 31] = [
    tags::SPECIFIC_CHARACTER_SET,
    tags::PATIENT_NAME,
    tags::PATIENT_ID,
    tags::ISSUER_OF_PATIENT_ID,
    tags::PATIENT_BIRTH_DATE,
    tags::PATIENT_SEX,
    tags::PATIENT_AGE,
    tags::PATIENT_SIZE,
    tags::PATIENT_WEIGHT,
    tags::PATIENT_POSITION,
    tags::PATIENT_IDENTITY_REMOVED,
    tags::DEIDENTIFICATION_METHOD,
    tags::STUDY_DATE,
    tags::STUDY_TIME,
    tags::STUDY_ID,
    tags::STUDY_DESCRIPTION,
    tags::ACCESSION_NUMBER,
    tags::REFERRING_PHYSICIAN_NAME,
    tags::SERIES_DATE,
    tags::SERIES_TIME,
    tags::SERIES_NUMBER,
    tags::SERIES_DESCRIPTION,
    tags::PROTOCOL_NAME,
    tags::BODY_PART_EXAMINED,
    tags::LATERALITY,
    tags::MANUFACTURER,
    tags::INSTITUTION_NAME,
    tags::POSITION_REFERENCE_INDICATOR,
    tags::CONTENT_DATE,
    tags::CONTENT_TIME,
    tags::TIMEZONE_OFFSET_FROM_UTC,
];

/// One object.
#[derive(Debug, Clone)]
pub(in crate::scan) struct Header {
    pub(super) syntax: String,
    pub(super) sop_class: String,
    pub(super) sop_instance: String,
    pub(super) study: String,
    pub(super) series: String,
    pub(super) frame_of_reference: String,
    pub(super) modality: String,
    pub(super) description: String,
    pub(super) attributes: BTreeMap<String, String>,
    /// How the pixels are stored, or why the object is no image.
    pub(super) image: Result<Image, ScanError>,
}

/// The pixels of an object that is an image.
#[derive(Debug, Clone)]
pub(super) struct Image {
    pub(super) layout: Layout,
    pub(super) frames: Vec<Frame>,
    /// Whether the object has a list of frames (and its frames numbers), even if it is a list of one.
    pub(super) multi_frame: bool,
    pub(super) lossy: bool,
}

impl Header {
    /// `None` for a directory of a medium, which is about other files.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<Self>, ScanError> {
        let container = Container::read(bytes)?;
        let object = container.object()?;
        let data = &object.dataset;
        let sop_class = data.text(tags::SOP_CLASS_UID);
        let sop_class = sop_class.unwrap_or_else(|| container.sop_class.clone());
        if sop_class == uids::MEDIA_STORAGE_DIRECTORY_STORAGE {
            return Ok(None);
        }
        let kept = KEPT.iter().filter_map(|tag| {
            let text = data.text(*tag)?;
            Some((keyword(*tag), text))
        });
        Ok(Some(Self {
            syntax: container.syntax.clone(),
            sop_instance: data
                .text(tags::SOP_INSTANCE_UID)
                .unwrap_or_else(|| container.sop_instance.clone()),
            study: data.text_or_empty(tags::STUDY_INSTANCE_UID),
            series: data.text_or_empty(tags::SERIES_INSTANCE_UID),
            frame_of_reference: data.text_or_empty(tags::FRAME_OF_REFERENCE_UID),
            modality: data.text_or_empty(tags::MODALITY),
            description: data.text_or_empty(tags::SERIES_DESCRIPTION),
            attributes: kept.collect(),
            image: Image::read(&object, &sop_class),
            sop_class,
        }))
    }
}

impl Image {
    fn read(object: &Object<'_>, sop_class: &str) -> Result<Self, ScanError> {
        let data = &object.dataset;
        let modality = data.text_or_empty(tags::MODALITY);
        if modality == "SEG" || sop_class == uids::SEGMENTATION_STORAGE {
            return Err(ScanError::not_an_image("a segmentation (DICOM SEG)"));
        }
        let Some(pixels) = &object.pixels else {
            let what = match modality.as_str() {
                "RTSTRUCT" => "a structure set (RTSTRUCT)".to_owned(),
                "" => "an object without pixels".to_owned(),
                other => format!("an object without pixels ({other})"),
            };
            return Err(ScanError::not_an_image(&what));
        };
        let layout = Layout::read(data)?;
        let count: Option<usize> = data.whole(tags::NUMBER_OF_FRAMES)?;
        let frames = frame::read(data, frame_count(count, &layout, pixels)?)?;
        Ok(Self {
            layout,
            frames,
            multi_frame: count.is_some(),
            lossy: lossy(data),
        })
    }
}

/// The number of frames, which must be there.
fn frame_count(
    count: Option<usize>,
    layout: &Layout,
    pixels: &Pixels<'_>,
) -> Result<usize, ScanError> {
    let count = count.unwrap_or(1);
    let (there, unit) = match pixels {
        Pixels::Native(bytes) => (bytes.len() / layout.frame_len().max(1), "frames"),
        Pixels::Encapsulated { fragments, .. } => (fragments.len(), "fragments of frames"),
    };
    match count {
        0 => Err(ScanError::bad_dicom("NumberOfFrames is 0")),
        _ if count <= there => {
            if let Pixels::Encapsulated { fragments, .. } = pixels {
                // Before a volume is made of what may be a few bytes.
                let bytes = fragments.iter().map(|f| f.bytes.len()).sum();
                codec::check_room(count, bytes, layout)?;
            }
            Ok(count)
        }
        _ => Err(ScanError::missing_frames(count, there, unit)),
    }
}

fn lossy(data: &Dataset<'_>) -> bool {
    data.text(tags::LOSSY_IMAGE_COMPRESSION).as_deref() == Some("01")
}
