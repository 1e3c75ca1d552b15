//! What a result must refer to. In: nothing. Out: the patient, the study and the slices a DICOM volume was made from, by the
//! identifiers that a segmentation object or a structure set repeats.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::stack::Instance;

/// The series behind a volume. It goes through JavaScript as a plain object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DicomSource {
    /// `CT`, `MR`, ...
    pub modality: String,
    /// Of the study the series belongs to.
    pub study_instance_uid: String,
    /// Of the series.
    pub series_instance_uid: String,
    /// Of the space that positions are in; empty when the files do not say.
    pub frame_of_reference_uid: String,
    /// Attributes of patient, study and series as read, by DICOM keyword; those that are missing or empty are left out.
    pub attributes: BTreeMap<String, String>,
    /// Rows of a slice: the volume's j.
    pub rows: usize,
    /// Columns of a slice: the volume's i.
    pub columns: usize,
    /// Directions along a row and down a column, in DICOM's patient space (x to the left, y to the back, z to the head).
    pub orientation: [f64; 6],
    /// Millimetres between rows, then between columns.
    pub pixel_spacing: [f64; 2],
    /// Millimetres; as the files say, else the distance of slices.
    pub slice_thickness: f64,
    /// In the volume's order. A blank slice, put in where one is missing, is not among them.
    pub slices: Vec<SourceSlice>,
}

/// One slice of the volume and where it is from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceSlice {
    /// The volume's k.
    pub slice: usize,
    /// What kind of object holds it.
    pub sop_class_uid: String,
    /// The object.
    pub sop_instance_uid: String,
    /// Its frame, from 1; none for an object with a single one.
    pub frame: Option<u32>,
    /// Of the first pixel's centre, in DICOM's patient space, millimetres.
    pub position: [f64; 3],
    /// Name of the file.
    pub file: String,
}

/// Where slice `slice` of a volume is from: frame `number` of an instance.
pub(super) fn slice(slice: usize, instance: &Instance, number: usize, file: &str) -> SourceSlice {
    let (header, image) = (&instance.header, &instance.image);
    SourceSlice {
        slice,
        sop_class_uid: header.sop_class.clone(),
        sop_instance_uid: header.sop_instance.clone(),
        frame: image.multi_frame.then_some(number as u32 + 1),
        position: image.frames[number].position.unwrap_or_default(),
        file: file.to_owned(),
    }
}

/// What slices have in common, from one of the objects they are in.
pub(super) fn source(first: &Instance, step: f64, slices: Vec<SourceSlice>) -> DicomSource {
    let (header, image) = (&first.header, &first.image);
    let frame = &image.frames[0];
    DicomSource {
        modality: header.modality.clone(),
        study_instance_uid: header.study.clone(),
        series_instance_uid: header.series.clone(),
        frame_of_reference_uid: header.frame_of_reference.clone(),
        attributes: header.attributes.clone(),
        rows: image.layout.rows,
        columns: image.layout.columns,
        orientation: frame.orientation.unwrap_or([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
        pixel_spacing: frame.spacing.unwrap_or([1.0; 2]),
        slice_thickness: frame.thickness.unwrap_or(step),
        slices,
    }
}
