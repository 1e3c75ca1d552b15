//! The frames of an object. In: its data set, ordinary or enhanced (with functional groups for each frame). Out: where each
//! frame lies, how its values are rescaled, and what it is ordered by among frames in the same place.

use std::sync::Arc;

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::dataset::Dataset;
use crate::scan::error::ScanError;

/// One slice of an object.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// Of the first pixel's centre, in DICOM's patient space, millimetres.
    pub(super) position: Option<[f64; 3]>,
    /// Directions along a row and down a column.
    pub(super) orientation: Option<[f64; 6]>,
    /// Between rows, then between columns.
    pub(super) spacing: Option<[f64; 2]>,
    pub(super) thickness: Option<f64>,
    /// Between slices.
    pub(super) gap: Option<f64>,
    pub(super) modality: ModalityTransform,
    pub(super) order: Order,
}

/// From stored values to those of the modality, Hounsfield units for instance.
#[derive(Debug, Clone)]
pub(super) enum ModalityTransform {
    Linear { slope: f64, intercept: f64 },
    Table(Arc<Table>),
}

#[derive(Debug)]
pub(super) struct Table {
    /// The stored value of the first entry; lower ones have it too, higher ones than the last have the last.
    first: f64,
    entries: Vec<f64>,
}

impl ModalityTransform {
    pub(super) fn apply(&self, value: f64) -> f64 {
        match self {
            Self::Linear { slope, intercept } => value * slope + intercept,
            Self::Table(table) => {
                let last = table.entries.len() - 1;
                // A cast of a float saturates.
                table.entries[((value - table.first) as usize).min(last)]
            }
        }
    }
}

/// What tells frames in one place apart, in the order of importance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order(pub(super) [f64; 6]);

impl Order {
    /// By number alone, for frames that lie nowhere.
    pub(super) fn compare_numbers(&self, other: &Self) -> std::cmp::Ordering {
        let [.., instance, frame] = self.0;
        let [.., other_instance, other_frame] = other.0;
        let by_instance = instance.total_cmp(&other_instance);
        by_instance.then(frame.total_cmp(&other_frame))
    }

    pub(super) fn compare(&self, other: &Self) -> std::cmp::Ordering {
        let pairs = self.0.iter().zip(&other.0);
        let ordered = pairs.map(|(a, b)| a.total_cmp(b));
        ordered.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    }
}

/// The groups a frame's attributes may be in, from the most particular to the most general.
struct Groups<'a, 'b> {
    data: &'b Dataset<'a>,
    own: Option<&'b Dataset<'a>>,
    shared: Option<&'b Dataset<'a>>,
}

impl<'a, 'b> Groups<'a, 'b> {
    /// The item of a functional group; the data set itself where an ordinary object has its attributes.
    fn group(&self, tag: Tag) -> &'b Dataset<'a> {
        let of = |groups: Option<&'b Dataset<'a>>| groups?.item(tag);
        of(self.own).or(of(self.shared)).unwrap_or(self.data)
    }

    fn order(&self, number: usize) -> Order {
        let content = self.group(tags::FRAME_CONTENT_SEQUENCE);
        let either = |a: Tag, b: Tag| content.number(a).or_else(|| self.data.number(b));
        let first = |tag: Tag| self.data.number(tag).unwrap_or(0.0);
        let echo = self
            .group(tags::MR_ECHO_SEQUENCE)
            .number(tags::EFFECTIVE_ECHO_TIME);
        let time = either(
            tags::TEMPORAL_POSITION_INDEX,
            tags::TEMPORAL_POSITION_IDENTIFIER,
        );
        let acquisition = either(tags::FRAME_ACQUISITION_NUMBER, tags::ACQUISITION_NUMBER);
        Order([
            time.unwrap_or(0.0),
            acquisition.unwrap_or(0.0),
            echo.unwrap_or_else(|| first(tags::ECHO_TIME)),
            first(tags::TRIGGER_TIME),
            first(tags::INSTANCE_NUMBER),
            number as f64,
        ])
    }

    fn frame(&self, number: usize, table: Option<&Arc<Table>>) -> Result<Frame, ScanError> {
        let measures = self.group(tags::PIXEL_MEASURES_SEQUENCE);
        let spacing = measures.vector(tags::PIXEL_SPACING)?;
        let spacing = match spacing {
            None => self.data.vector(tags::IMAGER_PIXEL_SPACING)?,
            given => given,
        };
        let values = self.group(tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE);
        let modality = match table {
            Some(table) => ModalityTransform::Table(Arc::clone(table)),
            None => ModalityTransform::Linear {
                slope: values.number(tags::RESCALE_SLOPE).unwrap_or(1.0),
                intercept: values.number(tags::RESCALE_INTERCEPT).unwrap_or(0.0),
            },
        };
        let positive = |tag: Tag| measures.number(tag).filter(|mm| *mm > 0.0);
        Ok(Frame {
            position: self
                .group(tags::PLANE_POSITION_SEQUENCE)
                .vector(tags::IMAGE_POSITION_PATIENT)?,
            orientation: self
                .group(tags::PLANE_ORIENTATION_SEQUENCE)
                .vector(tags::IMAGE_ORIENTATION_PATIENT)?,
            spacing: checked_spacing(spacing)?,
            thickness: positive(tags::SLICE_THICKNESS),
            gap: positive(tags::SPACING_BETWEEN_SLICES),
            modality,
            order: self.order(number),
        })
    }
}

/// Reads `count` frames.
pub(super) fn read(data: &Dataset<'_>, count: usize) -> Result<Vec<Frame>, ScanError> {
    let own = data.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
    let shared = data.item(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE);
    if !own.is_empty() && own.len() != count {
        return Err(ScanError::bad_dicom(&format!(
            "{count} frames, but {} functional groups for frames",
            own.len()
        )));
    }
    let table = table(data)?.map(Arc::new);
    let frame = |number: usize| {
        let own = own.get(number);
        Groups { data, own, shared }.frame(number, table.as_ref())
    };
    (0..count).map(frame).collect()
}

fn checked_spacing(spacing: Option<[f64; 2]>) -> Result<Option<[f64; 2]>, ScanError> {
    match spacing {
        Some(mm) if mm.iter().any(|mm| *mm <= 0.0) => Err(ScanError::bad_dicom(&format!(
            "its pixels are {} x {} mm large",
            mm[0], mm[1]
        ))),
        spacing => Ok(spacing),
    }
}

/// The table of an object that has no slope and intercept.
fn table(data: &Dataset<'_>) -> Result<Option<Table>, ScanError> {
    let Some(item) = data.item(tags::MODALITY_LUT_SEQUENCE) else {
        return Ok(None);
    };
    let descriptor = item.numbers(tags::LUT_DESCRIPTOR);
    let entries = item.numbers(tags::LUT_DATA);
    match *descriptor.as_slice() {
        [count, first, bits] => {
            // The number of entries has 16 bits: 0 stands for 65536.
            let count = if count == 0.0 { 65536 } else { count as usize };
            let signed = data.number(tags::PIXEL_REPRESENTATION) == Some(1.0);
            // The stored value is of the pixels' type, whatever the dictionary takes it for.
            let first = match signed && first > 32767.0 {
                true => first - 65536.0,
                false => first,
            };
            if bits <= 16.0 && entries.len() == count {
                return Ok(Some(Table { first, entries }));
            }
            let found = entries.len();
            Err(ScanError::bad_dicom(&format!(
                "its modality table has {found} of {count} entries"
            )))
        }
        _ => Err(ScanError::bad_dicom(
            "its modality table does not describe itself",
        )),
    }
}
